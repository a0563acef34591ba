#include "tests/sim/check_members.h"

/* What "left alone" means is faults.c's to say: it knows what it did to whom, and until when that
 * may still be felt. A pause is no excuse for the one who slept: it accuses nobody on waking. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"

static const uint64_t MS = 1000000;

enum { CALM_MS = 2000 };

uint64_t check_members_bound_ms(const struct world *world)
{
    struct mesh_config config;
    mesh_config_defaults(&config);
    const struct gossip_config *gossip = &config.gossip;
    uint64_t log2_milli = 0, log10_milli = 0;
    for (uint64_t nodes = world->nodes_count; nodes > 1; nodes = (nodes + 1) / 2)
        log2_milli += 1000;
    log10_milli = log2_milli * 301 / 1000;
    uint64_t periods_milli = (uint64_t)(gossip->suspicion_factor * (double)log10_milli);
    if (periods_milli < 3000)
        periods_milli = 3000;
    uint64_t suspicion_ms = gossip->period_ms * periods_milli / 1000 * gossip->suspicion_max;
    return suspicion_ms + 6 * log2_milli * gossip->interval_ms / 1000 + gossip->sync_ms;
}

static void judge_death(struct check_members *check, struct world *world, uint32_t by, uint32_t of,
                        const struct mesh_notice *notice)
{
    if (!world_is_running(world, of) || notice->values[0] != world->nodes[of].instance ||
        faults_excuse(check->faults, world, by, of))
        return;
    check->false_deaths++;
    const struct world_node *nodes = world->nodes;
    if (!faults_are_moderate(check->faults, world))
        world_note(world, "%s falsely holds %s dead", nodes[by].name, nodes[of].name);
    else
        world_fail(world, "members", "%s holds %s dead, which nothing happened to: %.*s",
                   nodes[by].name, nodes[of].name, (int)notice->texts[2].bytes,
                   (const char *)notice->texts[2].data);
}

static bool has_namesake(const struct world *world, uint32_t of)
{
    uint32_t spare = world->spare;
    return spare != UINT32_MAX &&
           (spare == of || (world_is_running(world, spare) &&
                            strcmp(world->nodes[spare].name, world->nodes[of].name) == 0));
}

/* In any weather: nobody dies of one probe. A verdict comes after a suspicion, of which the suspect
 * may hear and speak; who is not suspected by anybody can only be dead. */
static void judge_haste(const struct check_members *check, struct world *world, uint32_t by,
                        uint32_t of, const struct mesh_notice *notice)
{
    uint64_t instance = notice->values[0];
    if (world_is_running(world, of) && instance == world->nodes[of].instance &&
        check->suspected[of] != instance && !has_namesake(world, of) &&
        !faults_can_forge(check->faults))
        world_fail(world, "members", "%s holds %s dead, which nobody has suspected: %.*s",
                   world->nodes[by].name, world->nodes[of].name, (int)notice->texts[2].bytes,
                   (const char *)notice->texts[2].data);
}

static void on_notice(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice)
{
    struct check_members *check = state;
    if (notice->code != NOTICE_MEMBER)
        return;
    uint32_t of = world_node_named(world, notice->texts[0]);
    if (of == UINT32_MAX) {
        if (!faults_can_forge(check->faults))
            world_fail(world, "members", "%s speaks of %.*s, which nobody ever started",
                       world->nodes[node].name, (int)notice->texts[0].bytes,
                       (const char *)notice->texts[0].data);
    } else if (views_state(notice->texts[1]) == VIEW_SUSPECT) {
        if (notice->values[0] == world->nodes[of].instance) /* old news is of a former life */
            check->suspected[of] = notice->values[0];
    } else if (views_state(notice->texts[1]) == VIEW_DEAD) {
        judge_haste(check, world, node, of, notice);
        judge_death(check, world, node, of, notice);
    }
}

void check_members_init(struct check_members *check, struct world *world,
                        const struct faults *faults)
{
    *check = (struct check_members){
        .faults = faults, .suspected = calloc(world->nodes_count, sizeof *check->suspected)};
    require(check->suspected != NULL);
    world_watch(world, (struct world_watcher){.state = check, .on_notice = on_notice});
}

void check_members_clear(struct check_members *check)
{
    free(check->suspected);
}

void check_members_converge(struct check_members *check, struct world *world)
{
    (void)check;
    uint64_t bound_ms = check_members_bound_ms(world);
    uint64_t end_ns = world->now_ns + bound_ms * MS;
    while (world->now_ns < end_ns && !world_has_failed(world)) {
        if (world_run_until(world, world_agrees, (end_ns - world->now_ns) / MS)) {
            world_run_ms(world, CALM_MS);
            if (world_agrees(world))
                return;
        }
    }
    if (world_has_failed(world) || world_agrees(world))
        return;
    world_fail(world, "members", "there is no agreement %.1f s after the last fault",
               (double)bound_ms / 1000);
    views_tell(world);
}

/* Since when one could have heard that another lives: it was awake. */
static uint64_t wrong_since_ns(const struct world *world, uint32_t by, uint32_t of)
{
    uint64_t since_ns = views_at(world->views, by, of)->since_ns;
    uint64_t woken_ns = world->nodes[by].paused_until_ns;
    return woken_ns > since_ns ? woken_ns : since_ns;
}

/* That a past life is over is true. Whether one hears of the new one in a storm depends on who is
 * there as a seed of both; after the storm all must agree. */
static bool is_of_past_life(const struct world *world, uint32_t by, uint32_t of)
{
    return views_at(world->views, by, of)->instance != world->nodes[of].instance;
}

void check_members_look(struct check_members *check, struct world *world)
{
    uint64_t bound_ns = check_members_bound_ms(world) * MS;
    if (!faults_are_moderate(check->faults, world))
        return;
    for (uint32_t by = 0; by < world->nodes_count; by++) {
        for (uint32_t of = 0; world_is_running(world, by) && of < world->nodes_count; of++) {
            const struct view *view = views_at(world->views, by, of);
            if (view->state != VIEW_DEAD || views_is_right(world, by, of) ||
                is_of_past_life(world, by, of) ||
                world->now_ns < wrong_since_ns(world, by, of) + bound_ns ||
                faults_excuse(check->faults, world, by, of))
                continue;
            world_fail(world, "members", "%s holds %s dead since %.3f s, and nothing hinders them",
                       world->nodes[by].name, world->nodes[of].name, (double)view->since_ns / 1e9);
            return;
        }
    }
}
