#include "tests/sim/measure.h"

/* Times are the world's, taken from the notices: when the last node said it, not when somebody
 * looked. Between two trials in one world all agree again, and a random while passes, so that the
 * phase of rounds and timers differs. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "mesh/base/require.h"
#include "tests/sim/check_members.h"
#include "tests/sim/world.h"

static const uint64_t MS = 1000000;

enum {
    SETTLE_MS = 60000, /* given up after that */
    LONG_STALL_MS = 30000,
    STALLING_NODES = 8,
    TEN_MINUTES_MS = 600000,
    UPLINK_BYTES_PER_S = 125000000, /* 1 Gb/s: joins are the one thing that could fill it */
    SERVICE_NS = 20000,             /* what a fact takes a core, about */
};

/* ---- samples ---------------------------------------------------------------------------------*/

struct samples {
    double *values;
    size_t count, capacity;
};

static void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 64 : samples->capacity * 2;
        samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
        require(samples->values != NULL);
    }
    samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void samples_print(struct samples *samples, const char *what, const char *unit)
{
    if (samples->count == 0)
        return;
    qsort(samples->values, samples->count, sizeof *samples->values, compare);
    size_t last = samples->count - 1;
    printf("  %-34s p50 %8.1f  p99 %8.1f  max %8.1f %s, %zu samples\n", what,
           samples->values[last / 2], samples->values[(last * 99 + 99) / 100],
           samples->values[last], unit, samples->count);
    fflush(stdout);
    free(samples->values);
    *samples = (struct samples){0};
}

/* ---- worlds ----------------------------------------------------------------------------------*/

static uint32_t choose(uint32_t asked, uint32_t own)
{
    return asked != 0 ? asked : own;
}

/* What all worlds of this process have cost. */
static struct {
    uint64_t events;
    double virtual_s;
} cost;

static void end_world(struct world **world)
{
    if (*world == NULL)
        return;
    cost.events += (*world)->steps;
    cost.virtual_s += (double)(*world)->now_ns / 1e9;
    world_destroy(world);
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void print_cost(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    printf("  %.0f virtual s in %.0f s of a core, %.0f events a second, %ld MiB at most\n",
           cost.virtual_s, cpu_s(), (double)cost.events / cpu_s(), usage.ru_maxrss / 1024);
}

static bool settle(struct world *world)
{
    if (world_run_until(world, world_agrees, SETTLE_MS))
        return true;
    fprintf(stderr, "measure: no agreement after %d s\n", SETTLE_MS / 1000);
    views_tell(world);
    return false;
}

static struct world *any_world(const struct measure_options *options, uint64_t seed, uint32_t nodes)
{
    return options->is_alone ? world_new_alone(seed, nodes) : world_new(seed, nodes);
}

/* A mesh that has come up and been quiet for a while; NULL: it did not come up. */
static struct world *quiet_world(const struct measure_options *options, uint64_t seed,
                                 uint32_t nodes)
{
    struct world *world = any_world(options, seed, nodes);
    if (options->is_alone)
        world_start_acquainted(world);
    for (uint32_t node = 0; node < nodes && !options->is_alone; node++) {
        world_start(world, node);
        world_run_ms(world, 20);
    }
    if (!settle(world))
        end_world(&world);
    else
        world_run_ms(world, 10000);
    return world;
}

static void print_head(const char *what, uint32_t nodes, uint32_t runs)
{
    printf("%s: %" PRIu32 " nodes, %" PRIu32 " trials\n", what, nodes, runs);
    fflush(stdout);
}

/* ---- crash, vanish ---------------------------------------------------------------------------*/

static uint32_t victim;

static bool all_know(struct world *world)
{
    for (uint32_t node = 0; node < world->nodes_count; node++)
        if (node != victim && views_at(world->views, node, victim)->state != VIEW_DEAD)
            return false;
    return true;
}

/* Back again, through seeds that live whoever was the victim. */
static void revive(struct world *world, uint32_t node)
{
    const uint32_t seeds[] = {node == 0, node <= 1 ? 2 : 1, node <= 2 ? 3 : 2};
    if (world->nodes_count > 3)
        world_set_seeds(world, node, seeds, 3);
    world_start(world, node);
}

static bool one_end(struct world *world, void (*end)(struct world *, uint32_t),
                    struct samples *last, struct samples *each)
{
    struct random *random = &world->random[STREAM_PHASES];
    victim = (uint32_t)random_below(random, world->nodes_count);
    uint64_t from_ns = world->now_ns, latest_ns = 0;
    end(world, victim);
    if (!world_run_until(world, all_know, SETTLE_MS))
        return false;
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        if (node == victim)
            continue;
        uint64_t ns = views_at(world->views, node, victim)->since_ns - from_ns;
        samples_add(each, (double)ns / 1e6);
        latest_ns = ns > latest_ns ? ns : latest_ns;
    }
    samples_add(last, (double)latest_ns / 1e6);
    revive(world, victim);
    if (!settle(world))
        return false;
    world_run_ms(world, 3000 + random_below(random, 1000));
    return true;
}

static bool measure_ends(const struct measure_options *options, const char *what,
                         void (*end)(struct world *, uint32_t))
{
    uint32_t nodes = choose(options->nodes, 100), runs = choose(options->runs, 100);
    struct samples last = {0}, each = {0};
    print_head(what, nodes, runs);
    struct world *world = quiet_world(options, options->seed, nodes);
    bool is_over = world != NULL;
    for (uint32_t run = 0; is_over && run < runs; run++)
        is_over = one_end(world, end, &last, &each);
    samples_print(&last, "known to all after", "ms");
    samples_print(&each, "known to one after", "ms");
    end_world(&world);
    return is_over;
}

static bool measure_crash(const struct measure_options *options)
{
    return measure_ends(options, "process crash, links break", world_crash);
}

static bool measure_vanish(const struct measure_options *options)
{
    return measure_ends(options, "host lost, silence", world_vanish);
}

/* ---- splits ----------------------------------------------------------------------------------*/

/* Sides of a split. Nodes 0..2 are everybody's seeds. */
static uint32_t side_halves(uint32_t node, uint32_t nodes)
{
    return node < nodes / 2;
}

static uint32_t side_mixed(uint32_t node, uint32_t nodes)
{
    (void)nodes;
    return node % 2;
}

static uint32_t side_one_off(uint32_t node, uint32_t nodes)
{
    return node == nodes - 1;
}

static uint32_t side_thirds(uint32_t node, uint32_t nodes)
{
    return node * 3 / nodes;
}

static const struct {
    const char *what;
    uint32_t (*side)(uint32_t node, uint32_t nodes);
} splits[] = {
    {"halves, all seeds on one side", side_halves},
    {"halves, seeds on both sides", side_mixed},
    {"one node cut off", side_one_off},
    {"thirds, all seeds on one side", side_thirds},
};

static void split(struct world *world, uint32_t (*side)(uint32_t, uint32_t),
                  void (*act)(struct world *, uint32_t, uint32_t))
{
    uint32_t nodes = world->nodes_count;
    for (uint32_t from = 0; from < nodes; from++)
        for (uint32_t to = 0; to < nodes; to++)
            if (side(from, nodes) != side(to, nodes))
                act(world, from, to);
}

static bool measure_one_split(struct world *world, size_t kind, uint64_t ms, uint32_t runs)
{
    struct samples heals = {0};
    struct random *random = &world->random[STREAM_PHASES];
    char what[64];
    snprintf(what, sizeof what, "%s, %" PRIu64 " s", splits[kind].what, ms / 1000);
    for (uint32_t run = 0; run < runs; run++) {
        split(world, splits[kind].side, world_cut);
        world_run_ms(world, ms + random_below(random, 1000));
        uint64_t from_ns = world->now_ns;
        split(world, splits[kind].side, world_mend);
        if (!settle(world))
            return false;
        samples_add(&heals, (double)(world->now_ns - from_ns) / 1e9);
        world_run_ms(world, 5000);
    }
    samples_print(&heals, what, "s");
    return true;
}

static bool measure_split(const struct measure_options *options)
{
    static const uint64_t lengths_ms[] = {3000, 10000, 60000, 600000};
    uint32_t nodes = choose(options->nodes, 100), runs = choose(options->runs, 5);
    print_head("split, until all agree after the heal", nodes, runs);
    struct world *world = quiet_world(options, options->seed, nodes);
    bool is_over = world != NULL;
    for (size_t kind = 0; is_over && kind < sizeof splits / sizeof splits[0]; kind++)
        for (size_t i = 0; is_over && i < sizeof lengths_ms / sizeof lengths_ms[0]; i++)
            is_over = measure_one_split(world, kind, lengths_ms[i], runs);
    end_world(&world);
    return is_over;
}

/* ---- joins -----------------------------------------------------------------------------------*/

/* All but the first start, through the first; one that was there before them dies meanwhile, and
 * everybody has to know that, too. */
static bool one_join(struct world *world, struct samples *joins)
{
    enum { EARLY = 1, DIES_AFTER_MS = 100 };
    static const uint32_t seed[] = {0};
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        world_set_seeds(world, node, seed, node == 0 ? 0 : 1);
        world->nodes[node].uplink_bytes_per_s = UPLINK_BYTES_PER_S;
        world_slow(world, node, SERVICE_NS);
        if (node <= EARLY)
            world_start(world, node);
        world_run_ms(world, node == EARLY ? 1000 : 0);
    }
    uint64_t from_ns = world->now_ns;
    for (uint32_t node = EARLY + 1; node < world->nodes_count; node++)
        world_start(world, node);
    world_run_ms(world, DIES_AFTER_MS);
    world_crash(world, EARLY);
    bool is_over = settle(world);
    samples_add(joins, (double)(world->now_ns - from_ns) / 1e9);
    return is_over;
}

static bool measure_join(const struct measure_options *options)
{
    uint32_t nodes = choose(options->nodes, 1000), runs = choose(options->runs, 1);
    struct samples joins = {0};
    bool is_over = true;
    print_head("joins at once through one seed, until all agree", nodes, runs);
    for (uint32_t run = 0; is_over && run < runs; run++) {
        struct world *world = any_world(options, options->seed + run, nodes);
        is_over = one_join(world, &joins);
        end_world(&world);
    }
    samples_print(&joins, "one view after", "s");
    return is_over;
}

/* ---- restarts --------------------------------------------------------------------------------*/

/* All but one crash, and start again at once under their names, through the one that is left. */
static bool measure_restart(const struct measure_options *options)
{
    uint32_t nodes = choose(options->nodes, 300), runs = choose(options->runs, 1);
    static const uint32_t seed[] = {0};
    struct samples restarts = {0};
    print_head("all but one crash and start again at once, until all agree", nodes, runs);
    struct world *world = quiet_world(options, options->seed, nodes);
    bool is_over = world != NULL;
    for (uint32_t run = 0; is_over && run < runs; run++) {
        uint64_t from_ns = world->now_ns;
        for (uint32_t node = 1; node < nodes; node++)
            world_crash(world, node);
        for (uint32_t node = 1; node < nodes; node++) {
            world_set_seeds(world, node, seed, 1);
            world_start(world, node);
        }
        is_over = settle(world);
        samples_add(&restarts, (double)(world->now_ns - from_ns) / 1e9);
        world_run_ms(world, 5000);
    }
    samples_print(&restarts, "one view after", "s");
    end_world(&world);
    return is_over;
}

/* ---- idle ------------------------------------------------------------------------------------*/

static bool measure_one_idle(const struct measure_options *options, uint32_t nodes)
{
    enum { QUIET_MS = 30000, WATCHED_MS = 60000 };
    struct world *world = quiet_world(options, options->seed, nodes);
    if (world == NULL)
        return false;
    world_run_ms(world, QUIET_MS);
    uint64_t gossip = world->gossip_bytes, forward = world->forward_bytes;
    uint64_t connections = world->connections.count;
    world_run_ms(world, WATCHED_MS);
    double node_s = nodes * (WATCHED_MS / 1000.0);
    printf("  %5" PRIu32
           " nodes: gossip %6.0f, forward %6.0f bytes, %4.1f connections made, a node "
           "and second\n",
           nodes, (double)(world->gossip_bytes - gossip) / node_s,
           (double)(world->forward_bytes - forward) / node_s,
           (double)(world->connections.count - connections) / node_s);
    fflush(stdout);
    end_world(&world);
    return true;
}

static bool measure_idle(const struct measure_options *options)
{
    static const uint32_t sizes[] = {3, 10, 30, 100, 300};
    bool is_over = true;
    printf("idle payload on established links\n");
    if (options->nodes != 0)
        return measure_one_idle(options, options->nodes);
    for (size_t i = 0; is_over && i < sizeof sizes / sizeof sizes[0]; i++)
        is_over = measure_one_idle(options, sizes[i]);
    return is_over;
}

/* ---- deaths of the healthy -------------------------------------------------------------------*/

struct deaths {
    uint64_t told, nodes; /* views that say so; nodes of which the first said so */
    uint8_t *is_excused;  /* [node] */
    uint64_t *last_ns;    /* [node]: when somebody last said so */
};

static void on_notice(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice)
{
    struct deaths *deaths = state;
    (void)node;
    if (notice->code != NOTICE_MEMBER || views_state(notice->texts[1]) != VIEW_DEAD)
        return;
    uint32_t of = world_node_named(world, notice->texts[0]);
    if (of == UINT32_MAX || deaths->is_excused[of] || !world_is_running(world, of) ||
        world->nodes[of].instance != notice->values[0])
        return;
    deaths->told++;
    if (deaths->last_ns[of] == 0 || world->now_ns - deaths->last_ns[of] > 30000 * MS)
        deaths->nodes++;
    deaths->last_ns[of] = world->now_ns;
}

static void deaths_watch(struct deaths *deaths, struct world *world)
{
    *deaths = (struct deaths){
        .is_excused = calloc(world->nodes_count, sizeof *deaths->is_excused),
        .last_ns = calloc(world->nodes_count, sizeof *deaths->last_ns),
    };
    require(deaths->is_excused != NULL && deaths->last_ns != NULL);
    world_watch(world, (struct world_watcher){.state = deaths, .on_notice = on_notice});
}

static void deaths_clear(struct deaths *deaths)
{
    free(deaths->is_excused);
    free(deaths->last_ns);
}

/* Each of a few nodes sleeps and wakes, for ever differently long. */
static void stall_some(struct world *world, uint64_t ms)
{
    uint64_t next_ns[STALLING_NODES] = {0};
    struct random *random = &world->random[STREAM_PHASES];
    uint64_t end_ns = world->now_ns + ms * MS;
    while (world->now_ns < end_ns) {
        for (uint32_t node = 0; node < STALLING_NODES; node++) {
            if (next_ns[node] > world->now_ns)
                continue;
            uint64_t stall_ms = 100 + random_below(random, LONG_STALL_MS - 100);
            stall_ms = random_below(random, 2) == 0 ? stall_ms / 20 + 100 : stall_ms;
            world_pause(world, node, stall_ms, false);
            next_ns[node] = world->now_ns + (stall_ms + random_below(random, 5000)) * MS;
        }
        world_run_ms(world, 100);
    }
}

/* One world for ten minutes; adds what died of those that nothing happened to. */
static bool count_deaths(const struct measure_options *options, uint64_t seed, uint32_t nodes,
                         struct network_settings network, bool has_stalls, struct deaths *sum)
{
    struct deaths deaths;
    struct world *world = quiet_world(options, seed, nodes);
    if (world == NULL)
        return false;
    deaths_watch(&deaths, world);
    for (uint32_t node = 0; has_stalls && node < STALLING_NODES && node < nodes; node++)
        deaths.is_excused[node] = 1;
    world->network = network;
    if (has_stalls)
        stall_some(world, TEN_MINUTES_MS);
    else
        world_run_ms(world, TEN_MINUTES_MS);
    sum->told += deaths.told;
    sum->nodes += deaths.nodes;
    deaths_clear(&deaths);
    end_world(&world);
    return true;
}

static bool measure_deaths(const struct measure_options *options, const char *what,
                           struct network_settings network, bool has_stalls)
{
    uint32_t nodes = choose(options->nodes, 100), runs = choose(options->runs, 3);
    struct deaths sum = {0};
    bool is_over = nodes > STALLING_NODES;
    for (uint32_t run = 0; is_over && run < runs; run++)
        is_over = count_deaths(options, options->seed + run, nodes, network, has_stalls, &sum);
    double node_s = (double)(nodes - (has_stalls ? STALLING_NODES : 0)) * runs * 600;
    printf("  %-34s %" PRIu64 " healthy nodes held dead in %.0f node-seconds, by %" PRIu64
           " views: %.2f in a million\n",
           what, sum.nodes, node_s, sum.told, (double)sum.nodes / node_s * 1e6);
    fflush(stdout);
    return is_over;
}

static bool measure_stall(const struct measure_options *options)
{
    print_head("8 nodes sleep 0.1 to 30 s, ten minutes", choose(options->nodes, 100),
               choose(options->runs, 3));
    return measure_deaths(options, "nodes that stall", network_calm(), true);
}

static bool measure_loss(const struct measure_options *options)
{
    static const uint32_t permille[] = {50, 100, 250};
    bool is_over = true;
    char what[64];
    print_head("loss everywhere, ten minutes", choose(options->nodes, 100),
               choose(options->runs, 3));
    for (size_t i = 0; is_over && i < sizeof permille / sizeof permille[0]; i++) {
        struct network_settings network = network_calm();
        network.stall_permille = permille[i];
        snprintf(what, sizeof what, "%" PRIu32 " %% of segments stalled", permille[i] / 10);
        is_over = measure_deaths(options, what, network, false);
        network = network_calm();
        network.vanish_permille = permille[i];
        snprintf(what, sizeof what, "%" PRIu32 " %% of frames vanished", permille[i] / 10);
        is_over = is_over && measure_deaths(options, what, network, false);
    }
    return is_over;
}

/* ---- the door --------------------------------------------------------------------------------*/

static const struct {
    const char *what;
    bool (*run)(const struct measure_options *);
} experiments[] = {
    {"crash", measure_crash}, {"vanish", measure_vanish},   {"split", measure_split},
    {"join", measure_join},   {"idle", measure_idle},       {"stall", measure_stall},
    {"loss", measure_loss},   {"restart", measure_restart},
};

bool measure_is_known(const char *what)
{
    for (size_t i = 0; i < sizeof experiments / sizeof experiments[0]; i++)
        if (strcmp(what, experiments[i].what) == 0)
            return true;
    return false;
}

bool measure_run(const struct measure_options *options)
{
    for (size_t i = 0; i < sizeof experiments / sizeof experiments[0]; i++)
        if (strcmp(options->what, experiments[i].what) == 0) {
            bool is_over = experiments[i].run(options);
            print_cost();
            return is_over;
        }
    return false;
}
