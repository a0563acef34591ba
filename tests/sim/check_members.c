#include "tests/sim/check_members.h"

#include <stdio.h>

uint64_t check_members_bound_ms(const struct world *world)
{
    return world->nodes_count <= 100 ? 15000 : 25000;
}

static void tell_difference(struct world *world)
{
    static const char *const words[] = {"unknown", "alive", "suspect", "dead", "left"};
    unsigned told = 0;
    for (uint32_t i = 0; i < world->nodes_count && told < 8; i++) {
        for (uint32_t j = 0; world_is_running(world, i) && j < world->nodes_count; j++) {
            const struct world_view *view = &world->nodes[i].views[j];
            bool is_right =
                world_is_running(world, j)
                    ? view->state == VIEW_ALIVE && view->instance == world->nodes[j].instance
                    : view->state != VIEW_ALIVE;
            if (is_right || told++ >= 8)
                continue;
            fprintf(stderr, "members: at %.3f s %s holds %s %s%s, which %s\n",
                    (double)world->now_ns / 1e9, world->nodes[i].name, world->nodes[j].name,
                    words[view->state],
                    view->instance == world->nodes[j].instance ? "" : " (another instance)",
                    world_is_running(world, j) ? "runs" : "does not run");
        }
    }
}

bool check_members_agree(struct world *world)
{
    if (world_run_until(world, world_agrees, check_members_bound_ms(world)))
        return true;
    tell_difference(world);
    return false;
}
