#include "tests/sim/check_roles.h"

/* When a role is changed is not seen, only when that was asked for and when it was told. A change
 * that was told before a question was put, while every other way round had been told before that
 * one was given, and none was given until the answer came, decides what the answer must be. What
 * was never told may be carried out at any time. */

#include <stdlib.h>

#include "mesh/base/require.h"
#include "proto/request.h"

enum { CAPACITY_FIRST = 64, TIMEOUT_MS = 5000 };

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);

void check_roles_init(struct check_roles *check, const struct check_commands *commands)
{
    *check = (struct check_roles){.commands = commands};
    people_watch(commands->people, (struct people_watcher){.state = check, .on_heard = on_heard});
}

void check_roles_clear(struct check_roles *check)
{
    free(check->asks);
}

void check_roles_ask(struct check_roles *check, struct world *world, uint32_t who)
{
    struct people *people = check->commands->people;
    struct request request = {
        .path = span_text(WORLD_ROLE_PATH), .type = VALUE_BINARY, .timeout_ms = TIMEOUT_MS};
    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? CAPACITY_FIRST : 2 * check->capacity;
        check->asks = realloc(check->asks, check->capacity * sizeof *check->asks);
        require(check->asks != NULL);
    }
    check->asks[check->count++] = (struct role_ask){who, people->persons[who].visit, world->now_ns};
    people_say(people, world, who, KIND_REQUEST, people_correlation(MATTER_ROLE, check->count),
               &request_schema, &request, (struct span){0});
}

/* Whether the other way round may have been carried out behind this change, up to now. */
static bool is_open(const struct check_commands *commands, const struct world *world,
                    const struct stay *stay, bool has, uint64_t said_ns)
{
    for (uint32_t i = 0; i < commands->count; i++) {
        const struct order *order = &commands->orders[i];
        if (order->verb != COMMAND_CHANGE_ROLES || order->adds == has ||
            !check_commands_may_reach(order, stay))
            continue;
        if (!check_commands_has_reached(world, order, stay) || order->told_ns > said_ns)
            return true;
    }
    return false;
}

/* Whether the session surely has the role, or surely has it not, since then. */
static bool is_certain(const struct check_commands *commands, const struct world *world,
                       const struct stay *stay, bool has, uint64_t since_ns)
{
    if (commands->people->persons[stay->who].is_named)
        return false; /* others decide about its roles too */
    if (has && !is_open(commands, world, stay, true, 0))
        return true; /* as at first */
    for (uint32_t i = 0; i < commands->count; i++) {
        const struct order *order = &commands->orders[i];
        if (order->verb == COMMAND_CHANGE_ROLES && order->adds == has &&
            check_commands_has_reached(world, order, stay) && order->told_ns <= since_ns &&
            !is_open(commands, world, stay, has, order->said_ns))
            return true;
    }
    return false;
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_roles *check = state;
    const struct check_commands *commands = check->commands;
    uint32_t number = (uint32_t)message->correlation;
    struct response response;
    if (message->kind != KIND_RESPONSE || people_matter(message->correlation) != MATTER_ROLE ||
        number == 0 || number > check->count ||
        schema_decode(&response_schema, message->fields, &response) != ERROR_OK)
        return;
    const struct role_ask *ask = &check->asks[number - 1];
    const struct stay *stay = check_commands_stay(commands, who);
    bool is_denied = response.outcome == ERROR_DENIED;
    check->denied += is_denied;
    check->accepted += !is_denied;
    if (ask->who != who || ask->visit != commands->people->persons[who].visit || stay == NULL) {
        world_fail(world, "roles", "client %u is told an outcome of what it never asked", who);
        return;
    }
    bool is_wrong = is_certain(commands, world, stay, is_denied, ask->said_ns);
    check->certain += is_certain(commands, world, stay, !is_denied, ask->said_ns);
    if (is_wrong && !faults_can_forge(commands->faults))
        world_fail(world, "roles", "client %u is %s, though its role was %s", who,
                   is_denied ? "denied" : "let through", is_denied ? "given to it" : "taken away");
}
