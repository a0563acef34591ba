#include "tests/sim/world.h"

/* Everything random comes from the seed, everything timed from the event heap, and all of it goes
 * into one hash: two runs with the same hash did the same things in the same order. The wall clock
 * does not go into it: it must change nothing. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/addresses.h"
#include "tests/sim/clocks.h"
#include "tests/sim/loop.h"

static const uint64_t MS = 1000000;
static const uint64_t QUICK_NS = 1000; /* for each fact, of a node that is slow no longer */

static const char *const version = "simulated";

/* Everybody may do everything, but one path is for those who hold a role that all have at first. */
static const struct mesh_permission permissions[] = {
    {"*", "register_handler"},
    {"*", "view_session"},
    {"*", "modify_session"},
    {"*", "view_mesh"},
    {"*", "send_to_handler:a/**"},
    {"*", "send_to_handler:b/**"},
    {"*", "send_to_handler:c/**"},
    {"*", "send_to_handler:d/**"},
    {"*", "send_to_handler:e/**"},
    {"*", "authenticate"},
    {"*", "send_to_session"},
    {"*", "read_topic"},
    {"*", "update_topic"},
    {"*", "modify_topic"},
    {WORLD_ROLE, "send_to_handler:" WORLD_ROLE_PATH},
};

enum { SEEDS_EACH = 3, SESSIONS_MAX = 1024, REQUESTS_MAX = 8192, CATCH_UP_MS = 100 };

static uint8_t *matrix_new(uint32_t nodes)
{
    uint8_t *matrix = calloc(nodes, nodes);
    require(matrix != NULL);
    return matrix;
}

struct world *world_new_alone(uint64_t seed, uint32_t nodes)
{
    struct world *world = world_new(seed, nodes);
    world->store = core_store_new(seed);
    return world;
}

struct world *world_new(uint64_t seed, uint32_t nodes)
{
    require(nodes > 0 && nodes <= WORLD_NODES_MAX);
    struct world *world = calloc(1, sizeof *world);
    require(world != NULL);
    world->seed = seed;
    world->now_ns = 1000 * MS;
    world->nodes_count = nodes;
    world->spare = UINT32_MAX;
    world->auth_chain = "anonymous";
    world->nodes = calloc(nodes, sizeof *world->nodes);
    require(world->nodes != NULL);
    world->views = views_new(nodes);
    world->cuts = matrix_new(nodes);
    world->holds = matrix_new(nodes);
    world->network = network_calm();
    uint8_t bytes[MESH_SEED_BYTES] = {0};
    memcpy(bytes, &seed, sizeof seed);
    for (uint64_t stream = 0; stream < STREAMS; stream++)
        random_init(&world->random[stream], bytes, stream);
    for (uint32_t i = 0; i < nodes; i++) {
        struct world_node *node = &world->nodes[i];
        node->address = i + 1;
        node->clock.since_ns = world->now_ns;
        /* Hosts were started at different times. */
        node->clock.base_ns = random_below(&world->random[STREAM_NODES], UINT64_C(1) << 50);
        addresses_name(i, node->name);
        for (uint32_t j = 0; j < nodes && node->config.seeds < SEEDS_EACH; j++)
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
        core_destroy(&w->nodes[i].core);
        network_forget(&w->nodes[i].links);
    }
    core_store_destroy(&w->store);
    agenda_clear(&w->agenda);
    clients_destroy(&w->clients);
    views_destroy(&w->views);
    free(w->nodes);
    free(w->cuts);
    free(w->holds);
    connections_clear(&w->connections);
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
    if (count > 0)
        memcpy(world->nodes[node].seeds, seeds, count * sizeof *seeds);
    world->nodes[node].config.seeds = count;
}

/* ---- the books -------------------------------------------------------------------------------*/

void world_mix(struct world *world, uint64_t value)
{
    world->hash = (world->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    world->hash ^= world->hash >> 29;
}

void world_note(struct world *world, const char *format, ...)
{
    if (world->trace == NULL)
        return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(world->trace, "%.6f %s\n", (double)world->now_ns / 1e9, line);
}

void world_fail(struct world *world, const char *check, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    world_note(world, "%s: %s", check, line);
    if (world_has_failed(world))
        return;
    snprintf(world->failed_check, sizeof world->failed_check, "%s", check);
    world->failed_ns = world->now_ns;
    fprintf(stderr, "%s: at %.3f s %s\n", check, (double)world->now_ns / 1e9, line);
}

bool world_has_failed(const struct world *world)
{
    return world->failed_check[0] != '\0';
}

uint64_t world_counter(const struct world *world, enum counter counter)
{
    uint64_t sum = world->counters[counter];
    for (uint32_t i = 0; i < world->nodes_count; i++)
        if (world->nodes[i].core != NULL)
            sum += core_counter(world->nodes[i].core, counter);
    return sum;
}

bool world_is_running(const struct world *world, uint32_t node)
{
    return world->nodes[node].core != NULL && !world->nodes[node].has_vanished;
}

uint32_t world_node_at(const struct world *world, uint32_t host)
{
    uint32_t node = addresses_node(host);
    return node < world->nodes_count && world->nodes[node].address == host ? node : UINT32_MAX;
}

uint32_t world_node_named(const struct world *world, struct span name)
{
    uint32_t node = addresses_named(name);
    return node < world->nodes_count && !world->nodes[node].is_namesake ? node : UINT32_MAX;
}

bool world_is_paused(const struct world *world, uint32_t node)
{
    return world->nodes[node].paused_until_ns > world->now_ns;
}

/* ---- starting and ending ---------------------------------------------------------------------*/

static void configure(struct world *world, struct world_node *n)
{
    uint32_t seeds = n->config.seeds;
    mesh_config_defaults(&n->config);
    addresses_print(n->address, n->client_address, n->gossip_address, n->forward_address);
    n->config.name = n->name;
    n->config.cluster = "sim";
    n->config.zone = "";
    n->config.version = version;
    n->config.anonymous_roles = WORLD_ROLE;
    n->config.auth_chain = world->auth_chain;
    n->config.auth_timeout_abstains = world->auth_silence_abstains;
    if (world->auth_step_ms > 0)
        n->config.auth_step_timeout_ms = world->auth_step_ms;
    if (world->queue_messages > 0)
        n->config.session_queue_messages = world->queue_messages;
    n->config.permissions = permissions;
    n->config.permissions_count = sizeof permissions / sizeof permissions[0];
    n->config.client_address = n->client_address;
    n->config.gossip_address = n->gossip_address;
    n->config.forward_address = n->forward_address;
    n->config.seeds = seeds;
    if (world->store != NULL)
        n->config.gossip.members_max = world->nodes_count;
    n->config.sessions_max = SESSIONS_MAX; /* the tables of many nodes lie in one process */
    n->config.requests_in_flight_max = REQUESTS_MAX;
    random_bytes(&world->random[STREAM_NODES], n->config.random_seed, MESH_SEED_BYTES);
}

/* A new life, of which nobody has heard yet. */
static void be_born(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    require(n->core == NULL);
    configure(world, n);
    n->core = core_new(&n->config, world->store);
    n->life++;
    n->instance = core_instance(n->core);
    n->tick_at_ns = UINT64_MAX;
    n->paused_until_ns = n->busy_until_ns = n->behind_until_ns = 0;
    n->has_vanished = n->is_ready = n->has_stopped = n->was_told_to_stop = false;
    world_note(world, "%s starts at %s, instance %016" PRIx64, n->name, n->gossip_address,
               n->instance);
}

void world_start(struct world *world, uint32_t node)
{
    views_before(world, node);
    be_born(world, node);
    views_start(world, node);
    views_after(world, node);
    loop_tell(world, node, &(struct mesh_input){.fact = MESH_TICK});
}

void world_start_acquainted(struct world *world)
{
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        world_set_seeds(world, node, NULL, 0);
        be_born(world, node);
    }
    for (uint32_t node = 0; node < world->nodes_count; node++)
        for (uint32_t other = 0; other < world->nodes_count; other++)
            if (other != node)
                core_acquaint(world->nodes[node].core, world->nodes[other].core);
    views_start_all(world);
    for (uint32_t node = 0; node < world->nodes_count; node++)
        loop_tell(world, node, &(struct mesh_input){.fact = MESH_TICK});
}

void world_end(struct world *world, uint32_t node, bool says_so)
{
    struct world_node *n = &world->nodes[node];
    if (n->core == NULL)
        return;
    views_before(world, node);
    network_process_ended(world, node, says_so);
    clients_process_ended(world, node, says_so);
    for (int counter = 0; counter < COUNTERS; counter++)
        world->counters[counter] += core_counter(n->core, (enum counter)counter);
    core_destroy(&n->core);
    n->life++;
    n->tick_at_ns = UINT64_MAX;
    views_after(world, node);
}

void world_move(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    require(n->core == NULL);
    n->address += ADDRESSES_STEP;
    n->has_vanished = false;
}

void world_stop(struct world *world, uint32_t node)
{
    struct world_node *n = &world->nodes[node];
    world_note(world, "%s is told to stop", n->name);
    n->was_told_to_stop = true;
    agenda_plan(&world->agenda,
                (struct agenda_event){
                    .at_ns = world->now_ns, .kind = EVENT_STOP, .node = node, .life = n->life});
}

void world_crash(struct world *world, uint32_t node)
{
    world_note(world, "%s crashes", world->nodes[node].name);
    world_end(world, node, !world->nodes[node].has_vanished);
}

void world_vanish(struct world *world, uint32_t node)
{
    world_note(world, "%s vanishes", world->nodes[node].name);
    world_end(world, node, false);
    world->nodes[node].has_vanished = true;
}

void world_pause(struct world *world, uint32_t node, uint64_t ms, bool is_suspended)
{
    struct world_node *n = &world->nodes[node];
    world_note(world, "%s %s for %" PRIu64 " ms", n->name, is_suspended ? "is suspended" : "pauses",
               ms);
    uint64_t until_ns = world->now_ns + ms * MS;
    if (n->core == NULL || until_ns <= n->paused_until_ns)
        return;
    if (is_suspended && n->paused_until_ns <= world->now_ns)
        clocks_stand(&n->clock, world->now_ns, until_ns);
    n->paused_until_ns = until_ns;
}

void world_slow(struct world *world, uint32_t node, uint64_t service_ns)
{
    struct world_node *n = &world->nodes[node];
    if (service_ns > 0)
        n->slow_until_ns = UINT64_MAX;
    else if (n->service_ns > 0)
        n->slow_until_ns = world->now_ns + CATCH_UP_MS * MS;
    n->service_ns = service_ns;
    if (service_ns == 0)
        n->behind_until_ns = 0;
    if (service_ns == 0 && n->busy_until_ns > world->now_ns)
        n->busy_until_ns = agenda_hasten(&world->agenda, node, world->now_ns, QUICK_NS);
}

void world_narrow(struct world *world, uint32_t node, uint64_t bytes_per_s)
{
    struct world_node *n = &world->nodes[node];
    n->uplink_bytes_per_s = bytes_per_s;
    n->uplink_free_ns = world->now_ns;
    if (bytes_per_s == 0)
        network_released(world, node, UINT32_MAX);
}

void world_drift(struct world *world, uint32_t node, int32_t permille)
{
    clocks_drift(&world->nodes[node].clock, world->now_ns, permille);
}

/* ---- the network's state ---------------------------------------------------------------------*/

void world_cut(struct world *world, uint32_t from, uint32_t to)
{
    world->cuts[(size_t)from * world->nodes_count + to]++;
}

void world_mend(struct world *world, uint32_t from, uint32_t to)
{
    uint8_t *cut = &world->cuts[(size_t)from * world->nodes_count + to];
    require(*cut > 0);
    --*cut;
}

void world_hold(struct world *world, uint32_t from, uint32_t to)
{
    world->holds[(size_t)from * world->nodes_count + to]++;
}

void world_release(struct world *world, uint32_t from, uint32_t to)
{
    uint8_t *hold = &world->holds[(size_t)from * world->nodes_count + to];
    require(*hold > 0);
    if (--*hold == 0)
        network_released(world, from, to);
}

static void release_all(struct world *world)
{
    for (uint32_t from = 0; from < world->nodes_count; from++)
        for (uint32_t to = 0; to < world->nodes_count; to++)
            while (world_is_held(world, from, to))
                world_release(world, from, to);
}

void world_heal(struct world *world)
{
    world_note(world, "everything heals");
    memset(world->cuts, 0, (size_t)world->nodes_count * world->nodes_count);
    world->network = network_calm();
    release_all(world);
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        world_slow(world, i, 0);
        world_narrow(world, i, 0);
        world_drift(world, i, 0);
    }
}

void world_set_apart(struct world *world, uint32_t node, bool is_apart)
{
    views_before(world, node);
    world->nodes[node].is_apart = is_apart;
    views_after(world, node);
}

/* ---- running ---------------------------------------------------------------------------------*/

void world_run_ms(struct world *world, uint64_t ms)
{
    uint64_t until_ns = world->now_ns + ms * MS;
    for (const struct agenda_event *next; (next = agenda_first(&world->agenda)) != NULL;) {
        if (next->at_ns > until_ns || world_has_failed(world))
            break;
        loop_step(world);
    }
    world->now_ns = until_ns;
}

bool world_run_until(struct world *world, bool (*holds)(struct world *), uint64_t limit_ms)
{
    for (uint64_t ms = 0; ms < limit_ms && !world_has_failed(world); ms += 10) {
        if (holds(world))
            return true;
        world_run_ms(world, 10);
    }
    return !world_has_failed(world) && holds(world);
}

bool world_agrees(struct world *world)
{
    return world->views->wrong == 0;
}
