#include "tests/sim/core.h"

/* Membership alone takes what mesh.c and receive.c would hand to it, in the same order, and no
 * more: admission, then the room, then its events, which nobody waits for here. */

#include <stdlib.h>

#include "mesh/base/admission.h"
#include "mesh/membership/descriptors.h"
#include "mesh/membership/membership.h"
#include "proto/kinds.h"

/* A mesh too large for links from all to all has few at a time; tables for 10,000 would be most of
 * what a node takes. Joins at once through one seed are measured with fewer nodes than this. */
enum { LINKED_MAX = 3000, LINKED_FEW = 1000 };

struct core_store {
    struct memory memory;
    struct descriptors descriptors;
};

/* The one room of a node, and what all rooms stand on. */
struct alone {
    struct context context;
    struct admission *admission;
    struct membership *room;
    bool has_started, is_over;
};

struct core {
    struct mesh *mesh; /* NULL: membership alone */
    struct alone alone;
};

struct core_store *core_store_new(uint64_t salt)
{
    struct core_store *store = calloc(1, sizeof *store);
    require(store != NULL);
    store->memory.limit[MEMORY_MEMBERS] = UINT64_MAX;
    descriptors_init(&store->descriptors, &store->memory, salt);
    return store;
}

void core_store_destroy(struct core_store **store)
{
    if (*store != NULL)
        descriptors_clear(&(*store)->descriptors);
    free(*store);
    *store = NULL;
}

struct core *core_new(const struct mesh_config *config, struct core_store *store)
{
    struct core *core = calloc(1, sizeof *core);
    require(core != NULL);
    if (store == NULL) {
        core->mesh = mesh_new(config);
        require(core->mesh != NULL);
        return core;
    }
    struct alone *alone = &core->alone;
    struct mesh_config tables = *config;
    if (config->gossip.members_max > LINKED_MAX)
        tables.gossip.members_max = LINKED_FEW;
    require(context_init(&alone->context, &tables));
    alone->admission = admission_new(&alone->context);
    alone->context.config = config;
    alone->room = membership_new_sharing(&alone->context, &store->descriptors);
    require(alone->admission != NULL && alone->room != NULL);
    return core;
}

void core_destroy(struct core **core)
{
    struct core *self = *core;
    *core = NULL;
    if (self == NULL)
        return;
    if (self->mesh == NULL) {
        membership_destroy(&self->alone.room);
        admission_destroy(&self->alone.admission);
        context_clear(&self->alone.context);
    }
    mesh_destroy(&self->mesh);
    free(self);
}

void core_acquaint(struct core *core, const struct core *other)
{
    require(core->mesh == NULL && other->mesh == NULL && !core->alone.has_started);
    membership_acquaint(core->alone.room, other->alone.room);
}

uint64_t core_instance(const struct core *core)
{
    return core->mesh != NULL ? mesh_instance(core->mesh) : core->alone.context.instance;
}

uint64_t core_counter(const struct core *core, enum counter counter)
{
    return core->mesh != NULL ? mesh_counter(core->mesh, counter)
                              : core->alone.context.counters[counter];
}

void core_check(const struct core *core)
{
    if (core->mesh != NULL)
        mesh_check(core->mesh);
    else
        membership_check(core->alone.room);
}

/* ---- membership alone ------------------------------------------------------------------------*/

/* No other room waits for the events; a node that has left or was refused orders its end. */
static void pump(struct alone *alone)
{
    struct member_event event;
    struct mesh_output order = {.order = MESH_STOPPED, .notice.code = NOTICE_LEFT};
    while (membership_next_event(alone->room, &event))
        continue;
    membership_publish(alone->room, 0, 0, 0);
    if (alone->is_over ||
        (!membership_has_left(alone->room) &&
         !membership_is_refused(alone->room, &order.notice.code, order.notice.texts)))
        return;
    alone->is_over = true;
    outbox_order(alone->context.outbox, &order);
}

static void messages(struct alone *alone, const struct mesh_input *input,
                     const struct envelope *envelope, struct reader frame)
{
    struct message message;
    enum error error;
    while (message_next(&frame, &message, &error)) {
        bool is_addressed = envelope->receiver != 0 || message.kind == KIND_JOIN;
        if (!is_addressed || membership_receive(alone->room, envelope, input->connection,
                                                input->address, &message) != ERROR_OK)
            admission_strike(alone->admission, CHANNEL_GOSSIP, input->connection);
        pump(alone);
    }
}

static void frame_arrived(struct alone *alone, const struct mesh_input *input)
{
    struct reader frame;
    struct envelope envelope;
    if (input->channel != CHANNEL_GOSSIP)
        return;
    reader_init(&frame, input->bytes);
    enum admission_verdict verdict = admission_judge(
        alone->admission, CHANNEL_GOSSIP, input->connection, input->address, &frame, &envelope);
    struct reader first = frame;
    struct message message;
    enum error error;
    bool is_for_anybody = verdict == ADMISSION_OTHER_VERSION || verdict == ADMISSION_WRONG_MESH ||
                          verdict == ADMISSION_NOT_OURS;
    if (verdict == ADMISSION_TAKEN)
        messages(alone, input, &envelope, frame);
    else if (is_for_anybody && message_next(&first, &message, &error) && message.kind == KIND_JOIN)
        (void)membership_receive(alone->room, &envelope, input->connection, input->address,
                                 &message);
    else if (verdict == ADMISSION_NOT_OURS)
        membership_misaddressed(alone->room, &envelope, input->connection);
}

static void answer_arrived(struct alone *alone, const struct mesh_input *input)
{
    struct reader frame;
    struct envelope envelope;
    struct message message;
    enum error error;
    reader_init(&frame, input->bytes);
    if (envelope_decode(&frame, CHANNEL_GOSSIP, &envelope) != ERROR_OK ||
        envelope.mesh != alone->context.mesh_hash || envelope.receiver != alone->context.instance)
        return;
    while (message_next(&frame, &message, &error)) {
        (void)membership_receive_answer(alone->room, &envelope, input->link, &message);
        pump(alone);
    }
}

static void fact_take(struct alone *alone, const struct mesh_input *input)
{
    struct links *links = alone->context.links;
    switch (input->fact) {
    case MESH_FRAME:
        frame_arrived(alone, input);
        break;
    case MESH_ANSWER:
        answer_arrived(alone, input);
        break;
    case MESH_CONNECTION_LOST:
        admission_connection_lost(alone->admission, input->channel, input->connection);
        break;
    case MESH_LINK_UP:
        if (links_up(links, input->link, input->channel))
            membership_link_up(alone->room, input->link, input->channel);
        break;
    case MESH_LINK_LOST:
        if (links_lost(links, input->link, input->channel))
            membership_link_lost(alone->room, input->link, input->channel);
        break;
    case MESH_LINK_FULL:
        links_full(links, input->link, input->channel);
        break;
    case MESH_LINK_WRITABLE:
        links_writable(links, input->link, input->channel);
        break;
    case MESH_LINK_REFUSED:
        membership_link_refused(alone->room, input->link);
        break;
    case MESH_SEED_RESOLVED:
        membership_seed_resolved(alone->room, input->seed, input->bytes);
        break;
    case MESH_STOP:
        membership_stop(alone->room);
        break;
    case MESH_TICK:
    case MESH_CONNECTION_REVOKED:
    case MESH_CONNECTION_FULL:
    case MESH_CONNECTION_WRITABLE:
    case MESH_COUNTED:
    case MESH_LAGGED:
    case MESH_PASSWORD_CHECKED:
    case MESH_RECONFIGURED:
        break;
    }
}

static void alone_receive(struct alone *alone, const struct mesh_input *input)
{
    struct context *context = &alone->context;
    require(input->now_ns >= context->now_ns);
    context->now_ns = input->now_ns;
    context->wall_ms = input->wall_ms;
    if (alone->is_over)
        return;
    if (!alone->has_started) {
        alone->has_started = true;
        membership_start(alone->room);
        pump(alone);
    }
    const struct deadline *due;
    while ((due = deadlines_next_due(context->deadlines, context->now_ns)) != NULL) {
        membership_due(alone->room, due);
        pump(alone);
    }
    fact_take(alone, input);
    pump(alone);
}

/* ---- either ----------------------------------------------------------------------------------*/

void core_receive(struct core *core, const struct mesh_input *input)
{
    if (core->mesh != NULL)
        mesh_receive(core->mesh, input);
    else
        alone_receive(&core->alone, input);
}

bool core_next_output(struct core *core, struct mesh_output *output)
{
    if (core->mesh != NULL)
        return mesh_next_output(core->mesh, output);
    if (outbox_next(core->alone.context.outbox, output))
        return true;
    scratch_clear(&core->alone.context.scratch);
    return false;
}

void core_write_output(struct core *core, void *frame)
{
    if (core->mesh != NULL)
        mesh_write_output(core->mesh, frame);
    else
        outbox_write(core->alone.context.outbox, frame);
}

uint64_t core_deadline_ns(const struct core *core)
{
    const struct alone *alone = &core->alone;
    if (core->mesh != NULL)
        return mesh_deadline_ns(core->mesh);
    if (!alone->has_started || outbox_has_more(alone->context.outbox))
        return alone->context.now_ns;
    return alone->is_over ? UINT64_MAX : deadlines_earliest_ns(alone->context.deadlines);
}
