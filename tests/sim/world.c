#include "tests/sim/world.h"

/* The loop is the daemon's: tell what happened, pull every order, sleep until the core's deadline.
 * Everything random comes from the seed, everything timed from the event heap, and all of it goes
 * into one hash: two runs with the same hash did the same things in the same order. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"

static const uint64_t MS = 1000000;
static const uint64_t WALL_AT_START_MS = 1700000000000; /* any date will do: it decides nothing */

static const char *const version = "simulated";

struct world *world_new(uint64_t seed, uint32_t nodes)
{
    require(nodes > 0 && nodes <= WORLD_NODES_MAX);
    struct world *world = calloc(1, sizeof *world);
    require(world != NULL);
    world->seed = seed;
    world->now_ns = 1000 * MS;
    world->nodes_count = nodes;
    world->nodes = calloc(nodes, sizeof *world->nodes);
    world->is_cut = calloc(nodes, nodes);
    require(world->nodes != NULL && world->is_cut != NULL);
    world->network = (struct network_settings){.delay_ns = MS, .jitter_ns = MS / 2};
    uint8_t bytes[32] = {0};
    memcpy(bytes, &seed, sizeof seed);
    for (uint64_t stream = 0; stream < STREAMS; stream++)
        random_init(&world->random[stream], bytes, stream);
    for (uint32_t i = 0; i < nodes; i++) {
        struct world_node *node = &world->nodes[i];
        node->address = i + 1;
        snprintf(node->name, sizeof node->name, "n%04" PRIu32, i);
        node->views = calloc(nodes, sizeof *node->views);
        require(node->views != NULL);
        for (uint32_t j = 0; j < nodes && node->config.seeds < 3; j++)
            if (j != i)
                node->seeds[node->config.seeds++] = j;
    }
    return world;
}

void world_destroy(struct world **world)
{
    struct world *w = *world;
    if (w == NULL)
        return;
    for (uint32_t i = 0; i < w->nodes_count; i++) {
        mesh_destroy(&w->nodes[i].mesh);
        network_forget(&w->nodes[i].links);
        free(w->nodes[i].views);
    }
    events_clear(&w->events);
    free(w->nodes);
    free(w->is_cut);
    free(w);
    *world = NULL;
}

void world_watch(struct world *world, struct world_watcher watcher)
{
    require(world->watchers_count < WORLD_WATCHERS_MAX);
    world->watchers[world->watchers_count++] = watcher;
}

void world_set_seeds(struct world *world, uint32_t node, const uint32_t *seeds, uint32_t count)
{
    require(count <= MESH_SEEDS_MAX);
    memcpy(world->nodes[node].seeds, seeds, count * sizeof *seeds);
    world->nodes[node].config.seeds = count;
}

void world_mix(struct world *world, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        world->hash ^= value >> (8 * i) & 0xff;
        world->hash *= 0x100000001b3u;
    }
}

void world_note(struct world *world, const char *format, ...)
{
    if (world->trace == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(world->trace, "%.6f ", (double)world->now_ns / 1e9);
    vfprintf(world->trace, format, arguments);
    fputc('\n', world->trace);
    va_end(arguments);
}

static void mix_frame(struct world *world, const uint8_t *frame, size_t bytes)
{
    uint64_t hash = bytes;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ frame[i]) * 0x100000001b3u;
    world_mix(world, hash);
}

bool world_is_running(const struct world *world, uint32_t node)
{
    return world->nodes[node].mesh != NULL && !world->nodes[node].has_vanished;
}

/* ---- starting and ending ---------------------------------------------------------------------*/

static void print_addresses(struct world_node *node)
{
    uint32_t a = node->address >> 16 & 255, b = node->address >> 8 & 255, c = node->address & 255;
    char *const to[] = {node->client_address, node->gossip_address, node->forward_address};
    for (unsigned i = 0; i < 3; i++)
        snprintf(to[i], WORLD_ADDRESS_BYTES, "10.%" PRIu32 ".%" PRIu32 ".%" PRIu32 ":%u", a, b, c,
                 7310 + i);
}

static void pull(struct world *world, uint32_t node);

void world_start(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    require(n->mesh == NULL);
    uint32_t seeds = n->config.seeds;
    mesh_config_defaults(&n->config);
    print_addresses(n);
    n->config.name = n->name;
    n->config.cluster = "sim";
    n->config.zone = "";
    n->config.version = version;
    n->config.client_address = n->client_address;
    n->config.gossip_address = n->gossip_address;
    n->config.forward_address = n->forward_address;
    n->config.seeds = seeds;
    random_bytes(&world->random[STREAM_NODES], n->config.random_seed, MESH_SEED_BYTES);
    n->mesh = mesh_new(&n->config);
    require(n->mesh != NULL);
    n->life++;
    n->instance = mesh_instance(n->mesh);
    n->tick_at_ns = UINT64_MAX;
    n->paused_until_ns = 0;
    n->has_vanished = n->is_ready = n->has_stopped = false;
    memset(n->views, 0, world->nodes_count * sizeof *n->views);
    n->views[node] = (struct world_view){
        .instance = n->instance, .since_ns = world->now_ns, .state = VIEW_ALIVE};
    world_note(world, "%s starts, instance %016" PRIx64, n->name, n->instance);
    world_tell(world, node, &(struct mesh_input){.fact = MESH_TICK});
}

static void end_process(struct world *world, uint32_t node, bool says_so)
{
    struct world_node *n = &world->nodes[node];
    if (n->mesh == NULL)
        return;
    network_process_ended(world, node, says_so);
    mesh_destroy(&n->mesh);
    n->life++;
    n->tick_at_ns = UINT64_MAX;
}

void world_stop(struct world *world, uint32_t node)
{
    world_note(world, "%s is stopped", world->nodes[node].name);
    if (world->nodes[node].mesh != NULL)
        world_tell(world, node, &(struct mesh_input){.fact = MESH_STOP});
}

void world_crash(struct world *world, uint32_t node)
{
    world_note(world, "%s crashes", world->nodes[node].name);
    end_process(world, node, !world->nodes[node].has_vanished);
}

void world_vanish(struct world *world, uint32_t node)
{
    world_note(world, "%s vanishes", world->nodes[node].name);
    end_process(world, node, false);
    world->nodes[node].has_vanished = true;
}

void world_pause(struct world *world, uint32_t node, uint64_t ms)
{
    world_note(world, "%s pauses %" PRIu64 " ms", world->nodes[node].name, ms);
    uint64_t until = world->now_ns + ms * MS;
    if (until > world->nodes[node].paused_until_ns)
        world->nodes[node].paused_until_ns = until;
}

void world_cut(struct world *world, uint32_t from, uint32_t to)
{
    world->is_cut[from * world->nodes_count + to] = 1;
}

void world_mend(struct world *world, uint32_t from, uint32_t to)
{
    world->is_cut[from * world->nodes_count + to] = 0;
}

void world_heal(struct world *world)
{
    world_note(world, "everything heals");
    memset(world->is_cut, 0, (size_t)world->nodes_count * world->nodes_count);
    world->network = (struct network_settings){.delay_ns = MS, .jitter_ns = MS / 2};
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        world->nodes[i].slow_ns = 0;
        if (world->nodes[i].paused_until_ns > world->now_ns)
            world->nodes[i].paused_until_ns = world->now_ns;
    }
}

/* ---- one step --------------------------------------------------------------------------------*/

static uint32_t node_named(const struct world *world, struct span name)
{
    for (uint32_t i = 0; i < world->nodes_count; i++)
        if (span_equal(name, span_text(world->nodes[i].name)))
            return i;
    return UINT32_MAX;
}

static void note_view(struct world *world, uint32_t node, const struct mesh_notice *notice)
{
    static const struct {
        const char *word;
        int state;
    } states[] = {
        {"alive", VIEW_ALIVE}, {"suspect", VIEW_SUSPECT}, {"dead", VIEW_DEAD}, {"left", VIEW_LEFT}};
    uint32_t of = node_named(world, notice->texts[0]);
    if (of == UINT32_MAX)
        return;
    struct world_view *view = &world->nodes[node].views[of];
    view->instance = notice->values[0];
    view->since_ns = world->now_ns;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (span_equal(notice->texts[1], span_text(states[i].word)))
            view->state = states[i].state;
}

static void take_notice(struct world *world, uint32_t node, const struct mesh_notice *notice)
{
    if (notice->code == NOTICE_MEMBER)
        note_view(world, node, notice);
    if (notice->code == NOTICE_READY)
        world->nodes[node].is_ready = true;
    world_mix(world, (uint64_t)notice->code << 32 | node);
    world_note(world, "%s notice %d %.*s %.*s %.*s %" PRIx64, world->nodes[node].name,
               (int)notice->code, (int)notice->texts[0].bytes, (const char *)notice->texts[0].data,
               (int)notice->texts[1].bytes, (const char *)notice->texts[1].data,
               (int)notice->texts[2].bytes, (const char *)notice->texts[2].data, notice->values[0]);
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_notice != NULL)
            world->watchers[i].on_notice(world->watchers[i].state, world, node, notice);
}

static void carry_frame(struct world *world, uint32_t node, const struct mesh_output *output)
{
    uint8_t *frame = malloc(output->bytes == 0 ? 1 : output->bytes);
    require(frame != NULL);
    mesh_write_output(world->nodes[node].mesh, frame);
    mix_frame(world, frame, output->bytes);
    if (output->channel == CHANNEL_GOSSIP)
        world->gossip_bytes += output->bytes;
    else if (output->channel == CHANNEL_FORWARD)
        world->forward_bytes += output->bytes;
    if (output->order == MESH_SEND)
        network_send(world, node, output->link, output->channel, frame, output->bytes);
    else
        network_reply(world, node, output->channel, output->connection, frame, output->bytes);
}

static void resolve_seed(struct world *world, uint32_t node, uint32_t seed)
{
    events_plan(&world->events, (struct event){.at_ns = world->now_ns + MS,
                                               .kind = EVENT_RESOLVED,
                                               .node = node,
                                               .life = world->nodes[node].life,
                                               .number = seed});
}

static void lose_client(struct world *world, uint32_t node, uint32_t connection)
{
    for (uint32_t i = 0; i < world->watchers_count; i++)
        if (world->watchers[i].on_client_lost != NULL)
            world->watchers[i].on_client_lost(world->watchers[i].state, world, node, connection);
}

static void carry_out(struct world *world, uint32_t node, const struct mesh_output *output)
{
    switch (output->order) {
    case MESH_SEND:
    case MESH_REPLY:
        carry_frame(world, node, output);
        break;
    case MESH_OPEN_LINK:
        network_open(world, node, output->link, output->channel, output->address);
        break;
    case MESH_CLOSE_LINK:
        network_close(world, node, output->link, output->channel);
        break;
    case MESH_PROBE_REFUSED:
        network_probe(world, node, output->link, output->address);
        break;
    case MESH_CUT:
        if (output->channel == CHANNEL_CLIENT)
            lose_client(world, node, output->connection);
        break;
    case MESH_RESOLVE_SEED:
        resolve_seed(world, node, output->seed);
        break;
    case MESH_NOTICE:
        take_notice(world, node, &output->notice);
        break;
    case MESH_STOPPED:
        world->nodes[node].has_stopped = true;
        break;
    }
}

static void pull(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    struct mesh_output output;
    while (mesh_next_output(n->mesh, &output))
        carry_out(world, node, &output);
    if (n->has_stopped) {
        world_note(world, "%s has stopped", n->name);
        end_process(world, node, true);
        return;
    }
    uint64_t deadline = mesh_deadline_ns(n->mesh);
    if (deadline < world->now_ns)
        deadline = world->now_ns;
    if (deadline < n->tick_at_ns) {
        n->tick_at_ns = deadline;
        events_plan(
            &world->events,
            (struct event){.at_ns = deadline, .kind = EVENT_TICK, .node = node, .life = n->life});
    }
}

void world_tell(struct world *world, uint32_t node, struct mesh_input *input)
{
    struct world_node *n = &world->nodes[node];
    input->now_ns = world->now_ns;
    input->wall_ms =
        (uint64_t)((int64_t)(WALL_AT_START_MS + world->now_ns / MS) + n->wall_offset_ms);
    mesh_receive(n->mesh, input);
    if (input->fact != MESH_LINK_FULL) /* told while orders are being pulled */
        pull(world, node);
}

static void tell_frame(struct world *world, struct event *event)
{
    bool is_answer = event->connection == UINT32_MAX;
    const char *from = event->channel == CHANNEL_CLIENT ? "10.255.0.1:1"
                                                        : world->nodes[event->from].gossip_address;
    struct mesh_input input = {.fact = is_answer ? MESH_ANSWER : MESH_FRAME,
                               .channel = (enum channel)event->channel,
                               .connection = event->connection,
                               .link = is_answer ? event->link : MESH_LINK_NONE,
                               .bytes = span_of(event->frame, event->bytes),
                               .address = span_text(from)};
    world_tell(world, event->node, &input);
}

static void tell_resolved(struct world *world, const struct event *event)
{
    const struct world_node *n = &world->nodes[event->node];
    const char *address = world->nodes[n->seeds[event->number]].gossip_address;
    char text[WORLD_ADDRESS_BYTES];
    uint32_t host = world->nodes[n->seeds[event->number]].address;
    if (address[0] == '\0') { /* never started: its address is known all the same */
        snprintf(text, sizeof text, "10.%u.%u.%u:7311", (unsigned)(host >> 16 & 255),
                 (unsigned)(host >> 8 & 255), (unsigned)(host & 255));
        address = text;
    }
    struct mesh_input input = {
        .fact = MESH_SEED_RESOLVED, .seed = event->number, .bytes = span_text(address)};
    world_tell(world, event->node, &input);
}

static void tell_watchers(struct world *world, struct event *event)
{
    for (uint32_t i = 0; i < world->watchers_count; i++) {
        struct world_watcher *watcher = &world->watchers[i];
        if (event->kind == EVENT_CLIENT_FRAME && watcher->on_client_frame != NULL)
            watcher->on_client_frame(watcher->state, world, event->node, event->connection,
                                     event->frame, event->bytes);
        if (watcher->on_event != NULL)
            watcher->on_event(watcher->state, world, event);
    }
}

/* An event for a node that is stopped or slow comes later, in its old order. */
static bool is_postponed(struct world *world, struct event *event)
{
    const struct world_node *n = &world->nodes[event->node];
    if (n->paused_until_ns > world->now_ns) {
        event->at_ns = n->paused_until_ns;
        events_plan(&world->events, *event);
        return true;
    }
    return false;
}

static void work_on(struct world *world, struct event *event)
{
    struct world_node *n = &world->nodes[event->node];
    switch (event->kind) {
    case EVENT_TICK:
        if (n->tick_at_ns > event->at_ns)
            return; /* superseded: an earlier one ran and planned anew */
        n->tick_at_ns = UINT64_MAX;
        world_tell(world, event->node, &(struct mesh_input){.fact = MESH_TICK});
        return;
    case EVENT_FRAME:
        tell_frame(world, event);
        return;
    case EVENT_CONNECTION_LOST: {
        struct mesh_input input = {.fact = MESH_CONNECTION_LOST,
                                   .channel = (enum channel)event->channel,
                                   .connection = event->connection};
        world_tell(world, event->node, &input);
        return;
    }
    case EVENT_LINK_REFUSED: {
        struct mesh_input input = {.fact = MESH_LINK_REFUSED, .link = event->link};
        world_tell(world, event->node, &input);
        return;
    }
    case EVENT_RESOLVED:
        tell_resolved(world, event);
        return;
    case EVENT_DIAL:
    case EVENT_LINK_UP:
    case EVENT_LINK_LOST:
    case EVENT_PUMP:
        network_due(world, event);
        return;
    case EVENT_CLIENT_FRAME:
    case EVENT_FAULT:
    case EVENT_WORK:
        return;
    }
}

static bool is_for_core(const struct event *event)
{
    return event->kind != EVENT_FAULT && event->kind != EVENT_WORK &&
           event->kind != EVENT_CLIENT_FRAME;
}

static void step(struct world *world)
{
    struct event event = events_take(&world->events);
    if (event.at_ns > world->now_ns)
        world->now_ns = event.at_ns;
    const struct world_node *n = &world->nodes[event.node];
    bool is_void = is_for_core(&event) && (n->mesh == NULL || n->life != event.life);
    if (!is_void && is_for_core(&event) && is_postponed(world, &event))
        return;
    if (!is_void) {
        world->steps++;
        world_mix(world, event.at_ns);
        world_mix(world, (uint64_t)event.kind << 32 | event.node);
        work_on(world, &event);
        tell_watchers(world, &event);
    }
    free(event.frame);
}

void world_run_ms(struct world *world, uint64_t ms)
{
    uint64_t until = world->now_ns + ms * MS;
    for (const struct event *next; (next = events_first(&world->events)) != NULL;) {
        if (next->at_ns > until)
            break;
        step(world);
    }
    world->now_ns = until;
}

bool world_run_until(struct world *world, bool (*holds)(struct world *), uint64_t limit_ms)
{
    for (uint64_t ms = 0; ms < limit_ms; ms += 10) {
        if (holds(world))
            return true;
        world_run_ms(world, 10);
    }
    return holds(world);
}

bool world_agrees(struct world *world)
{
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        const struct world_node *node = &world->nodes[i];
        for (uint32_t j = 0; world_is_running(world, i) && j < world->nodes_count; j++) {
            const struct world_view *view = &node->views[j];
            bool sees = view->state == VIEW_ALIVE && view->instance == world->nodes[j].instance;
            if (world_is_running(world, j) ? !sees : view->state == VIEW_ALIVE)
                return false;
        }
    }
    return true;
}

/* ---- clients ---------------------------------------------------------------------------------*/

uint32_t world_client_connect(struct world *world, uint32_t node)
{
    (void)node;
    return ++world->connections;
}

static void plan_client(struct world *world, uint32_t node, struct event event)
{
    event.at_ns = world->now_ns + world->network.delay_ns;
    event.node = node;
    event.life = world->nodes[node].life;
    event.channel = CHANNEL_CLIENT;
    events_plan(&world->events, event);
}

void world_client_send(struct world *world, uint32_t node, uint32_t connection,
                       const uint8_t *frame, size_t bytes)
{
    uint8_t *copy = malloc(bytes == 0 ? 1 : bytes);
    require(copy != NULL);
    memcpy(copy, frame, bytes);
    plan_client(world, node,
                (struct event){
                    .kind = EVENT_FRAME, .connection = connection, .frame = copy, .bytes = bytes});
}

void world_client_hang_up(struct world *world, uint32_t node, uint32_t connection)
{
    plan_client(world, node,
                (struct event){.kind = EVENT_CONNECTION_LOST, .connection = connection});
}
