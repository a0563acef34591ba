#include "tests/sim/loop.h"

/* The daemon's few lines: tell what happened, pull every order, sleep until the core's deadline. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/kinds.h"
#include "tests/sim/addresses.h"
#include "tests/sim/clocks.h"
#include "tests/sim/world.h"

static const uint64_t MS = 1000000;
static const uint64_t PASSWORD_NS = 80000000;           /* what a check takes, about */
static const uint64_t WALL_AT_START_MS = 1700000000000; /* any date will do: it decides nothing */

enum {
    FACTS_BETWEEN_CHECKS = 1000,
    BEHIND_MS = 200, /* about what a ping waits for its answer */
};

/* A byte of a member's name was flipped on its way (F25). Nobody can tell: it goes by that name
 * there, by its own elsewhere, and who holds it dead under the one does not hear of the other. */
static void look_for_altered_name(struct world *world, const struct mesh_notice *notice)
{
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        if (world->nodes[node].instance == notice->values[0])
            views_renamed(world, node);
    }
}

static void take_notice(struct world *world, uint32_t node, const struct mesh_notice *notice)
{
    if (notice->code == NOTICE_MEMBER) {
        uint32_t of = world_node_named(world, notice->texts[0]);
        if (of != UINT32_MAX)
            views_note(world, node, of, notice);
        else
            look_for_altered_name(world, notice);
    }
    if (notice->code == NOTICE_READY)
        world->nodes[node].is_ready = true;
    world_mix(world, (uint64_t)notice->code << 32 | node);
    world_mix(world, notice->values[0]);
    world_note(world, "%s notice %d %.*s %.*s %.*s %" PRIx64 " %" PRIx64, world->nodes[node].name,
               (int)notice->code, (int)notice->texts[0].bytes, (const char *)notice->texts[0].data,
               (int)notice->texts[1].bytes, (const char *)notice->texts[1].data,
               (int)notice->texts[2].bytes, (const char *)notice->texts[2].data, notice->values[0],
               notice->values[1]);
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_notice != NULL)
            world->watchers[i].on_notice(world->watchers[i].state, world, node, notice);
}

/* How many bytes from here on the wall clock has set: the property $StartTime, which handlers and
 * authenticators are told of, with its value's tag and length. They decide nothing. */
static size_t wall_bytes(const uint8_t *frame, size_t bytes)
{
    enum { KEY_BYTES = 10, VALUE_BYTES = 2 + 13 };
    bool is_there = frame[0] == '$' && bytes >= KEY_BYTES + VALUE_BYTES &&
                    memcmp(frame, "$StartTime", KEY_BYTES) == 0;
    return is_there ? KEY_BYTES + VALUE_BYTES : 0;
}

static void mix_frame(struct world *world, const uint8_t *frame, size_t bytes)
{
    uint64_t hash = bytes;
    for (size_t i = 0; i < bytes; i++) {
        i += wall_bytes(frame + i, bytes - i);
        if (i < bytes)
            hash = (hash ^ frame[i]) * UINT64_C(0x100000001b3);
    }
    world_mix(world, hash);
}

static void tell_watchers(struct world *world, uint32_t node, const struct message *message)
{
    struct gossip_swim swim;
    bool is_swim = message->kind >= KIND_SWIM_PING && message->kind <= KIND_SWIM_SYNC;
    if (is_swim && schema_decode(&gossip_swim_schema, message->fields, &swim) != ERROR_OK)
        return;
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_gossip != NULL)
            world->watchers[i].on_gossip(world->watchers[i].state, world, node, message,
                                         is_swim ? &swim : NULL);
}

static void tell_forward(struct world *world, uint32_t node, const struct envelope *envelope,
                         const struct message *message)
{
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_forward != NULL)
            world->watchers[i].on_forward(world->watchers[i].state, world, node, envelope, message);
}

static void tell_client(struct world *world, uint32_t connection, const struct message *message)
{
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_client != NULL)
            world->watchers[i].on_client(world->watchers[i].state, world, connection, message);
}

/* Reads a frame that leaves: for those who watch, and for the trace. */
static void read_frame(struct world *world, uint32_t node, const struct mesh_output *output,
                       struct span frame)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error = ERROR_OK;
    char kinds[256] = "";
    size_t at = 0;
    reader_init(&reader, frame);
    if (envelope_decode(&reader, output->channel, &envelope) != ERROR_OK)
        return;
    while (message_next(&reader, &message, &error)) {
        if (output->channel == CHANNEL_GOSSIP)
            tell_watchers(world, node, &message);
        else if (output->channel == CHANNEL_FORWARD)
            tell_forward(world, node, &envelope, &message);
        else
            tell_client(world, output->connection, &message);
        if (world->trace != NULL && at < sizeof kinds - 32)
            at += (size_t)snprintf(kinds + at, sizeof kinds - at, " %s", kind_name(message.kind));
    }
    world_note(world, "%s -> %s %u, %zu bytes:%s", world->nodes[node].name,
               output->order == MESH_SEND ? "link" : "connection",
               output->order == MESH_SEND ? output->link : output->connection, output->bytes,
               kinds);
}

static void carry_frame(struct world *world, uint32_t node, const struct mesh_output *output)
{
    static uint8_t frame[FORWARD_FRAME_BYTES_MAX];
    require(output->bytes <= sizeof frame);
    core_write_output(world->nodes[node].core, frame);
    mix_frame(world, frame, output->bytes);
    read_frame(world, node, output, span_of(frame, output->bytes));
    if (output->channel == CHANNEL_GOSSIP)
        world->gossip_bytes += output->bytes;
    else if (output->channel == CHANNEL_FORWARD)
        world->forward_bytes += output->bytes;
    if (output->channel == CHANNEL_CLIENT)
        clients_reply(world, output->connection, frame, output->bytes);
    else if (output->order == MESH_SEND)
        network_send(world, node, output->link, output->channel, frame, output->bytes);
    else
        network_reply(world, node, output->channel, output->connection, frame, output->bytes);
}

static void resolve_seed(struct world *world, uint32_t node, uint32_t seed)
{
    agenda_plan(&world->agenda, (struct agenda_event){.at_ns = world->now_ns + MS,
                                                      .kind = EVENT_RESOLVED,
                                                      .node = node,
                                                      .life = world->nodes[node].life,
                                                      .number = seed});
}

/* Whether it is his: everybody's password is his name; no name begins with a question mark. */
static enum mesh_password password_of(const struct mesh_output *output)
{
    if (output->principal.bytes > 0 && output->principal.data[0] == '?')
        return MESH_PASSWORD_OF_NOBODY;
    return span_equal(output->principal, output->credentials) ? MESH_PASSWORD_RIGHT
                                                              : MESH_PASSWORD_WRONG;
}

static void check_password(struct world *world, uint32_t node, const struct mesh_output *output)
{
    agenda_plan(&world->agenda, (struct agenda_event){.at_ns = world->now_ns + PASSWORD_NS,
                                                      .kind = EVENT_PASSWORD,
                                                      .node = node,
                                                      .life = world->nodes[node].life,
                                                      .link = (uint32_t)output->number,
                                                      .dial = (uint32_t)(output->number >> 32),
                                                      .connection = password_of(output)});
}

static void take_stopped(struct world *world, uint32_t node, enum mesh_notice_code why)
{
    world->nodes[node].has_stopped = true;
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_stopped != NULL)
            world->watchers[i].on_stopped(world->watchers[i].state, world, node, why);
}

static void carry_out(struct world *world, uint32_t node, const struct mesh_output *output)
{
    switch (output->order) {
    case MESH_SEND:
    case MESH_REPLY:
        carry_frame(world, node, output);
        break;
    case MESH_OPEN_LINK:
        world_note(world, "%s opens link %u to %.*s", world->nodes[node].name, output->link,
                   (int)output->address.bytes, (const char *)output->address.data);
        network_open(world, node, output->link, output->channel, output->address);
        break;
    case MESH_CLOSE_LINK:
        world_note(world, "%s closes link %u", world->nodes[node].name, output->link);
        network_close(world, node, output->link, output->channel);
        break;
    case MESH_PROBE_REFUSED:
        network_probe(world, node, output->link, output->address);
        break;
    case MESH_CUT:
        if (output->channel == CHANNEL_CLIENT)
            clients_cut(world, output->connection);
        else
            network_cut_connection(world, output->channel, output->connection);
        break;
    case MESH_RESOLVE_SEED:
        resolve_seed(world, node, output->seed);
        break;
    case MESH_CHECK_PASSWORD:
        check_password(world, node, output);
        break;
    case MESH_LOGIN_FAILED: /* the core's part ends here */
    case MESH_WIPE:
        break;
    case MESH_NOTICE:
        take_notice(world, node, &output->notice);
        break;
    case MESH_STOPPED:
        take_stopped(world, node, output->notice.code);
        break;
    }
}

static void plan_tick(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    uint64_t deadline_ns = core_deadline_ns(n->core);
    if (deadline_ns == UINT64_MAX)
        return;
    uint64_t at_ns = clocks_reach_ns(&n->clock, deadline_ns);
    if (at_ns < world->now_ns)
        at_ns = world->now_ns;
    if (at_ns >= n->tick_at_ns)
        return; /* one is planned that comes first */
    n->tick_at_ns = at_ns;
    agenda_plan(&world->agenda, (struct agenda_event){.at_ns = at_ns,
                                                      .kind = EVENT_TICK,
                                                      .node = node,
                                                      .life = n->life,
                                                      .number = ++n->ticks});
}

static void pull(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    struct mesh_output output;
    while (core_next_output(n->core, &output))
        carry_out(world, node, &output);
    if (n->has_stopped) {
        world_note(world, "%s has stopped", n->name);
        world_end(world, node, true);
        return;
    }
    plan_tick(world, node);
}

void loop_tell(struct world *world, uint32_t node, struct mesh_input *input)
{
    struct world_node *n = &world->nodes[node];
    input->now_ns = clocks_read_ns(&n->clock, world->now_ns);
    int64_t jump_ms = world->ignores_wall ? 0 : n->wall_offset_ms;
    input->wall_ms = (uint64_t)((int64_t)(WALL_AT_START_MS + world->now_ns / MS) + jump_ms);
    core_receive(n->core, input);
    if (input->fact == MESH_LINK_FULL)
        return; /* told while orders are being pulled */
    pull(world, node);
    if (n->core != NULL && ++n->checked >= FACTS_BETWEEN_CHECKS + 10 * world->nodes_count) {
        n->checked = 0;
        core_check(n->core);
    }
}

static void tell_frame(struct world *world, const struct agenda_event *event)
{
    bool is_clients = event->channel == CHANNEL_CLIENT;
    if (is_clients && connections_dialler(&world->connections, event->connection)->is_reset)
        return;
    struct mesh_input input = {
        .fact = MESH_FRAME,
        .channel = (enum channel)event->channel,
        .connection = event->connection,
        .bytes = span_of(event->frame, event->bytes),
        .address = is_clients ? span_text("192.0.2.1:40000")
                              : span_text(world->nodes[event->from].gossip_address)};
    loop_tell(world, event->node, &input);
    if (is_clients)
        clients_delivered(world, event);
}

static void tell_resolved(struct world *world, const struct agenda_event *event)
{
    struct world_node *n = &world->nodes[event->node];
    char gossip[ADDRESSES_BYTES];
    addresses_print(world->nodes[n->seeds[event->number]].address, NULL, gossip, NULL);
    struct mesh_input input = {
        .fact = MESH_SEED_RESOLVED, .seed = (uint32_t)event->number, .bytes = span_text(gossip)};
    loop_tell(world, event->node, &input);
}

static void tell_tick(struct world *world, const struct agenda_event *event)
{
    struct world_node *n = &world->nodes[event->node];
    if (event->number != n->ticks)
        return; /* superseded: an earlier one was planned */
    n->tick_at_ns = UINT64_MAX;
    if (core_deadline_ns(n->core) <= clocks_read_ns(&n->clock, world->now_ns))
        loop_tell(world, event->node, &(struct mesh_input){.fact = MESH_TICK});
    else
        plan_tick(world, event->node); /* what it was for was called off */
}

static void work_on(struct world *world, const struct agenda_event *event)
{
    struct mesh_input input = {.channel = (enum channel)event->channel};
    switch (event->kind) {
    case EVENT_TICK:
        tell_tick(world, event);
        return;
    case EVENT_FRAME:
        tell_frame(world, event);
        return;
    case EVENT_CONNECTION_LOST:
        input.fact = MESH_CONNECTION_LOST;
        input.connection = event->connection;
        loop_tell(world, event->node, &input);
        if (event->channel == CHANNEL_CLIENT)
            clients_delivered(world, event);
        return;
    case EVENT_LINK_REFUSED:
        input.fact = MESH_LINK_REFUSED;
        input.link = event->link;
        loop_tell(world, event->node, &input);
        return;
    case EVENT_STOP:
        input.fact = MESH_STOP;
        loop_tell(world, event->node, &input);
        return;
    case EVENT_RESOLVED:
        tell_resolved(world, event);
        return;
    case EVENT_PASSWORD:
        input.fact = MESH_PASSWORD_CHECKED;
        input.number = (uint64_t)event->dial << 32 | event->link;
        input.password = (enum mesh_password)event->connection;
        loop_tell(world, event->node, &input);
        return;
    case EVENT_ANSWER:
    case EVENT_DIAL:
    case EVENT_LINK_UP:
    case EVENT_LINK_LOST:
    case EVENT_PUMP:
        network_due(world, event);
        return;
    case EVENT_CLIENT:
    case EVENT_CLIENT_DUE:
        clients_due(world, event);
        return;
    case EVENT_FAULT:
        world->faults.on_due(world->faults.state, world, (uint32_t)event->number);
        return;
    }
}

static void postpone(struct world *world, const struct agenda_event *event, uint64_t until_ns)
{
    struct agenda_event later = *event;
    later.at_ns = until_ns;
    agenda_plan(&world->agenda, later);
}

/* Whether it is a node's process that takes it. */
static bool is_of_node(const struct agenda_event *event)
{
    return event->kind != EVENT_FAULT && event->kind != EVENT_CLIENT &&
           event->kind != EVENT_CLIENT_DUE;
}

/* What comes for a node that is stopped comes when it wakes, in its old order; one that is slow
 * takes one thing after the other. Its kernel goes on sending meanwhile. */
static bool is_postponed(struct world *world, struct agenda_event *event)
{
    if (!is_of_node(event) || event->kind == EVENT_PUMP)
        return false;
    struct world_node *n = &world->nodes[event->node];
    if (n->paused_until_ns > world->now_ns) {
        postpone(world, event, n->paused_until_ns);
        return true;
    }
    if (event->has_slot)
        return false;
    uint64_t slot_ns = n->busy_until_ns > world->now_ns ? n->busy_until_ns : world->now_ns;
    n->busy_until_ns = slot_ns + n->service_ns;
    event->has_slot = true;
    if (slot_ns > world->now_ns + BEHIND_MS * MS)
        n->behind_until_ns = slot_ns;
    if (slot_ns > world->now_ns)
        postpone(world, event, slot_ns);
    return slot_ns > world->now_ns;
}

void loop_step(struct world *world)
{
    struct agenda_event event = agenda_take(&world->agenda);
    if (event.at_ns > world->now_ns)
        world->now_ns = event.at_ns;
    const struct world_node *n = &world->nodes[event.node];
    bool is_void = is_of_node(&event) && (n->core == NULL || n->life != event.life);
    if (!is_void && is_postponed(world, &event))
        return;
    if (!is_void) {
        world->steps++;
        world_mix(world, event.at_ns);
        world_mix(world, (uint64_t)event.kind << 32 | event.node);
        work_on(world, &event);
    }
    free(event.frame);
}
