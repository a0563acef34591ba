#include "tests/sim/check_ends.h"

/* A name can be lost only to a namesake; the one that stays may be either: after a split, or when
 * the holder was silent for long, the newcomer is as good as the other. That one goes is part
 * of agreeing who is in (check_members.h). Where bytes change on the way, a refusal may be made up:
 * another mesh, another version, another's name. */

static bool has_namesake(const struct world *world, uint32_t node)
{
    if (world->spare == UINT32_MAX || !world->nodes[world->spare].is_namesake)
        return false;
    return node == world->spare || span_equal(span_text(world->nodes[world->spare].name),
                                              span_text(world->nodes[node].name));
}

static void on_stopped(void *state, struct world *world, uint32_t node, enum mesh_notice_code why)
{
    const struct faults *faults = state;
    const struct world_node *n = &world->nodes[node];
    bool is_about_name = why == NOTICE_NAME_LOST || why == NOTICE_MESH_REFUSED;
    if (n->was_told_to_stop ||
        (is_about_name && (has_namesake(world, node) || faults_can_forge(faults))))
        return;
    world_fail(world, "ends", "%s stops, which nobody asked for: %s", n->name,
               why == NOTICE_NAME_LOST      ? "it says its name is lost"
               : why == NOTICE_MESH_REFUSED ? "it says the mesh refused it"
                                            : "it says it left");
}

void check_ends_init(struct world *world, struct faults *faults)
{
    world_watch(world, (struct world_watcher){.state = faults, .on_stopped = on_stopped});
}
