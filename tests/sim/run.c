#include "tests/sim/run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/sim/check_members.h"
#include "tests/sim/world.h"

static double wall_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(struct run_result *result, const struct world *world, const char *check)
{
    if (!result->has_passed)
        return;
    result->has_passed = false;
    snprintf(result->failed_check, sizeof result->failed_check, "%s", check);
    result->failed_at_s = (double)world->now_ns / 1e9;
}

struct run_result run_world(const struct run_options *options)
{
    double started = wall_now_s();
    struct run_result result = {.has_passed = true};
    struct world *world = world_new(options->seed, options->nodes);
    world->trace = options->trace == NULL ? NULL : fopen(options->trace, "w");
    for (uint32_t i = 0; i < options->nodes; i++) {
        world_start(world, i);
        world_run_ms(world, random_below(&world->random[STREAM_NODES], 500));
    }
    if (!check_members_agree(world))
        fail(&result, world, "members");
    for (uint32_t minute = 0; minute < options->minutes && result.has_passed; minute++) {
        world_run_ms(world, 60000);
        if (!world_agrees(world))
            fail(&result, world, "members");
    }
    result.events = world->steps;
    result.hash = world->hash;
    if (world->trace != NULL)
        fclose(world->trace);
    world_destroy(&world);
    result.wall_s = wall_now_s() - started;
    return result;
}
