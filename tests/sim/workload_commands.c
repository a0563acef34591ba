#include "tests/sim/concern.h"

/* Client control: visitors command one session by its id, or many by a filter; they change roles,
 * and ask what only a role allows. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "tests/sim/check_repeats.h"
#include "tests/sim/check_roles.h"

enum { LOST_TRIES = 4 };

struct commands {
    struct check_commands check;
    struct check_roles roles;
    struct check_repeats repeats;
};

static void *create(struct world *world, const struct faults *faults, struct people *people)
{
    struct commands *commands = calloc(1, sizeof *commands);
    require(commands != NULL);
    check_commands_init(&commands->check, world, faults, people);
    check_roles_init(&commands->roles, &commands->check);
    check_repeats_init(&commands->repeats, world, faults);
    return commands;
}

static void destroy(void *state)
{
    struct commands *commands = state;
    check_commands_clear(&commands->check);
    check_roles_clear(&commands->roles);
    check_repeats_clear(&commands->repeats);
    free(commands);
}

/* Anybody; or, if one is found soon, somebody whose node has ended: others may not know yet. */
static uint32_t somebody(const struct people *people, const struct world *world,
                         struct random *random, bool is_lost)
{
    uint32_t who = (uint32_t)random_below(random, people->count);
    for (int tries = 0; is_lost && tries < LOST_TRIES; tries++) {
        const struct person *person = &people->persons[who];
        if (!session_id_is_none(person->session) && world->nodes[person->node].core == NULL)
            break;
        who = (uint32_t)random_below(random, people->count);
    }
    return who;
}

/* To one session as often as to many; closing is rare, and never of observers. */
static void command(void *state, struct world *world, uint32_t who)
{
    static const enum command_verb verbs[] = {COMMAND_SET_PROPERTIES, COMMAND_SET_PROPERTIES,
                                              COMMAND_SET_PROPERTIES, COMMAND_SET_CONFLATED,
                                              COMMAND_LIST_SESSIONS,  COMMAND_CLOSE};
    struct check_commands *check = &((struct commands *)state)->check;
    struct random *random = &world->random[STREAM_PEOPLE];
    const struct people *people = check->people;
    struct order order = {.verb = verbs[random_below(random, sizeof verbs / sizeof verbs[0])],
                          .filter = (uint32_t)random_below(random, CHECK_COMMANDS_FILTERS),
                          .timeout_ms = 300 + (uint32_t)random_below(random, 5000)};
    uint64_t draw = random_below(random, 10);
    uint32_t other = somebody(people, world, random, draw < 2);
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
    if (draw < 2 || random_below(random, 4) == 0)
        order.timeout_ms = 60000;
    bool hits_observers = draw < 4 ? other < people->observers : order.filter >= 4;
    if (order.verb == COMMAND_CLOSE && (hits_observers || random_below(random, 3) != 0))
        order.verb = COMMAND_SET_PROPERTIES;
    bool hits_readers = draw < 4 ? other >= people->readers : order.filter >= 4;
    if (order.verb == COMMAND_SET_CONFLATED && hits_readers) /* theirs is others' matter */
        order.verb = COMMAND_SET_PROPERTIES;
    if (draw < 4 && session_id_is_none(order.target))
        return;
    check_commands_give(check, world, who, &order);
}

/* Taken away as often as given, of one session more often than of a team. */
static void change_roles(void *state, struct world *world, uint32_t who)
{
    struct check_commands *check = &((struct commands *)state)->check;
    struct random *random = &world->random[STREAM_ROLES];
    struct order order = {.verb = COMMAND_CHANGE_ROLES,
                          .filter = (uint32_t)random_below(random, CHECK_COMMANDS_FILTERS),
                          .timeout_ms = 300 + (uint32_t)random_below(random, 5000),
                          .adds = random_below(random, 2) == 0};
    uint32_t other = (uint32_t)random_below(random, check->people->count);
    if (random_below(random, 3) != 0) {
        order.filter = CHECK_COMMANDS_FILTERS;
        order.target = check->people->persons[other].session;
    }
    if (order.filter != CHECK_COMMANDS_FILTERS || !session_id_is_none(order.target))
        check_commands_give(check, world, who, &order);
}

static void ask_vault(void *state, struct world *world, uint32_t who)
{
    check_roles_ask(&((struct commands *)state)->roles, world, who);
}

static void look(void *state, struct world *world)
{
    check_commands_look(&((struct commands *)state)->check, world);
}

static void probe(void *state, struct world *world)
{
    check_commands_probe(&((struct commands *)state)->check, world);
}

static bool explains_end(const void *state, uint32_t who, enum close_reason reason)
{
    const struct commands *commands = state;
    return reason == CLOSE_REASON_CLOSED_BY_CONTROLLER &&
           check_commands_explain_end(&commands->check, who);
}

static void count(const void *state, struct tally *tally)
{
    const struct commands *commands = state;
    const struct check_commands *check = &commands->check;
    tally->items[TALLY_COMMAND_CHANGED] += check->done[COMMAND_SET_PROPERTIES];
    tally->items[TALLY_COMMAND_CLOSED] += check->done[COMMAND_CLOSE];
    tally->items[TALLY_COMMAND_CONFLATED] += check->done[COMMAND_SET_CONFLATED];
    tally->items[TALLY_COMMAND_LISTED] += check->done[COMMAND_LIST_SESSIONS];
    tally->items[TALLY_COMMAND_REFUSED] += check->refused;
    tally->items[TALLY_COMMAND_INCOMPLETE] += check->incomplete;
    tally->items[TALLY_COMMAND_ROLES] += check->done[COMMAND_CHANGE_ROLES];
    tally->items[TALLY_COMMAND_REPEATED] += commands->repeats.repeated;
    tally->items[TALLY_OUTCOME_DENIED] += commands->roles.denied;
    tally->items[TALLY_ROLE_CERTAIN] += commands->roles.certain;
}

static const struct concern_act acts[] = {
    {"commands one session, or a team", 0, 7, command},
    {"changes roles of one session, or of a team", 0, 4, change_roles},
    {"asks what needs a role", 0, 6, ask_vault},
};

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
