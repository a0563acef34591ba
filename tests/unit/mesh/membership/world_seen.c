/* world_seen.c - what can be seen of a world from outside; see world.h. */
#include "tests/unit/mesh/membership/world.h"

static bool is_running(const struct world *world, uint32_t node)
{
    return world->nodes[node].room != NULL;
}

bool world_agrees(struct world *world)
{
    uint32_t running = 0;
    uint64_t hash = 0;
    for (uint32_t i = 0; i < world->count; i++)
        running += is_running(world, i) ? 1 : 0;
    for (uint32_t i = 0; i < world->count; i++) {
        if (!is_running(world, i))
            continue;
        if (hash == 0)
            hash = membership_hash(world->nodes[i].room);
        if (hash != membership_hash(world->nodes[i].room) ||
            membership_alive(world->nodes[i].room) != running)
            return false;
        for (uint32_t j = 0; j < world->count; j++) {
            if (is_running(world, j) && world_state(world, i, j) != MEMBER_ALIVE)
                return false;
        }
    }
    return true;
}

enum member_state world_state(struct world *world, uint32_t node, uint32_t of)
{
    const struct member *member =
        membership_find(world->nodes[node].room, world_instance(world, of));
    return member == NULL ? (enum member_state)0 : member->state;
}

uint32_t world_told(struct world *world, uint32_t node, uint32_t of, enum member_event_kind kind)
{
    const struct world_node *at = &world->nodes[node];
    for (uint32_t i = 0; i < at->told_count; i++) {
        if (at->told[i].instance == world_instance(world, of))
            return at->told[i].times[kind];
    }
    return 0;
}

uint32_t world_told_anywhere(struct world *world, enum member_event_kind kind)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        for (uint32_t j = 0; j < world->nodes[i].told_count; j++)
            sum += world->nodes[i].told[j].times[kind];
    }
    return sum;
}
