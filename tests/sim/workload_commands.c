#include "tests/sim/concern.h"

/* Client control: visitors command one session by its id, or many by a filter. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_commands.h"

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct check_commands *check = calloc(1, sizeof *check);
    require(check != NULL);
    check_commands_init(check, world, faults, people);
    return check;
}

static void destroy(void *state)
{
    check_commands_clear(state);
    free(state);
}

/* To one session as often as to many; closing is rare, and never of observers. */
static void command(void *state, struct world *world, uint32_t who)
{
    static const enum command_verb verbs[] = {COMMAND_SET_PROPERTIES, COMMAND_SET_PROPERTIES,
                                              COMMAND_SET_PROPERTIES, COMMAND_SET_CONFLATED,
                                              COMMAND_LIST_SESSIONS,  COMMAND_CLOSE};
    struct check_commands *check = state;
    struct random *random = &world->random[STREAM_PEOPLE];
    const struct people *people = check->people;
    struct order order = {.verb = verbs[random_below(random, sizeof verbs / sizeof verbs[0])],
                          .filter = (uint32_t)random_below(random, CHECK_COMMANDS_FILTERS),
                          .timeout_ms = 300 + (uint32_t)random_below(random, 5000)};
    uint32_t other = (uint32_t)random_below(random, people->count);
    uint64_t draw = random_below(random, 10);
    if (draw < 4) {
        order.filter = CHECK_COMMANDS_FILTERS;
        order.target = people->persons[other].session;
        if (order.verb == COMMAND_LIST_SESSIONS)
            order.verb = COMMAND_GET_PROPERTIES;
    } else if (draw == 5) {
        order.is_dry = order.verb != COMMAND_LIST_SESSIONS;
    } else if (draw == 6 && order.verb != COMMAND_LIST_SESSIONS) {
        order.expect_max = 1 + (uint32_t)random_below(random, 4);
    }
    if (random_below(random, 4) == 0)
        order.timeout_ms = 60000;
    bool hits_observers = draw < 4 ? other < people->observers : order.filter >= 4;
    if (order.verb == COMMAND_CLOSE && (hits_observers || random_below(random, 3) != 0))
        order.verb = COMMAND_SET_PROPERTIES;
    if (draw < 4 && session_id_is_none(order.target))
        return;
    check_commands_give(check, world, who, &order);
}

static void look(void *state, struct world *world)
{
    check_commands_look(state, world);
}

static void probe(void *state, struct world *world)
{
    check_commands_probe(state, world);
}

static bool explains_end(const void *state, uint32_t who, enum close_reason reason)
{
    return reason == CLOSE_REASON_CLOSED_BY_CONTROLLER && check_commands_explain_end(state, who);
}

static void count(const void *state, struct tally *tally)
{
    const struct check_commands *check = state;
    tally->items[TALLY_COMMAND_CHANGED] += check->done[COMMAND_SET_PROPERTIES];
    tally->items[TALLY_COMMAND_CLOSED] += check->done[COMMAND_CLOSE];
    tally->items[TALLY_COMMAND_CONFLATED] += check->done[COMMAND_SET_CONFLATED];
    tally->items[TALLY_COMMAND_LISTED] += check->done[COMMAND_LIST_SESSIONS];
    tally->items[TALLY_COMMAND_REFUSED] += check->refused;
    tally->items[TALLY_COMMAND_INCOMPLETE] += check->incomplete;
}

static const struct concern_act acts[] = {{"commands one session, or a team", 0, 7, command}};

const struct concern workload_commands = {
    .acts = acts,
    .acts_count = sizeof acts / sizeof acts[0],
    .create = create,
    .destroy = destroy,
    .look = look,
    .probe = probe,
    .explains_end = explains_end,
    .count = count,
};
