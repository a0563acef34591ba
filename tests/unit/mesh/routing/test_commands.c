/* test_commands.c - a command is carried out where the session is, once, and says so. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/town.h"

TestSuite(commands, .init = town_begin, .fini = town_end);

static struct result close_of(uint32_t client, struct session_id session, uint64_t correlation)
{
    struct command command = {
        .verb = COMMAND_CLOSE, .session = session, .text = span_text("enough")};
    return town_command(client, &command, correlation);
}

Test(commands, close_a_session_here_without_a_word_to_any_peer)
{
    town_pair();
    uint32_t victim = town_open(0, NULL, NULL), controller = town_open(0, NULL, NULL);
    struct result result = close_of(controller, town_clients[victim].session, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.applied, 1);
    cr_assert(town_clients[victim].is_cut);
    struct client_goodbye goodbye;
    const struct message *message = town_find(victim, KIND_GOODBYE, 0);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_goodbye_schema, message->fields, &goodbye), ERROR_OK);
    cr_assert_eq(goodbye.reason, CLOSE_REASON_CLOSED_BY_CONTROLLER);
    cr_assert(span_equal(goodbye.text, span_text("enough")));
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
}

Test(commands, close_a_session_on_another_node)
{
    town_pair();
    uint32_t victim = town_open(1, NULL, NULL), controller = town_open(0, NULL, NULL);
    struct result result = close_of(controller, town_clients[victim].session, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert(span_equal(result.node, span_text("b")));
    cr_assert(town_clients[victim].is_cut);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 1);
    cr_assert_eq(town_count(1, COUNTER_commands_applied), 1);
    town_wait_ms(500);
    cr_assert_eq(close_of(controller, town_clients[victim].session, 3).code, ERROR_NO_SUCH_SESSION);
}

Test(commands, find_a_session_that_the_directory_does_not_know_yet_by_its_id)
{
    town_pair();
    uint32_t controller = town_open(0, NULL, NULL);
    town_break_forward(1, 0); /* news of b's sessions does not arrive */
    uint32_t victim = town_open(1, NULL, NULL);
    close_of(controller, town_clients[controller].session, 9); /* any traffic */
    controller = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_CLOSE, .session = town_clients[victim].session};
    town_say(controller, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert(town_clients[victim].is_cut);
    town_mend_forward(1, 0);
    town_wait_ms(100);
    cr_assert_not_null(town_find(controller, KIND_RESULT, 2));
}

Test(commands, say_no_such_session_only_after_the_whole_look_up)
{
    town_pair();
    uint32_t controller = town_open(0, NULL, NULL);
    struct session_id unknown = {.instance = mesh_instance(town_nodes[1].mesh), .serial = 12345};
    cr_assert_eq(close_of(controller, unknown, 2).code, ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 1);
    unknown.instance = 42;
    cr_assert_eq(close_of(controller, unknown, 3).code, ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 1);
}

Test(commands, of_a_session_on_itself_are_answered_before_it_goes)
{
    town_pair();
    uint32_t client = town_open(0, NULL, NULL);
    cr_assert_eq(close_of(client, town_clients[client].session, 2).code, ERROR_OK);
    cr_assert(town_clients[client].is_cut);
    size_t last = town_clients[client].letters_count - 1;
    cr_assert_eq(town_clients[client].letters[last].message.kind, KIND_GOODBYE);
    cr_assert_eq(town_clients[client].letters[last - 1].message.kind, KIND_RESULT);
}

Test(commands, end_at_once_when_the_sessions_node_is_lost)
{
    town_pair();
    uint32_t victim = town_open(1, NULL, NULL), controller = town_open(0, NULL, NULL);
    town_wait_ms(500);
    town_break_forward(0, 1);
    struct command command = {.verb = COMMAND_CLOSE, .session = town_clients[victim].session};
    town_say(controller, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert_null(town_find(controller, KIND_RESULT, 2));
    town_crash(1);
    struct result result;
    const struct message *message = town_find(controller, KIND_RESULT, 2);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.code, ERROR_CLUSTER_ROUTING);
}

Test(commands, read_the_properties_of_a_session_anywhere)
{
    town_pair();
    uint32_t owner = town_open(1, "tier", "gold"), reader = town_open(0, NULL, NULL);
    struct command command = {
        .verb = COMMAND_GET_PROPERTIES,
        .session = town_clients[owner].session,
        .keys = span_text("$ServerName,tier"),
    };
    cr_assert_eq(town_command(reader, &command, 2).code, ERROR_OK);
    struct span rest = town_find(reader, KIND_RESULT, 2)->body;
    struct session_row row;
    struct property property;
    enum error error;
    cr_assert(group_next(&session_row_schema, &rest, &row, &error));
    cr_assert(session_id_equal(row.id, town_clients[owner].session));
    cr_assert(group_next(&property_schema, &row.properties, &property, &error));
    cr_assert(span_equal(property.key, span_text("$ServerName")));
    cr_assert(span_equal(property.value, span_text("b")));
    cr_assert(group_next(&property_schema, &row.properties, &property, &error));
    cr_assert(span_equal(property.key, span_text("tier")));
    cr_assert(span_equal(property.value, span_text("gold")));
    cr_assert_eq(row.properties.bytes, 0);
}

Test(commands, to_every_node_list_each_nodes_sessions)
{
    town_pair();
    town_open(1, NULL, NULL);
    town_open(1, NULL, NULL);
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_LIST_SESSIONS, .filter = span_text("ALL")};
    struct result result = town_command(asker, &command, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.total, 3);
    cr_assert_eq(result.nodes_asked, 2);
    cr_assert(result.is_complete);
    struct node_answer answers[4];
    cr_assert_eq(town_answers(asker, 2, answers, 4), 2);
    cr_assert(span_equal(answers[0].node, span_text("a")));
    cr_assert_eq(answers[0].total, 1);
    cr_assert_eq(answers[1].total, 2);
    command.limit = 1;
    town_command(asker, &command, 3);
    cr_assert_eq(town_answers(asker, 3, answers, 4), 2);
    struct session_row row;
    enum error error;
    cr_assert(group_next(&session_row_schema, &answers[1].rows, &row, &error));
    cr_assert_eq(answers[1].rows.bytes, 0);
}

Test(commands, ask_every_node_how_it_is)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    town_wait_ms(1000);
    struct command command = {.verb = COMMAND_STATUS};
    town_command(asker, &command, 2);
    struct node_answer answers[4];
    struct status_row rows[2];
    enum error error;
    cr_assert_eq(town_answers(asker, 2, answers, 4), 2);
    for (size_t i = 0; i < 2; i++)
        cr_assert(group_next(&status_row_schema, &answers[i].rows, &rows[i], &error));
    cr_assert(rows[0].is_ready && rows[1].is_ready);
    cr_assert_eq(rows[0].members, 2);
    cr_assert_eq(rows[0].members_hash, rows[1].members_hash);
    cr_assert_eq(rows[0].directory_hash, rows[1].directory_hash);
    cr_assert_eq(rows[0].sessions_here, 1);
    cr_assert_eq(rows[1].sessions, 1);
}

Test(commands, read_the_counters_of_one_node_by_its_name)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_COUNTERS, .node = span_text("b")};
    cr_assert_eq(town_command(asker, &command, 2).nodes_asked, 1);
    struct node_answer answers[4];
    cr_assert_eq(town_answers(asker, 2, answers, 4), 1);
    struct counter_row row;
    enum error error;
    size_t rows = 0;
    while (group_next(&counter_row_schema, &answers[0].rows, &row, &error))
        rows++;
    cr_assert_eq(rows, COUNTERS);
    command.node = span_text("nobody");
    cr_assert_eq(town_command(asker, &command, 3).code, ERROR_INVALID_ARGUMENT);
}

Test(commands, list_members_and_handlers_from_memory)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL), handler = town_open(1, NULL, NULL);
    town_register(handler, "echo");
    struct command command = {.verb = COMMAND_MEMBERS};
    cr_assert_eq(town_command(asker, &command, 2).total, 2);
    struct span rest = town_find(asker, KIND_RESULT, 2)->body;
    struct member_row member;
    struct handler_row row;
    enum error error;
    cr_assert(group_next(&member_row_schema, &rest, &member, &error));
    cr_assert(member.is_self);
    cr_assert(span_equal(member.name, span_text("a")));
    cr_assert(group_next(&member_row_schema, &rest, &member, &error));
    cr_assert(span_equal(member.name, span_text("b")));
    command.verb = COMMAND_HANDLERS;
    cr_assert_eq(town_command(asker, &command, 3).total, 1);
    rest = town_find(asker, KIND_RESULT, 3)->body;
    cr_assert(group_next(&handler_row_schema, &rest, &row, &error));
    cr_assert(span_equal(row.path, span_text("echo")));
    cr_assert(span_equal(row.node, span_text("b")));
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
}

Test(commands, give_up_a_dead_node_and_say_so)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    town_break_forward(0, 1);
    struct command command = {.verb = COMMAND_STATUS};
    town_say(asker, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert_null(town_find(asker, KIND_RESULT, 2));
    town_wait_ms(11000);
    struct result result;
    const struct message *message = town_find(asker, KIND_RESULT, 2);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.nodes_asked, 2);
    cr_assert_eq(result.nodes_answered, 1);
    cr_assert_not(result.is_complete);
}

Test(commands, of_an_unknown_verb_are_refused)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {.verb = 200};
    cr_assert_eq(town_command(asker, &command, 2).code, ERROR_VERSION_MISMATCH);
}
