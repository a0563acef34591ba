/* test_outbox_model.c - the outbox against arrays: whatever is sent, blocked, granted, dropped and
 * pulled, each message leaves exactly once, in order, in a frame of its destination; a destination
 * gives one frame a pull; bodies may be freed when the pull has ended; limits hold. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "mesh/base/random.h"
#include "proto/client.h"
#include "proto/kinds.h"
#include "tests/unit/mesh/base/queues.h"

enum { QUEUES = 6, BODIES_MAX = 256, WAITING_MAX = 1024, MESSAGES_MAX = 200 };

/* A message is known by its number: its sizes and bytes follow from it. */
struct expected {
    uint64_t number;
    size_t bytes, body_bytes;
    bool consumes_credit;
};

struct destination {
    struct outbound queue;
    struct expected waiting[WAITING_MAX];
    uint32_t first, count; /* of waiting, a ring */
    size_t bytes;
    uint64_t credit_messages_sent, credit_messages_limit;
    uint64_t credit_bytes_sent, credit_bytes_limit;
    bool is_blocked;
    bool had_frame; /* in this pull */
};

struct world {
    struct random random;
    struct memory memory;
    struct outbox *outbox;
    struct destination destinations[QUEUES];
    uint8_t *bodies[BODIES_MAX]; /* input memory, until the pull ends */
    uint32_t bodies_count;
    uint64_t sent, received, refused;
};

static struct frame frame;

static const enum channel channels[QUEUES] = {CHANNEL_CLIENT, CHANNEL_CLIENT,  CHANNEL_GOSSIP,
                                              CHANNEL_GOSSIP, CHANNEL_FORWARD, CHANNEL_FORWARD};
static const size_t aims[4] = {0, CLIENT_FRAME_BYTES_AIM, GOSSIP_FRAME_BYTES_MAX,
                               FORWARD_FRAME_BYTES_AIM};

static uint64_t draw(struct world *world, uint64_t bound)
{
    return random_below(&world->random, bound);
}

static void world_init(struct world *world, uint8_t round)
{
    const uint8_t seed[32] = {round};
    memset(world, 0, sizeof *world);
    random_init(&world->random, seed, 0);
    world->memory.limit[MEMORY_TABLES] = 16 << 20;
    world->memory.limit[MEMORY_QUEUES] = round % 2 == 0 ? 64 << 20 : 600 * 1024;
    world->outbox = outbox_new(&world->memory);
    for (uint32_t i = 0; i < QUEUES; i++) {
        const struct envelope envelope = {.version = 1, .channel = channels[i]};
        outbound_init(&world->destinations[i].queue, world->outbox,
                      channels[i] == CHANNEL_CLIENT ? MESH_REPLY : MESH_SEND, i, &envelope,
                      MESSAGES_MAX, 1 << 20);
        world->destinations[i].credit_messages_limit = UINT64_MAX;
        world->destinations[i].credit_bytes_limit = UINT64_MAX;
    }
}

static size_t draw_body_bytes(struct world *world)
{
    switch (draw(world, 8)) {
    case 0:
        return 0;
    case 1:
        return draw(world, 60 * 1024);
    case 2:
        return draw(world, 5000);
    default:
        return draw(world, 200);
    }
}

static uint8_t *body_new(struct world *world, uint64_t number, size_t bytes)
{
    uint8_t *body = malloc(bytes);
    memset(body, (int)(number % 251), bytes);
    world->bodies[world->bodies_count++] = body;
    return body;
}

static void send_one(struct world *world)
{
    struct destination *to = &world->destinations[draw(world, QUEUES)];
    if (world->bodies_count == BODIES_MAX)
        return;
    uint64_t number = world->sent + world->refused;
    size_t body_bytes = draw_body_bytes(world);
    const struct client_grant fields = {.received_seq = number, .messages_limit = 1};
    struct outgoing message = {
        .kind = KIND_GRANT,
        .correlation = number,
        .schema = &client_grant_schema,
        .fields = &fields,
        .body = span_of(body_new(world, number, body_bytes), body_bytes),
    };
    message.consumes_credit = draw(world, 2) == 0;
    size_t bytes = message_measure(&client_grant_schema, &fields) + body_bytes;
    bool is_full = to->count == MESSAGES_MAX || to->bytes + bytes > 1 << 20;
    bool is_scarce =
        world->memory.used[MEMORY_QUEUES] + body_bytes + 1024 > world->memory.limit[MEMORY_QUEUES];
    if (outbound_send(&to->queue, &message) != ERROR_OK) {
        cr_assert(is_full || is_scarce, "refused without need");
        world->refused++;
        return;
    }
    cr_assert(!is_full);
    to->waiting[(to->first + to->count++) % WAITING_MAX] =
        (struct expected){.number = number,
                          .bytes = bytes,
                          .body_bytes = body_bytes,
                          .consumes_credit = message.consumes_credit};
    to->bytes += bytes;
    world->sent++;
}

static void switch_one(struct world *world)
{
    struct destination *to = &world->destinations[draw(world, QUEUES)];
    to->is_blocked = !to->is_blocked;
    if (to->is_blocked)
        outbound_block(&to->queue);
    else
        outbound_unblock(&to->queue);
}

static void grant_one(struct world *world)
{
    struct destination *to = &world->destinations[draw(world, QUEUES)];
    to->credit_messages_limit = to->credit_messages_sent + draw(world, 60);
    to->credit_bytes_limit = to->credit_bytes_sent + draw(world, 200 * 1024);
    outbound_grant(&to->queue, to->credit_messages_limit, to->credit_bytes_limit);
}

static bool has_credit(const struct destination *to, const struct expected *expected)
{
    return !expected->consumes_credit || (to->credit_messages_sent < to->credit_messages_limit &&
                                          to->credit_bytes_sent < to->credit_bytes_limit);
}

static void drop_one(struct world *world)
{
    struct destination *to = &world->destinations[draw(world, QUEUES)];
    outbound_drop_all(&to->queue);
    world->received += to->count;
    to->count = 0;
    to->bytes = 0;
}

static void message_check(struct destination *from, const struct message *message)
{
    const struct expected *expected = &from->waiting[from->first];
    cr_assert_gt(from->count, 0);
    cr_assert_eq(message->correlation, expected->number, "%lu came instead of %lu",
                 message->correlation, expected->number);
    cr_assert_eq(message->body.bytes, expected->body_bytes);
    for (size_t i = 0; i < message->body.bytes; i++)
        cr_assert_eq(message->body.data[i], expected->number % 251);
    struct client_grant fields;
    cr_assert_eq(schema_decode(&client_grant_schema, message->fields, &fields), ERROR_OK);
    cr_assert_eq(fields.received_seq, expected->number);
    cr_assert(has_credit(from, expected), "left without credit");
    from->credit_messages_sent += expected->consumes_credit;
    from->credit_bytes_sent += expected->consumes_credit ? expected->bytes : 0;
    from->bytes -= expected->bytes;
    from->first = (from->first + 1) % WAITING_MAX;
    from->count--;
}

static void frame_check(struct world *world, const struct mesh_output *output)
{
    uint32_t number = output->order == MESH_SEND ? output->link : output->connection;
    struct destination *from = &world->destinations[number];
    size_t aim = aims[output->channel];
    frame_take(world->outbox, output, &frame);
    cr_assert_eq(output->channel, channels[number]);
    cr_assert(!from->is_blocked, "a blocked destination gave a frame");
    cr_assert(!from->had_frame, "two frames in one pull");
    from->had_frame = true;
    cr_assert_gt(frame.count, 0);
    cr_assert(output->bytes <= aim || frame.count == 1);
    for (uint32_t i = 0; i < frame.count; i++)
        message_check(from, &frame.messages[i]);
    world->received += frame.count;
    if (from->count > 0) { /* cut off where the next one does not fit, or may not leave */
        const struct expected *next = &from->waiting[from->first];
        cr_assert(output->bytes + next->bytes > aim || !has_credit(from, next));
    }
    frame_free(&frame);
}

static void pull(struct world *world, bool is_disturbed)
{
    struct mesh_output output;
    for (uint32_t i = 0; i < QUEUES; i++)
        world->destinations[i].had_frame = false;
    while (outbox_next(world->outbox, &output)) {
        frame_check(world, &output);
        if (is_disturbed && draw(world, 4) == 0)
            switch_one(world);
        if (is_disturbed && draw(world, 4) == 0)
            send_one(world);
        if (is_disturbed && draw(world, 8) == 0)
            grant_one(world);
    }
    bool has_more = false;
    for (uint32_t i = 0; i < QUEUES; i++) {
        const struct destination *to = &world->destinations[i];
        bool may_leave =
            to->count > 0 && !to->is_blocked && has_credit(to, &to->waiting[to->first]);
        cr_assert(to->had_frame || !may_leave, "left out");
        cr_assert_eq(to->queue.messages, to->count);
        cr_assert_eq(to->queue.bytes, to->bytes);
        cr_assert_eq(to->queue.queued_total - to->queue.sent_total, to->count);
        cr_assert_eq(to->queue.credit_bytes_sent, to->credit_bytes_sent);
        has_more = has_more || may_leave;
    }
    cr_assert_eq(outbox_has_more(world->outbox), has_more);
    cr_assert_leq(world->memory.used[MEMORY_QUEUES], world->memory.limit[MEMORY_QUEUES]);
    while (world->bodies_count > 0)
        free(world->bodies[--world->bodies_count]);
}

static void world_end(struct world *world)
{
    for (uint32_t i = 0; i < QUEUES; i++) {
        if (world->destinations[i].is_blocked)
            outbound_unblock(&world->destinations[i].queue);
        world->destinations[i].is_blocked = false;
        world->destinations[i].credit_messages_limit = UINT64_MAX;
        world->destinations[i].credit_bytes_limit = UINT64_MAX;
        outbound_grant(&world->destinations[i].queue, UINT64_MAX, UINT64_MAX);
    }
    do {
        pull(world, false);
    } while (outbox_has_more(world->outbox));
    cr_assert_eq(world->sent, world->received);
    cr_assert_gt(world->sent, 1000);
    for (uint32_t i = 0; i < QUEUES; i++)
        outbound_clear(&world->destinations[i].queue);
    outbox_destroy(&world->outbox);
    cr_assert_eq(world->memory.used[MEMORY_QUEUES], 0);
    cr_assert_eq(world->memory.used[MEMORY_TABLES], 0);
}

Test(outbox_model, every_message_leaves_once_in_order_in_the_frame_of_its_destination)
{
    static struct world world;
    uint64_t refused = 0;
    for (uint8_t round = 0; round < 12; round++) {
        world_init(&world, round);
        for (int step = 0; step < 150; step++) {
            for (uint64_t i = draw(&world, 40); i > 0; i--)
                send_one(&world);
            if (draw(&world, 2) == 0)
                switch_one(&world);
            if (draw(&world, 2) == 0)
                grant_one(&world);
            if (draw(&world, 30) == 0)
                drop_one(&world);
            pull(&world, true);
        }
        world_end(&world);
        refused += world.refused;
    }
    cr_assert_gt(refused, 0, "the limits were never met");
}
