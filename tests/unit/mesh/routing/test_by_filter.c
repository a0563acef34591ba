/* test_by_filter.c - a command by filter changes what matches on every node, those and no others,
 * and says for each node what it did; with an expectation, nothing at all unless it holds. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/routing/news.h"

TestSuite(by_filter, .init = town_begin, .fini = town_end);

static struct result tell(uint32_t client, const struct command *command, uint64_t correlation)
{
    return town_command(client, command, correlation);
}

static struct result close_matching(uint32_t client, const char *filter, uint64_t correlation)
{
    struct command command = {.verb = COMMAND_CLOSE, .filter = span_text(filter)};
    return tell(client, &command, correlation);
}

Test(by_filter, close_those_that_match_on_every_node_and_no_others)
{
    town_pair();
    uint32_t trial_a = town_open(0, "tier", "trial"), gold_a = town_open(0, "tier", "gold");
    uint32_t trial_b = town_open(1, "tier", "trial"), none_b = town_open(1, NULL, NULL);
    uint32_t asker = town_open(0, NULL, NULL);
    struct result result = close_matching(asker, "tier is 'trial'", 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.matched, 2);
    cr_assert_eq(result.applied, 2);
    cr_assert_eq(result.failed, 0);
    cr_assert_eq(result.nodes_asked, 2);
    cr_assert(result.is_complete);
    cr_assert(town_clients[trial_a].is_cut && town_clients[trial_b].is_cut);
    cr_assert_not(town_clients[gold_a].is_cut || town_clients[none_b].is_cut);
    struct node_answer answers[4];
    cr_assert_eq(town_answers(asker, 2, answers, 4), 2);
    cr_assert_eq(answers[0].applied, 1);
    cr_assert_eq(answers[1].applied, 1);
    cr_assert_eq(close_matching(asker, "tier is 'trial'", 3).matched, 0);
}

Test(by_filter, that_fix_a_principal_find_its_sessions_and_no_others)
{
    town_pair();
    uint32_t trial_a = town_open(0, "tier", "trial"), gold_a = town_open(0, "tier", "gold");
    uint32_t trial_b = town_open(1, "tier", "trial"), asker = town_open(0, NULL, NULL);
    cr_assert_eq(close_matching(asker, "$Principal is 'ada'", 2).matched, 0);
    struct result result =
        close_matching(asker, "$Principal in ['', 'ada', 'bob'] and tier is 'trial'", 3);
    cr_assert_eq(result.applied, 2);
    cr_assert(town_clients[trial_a].is_cut && town_clients[trial_b].is_cut);
    cr_assert_not(town_clients[gold_a].is_cut);
    cr_assert_eq(close_matching(asker, "$Principal is '' and has tier", 4).applied, 1);
    cr_assert(town_clients[gold_a].is_cut);
}

Test(by_filter, a_filter_that_cannot_be_read_is_refused_with_its_place_and_no_peer_hears_of_it)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {.filter = span_text("all and\nTier is Gold")};
    static const uint8_t verbs[] = {COMMAND_CLOSE, COMMAND_SET_CONFLATED, COMMAND_LIST_SESSIONS};
    for (size_t i = 0; i < sizeof verbs; i++) {
        struct client_error error;
        command.verb = verbs[i];
        town_say(asker, KIND_COMMAND, 10 + i, &command_schema, &command, (struct span){0});
        const struct message *message = town_find(asker, KIND_ERROR, 10 + i);
        cr_assert_not_null(message);
        cr_assert_eq(schema_decode(&client_error_schema, message->fields, &error), ERROR_OK);
        cr_assert_eq(error.code, ERROR_INVALID_FILTER);
        cr_assert_eq(error.line, 2);
        cr_assert_eq(error.column, 9);
    }
    command.verb = COMMAND_LIST_SESSIONS;
    command.filter = (struct span){0};
    town_say(asker, KIND_COMMAND, 20, &command_schema, &command, (struct span){0});
    cr_assert_not_null(town_find(asker, KIND_ERROR, 20));
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
}

Test(by_filter, arguments_are_judged_before_any_peer_hears_of_them)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_SET_PROPERTIES, .filter = span_text("all")};
    cr_assert_eq(tell(asker, &command, 2).code, ERROR_INVALID_ARGUMENT);
    command.verb = COMMAND_CHANGE_ROLES;
    cr_assert_eq(tell(asker, &command, 3).code, ERROR_INVALID_ARGUMENT);
    command.verb = COMMAND_CLOSE;
    command.session = town_clients[asker].session;
    cr_assert_eq(tell(asker, &command, 4).code, ERROR_INVALID_ARGUMENT);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 0);
}

Test(by_filter, the_asker_itself_is_closed_last_behind_its_answer)
{
    town_pair();
    uint32_t other = town_open(0, NULL, NULL), far = town_open(1, NULL, NULL);
    uint32_t asker = town_open(0, NULL, NULL);
    struct result result = close_matching(asker, "all", 2);
    cr_assert_eq(result.applied, 3);
    cr_assert(town_clients[other].is_cut && town_clients[far].is_cut && town_clients[asker].is_cut);
    size_t last = town_clients[asker].letters_count - 1;
    cr_assert_eq(town_clients[asker].letters[last].message.kind, KIND_GOODBYE);
    cr_assert_eq(town_clients[asker].letters[last - 1].message.kind, KIND_RESULT);
}

Test(by_filter, a_dry_run_counts_and_changes_nothing)
{
    town_pair();
    uint32_t near = town_open(0, "tier", "trial"), far = town_open(1, "tier", "trial");
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {
        .verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'"), .dry_run = true};
    struct result result = tell(asker, &command, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.matched, 2);
    cr_assert_eq(result.applied, 0);
    command.expect_max = 1;
    result = tell(asker, &command, 3);
    cr_assert_eq(result.code, ERROR_LIMIT_REACHED);
    cr_assert_eq(result.matched, 2);
    cr_assert_not(town_clients[near].is_cut || town_clients[far].is_cut);
    cr_assert_eq(town_count(0, COUNTER_commands_applied), 0);
    cr_assert_eq(town_count(1, COUNTER_commands_applied), 0);
}

Test(by_filter, an_expectation_that_holds_is_applied_in_a_second_round)
{
    town_pair();
    uint32_t near = town_open(0, "tier", "trial"), far = town_open(1, "tier", "trial");
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {
        .verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'"), .expect_max = 2};
    struct result result = tell(asker, &command, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.matched, 2);
    cr_assert_eq(result.applied, 2);
    cr_assert(result.is_complete);
    cr_assert(town_clients[near].is_cut && town_clients[far].is_cut);
    cr_assert_eq(town_count(0, COUNTER_commands_forwarded), 2);
}

Test(by_filter, answers_that_come_twice_count_in_their_own_round)
{
    town_pair();
    uint32_t near = town_open(0, "tier", "trial"), far = town_open(1, "tier", "trial");
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {
        .verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'"), .expect_max = 2};
    town_repeats = true;
    struct result result = tell(asker, &command, 2);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.matched, 2);
    cr_assert_eq(result.applied, 2);
    cr_assert_eq(result.failed, 0);
    cr_assert(town_clients[near].is_cut && town_clients[far].is_cut);
    cr_assert_eq(town_count(1, COUNTER_commands_applied), 1);
}

Test(by_filter, an_expectation_that_is_passed_changes_nothing_anywhere)
{
    town_pair();
    uint32_t near = town_open(0, "tier", "trial"), far = town_open(1, "tier", "trial");
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {
        .verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'"), .expect_max = 1};
    struct result result = tell(asker, &command, 2);
    cr_assert_eq(result.code, ERROR_LIMIT_REACHED);
    cr_assert_eq(result.matched, 2);
    cr_assert_eq(result.applied, 0);
    cr_assert_not(town_clients[near].is_cut || town_clients[far].is_cut);
    town_wait_ms(6000); /* what was pinned is forgotten; the town checks its nodes at each step */
}

Test(by_filter, with_an_expectation_and_a_silent_node_nothing_changes_anywhere)
{
    town_pair();
    uint32_t near = town_open(0, "tier", "trial"), asker = town_open(0, NULL, NULL);
    town_break_forward(0, 1);
    struct command command = {
        .verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'"), .expect_max = 9};
    town_say(asker, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert_null(town_find(asker, KIND_RESULT, 2));
    town_wait_ms(5000);
    struct result result;
    const struct message *message = town_find(asker, KIND_RESULT, 2);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.code, ERROR_CLUSTER_ROUTING);
    cr_assert_not(result.is_complete);
    cr_assert_not(town_clients[near].is_cut);
}

Test(by_filter, a_silent_node_is_named_and_the_others_have_done_it)
{
    town_pair();
    uint32_t near = town_open(0, "tier", "trial"), asker = town_open(0, NULL, NULL);
    town_break_forward(0, 1);
    struct command command = {
        .verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'"), .timeout_ms = 1000};
    town_say(asker, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert(town_clients[near].is_cut);
    town_wait_ms(1500);
    struct result result;
    const struct message *message = town_find(asker, KIND_RESULT, 2);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.applied, 1);
    cr_assert_not(result.is_complete);
    struct node_answer answers[4];
    cr_assert_eq(town_answers(asker, 2, answers, 4), 2);
    cr_assert(span_equal(answers[1].node, span_text("b")));
    cr_assert_eq(answers[1].code, ERROR_CLUSTER_ROUTING);
}

Test(by_filter, a_node_that_dies_ends_the_wait_at_once)
{
    town_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    town_break_forward(0, 1);
    struct command command = {.verb = COMMAND_SET_CONFLATED, .filter = span_text("all")};
    town_say(asker, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert_null(town_find(asker, KIND_RESULT, 2));
    town_crash(1);
    cr_assert_not_null(town_find(asker, KIND_RESULT, 2));
}

Test(by_filter, fixing_the_id_asks_one_session_and_changes_it)
{
    town_pair();
    uint32_t far = town_open(1, NULL, NULL), asker = town_open(0, NULL, NULL);
    char filter[] = "$SessionId is '0123456789abcdef-0123456789abcdef'";
    static const char digits[] = "0123456789abcdef";
    uint64_t halves[] = {town_clients[far].session.instance, town_clients[far].session.serial};
    char *at = strchr(filter, '\'') + 1;
    for (size_t i = 0; i < 32; i++)
        at[i + i / 16] = digits[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
    struct result result = close_matching(asker, filter, 2);
    cr_assert_eq(result.applied, 1);
    cr_assert(town_clients[far].is_cut);
    cr_assert_eq(close_matching(asker, "$SessionId is 'nobody'", 3).matched, 0);
}

Test(by_filter, properties_roles_and_switches_are_changed_everywhere)
{
    town_pair();
    town_open(0, "tier", "trial");
    town_open(1, "tier", "trial");
    uint32_t asker = town_open(0, NULL, NULL);
    uint8_t bytes[64];
    struct writer writer;
    struct role role = {.name = span_text("guest")};
    writer_init(&writer, bytes, sizeof bytes);
    group_encode(&role_schema, &role, &writer);
    struct command command = {
        .verb = COMMAND_CHANGE_ROLES,
        .filter = span_text("tier is 'trial'"),
        .add_roles = span_of(bytes, sizeof bytes - writer.left),
    };
    cr_assert_eq(tell(asker, &command, 2).applied, 2);
    struct property property = {.key = span_text("tier"), .value = span_text("gold")};
    writer_init(&writer, bytes, sizeof bytes);
    group_encode(&property_schema, &property, &writer);
    command =
        (struct command){.verb = COMMAND_SET_PROPERTIES, .filter = span_text("hasRoles 'guest'")};
    town_say(asker, KIND_COMMAND, 3, &command_schema, &command,
             span_of(bytes, sizeof bytes - writer.left));
    struct result result;
    const struct message *message = town_find(asker, KIND_RESULT, 3);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.applied, 2);
    command = (struct command){.verb = COMMAND_SET_CONFLATED,
                               .filter = span_text("tier is 'gold' and hasRoles 'guest'"),
                               .is_conflated = true};
    result = tell(asker, &command, 4);
    cr_assert_eq(result.applied, 2);
    cr_assert_eq(result.removed, 0);
}

Test(by_filter, a_listing_is_of_what_matches_sorted_and_counted)
{
    town_pair();
    static const char *const desks[] = {"7", "30", "1", "5"};
    for (size_t i = 0; i < 4; i++)
        town_open(0, "desk", desks[i]);
    uint32_t asker = town_open(0, NULL, NULL);
    struct command command = {
        .verb = COMMAND_LIST_SESSIONS,
        .filter = span_text("has desk"),
        .keys = span_text("desk"),
        .sort = span_text("desk"),
        .limit = 3,
    };
    struct result result = tell(asker, &command, 2);
    cr_assert_eq(result.total, 4);
    struct node_answer answers[4];
    cr_assert_eq(town_answers(asker, 2, answers, 4), 2);
    static const char *const sorted[] = {"1", "30", "5"};
    struct session_row row;
    struct property property;
    enum error error;
    for (size_t i = 0; i < 3; i++) {
        cr_assert(group_next(&session_row_schema, &answers[0].rows, &row, &error));
        cr_assert(group_next(&property_schema, &row.properties, &property, &error));
        cr_assert(span_equal(property.value, span_text(sorted[i])));
    }
    cr_assert_eq(answers[0].rows.bytes, 0);
    command.filter = span_text("all");
    command.limit = 1;
    cr_assert_eq(tell(asker, &command, 3).total, 5); /* without it first */
    town_answers(asker, 3, answers, 4);
    cr_assert(group_next(&session_row_schema, &answers[0].rows, &row, &error));
    cr_assert(session_id_equal(row.id, town_clients[asker].session));
}

enum { MANY = 300 }; /* more than two slices */

/* A pair with room for them. */
static void large_pair(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        town_nodes[i].config.sessions_max = 1024;
        town_start(i);
    }
    town_wait_ms(5000);
}

Test(by_filter, many_are_changed_in_turns_and_who_is_gone_by_then_has_failed)
{
    large_pair();
    uint32_t asker = town_open(0, NULL, NULL), last = asker;
    for (uint32_t i = 0; i < MANY; i++)
        last = town_open(0, "tier", "trial");
    struct command command = {.verb = COMMAND_CLOSE, .filter = span_text("tier is 'trial'")};
    town_say(asker, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    cr_assert_null(town_find(asker, KIND_RESULT, 2), "there is more than one turn's work");
    cr_assert_not(town_clients[last].is_cut);
    uint32_t late = town_open(0, "tier", "trial"); /* matches, but came behind that instant */
    town_disconnect(last);                         /* matched, and is gone */
    town_wait_ms(100);
    struct result result;
    const struct message *message = town_find(asker, KIND_RESULT, 2);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.matched, MANY);
    cr_assert_eq(result.applied + result.failed, MANY);
    cr_assert_leq(result.failed, 1); /* none, where a lost session waits for its client */
    cr_assert_not(town_clients[late].is_cut);
}

Test(by_filter, many_on_another_node_are_changed_in_turns_too)
{
    large_pair();
    uint32_t asker = town_open(0, NULL, NULL);
    for (uint32_t i = 0; i < MANY; i++)
        town_open(1, "tier", "trial");
    struct command command = {
        .verb = COMMAND_SET_CONFLATED, .filter = span_text("tier is 'trial'"), .expect_max = MANY};
    town_say(asker, KIND_COMMAND, 2, &command_schema, &command, (struct span){0});
    town_wait_ms(100);
    struct result result;
    const struct message *message = town_find(asker, KIND_RESULT, 2);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.applied, MANY);
    cr_assert_eq(town_count(1, COUNTER_commands_applied), MANY);
}

/* Node 0's part of the answer. */
static struct node_answer part_of_first(uint32_t asker, const char *filter, uint64_t correlation)
{
    struct node_answer answers[4];
    (void)close_matching(asker, filter, correlation);
    cr_assert_eq(town_answers(asker, correlation, answers, 4), 2);
    return span_equal(answers[0].node, span_text(town_nodes[0].config.name)) ? answers[0]
                                                                             : answers[1];
}

Test(by_filter, whose_patterns_cost_too_much_leave_the_next_ones_nothing_for_a_moment)
{
    const char *bomb = news_bomb();
    town_pair();
    uint32_t victim = town_open(0, "tier", NEWS_BAIT);
    uint32_t asker = town_open(0, NULL, NULL);
    cr_assert_eq(part_of_first(asker, bomb, 2).code, ERROR_LIMIT_REACHED);
    cr_assert_eq(part_of_first(asker, "tier matches 'a+'", 3).code, ERROR_LIMIT_REACHED);
    cr_assert_eq(part_of_first(asker, "has nothing", 4).code, ERROR_OK, "it needs no steps");
    cr_assert_not(town_clients[victim].is_cut);
    town_wait_ms(250);
    cr_assert_eq(part_of_first(asker, "tier matches 'a+'", 5).applied, 1);
    cr_assert(town_clients[victim].is_cut);
}
