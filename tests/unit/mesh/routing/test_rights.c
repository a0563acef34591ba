/* test_rights.c - who may ask for what, at every entry; and what becomes of what stands. */
#include <criterion/criterion.h>

#include "mesh/sessions/permissions.h"
#include "proto/event.h"
#include "tests/unit/mesh/town.h"

TestSuite(rights, .init = town_begin, .fini = town_end);

static struct mesh_permission entries[4];

/* Two nodes; on the first everybody has what the two entries say (NULL: nothing). */
static void entries_set(const char *one, const char *other)
{
    struct mesh_config *config = &town_nodes[0].config;
    entries[0] = (struct mesh_permission){"*", one};
    entries[1] = (struct mesh_permission){"*", other};
    config->permissions = entries;
    config->permissions_count = other != NULL ? 2 : one != NULL ? 1 : 0;
}

static void pair(const char *one, const char *other)
{
    town_begin();
    entries_set(one, other);
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
}

static void reconfigure(uint32_t client, const char *one, const char *other)
{
    entries_set(one, other);
    town_tell(client, MESH_RECONFIGURED);
}

static enum error answer_to(uint32_t client, uint64_t correlation)
{
    if (town_find(client, KIND_DONE, correlation) != NULL)
        return ERROR_OK;
    const struct message *message = town_find(client, KIND_ERROR, correlation);
    struct client_error error;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &error), ERROR_OK);
    cr_assert_gt(error.text.bytes, 0);
    return (enum error)error.code;
}

static enum error registers(uint32_t client, uint64_t correlation, const char *path)
{
    struct registration registration = {.kind = HANDLER_REQUEST, .path = span_text(path)};
    town_say(client, KIND_REGISTER, correlation, &registration_schema, &registration,
             (struct span){0});
    return answer_to(client, correlation);
}

static enum error listens(uint32_t client, uint64_t correlation, uint8_t what)
{
    struct listen listen = {.what = what};
    town_say(client, KIND_LISTEN, correlation, &listen_schema, &listen, (struct span){0});
    return answer_to(client, correlation);
}

static enum error commands(uint32_t client, uint64_t correlation, uint8_t verb,
                           struct session_id session)
{
    struct command command = {.verb = verb, .session = session};
    return (enum error)town_command(client, &command, correlation).code;
}

static const struct {
    uint8_t verb;
    enum permission needs;
} verbs[] = {
    {COMMAND_CLOSE, PERMISSION_MODIFY_SESSION},
    {COMMAND_SET_PROPERTIES, PERMISSION_MODIFY_SESSION},
    {COMMAND_CHANGE_ROLES, PERMISSION_MODIFY_SESSION},
    {COMMAND_SET_CONFLATED, PERMISSION_MODIFY_SESSION},
    {COMMAND_GET_PROPERTIES, PERMISSION_VIEW_SESSION},
    {COMMAND_LIST_SESSIONS, PERMISSION_VIEW_SESSION},
    {COMMAND_MEMBERS, PERMISSION_VIEW_MESH},
    {COMMAND_HANDLERS, PERMISSION_VIEW_MESH},
    {COMMAND_STATUS, PERMISSION_VIEW_MESH},
    {COMMAND_COUNTERS, PERMISSION_VIEW_MESH},
    {COMMAND_VERDICTS, PERMISSION_VIEW_MESH},
};

/* Every entry, asked by a session that has one permission: each of them in turn. */
static void asks_for_all(uint32_t client, enum permission given)
{
    struct session_id nobody = {.instance = 7, .serial = 7};
    town_request(client, 100, "a/b", "x");
    cr_assert_eq(town_outcome(client, 100) == ERROR_DENIED, given != PERMISSION_SEND_TO_HANDLER);
    cr_assert_eq(registers(client, 101, "a/b") == ERROR_ACCESS_DENIED,
                 given != PERMISSION_REGISTER_HANDLER);
    cr_assert_eq(listens(client, 102, LISTEN_MEMBER) == ERROR_ACCESS_DENIED,
                 given != PERMISSION_VIEW_MESH);
    cr_assert_eq(listens(client, 103, LISTEN_SESSION) == ERROR_ACCESS_DENIED,
                 given != PERMISSION_VIEW_SESSION);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        cr_assert_eq(commands(client, 200 + i, verbs[i].verb, nobody) == ERROR_ACCESS_DENIED,
                     given != verbs[i].needs, "verb %d with %s", verbs[i].verb,
                     permissions_name(given));
}

Test(rights, every_entry_needs_its_own_permission_and_no_other)
{
    pair(NULL, NULL);
    for (unsigned given = 0; given < PERMISSIONS; given++) {
        uint32_t client = town_open(0, NULL, NULL);
        reconfigure(client, permissions_name((enum permission)given), NULL);
        asks_for_all(client, (enum permission)given);
        town_disconnect(client);
    }
}

Test(rights, are_judged_before_anybody_is_looked_for)
{
    pair(NULL, NULL);
    uint32_t client = town_open(0, NULL, NULL), victim = town_open(1, NULL, NULL);
    struct session_id nobody = town_clients[victim].session;
    nobody.serial ^= 1;
    struct command there = {.verb = COMMAND_CLOSE, .session = town_clients[victim].session};
    struct command not = {.verb = COMMAND_CLOSE, .session = nobody};
    struct result a = town_command(client, &there, 2), b = town_command(client, &not, 3);
    cr_assert_eq(a.code, ERROR_ACCESS_DENIED);
    cr_assert_eq(b.code, ERROR_ACCESS_DENIED);
    cr_assert(span_equal(a.text, b.text), "nobody learns which of them is there");
    cr_assert_gt(a.text.bytes, 0);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
    cr_assert_not(town_clients[victim].is_cut);
    town_request(client, 4, "a", "x");
    cr_assert_eq(town_outcome(client, 4), ERROR_DENIED);
    cr_assert_eq(town_count(0, COUNTER_requests_denied), 1);
    cr_assert_eq(town_count(0, COUNTER_requests_forwarded), 0);
}

Test(rights, of_a_path_hold_where_the_selector_matches)
{
    pair("send_to_handler:public/**", "register_handler:public/+");
    uint32_t client = town_open(0, NULL, NULL);
    cr_assert_eq(registers(client, 2, "public/a"), ERROR_OK);
    cr_assert_eq(registers(client, 3, "public"), ERROR_ACCESS_DENIED);
    cr_assert_eq(registers(client, 4, "public/a/b"), ERROR_ACCESS_DENIED);
    town_request(client, 5, "/public/a/b/c/", "x");
    cr_assert_eq(town_letters(client, KIND_REQUEST), 1);
    town_request(client, 6, "private", "x");
    cr_assert_eq(town_outcome(client, 6), ERROR_DENIED);
}

Test(rights, of_the_asker_are_judged_on_its_own_node_only)
{
    pair("modify_session", NULL);
    uint32_t controller = town_open(1, NULL, NULL), client = town_open(0, NULL, NULL);
    struct session_id here = town_clients[client].session;
    cr_assert_eq(commands(controller, 2, COMMAND_GET_PROPERTIES, here), ERROR_OK,
                 "that node's lists allow it");
    cr_assert_eq(commands(client, 3, COMMAND_GET_PROPERTIES, town_clients[controller].session),
                 ERROR_ACCESS_DENIED);
}

Test(rights, that_are_taken_away_end_what_stands_at_once)
{
    pair("*", NULL);
    uint32_t client = town_open(0, NULL, NULL), caller = town_open(1, NULL, NULL);
    cr_assert_eq(registers(client, 2, "public/a"), ERROR_OK);
    cr_assert_eq(registers(client, 3, "private/a"), ERROR_OK);
    cr_assert_eq(registers(client, 4, "private/b"), ERROR_OK);
    cr_assert_eq(listens(client, 5, LISTEN_MEMBER), ERROR_OK);
    town_forget(client);
    reconfigure(client, "register_handler:public/**", NULL);
    cr_assert_eq(town_letters(client, KIND_UNREGISTER), 2);
    struct registration registration;
    const struct message *message = town_find(client, KIND_UNREGISTER, 0);
    cr_assert_eq(schema_decode(&registration_schema, message->fields, &registration), ERROR_OK);
    cr_assert_eq(registration.kind, HANDLER_REQUEST);
    cr_assert_eq(memcmp(registration.path.data, "private/", 8), 0);
    cr_assert_eq(answer_to(client, 5), ERROR_ACCESS_DENIED, "no more events come");
    town_wait_ms(500);
    town_request(caller, 6, "private/a", "x");
    cr_assert_eq(town_outcome(caller, 6), ERROR_NO_HANDLER);
    town_request(caller, 7, "public/a", "x");
    cr_assert_eq(town_letters(client, KIND_REQUEST), 1);
    size_t events = town_letters(client, KIND_EVENT);
    town_crash(1);
    town_wait_ms(60000);
    cr_assert_eq(town_letters(client, KIND_EVENT), events);
}

Test(rights, that_stay_disturb_nobody)
{
    pair("*", NULL);
    uint32_t client = town_open(0, NULL, NULL);
    cr_assert_eq(registers(client, 2, "a"), ERROR_OK);
    cr_assert_eq(listens(client, 3, LISTEN_MEMBER), ERROR_OK);
    town_forget(client);
    reconfigure(client, "register_handler", "view_mesh");
    cr_assert_eq(town_clients[client].letters_count, 0);
}

Test(rights, come_with_the_roles_of_anonymous_sessions)
{
    pair(NULL, NULL);
    uint32_t before = town_open(0, NULL, NULL);
    entries[0] = (struct mesh_permission){"guest", "view_session"};
    town_nodes[0].config.permissions_count = 1;
    town_nodes[0].config.anonymous_roles = "zebra,guest";
    town_tell(before, MESH_RECONFIGURED);
    uint32_t client = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_GET_PROPERTIES,
                              .session = town_clients[client].session,
                              .keys = span_text("$Roles")};
    cr_assert_eq(town_command(client, &command, 2).code, ERROR_OK);
    struct span rows = town_find(client, KIND_RESULT, 2)->body, properties;
    struct session_row row;
    struct property property;
    enum error error;
    cr_assert(group_next(&session_row_schema, &rows, &row, &error));
    properties = row.properties;
    cr_assert(group_next(&property_schema, &properties, &property, &error));
    cr_assert(span_equal(property.value, span_text("\"guest\",\"zebra\"")));
    cr_assert_eq(commands(before, 3, COMMAND_GET_PROPERTIES, town_clients[client].session),
                 ERROR_ACCESS_DENIED, "a session keeps the roles that it opened with");
}

/* Adds or removes one role of a session; which node hosts it does not matter. */
static enum error changes_role(uint32_t client, uint64_t correlation, struct session_id session,
                               const char *role, bool is_added)
{
    struct role one = {.name = span_text(role)};
    struct command command = {.verb = COMMAND_CHANGE_ROLES, .session = session};
    uint8_t group[128];
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    group_encode(&role_schema, &one, &writer);
    struct span groups = span_of(group, sizeof group - writer.left);
    if (is_added)
        command.add_roles = groups;
    else
        command.remove_roles = groups;
    return (enum error)town_command(client, &command, correlation).code;
}

Test(rights, follow_the_roles_before_their_change_is_acknowledged)
{
    pair("view_mesh", NULL);
    entries[1] = (struct mesh_permission){"trader", "send_to_handler:orders"};
    entries[2] = (struct mesh_permission){"trader", "register_handler:orders"};
    town_nodes[0].config.permissions_count = 3;
    uint32_t client = town_open(0, NULL, NULL), controller = town_open(1, NULL, NULL);
    town_tell(client, MESH_RECONFIGURED);
    struct session_id session = town_clients[client].session;
    cr_assert_eq(registers(client, 2, "orders"), ERROR_ACCESS_DENIED);
    cr_assert_eq(changes_role(controller, 3, session, "trader", true), ERROR_OK);
    cr_assert_eq(registers(client, 4, "orders"), ERROR_OK);
    town_request(client, 5, "orders", "x");
    cr_assert_eq(town_letters(client, KIND_REQUEST), 1);
    cr_assert_eq(changes_role(controller, 6, session, "trader", false), ERROR_OK);
    cr_assert_eq(town_letters(client, KIND_UNREGISTER), 1, "what stood is taken back");
    town_request(client, 7, "orders", "x");
    cr_assert_eq(town_outcome(client, 7), ERROR_DENIED);
    cr_assert_eq(registers(client, 8, "orders"), ERROR_ACCESS_DENIED);
    cr_assert_eq(listens(client, 9, LISTEN_MEMBER), ERROR_OK, "everybody's stays");
    town_wait_ms(500);
    town_request(controller, 10, "orders", "x");
    cr_assert_eq(town_outcome(controller, 10), ERROR_NO_HANDLER);
}

Test(rights, are_not_the_callers_to_give_itself)
{
    pair("view_session", NULL);
    uint32_t client = town_open(0, "$Roles", "\"admin\"");
    entries[1] = (struct mesh_permission){"admin", "*"};
    town_nodes[0].config.permissions_count = 2;
    town_tell(client, MESH_RECONFIGURED);
    struct session_id own = town_clients[client].session;
    cr_assert_eq(changes_role(client, 2, own, "admin", true), ERROR_ACCESS_DENIED);
    cr_assert_eq(commands(client, 3, COMMAND_SET_PROPERTIES, own), ERROR_ACCESS_DENIED);
    cr_assert_eq(commands(client, 4, COMMAND_MEMBERS, own), ERROR_ACCESS_DENIED);
}

Test(rights, are_not_needed_to_give_something_up)
{
    pair("*", NULL);
    uint32_t client = town_open(0, NULL, NULL);
    struct registration nothing = {.kind = HANDLER_REQUEST, .path = span_text("a")};
    struct listen listen = {.what = LISTEN_MEMBER};
    reconfigure(client, NULL, NULL);
    town_say(client, KIND_UNREGISTER, 2, &registration_schema, &nothing, (struct span){0});
    cr_assert_eq(answer_to(client, 2), ERROR_NO_HANDLER);
    town_say(client, KIND_UNLISTEN, 3, &listen_schema, &listen, (struct span){0});
    cr_assert_eq(answer_to(client, 3), ERROR_OK);
}
