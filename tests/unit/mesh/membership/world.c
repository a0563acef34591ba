/* world.c - see world.h. Events are done in order of time, then of making. Each step of a node is
 * the daemon's: hand in the fact, hand out what is due, take the events, pull the outputs. */
#include "tests/unit/mesh/membership/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/kinds.h"
#include "tests/unit/mesh/membership/wires.h"

#define MS_NS UINT64_C(1000000)

enum { MEMBERS_MAX = 1000 };

/* --- a node's step --- */

static void told(struct world_node *node, const struct member_event *event)
{
    uint32_t i = 0;
    while (i < node->told_count && node->told[i].instance != event->instance)
        i++;
    if (i == node->told_count) {
        if (node->told_count == node->told_capacity) {
            node->told_capacity = node->told_capacity == 0 ? 16 : node->told_capacity * 2;
            node->told = realloc(node->told, node->told_capacity * sizeof node->told[0]);
        }
        node->told[node->told_count++] = (struct world_told){.instance = event->instance};
    }
    node->told[i].times[event->kind]++;
}

static void notice(struct world *world, uint32_t n, const struct mesh_notice *notice)
{
    struct world_node *node = &world->nodes[n];
    node->notices[notice->code]++;
    if (notice->code == NOTICE_REFUSED_BY || notice->code == NOTICE_REFUSED_PEER)
        snprintf(node->last_refusal, sizeof node->last_refusal, "%.*s", (int)notice->texts[1].bytes,
                 (const char *)notice->texts[1].data);
    if (!world->is_loud)
        return;
    printf("%9.3f n%u notice %d", (double)world->now_ns / 1e9, n, (int)notice->code);
    for (int i = 0; i < 3; i++)
        printf(" '%.*s'", (int)notice->texts[i].bytes, (const char *)notice->texts[i].data);
    printf(" %llx %llx\n", (unsigned long long)notice->values[0],
           (unsigned long long)notice->values[1]);
}

static void link_open(struct world *world, uint32_t n, const struct mesh_output *output)
{
    struct world_link *link = wires_link(&world->nodes[n], output->channel, output->link);
    require(!link->is_open || output->channel == CHANNEL_FORWARD);
    link->is_open = true;
    link->is_up = false;
    link->generation++;
    snprintf(link->address, sizeof link->address, "%.*s", (int)output->address.bytes,
             (const char *)output->address.data);
    happenings_push(&world->happenings, world->now_ns,
                    (struct happening){.kind = EVENT_DIAL,
                                       .channel = output->channel,
                                       .node = n,
                                       .life = world->nodes[n].life,
                                       .link = output->link,
                                       .generation = link->generation},
                    0);
}

static void link_close(struct world *world, uint32_t n, const struct mesh_output *output)
{
    struct world_link *link = wires_link(&world->nodes[n], output->channel, output->link);
    if (link->is_up)
        world->connections[link->connection].is_open = false;
    link->is_open = false;
    link->is_up = false;
    link->generation++;
}

static void frame_leave(struct world *world, uint32_t n, const struct mesh_output *output)
{
    struct world_node *node = &world->nodes[n];
    uint8_t *bytes = malloc(output->bytes);
    outbox_write(node->context.outbox, bytes);
    for (size_t i = 0; i < output->bytes; i++)
        world->hash = (world->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    if (output->channel == CHANNEL_GOSSIP) {
        require(output->bytes <= GOSSIP_FRAME_BYTES_MAX);
        node->gossip_bytes += output->bytes;
        node->gossip_frames++;
    }
    if (output->order == MESH_REPLY) {
        wires_send(world, n, output->connection, true, bytes, output->bytes);
        return;
    }
    const struct world_link *link = wires_link(node, output->channel, output->link);
    if (link->is_up)
        wires_send(world, n, link->connection, false, bytes, output->bytes);
    else
        free(bytes);
}

static void carry_out(struct world *world, uint32_t n, const struct mesh_output *output)
{
    struct happening event = {.node = n, .life = world->nodes[n].life, .link = output->link};
    switch (output->order) {
    case MESH_SEND:
    case MESH_REPLY:
        frame_leave(world, n, output);
        break;
    case MESH_OPEN_LINK:
        link_open(world, n, output);
        break;
    case MESH_CLOSE_LINK:
        link_close(world, n, output);
        break;
    case MESH_PROBE_REFUSED: {
        char address[WORLD_TEXT_BYTES];
        snprintf(address, sizeof address, "%.*s", (int)output->address.bytes,
                 (const char *)output->address.data);
        event.kind = EVENT_REFUSED;
        if (wires_listener(world, address) == UINT32_MAX)
            happenings_push(&world->happenings, world->now_ns, event, 2 * wires_delay_ns(world));
        break;
    }
    case MESH_RESOLVE_SEED:
        event.kind = EVENT_RESOLVED;
        event.seed = output->seed;
        happenings_push(&world->happenings, world->now_ns, event, wires_delay_ns(world));
        break;
    case MESH_NOTICE:
        notice(world, n, &output->notice);
        break;
    case MESH_CHECK_PASSWORD:
    case MESH_LOGIN_FAILED:
    case MESH_WIPE:
    case MESH_CUT:
    case MESH_STOPPED:
        break;
    }
}

/* After each fact: events are taken, outputs pulled. */
static void settle(struct world *world, uint32_t n)
{
    struct world_node *node = &world->nodes[n];
    struct member_event event;
    while (membership_next_event(node->room, &event))
        told(node, &event);
    membership_check(node->room);
    struct mesh_output output;
    do {
        while (outbox_next(node->context.outbox, &output))
            carry_out(world, n, &output);
    } while (outbox_has_more(node->context.outbox));
    if (membership_has_left(node->room))
        world_kill(world, n);
}

static void clock_set(struct world *world, struct world_node *node)
{
    node->context.now_ns = world->now_ns;
    node->context.wall_ms = (uint64_t)((int64_t)(UINT64_C(1700000000000) + world->now_ns / MS_NS) +
                                       world->wall_jump_ms);
}

static void due(struct world *world, uint32_t n)
{
    struct world_node *node = &world->nodes[n];
    clock_set(world, node);
    const struct deadline *deadline;
    while ((deadline = deadlines_next_due(node->context.deadlines, world->now_ns)) != NULL)
        membership_due(node->room, deadline);
    settle(world, n);
}

/* As base/admission.h judges, but for strikes. */
static void message_arrive(struct world_node *node, const struct happening *event,
                           const struct envelope *envelope, const struct message *message)
{
    bool is_mesh = envelope->mesh == node->context.mesh_hash;
    enum error error = ERROR_OK;
    if (event->kind == EVENT_ANSWER && is_mesh)
        error = membership_receive_answer(node->room, envelope, event->link, message);
    else if (message->kind == KIND_JOIN ||
             (is_mesh && envelope->receiver == node->context.instance))
        error = membership_receive(node->room, envelope, event->connection, span_text("somewhere"),
                                   message);
    else if (is_mesh && envelope->receiver != 0)
        membership_misaddressed(node->room, envelope, event->connection);
    node->bad_messages += error == ERROR_OK ? 0 : 1;
}

static void frame_arrive(struct world_node *node, const struct happening *event)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    reader_init(&reader, span_of(event->bytes, event->bytes_count));
    enum error error = envelope_decode(&reader, CHANNEL_GOSSIP, &envelope);
    while (error == ERROR_OK && message_next(&reader, &message, &error))
        message_arrive(node, event, &envelope, &message);
    node->bad_messages += error == ERROR_OK ? 0 : 1;
}

static void happen(struct world *world, struct happening *event)
{
    struct world_node *node = &world->nodes[event->node];
    if (node->room == NULL || node->life != event->life || node->is_silent) {
        free(event->bytes);
        return;
    }
    if (node->asleep_until_ns > world->now_ns) { /* the kernel keeps it for him */
        happenings_push(&world->happenings, world->now_ns, *event,
                        node->asleep_until_ns - world->now_ns);
        return;
    }
    if (event->kind == EVENT_DIAL) {
        wires_dial(world, event);
        return;
    }
    clock_set(world, node);
    struct world_link *link = event->kind == EVENT_UP || event->kind == EVENT_LOST
                                  ? wires_link(node, event->channel, event->link)
                                  : NULL;
    if (link != NULL && (link->generation != event->generation || !link->is_open))
        return;
    switch (event->kind) {
    case EVENT_FRAME:
    case EVENT_ANSWER:
        frame_arrive(node, event);
        free(event->bytes);
        break;
    case EVENT_UP:
        if (links_up(node->context.links, event->link, event->channel))
            membership_link_up(node->room, event->link, event->channel);
        break;
    case EVENT_LOST:
        link->is_up = false;
        if (links_lost(node->context.links, event->link, event->channel))
            membership_link_lost(node->room, event->link, event->channel);
        event->kind = EVENT_DIAL;
        happenings_push(&world->happenings, world->now_ns, *event, WIRES_REDIAL_MS * MS_NS);
        break;
    case EVENT_REFUSED:
        membership_link_refused(node->room, event->link);
        break;
    case EVENT_RESOLVED:
        membership_seed_resolved(node->room, event->seed, span_text(node->seeds[event->seed]));
        break;
    case EVENT_DIAL:
        break;
    }
    settle(world, event->node);
}

/* --- the play --- */

struct world *world_new(uint32_t count, uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    uint8_t bytes[32] = {0};
    memcpy(bytes, &seed, sizeof seed);
    random_init(&world->random, bytes, 77);
    world->seed = seed;
    world->now_ns = UINT64_C(1000000000);
    world->count = count;
    world->delay_us = 500;
    world->jitter_us = 100;
    world->nodes = calloc(count, sizeof world->nodes[0]);
    world->cuts = calloc((size_t)count * count, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct world_node *node = &world->nodes[i];
        mesh_config_defaults(&node->config);
        snprintf(node->name, sizeof node->name, "n%u", i);
        snprintf(node->cluster, sizeof node->cluster, "test");
        snprintf(node->zone, sizeof node->zone, "z%u", i % 3);
        snprintf(node->gossip, sizeof node->gossip, "10.0.0.%u:7311", i);
        snprintf(node->forward, sizeof node->forward, "10.0.0.%u:7312", i);
        snprintf(node->client, sizeof node->client, "10.0.0.%u:7310", i);
        node->config.gossip.members_max = MEMBERS_MAX;
        if (i > 0)
            world_seed(world, i, (uint32_t[]){0}, 1);
    }
    return world;
}

static void node_clear(struct world_node *node)
{
    if (node->room == NULL)
        return;
    membership_destroy(&node->room);
    context_clear(&node->context);
    for (int side = 0; side < 2; side++) {
        free(node->links[side]);
        node->links[side] = NULL;
        node->links_count[side] = 0;
    }
}

void world_destroy(struct world **world)
{
    struct world *gone = *world;
    for (uint32_t i = 0; i < gone->count; i++) {
        node_clear(&gone->nodes[i]);
        free(gone->nodes[i].told);
    }
    while (gone->happenings.count > 0)
        free(happenings_pop(&gone->happenings).bytes);
    free(gone->happenings.heap);
    free(gone->connections);
    free(gone->cuts);
    free(gone->nodes);
    free(gone);
    *world = NULL;
}

void world_seed(struct world *world, uint32_t node, const uint32_t *addresses, uint32_t count)
{
    struct world_node *of = &world->nodes[node];
    of->config.seeds = 1;
    of->seeds[0][0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(of->seeds[0]);
        snprintf(of->seeds[0] + used, sizeof of->seeds[0] - used, "%s%s", i == 0 ? "" : "\n",
                 world->nodes[addresses[i]].gossip);
    }
}

void world_start(struct world *world, uint32_t n)
{
    struct world_node *node = &world->nodes[n];
    require(node->room == NULL);
    node->life++;
    node->is_silent = false;
    node->config.name = node->name;
    node->config.cluster = node->cluster;
    node->config.zone = node->zone;
    node->config.version = "0.1.0";
    node->config.client_address = node->client;
    node->config.gossip_address = node->gossip;
    node->config.forward_address = node->forward;
    uint64_t seed[4] = {world->seed + 1, n, node->life, 0};
    memcpy(node->config.random_seed, seed, sizeof seed);
    node->context = (struct context){0};
    node->context.now_ns = world->now_ns;
    require(context_init(&node->context, &node->config));
    deadlines_init(node->context.deadlines, world->now_ns);
    node->room = membership_new(&node->context);
    require(node->room != NULL);
    membership_start(node->room);
    settle(world, n);
}

struct member_record world_record(struct world *world, uint32_t of, enum member_state state)
{
    struct world_node *node = &world->nodes[of];
    struct member_record record = {
        .name = span_text(node->name),
        .instance = world_instance(world, of),
        .incarnation =
            node->room == NULL ? UINT64_C(1) << 32 : membership_self(node->room)->incarnation,
        .state = (uint8_t)state,
    };
    if (state != MEMBER_ALIVE)
        return record;
    record.gossip_address = span_text(node->gossip);
    record.forward_address = span_text(node->forward);
    record.client_address = span_text(node->client);
    record.zone = span_text(node->zone);
    record.version = span_text("0.1.0");
    return record;
}

void world_tell(struct world *world, uint32_t from, uint32_t to, const struct member_record *record)
{
    world_tell_all(world, from, to, record, 1);
}

void world_tell_all(struct world *world, uint32_t from, uint32_t to,
                    const struct member_record *records, uint32_t count)
{
    uint8_t news[4096];
    uint8_t fields[8192];
    struct writer writer;
    writer_init(&writer, news, sizeof news);
    for (uint32_t i = 0; i < count; i++)
        group_encode(&member_record_schema, &records[i], &writer);
    require(!writer.is_bad);
    const struct gossip_swim swim = {.news = span_of(news, sizeof news - writer.left)};
    writer_init(&writer, fields, sizeof fields);
    schema_encode(&gossip_swim_schema, &swim, &writer);
    const struct message message = {
        .kind = KIND_SWIM_NEWS,
        .fields = span_of(fields, sizeof fields - writer.left),
    };
    struct world_node *node = &world->nodes[to];
    const struct envelope envelope = {
        .version = WIRE_VERSION_MIN,
        .channel = CHANNEL_GOSSIP,
        .mesh = node->context.mesh_hash,
        .sender = world_instance(world, from),
        .receiver = world_instance(world, to),
    };
    clock_set(world, node);
    const struct happening told = {.kind = EVENT_FRAME};
    message_arrive(node, &told, &envelope, &message);
    settle(world, to);
}

void world_start_all(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        world_start(world, i);
}

void world_stop(struct world *world, uint32_t n)
{
    clock_set(world, &world->nodes[n]);
    membership_stop(world->nodes[n].room);
    settle(world, n);
}

void world_kill(struct world *world, uint32_t n)
{
    struct world_node *node = &world->nodes[n];
    node_clear(node);
    for (uint32_t i = 0; i < world->connections_count; i++) {
        if (world->connections[i].to == n && world->connections[i].to_life == node->life)
            wires_break(world, i);
        else if (world->connections[i].from == n)
            world->connections[i].is_open = false;
    }
}

void world_vanish(struct world *world, uint32_t n)
{
    world->nodes[n].is_silent = true;
    node_clear(&world->nodes[n]);
}

void world_sleep(struct world *world, uint32_t n, uint64_t ms)
{
    world->nodes[n].asleep_until_ns = world->now_ns + ms * MS_NS;
}

void world_cut(struct world *world, uint32_t from, uint32_t to)
{
    world->cuts[from * world->count + to] = 1;
}

void world_mend(struct world *world, uint32_t from, uint32_t to)
{
    world->cuts[from * world->count + to] = 0;
}

void world_split(struct world *world, uint32_t first)
{
    for (uint32_t a = 0; a < first; a++) {
        for (uint32_t b = first; b < world->count; b++) {
            world_cut(world, a, b);
            world_cut(world, b, a);
        }
    }
}

void world_heal(struct world *world)
{
    memset(world->cuts, 0, (size_t)world->count * world->count);
}

void world_reset_links(struct world *world, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < world->connections_count; i++) {
        if (world->connections[i].from == from && world->connections[i].to == to)
            wires_break(world, i);
    }
}

/* The earliest thing to do: a node's deadline, or (node is world->count) an event. */
static uint64_t next_ns(struct world *world, uint32_t *node)
{
    uint64_t at_ns = world->happenings.count == 0 ? UINT64_MAX : world->happenings.heap[0].at_ns;
    *node = world->count;
    for (uint32_t i = 0; i < world->count; i++) {
        struct world_node *of = &world->nodes[i];
        if (of->room == NULL)
            continue;
        uint64_t due_ns = deadlines_earliest_ns(of->context.deadlines);
        due_ns = due_ns > of->asleep_until_ns ? due_ns : of->asleep_until_ns;
        if (due_ns < at_ns) {
            at_ns = due_ns;
            *node = i;
        }
    }
    return at_ns;
}

void world_run_ms(struct world *world, uint64_t ms)
{
    uint64_t until_ns = world->now_ns + ms * MS_NS;
    uint32_t node;
    uint64_t at_ns;
    while ((at_ns = next_ns(world, &node)) <= until_ns) {
        world->now_ns = at_ns > world->now_ns ? at_ns : world->now_ns;
        if (node < world->count) {
            due(world, node);
        } else {
            struct happening event = happenings_pop(&world->happenings);
            happen(world, &event);
        }
    }
    world->now_ns = until_ns;
}

bool world_run_until(struct world *world, bool (*holds)(struct world *), uint64_t limit_ms)
{
    for (uint64_t ms = 0; ms < limit_ms; ms++) {
        if (holds(world))
            return true;
        world_run_ms(world, 1);
    }
    return holds(world);
}

uint64_t world_instance(const struct world *world, uint32_t node)
{
    return world->nodes[node].context.instance;
}
