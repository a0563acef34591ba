#include "tests/sim/check_commands.h"

/* When exactly a node evaluated a filter is not seen from outside. But a session that was welcomed
 * before the command was given and lives on after its result was there at that instant, and one
 * that was called after the result, or whose node knew of its end before, was not: so N lies
 * between two counts, which in quiet are one. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/clocks.h"

static const uint64_t MS = 1000000;

enum {
    LATE_MS = 300,
    LIST_MS = 500,
    MARKS = 64, /* commands by filter leave their number at one of so many keys */
    ROWS_MAX = 1000,
};

/* Filters, and the teams that match, a bit each; team 0 has no such property. */
static const struct {
    const char *text;
    uint32_t teams;
} filters[CHECK_COMMANDS_FILTERS] = {
    {"team is 'red'", 2},
    {"team in ['red', \"blue\"] and has team", 6},
    {"not team eq 'red' and has team", 12},
    {"team matches 'gr.*n' or team is 'blue'", 12},
    {"all", 15},
    {"not has team", 1},
    {"team ne 'green'", 7},
    {"(team is 'green' or team is 'red') and not team is 'green'", 2},
};

static void on_called(void *state, struct world *world, uint32_t who);
static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message);
static void on_over(void *state, struct world *world, uint32_t who);
static void on_gone(void *state, struct world *world, uint32_t connection);
static void on_client(void *state, struct world *world, uint32_t connection,
                      const struct message *message);
static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation);

void check_commands_init(struct check_commands *check, struct world *world,
                         const struct faults *faults, struct people *people)
{
    *check = (struct check_commands){.faults = faults, .people = people};
    world_watch(world, (struct world_watcher){.state = check, .on_client = on_client});
    people_watch(people, (struct people_watcher){.state = check,
                                                 .on_called = on_called,
                                                 .on_heard = on_heard,
                                                 .on_over = on_over,
                                                 .on_gone = on_gone,
                                                 .on_delivered = on_delivered});
}

void check_commands_clear(struct check_commands *check)
{
    free(check->stays);
    free(check->orders);
}

static struct order *order_at(const struct check_commands *check, uint64_t number)
{
    return number == 0 || number > check->count ? NULL : &check->orders[number - 1];
}

static void no(const struct check_commands *check, struct world *world, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says no about the world, unless forged bytes may be why. */
static void no(const struct check_commands *check, struct world *world, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!faults_can_forge(check->faults))
        world_fail(world, "commands", "%s", line);
}

/* ---- sessions from outside -------------------------------------------------------------------*/

static void on_called(void *state, struct world *world, uint32_t who)
{
    struct check_commands *check = state;
    const struct person *person = &check->people->persons[who];
    if (check->stays_count == check->stays_capacity) {
        check->stays_capacity = check->stays_capacity == 0 ? 256 : 2 * check->stays_capacity;
        check->stays = realloc(check->stays, check->stays_capacity * sizeof *check->stays);
        require(check->stays != NULL);
    }
    check->stays[check->stays_count++] =
        (struct stay){.who = who,
                      .connection = world->clients->lines[who].connection,
                      .team = person->team,
                      .may_wait = person->reconnect_ms > 0,
                      .instance = world->nodes[person->node].instance,
                      .called_ns = world->now_ns,
                      .welcomed_ns = UINT64_MAX,
                      .over_ns = UINT64_MAX,
                      .gone_ns = UINT64_MAX};
}

/* The person's last one; NULL: there was none. */
static struct stay *stay_of(const struct check_commands *check, uint32_t who)
{
    for (uint32_t i = check->stays_count; i > 0; i--)
        if (check->stays[i - 1].who == who)
            return &check->stays[i - 1];
    return NULL;
}

static void on_over(void *state, struct world *world, uint32_t who)
{
    struct check_commands *check = state;
    struct stay *stay = stay_of(check, who);
    if (stay != NULL)
        stay->over_ns = world->now_ns;
    if (stay != NULL && check->people->persons[who].was_told_last)
        stay->gone_ns = world->now_ns;
    for (uint32_t i = check->settled; i < check->count; i++)
        check->orders[i].is_over |= check->orders[i].asker == who;
}

static void on_gone(void *state, struct world *world, uint32_t connection)
{
    struct check_commands *check = state;
    for (uint32_t i = check->stays_count; i > 0; i--) {
        if (check->stays[i - 1].connection != connection)
            continue;
        if (!check->stays[i - 1].may_wait)
            check->stays[i - 1].gone_ns = world->now_ns;
        return;
    }
}

/* Its session is over from here on, whatever it hears before that. */
static void on_client(void *state, struct world *world, uint32_t connection,
                      const struct message *message)
{
    struct check_commands *check = state;
    if (message->kind != KIND_GOODBYE)
        return;
    struct stay *stay = stay_of(check, connections_dialler(&world->connections, connection)->node);
    if (stay != NULL)
        stay->is_told = true;
}

/* Whether it was there all the time from then until now. */
static bool was_there(const struct check_commands *check, const struct stay *stay,
                      uint64_t since_ns)
{
    return stay->welcomed_ns <= since_ns && stay->over_ns == UINT64_MAX && !stay->is_told &&
           check->people->persons[stay->who].state == PERSON_OPEN;
}

static bool matches(const struct stay *stay, const struct order *order)
{
    if (order->filter == CHECK_COMMANDS_FILTERS)
        return session_id_equal(stay->id, order->target);
    return (filters[order->filter].teams >> stay->team & 1) != 0;
}

static uint32_t node_of(const struct world *world, uint64_t instance)
{
    for (uint32_t node = 0; node < world->nodes_count && node < 32; node++)
        if (world->nodes[node].instance == instance)
            return node;
    return UINT32_MAX;
}

const struct stay *check_commands_stay(const struct check_commands *check, uint32_t who)
{
    return stay_of(check, who);
}

bool check_commands_may_reach(const struct order *order, const struct stay *stay)
{
    return !order->is_dry && matches(stay, order);
}

bool check_commands_has_reached(const struct world *world, const struct order *order,
                                const struct stay *stay)
{
    uint32_t node = node_of(world, stay->instance);
    if (!order->is_over || order->code != ERROR_OK || !check_commands_may_reach(order, stay))
        return false;
    return order->filter == CHECK_COMMANDS_FILTERS ||
           (stay->welcomed_ns <= order->said_ns && node != UINT32_MAX &&
            (order->done_at >> node & 1) != 0);
}

bool check_commands_explain_end(const struct check_commands *check, uint32_t who)
{
    const struct stay *stay = stay_of(check, who);
    for (uint32_t i = 0; stay != NULL && i < check->count; i++) {
        const struct order *order = &check->orders[i];
        /* However long ago: what waited in a link is carried out when it arrives. */
        if (order->verb == COMMAND_CLOSE && !order->is_dry && matches(stay, order))
            return true;
    }
    return false;
}

/* ---- giving ----------------------------------------------------------------------------------*/

static void property_write(struct writer *writer, const char *key, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, value);
    struct property property = {.key = span_text(key), .value = span_text(text)};
    group_encode(&property_schema, &property, writer);
}

/* By id the order is seen in the values before: one key; by filter each has a key of its own. */
static void key_of(const struct order *order, uint32_t number, char key[16])
{
    if (order->filter == CHECK_COMMANDS_FILTERS)
        snprintf(key, 16, "chain");
    else
        snprintf(key, 16, "m%" PRIu32, number % MARKS);
}

static struct span role_write(uint8_t bytes[64])
{
    struct role role = {.name = span_text(WORLD_ROLE)};
    struct writer writer;
    writer_init(&writer, bytes, 64);
    group_encode(&role_schema, &role, &writer);
    return span_of(bytes, 64 - writer.left);
}

void check_commands_give(struct check_commands *check, struct world *world, uint32_t who,
                         const struct order *order)
{
    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? 256 : 2 * check->capacity;
        check->orders = realloc(check->orders, check->capacity * sizeof *check->orders);
        require(check->orders != NULL);
    }
    uint32_t number = check->count + 1;
    struct order *given = &check->orders[check->count++];
    *given = *order;
    given->asker = who;
    given->asker_visit = check->people->persons[who].visit;
    given->said_ns = world->now_ns;
    given->code = ERROR_TIMEOUT; /* until it is told */
    bool is_by_id = order->filter == CHECK_COMMANDS_FILTERS;
    struct command command = {.verb = (uint8_t)order->verb,
                              .session = order->target,
                              .filter = span_text(is_by_id ? "" : filters[order->filter].text),
                              .keys = span_text(order->verb == COMMAND_LIST_SESSIONS ? "*U" : ""),
                              .limit = order->verb == COMMAND_LIST_SESSIONS ? ROWS_MAX : 0,
                              .timeout_ms = order->timeout_ms,
                              .dry_run = order->is_dry,
                              .expect_max = order->expect_max};
    if (order->verb == COMMAND_GET_PROPERTIES) /* $StartTime would bring in the wall clock */
        command.keys = span_text("*U");
    uint8_t body[64];
    uint8_t role_bytes[64];
    char key[16];
    struct writer writer;
    if (order->verb == COMMAND_CHANGE_ROLES)
        *(order->adds ? &command.add_roles : &command.remove_roles) = role_write(role_bytes);
    writer_init(&writer, body, sizeof body);
    key_of(given, number, key);
    if (order->verb == COMMAND_SET_PROPERTIES)
        property_write(&writer, key, number);
    people_ask(check->people, world, who, KIND_COMMAND, people_correlation(MATTER_COMMAND, number),
               &command_schema, &command, span_of(body, sizeof body - writer.left));
}

static void on_delivered(void *state, struct world *world, uint32_t who, uint64_t correlation)
{
    struct check_commands *check = state;
    bool is_ours = people_matter(correlation) == MATTER_COMMAND;
    struct order *order = is_ours ? order_at(check, (uint32_t)correlation) : NULL;
    const struct world_node *node = &world->nodes[check->people->persons[who].node];
    if (order != NULL)
        order->own_deadline_ns =
            clocks_read_ns(&node->clock, world->now_ns) + order->timeout_ms * MS;
}

/* ---- results ---------------------------------------------------------------------------------*/

/* A node's count lies between those that were there and those that may have been. */
static void judge_count(const struct check_commands *check, struct world *world,
                        const struct order *order, const struct node_answer *part)
{
    uint32_t least = 0, most = 0;
    for (uint32_t i = 0; i < check->stays_count; i++) {
        const struct stay *stay = &check->stays[i];
        if (stay->instance != part->instance || !matches(stay, order))
            continue;
        least += was_there(check, stay, order->said_ns);
        most += stay->gone_ns == UINT64_MAX || stay->gone_ns >= order->said_ns;
    }
    /* The second round of two is about those pinned in the first that still match. */
    if (part->matched < least || part->matched > most)
        no(check, world, "%.*s says that %u sessions match %s, but there are %u to %u",
           (int)part->node.bytes, (const char *)part->node.data, part->matched,
           filters[order->filter].text, least, most);
}

static void judge_vector(struct check_commands *check, struct world *world, struct order *order,
                         const struct result *result, struct span body)
{
    struct node_answer part;
    struct result sum = {0};
    enum error error = ERROR_OK;
    bool is_list = order->verb == COMMAND_LIST_SESSIONS;
    while (group_next(&node_answer_schema, &body, &part, &error)) {
        sum.nodes_asked++;
        sum.matched += part.matched;
        sum.applied += part.applied;
        sum.failed += part.failed;
        if (part.code != ERROR_OK)
            continue;
        judge_count(check, world, order, &part);
        uint32_t node = node_of(world, part.instance);
        if (part.applied + part.failed == part.matched && node != UINT32_MAX)
            order->done_at |= UINT32_C(1) << node;
    }
    bool changes = !is_list && !order->is_dry && result->code == ERROR_OK;
    if (sum.nodes_asked != result->nodes_asked || sum.matched != result->matched ||
        sum.applied != result->applied || sum.failed != result->failed)
        no(check, world, "of %u + %u of %u sessions at %u nodes the total is %u + %u of %u at %u",
           sum.applied, sum.failed, sum.matched, sum.nodes_asked, result->applied, result->failed,
           result->matched, result->nodes_asked);
    if (result->is_complete != (result->nodes_asked == result->nodes_answered))
        no(check, world, "%u of %u nodes answered: complete is wrong", result->nodes_answered,
           result->nodes_asked);
    if (!changes && sum.applied > 0)
        no(check, world, "a dry or refused command says that it was applied to %u", sum.applied);
    if (!changes)
        order->done_at = 0;
    if (changes && order->expect_max > 0 && result->matched > order->expect_max)
        no(check, world, "%u sessions were changed, %u were expected at most", result->matched,
           order->expect_max);
    check->matched += result->matched;
    check->refused += result->code == ERROR_LIMIT_REACHED && order->expect_max > 0;
    check->incomplete += !result->is_complete;
}

/* The values before make a chain: none comes before two, and each was set here. */
static void judge_chain(const struct check_commands *check, struct world *world,
                        struct order *order, struct span rows)
{
    struct property property;
    enum error error = ERROR_OK;
    order->previous = 0;
    while (group_next(&property_schema, &rows, &property, &error)) {
        char text[16] = "";
        if (property.is_absent || property.value.bytes >= sizeof text)
            continue;
        memcpy(text, property.value.data, property.value.bytes);
        order->previous = (uint32_t)strtoul(text, NULL, 10);
        const struct order *before = order_at(check, order->previous);
        if (before == NULL || !session_id_equal(before->target, order->target) ||
            before->verb != COMMAND_SET_PROPERTIES)
            no(check, world, "a session's value was %s, which nobody set there", text);
    }
    for (uint32_t i = 0; i < check->count; i++) {
        const struct order *other = &check->orders[i];
        if (other != order && other->verb == order->verb && other->is_over &&
            other->code == ERROR_OK && session_id_equal(other->target, order->target) &&
            other->previous == order->previous)
            no(check, world, "two changes of a session came both after number %u", order->previous);
    }
}

static void judge_list(struct check_commands *check, struct world *world, const struct order *order,
                       struct span body);

static void on_result(struct check_commands *check, struct world *world, uint32_t who,
                      const struct message *message)
{
    struct result result;
    uint64_t number = (uint32_t)message->correlation;
    struct order *order = order_at(check, number);
    if (order == NULL || order->asker != who ||
        order->asker_visit != check->people->persons[who].visit ||
        schema_decode(&result_schema, message->fields, &result) != ERROR_OK) {
        world_fail(world, "commands", "client %u is told a result of what it never asked", who);
        return;
    }
    if (order->is_over)
        world_fail(world, "commands", "command %" PRIu64 " has a second result", number);
    bool is_by_id = order->filter == CHECK_COMMANDS_FILTERS;
    order->code = (enum error)result.code;
    check->done[order->verb % CHECK_COMMANDS_VERBS] += result.code == ERROR_OK;
    if (!is_by_id && (result.code == ERROR_OK || result.nodes_asked > 0))
        judge_vector(check, world, order, &result, message->body);
    else if (is_by_id && order->verb == COMMAND_SET_PROPERTIES && result.code == ERROR_OK)
        judge_chain(check, world, order, message->body);
    if (order->verb == COMMAND_LIST_SESSIONS && result.code == ERROR_OK)
        judge_list(check, world, order, message->body);
    order->is_over = true;
    order->told_ns = world->now_ns;
}

static void on_heard(void *state, struct world *world, uint32_t who, const struct message *message)
{
    struct check_commands *check = state;
    struct client_welcome welcome;
    struct stay *stay = stay_of(check, who);
    if (message->kind == KIND_WELCOME && stay != NULL &&
        check->people->persons[who].state == PERSON_CALLING &&
        schema_decode(&client_welcome_schema, message->fields, &welcome) == ERROR_OK) {
        stay->id = welcome.session;
        stay->welcomed_ns = world->now_ns;
    } else if (message->kind == KIND_RESULT &&
               people_matter(message->correlation) == MATTER_COMMAND) {
        on_result(check, world, who, message);
    }
}

/* ---- what sessions have ----------------------------------------------------------------------*/

static const struct stay *stay_named(const struct check_commands *check, struct session_id id)
{
    for (uint32_t i = check->stays_count; i > 0; i--)
        if (session_id_equal(check->stays[i - 1].id, id))
            return &check->stays[i - 1];
    return NULL;
}

/* A mark is of a command that may have been carried out there. Returns its number. */
static uint32_t judge_mark(const struct check_commands *check, struct world *world,
                           const struct stay *stay, const struct property *property)
{
    char text[16] = "";
    if (property->value.bytes < sizeof text)
        memcpy(text, property->value.data, property->value.bytes);
    uint32_t number = (uint32_t)strtoul(text, NULL, 10);
    const struct order *order = order_at(check, number);
    if (order == NULL || order->verb != COMMAND_SET_PROPERTIES || order->is_dry ||
        !matches(stay, order))
        no(check, world, "a session of team %u bears the mark %.*s of command %s", stay->team,
           (int)property->key.bytes, (const char *)property->key.data, text);
    return number;
}

/* Whether a command may have reached that node after all that was said later: the node has not said
 * in time that it did it. */
static bool came_late(const struct check_commands *check, uint32_t number, uint32_t node)
{
    const struct order *order = order_at(check, number);
    return order != NULL && (order->done_at >> node & 1) == 0;
}

/* What the session must have, for it was there when it was done. */
static void judge_marks(const struct check_commands *check, struct world *world,
                        const struct stay *stay, const uint32_t marks[MARKS])
{
    uint32_t latest[MARKS] = {0};
    uint32_t node = node_of(world, stay->instance);
    for (uint32_t i = 0; i < check->count; i++) {
        const struct order *order = &check->orders[i];
        bool is_change = order->verb == COMMAND_SET_PROPERTIES || order->verb == COMMAND_CLOSE;
        bool is_done = order->is_over && order->code == ERROR_OK && is_change &&
                       order->filter != CHECK_COMMANDS_FILTERS && node != UINT32_MAX &&
                       (order->done_at >> node & 1) != 0 &&
                       was_there(check, stay, order->said_ns) && matches(stay, order);
        if (is_done && order->verb == COMMAND_CLOSE)
            no(check, world, "client %u lives on, though command %u closed its team", stay->who,
               i + 1);
        if (order->verb == COMMAND_SET_PROPERTIES && order->filter != CHECK_COMMANDS_FILTERS &&
            matches(stay, order) && !order->is_dry)
            latest[(i + 1) % MARKS] = is_done ? i + 1 : 0; /* 0: nobody knows */
    }
    for (uint32_t i = 0; i < MARKS; i++)
        if (latest[i] != 0 && marks[i] != latest[i] && !came_late(check, marks[i], node))
            no(check, world, "client %u has not what command %u did to its team", stay->who,
               latest[i]);
}

static void judge_row(const struct check_commands *check, struct world *world,
                      const struct session_row *row)
{
    static const char *const teams[] = {"", "red", "blue", "green"};
    const struct stay *stay = stay_named(check, row->id);
    struct span properties = row->properties;
    struct property property;
    enum error error = ERROR_OK;
    uint32_t marks[MARKS] = {0};
    if (stay == NULL || stay->over_ns != UINT64_MAX)
        return; /* check_directory judges who is there */
    while (group_next(&property_schema, &properties, &property, &error)) {
        bool is_team = span_equal(property.key, span_text("team"));
        if (is_team && !span_equal(property.value, span_text(teams[stay->team])))
            no(check, world, "client %u has another team than it said", stay->who);
        if (is_team || property.key.bytes == 0)
            continue;
        uint32_t number = judge_mark(check, world, stay, &property);
        if (property.key.data[0] == 'm')
            marks[number % MARKS] = number;
    }
    judge_marks(check, world, stay, marks);
}

static void judge_list(struct check_commands *check, struct world *world, const struct order *order,
                       struct span body)
{
    struct node_answer part;
    struct session_row row;
    enum error error = ERROR_OK;
    if (order->asker >= check->people->observers)
        return; /* in the storm the last word is not yet said */
    check->lists++;
    while (group_next(&node_answer_schema, &body, &part, &error))
        while (group_next(&session_row_schema, &part.rows, &row, &error))
            judge_row(check, world, &row);
}

/* ---- what is not heard -----------------------------------------------------------------------*/

static bool is_late(const struct check_commands *check, const struct world *world,
                    const struct order *order)
{
    const struct world_node *node = &world->nodes[check->people->persons[order->asker].node];
    uint64_t woken_ns =
        node->paused_until_ns > node->busy_until_ns ? node->paused_until_ns : node->busy_until_ns;
    uint64_t since_ns = check->people->persons[order->asker].since_ns; /* it may have been apart */
    woken_ns = since_ns > woken_ns ? since_ns : woken_ns;
    return order->own_deadline_ns != 0 && world->now_ns > woken_ns + LATE_MS * MS &&
           clocks_read_ns(&node->clock, world->now_ns) > order->own_deadline_ns + LATE_MS * MS;
}

void check_commands_look(struct check_commands *check, struct world *world)
{
    for (uint32_t i = check->settled; i < check->count; i++) {
        const struct order *order = &check->orders[i];
        if (order->is_over) {
            check->settled += i == check->settled;
        } else if (people_is_present(check->people, world, order->asker) &&
                   is_late(check, world, order)) {
            world_fail(world, "commands", "command %u of client %u has no result", i + 1,
                       order->asker);
            return;
        }
    }
}

/* An answer may be lost with the link it came on; then only the deadline ends the wait. But for
 * a node that is gone nobody waits. */
static void look_for_dead(const struct check_commands *check, struct world *world)
{
    for (uint32_t i = check->settled; i < check->count; i++) {
        const struct order *order = &check->orders[i];
        if (!order->is_over && order->filter == CHECK_COMMANDS_FILTERS &&
            order->target.instance !=
                world->nodes[check->people->persons[order->asker].node].instance &&
            people_is_present(check->people, world, order->asker) &&
            node_of(world, order->target.instance) == UINT32_MAX)
            no(check, world, "command %u still waits for a node that is gone", i + 1);
    }
}

void check_commands_probe(struct check_commands *check, struct world *world)
{
    uint64_t lists = check->lists;
    look_for_dead(check, world);
    struct order list = {.verb = COMMAND_LIST_SESSIONS, .filter = 4, .timeout_ms = LIST_MS};
    for (uint32_t who = 0; who < check->people->observers; who++) {
        if (!people_is_present(check->people, world, who))
            continue;
        check_commands_give(check, world, who, &list);
        world_run_ms(world, LIST_MS);
        if (check->lists == lists)
            no(check, world, "in quiet, nobody lists the sessions");
        return;
    }
}
