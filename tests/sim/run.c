#include "tests/sim/run.h"

/* Safety is judged at each step, by checkers that hear every notice and see every frame; agreement
 * after each storm, in the part of the mesh that was healed. Some runs storm from the first moment:
 * then the mesh comes up in bad weather. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/sim/check_directory.h"
#include "tests/sim/check_ends.h"
#include "tests/sim/check_incarnations.h"
#include "tests/sim/check_members.h"
#include "tests/sim/check_resumes.h"
#include "tests/sim/check_sessions.h"
#include "tests/sim/workload.h"
#include "tests/sim/world.h"

static const uint64_t MS = 1000000;

enum {
    STAGGER_MS = 500,
    STORM_LEAST_MS = 6000,
    STORM_MOST_MS = 40000,
    CALM_MS = 3000,
};

struct run {
    struct world *world;
    struct faults *faults;
    struct check_members members;
    struct check_incarnations incarnations;
    struct workload *workload;
    struct check_directory directory;
    struct check_sessions sessions;
    struct check_resumes resumes;
    struct run_result *result;
    uint64_t end_ns;
};

static double wall_now_s(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void start_all(struct run *run)
{
    struct world *world = run->world;
    for (uint32_t node = 0; node < world->nodes_count; node++) {
        if (node == world->spare)
            continue;
        if (world->nodes[node].core == NULL)
            world_start(world, node);
        world_run_ms(
            world, random_below(&world->random[STREAM_NODES], STAGGER_MS / world->nodes_count + 1));
    }
}

/* S, once a second. */
static void look(struct run *run)
{
    check_members_look(&run->members, run->world);
    workload_look(run->workload, run->world);
}

/* Whether somebody holds a running node for one that left. */
static bool is_held_left(const struct world *world, uint32_t node)
{
    for (uint32_t by = 0; by < world->nodes_count; by++) {
        const struct view *view = views_at(world->views, by, node);
        if (world_is_running(world, by) && view->state == VIEW_LEFT &&
            view->instance == world->nodes[node].instance)
            return true;
    }
    return false;
}

/* `left` is final for an instance, also when a changed byte said it: that process is started anew,
 * as its operator would do. */
static void restart_forged(struct run *run)
{
    struct world *world = run->world;
    for (uint32_t node = 0; faults_can_forge(run->faults) && node < world->nodes_count; node++) {
        if (!world_is_running(world, node) || node == world->spare || !is_held_left(world, node))
            continue;
        world_crash(world, node);
        world_start(world, node);
    }
}

/* L: first who is there, then what they know of each other, then whether it works. */
static void converge(struct run *run)
{
    struct world *world = run->world;
    workload_set_quiet(run->workload, world, true);
    restart_forged(run);
    check_members_converge(&run->members, world);
    /* One byte changed in an entry of a log is another entry: nobody can tell. */
    if (!faults_can_forge(run->faults)) {
        check_directory_converge(&run->directory, world);
        workload_probe(run->workload, world);
    }
    look(run);
    workload_set_quiet(run->workload, world, false);
}

static void storm(struct run *run)
{
    struct world *world = run->world;
    uint64_t left_ms = run->end_ns > world->now_ns ? (run->end_ns - world->now_ns) / MS : 0;
    uint64_t most_ms = left_ms / 2 < STORM_MOST_MS ? left_ms / 2 : STORM_MOST_MS;
    uint64_t ms = STORM_LEAST_MS;
    if (most_ms > STORM_LEAST_MS)
        ms += random_below(&world->random[STREAM_PHASES], most_ms - STORM_LEAST_MS);
    faults_begin(run->faults, world, ms);
    for (; ms > 0 && !world_has_failed(world); ms -= ms < 1000 ? ms : 1000) {
        world_run_ms(world, ms < 1000 ? ms : 1000);
        look(run);
    }
    faults_end(run->faults, world, world->nodes_count > 2);
    converge(run);
}

static void play(struct run *run)
{
    struct world *world = run->world;
    bool boots_in_storm = random_below(&world->random[STREAM_PHASES], 4) == 0;
    if (!boots_in_storm) {
        start_all(run);
        converge(run);
    }
    do {
        storm(run);
        world_run_ms(world, CALM_MS);
        look(run);
    } while (world->now_ns < run->end_ns && !world_has_failed(world));
}

static void take_stock(const struct run *run)
{
    const struct world *world = run->world;
    struct run_result *result = run->result;
    tally_finish(&result->tally, world, run->faults);
    workload_count(run->workload, &result->tally);
    result->tally.items[TALLY_EXPIRED] += run->resumes.expired;
    memcpy(result->failed_check, world->failed_check, sizeof result->failed_check);
    result->failed_at_s = (double)world->failed_ns / 1e9;
    result->events = world->steps;
    result->hash = world->hash;
    result->virtual_s = (double)world->now_ns / 1e9;
    result->gossip_bytes = world->gossip_bytes;
    result->forward_bytes = world->forward_bytes;
    result->false_deaths = run->members.false_deaths;
}

static struct world *world_of(const struct run_options *options)
{
    bool has_spare = (options->faults >> FAULT_NAMESAKE & 1) != 0;
    struct world *world = world_new(options->seed, options->nodes + has_spare);
    if (has_spare)
        world->spare = options->nodes;
    world->ignores_wall = options->ignores_wall;
    world->asks_in_a_row = options->asks;
    return world;
}

void run_world(const struct run_options *options, struct run_result *result)
{
    double started_s = wall_now_s();
    *result = (struct run_result){0};
    struct run run = {.world = world_of(options), .result = result};
    FILE *trace = options->trace == NULL ? NULL : fopen(options->trace, "w");
    if (options->trace != NULL && trace == NULL)
        fprintf(stderr, "weftsim: cannot write the trace to %s\n", options->trace);
    run.world->trace = trace;
    run.end_ns = run.world->now_ns + options->ms * MS;
    run.faults = faults_new(run.world, options->faults, options->is_swarm);
    check_members_init(&run.members, run.world, run.faults);
    check_incarnations_init(&run.incarnations, run.world, run.faults);
    check_ends_init(run.world, run.faults);
    run.workload = workload_new(run.world, run.faults);
    check_directory_init(&run.directory, run.world, workload_people(run.workload));
    check_sessions_init(&run.sessions, run.workload);
    check_resumes_init(&run.resumes, run.world, run.faults, run.workload);
    tally_init(&result->tally, run.world);
    play(&run);
    take_stock(&run);
    if (trace != NULL && fclose(trace) != 0)
        fprintf(stderr, "weftsim: the trace in %s is not complete\n", options->trace);
    check_members_clear(&run.members);
    check_incarnations_clear(&run.incarnations);
    check_directory_clear(&run.directory);
    check_sessions_clear(&run.sessions);
    check_resumes_clear(&run.resumes);
    workload_destroy(&run.workload);
    faults_destroy(&run.faults);
    world_destroy(&run.world);
    result->wall_s = wall_now_s() - started_s;
}
