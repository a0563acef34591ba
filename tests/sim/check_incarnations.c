#include "tests/sim/check_incarnations.h"

/* For one name, as one node speaks of it, numbers never go back, whatever instance bears the name;
 * and at one number of an instance nobody becomes alive who was not: left > dead > suspect > alive.
 * For one instance nobody speaks of a number higher than the instance itself has sent; when bytes
 * were changed on the way, that cannot be asked. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "proto/kinds.h"

struct incarnation_told {
    uint64_t instance, incarnation;
    enum view_state state;
};

static uint64_t *numbers_new(size_t count)
{
    uint64_t *numbers = calloc(count, sizeof *numbers);
    require(numbers != NULL);
    return numbers;
}

static void said(struct check_incarnations *check, const struct world *world, uint32_t node,
                 struct span records)
{
    struct member_record record;
    enum error error = ERROR_OK;
    while (group_next(&member_record_schema, &records, &record, &error)) {
        if (record.instance != world->nodes[node].instance)
            continue;
        if (check->said_by[node] != record.instance)
            check->said[node] = 0;
        check->said_by[node] = record.instance;
        if (record.incarnation > check->said[node])
            check->said[node] = record.incarnation;
    }
}

static void on_gossip(void *state, struct world *world, uint32_t node,
                      const struct message *message, const struct gossip_swim *swim)
{
    struct gossip_join join;
    struct gossip_challenge challenge;
    if (swim != NULL)
        said(state, world, node, swim->news);
    else if (message->kind == KIND_JOIN &&
             schema_decode(&gossip_join_schema, message->fields, &join) == ERROR_OK)
        said(state, world, node, join.member);
    else if (message->kind == KIND_CHALLENGE &&
             schema_decode(&gossip_challenge_schema, message->fields, &challenge) == ERROR_OK)
        said(state, world, node, challenge.member);
}

static void on_notice(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice)
{
    struct check_incarnations *check = state;
    uint32_t of = UINT32_MAX;
    if (notice->code == NOTICE_MEMBER)
        of = world_node_named(world, notice->texts[0]);
    if (of == UINT32_MAX)
        return;
    uint64_t instance = notice->values[0], incarnation = notice->values[1];
    enum view_state view = views_state(notice->texts[1]);
    struct incarnation_told *told = &check->told[(size_t)node * world->nodes_count];
    if (check->lives[node] != world->nodes[node].life)
        memset(told, 0, world->nodes_count * sizeof *told);
    check->lives[node] = world->nodes[node].life;
    told += of;
    if (incarnation < told->incarnation)
        world_fail(world, "incarnations", "%s takes %s back from %" PRIx64 " to %" PRIx64,
                   world->nodes[node].name, world->nodes[of].name, told->incarnation, incarnation);
    if (incarnation == told->incarnation && instance == told->instance && view == VIEW_ALIVE &&
        told->state != VIEW_ALIVE)
        world_fail(world, "incarnations", "%s, which was %s to %s at %" PRIx64 ", is alive again",
                   world->nodes[of].name, views_word(told->state), world->nodes[node].name,
                   incarnation);
    *told = (struct incarnation_told){instance, incarnation, view};
    bool is_forged = faults_can_forge(check->faults);
    if (check->said_by[of] == instance && incarnation > check->said[of] && !is_forged)
        world_fail(world, "incarnations",
                   "%s speaks of %s at %" PRIx64 ", but it never went beyond %" PRIx64,
                   world->nodes[node].name, world->nodes[of].name, incarnation, check->said[of]);
}

void check_incarnations_init(struct check_incarnations *check, struct world *world,
                             const struct faults *faults)
{
    size_t nodes = world->nodes_count;
    *check = (struct check_incarnations){
        .faults = faults,
        .said = numbers_new(nodes),
        .said_by = numbers_new(nodes),
        .told = calloc(nodes * nodes, sizeof *check->told),
        .lives = calloc(nodes, sizeof *check->lives),
    };
    require(check->told != NULL && check->lives != NULL);
    world_watch(world, (struct world_watcher){
                           .state = check, .on_notice = on_notice, .on_gossip = on_gossip});
}

void check_incarnations_clear(struct check_incarnations *check)
{
    free(check->said);
    free(check->said_by);
    free(check->told);
    free(check->lives);
}
