/* test_polls.c - a request to a filter: how many, of each, the end; whatever gets lost. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/town.h"

TestSuite(polls, .init = town_begin, .fini = town_end);

static uint32_t listener(uint32_t node, const char *tier)
{
    uint32_t client = town_open(node, "tier", tier);
    struct registration registration = {.kind = HANDLER_DIRECT, .path = span_text("chat")};
    town_say(client, KIND_REGISTER, 7001, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(client, KIND_DONE, 7001));
    return client;
}

static void ask(uint32_t caller, uint64_t correlation, const char *filter, uint32_t timeout_ms)
{
    struct request request = {.path = span_text("chat"),
                              .type = VALUE_STRING,
                              .timeout_ms = timeout_ms,
                              .filter = span_text(filter)};
    town_say(caller, KIND_REQUEST, correlation, &request_schema, &request, span_text("hello"));
}

static void answer(uint32_t client, const char *value)
{
    const struct message *message = town_find(client, KIND_REQUEST, 0);
    cr_assert_not_null(message);
    town_respond(client, message->correlation, value);
}

static struct spread spread_of(uint32_t caller, uint64_t correlation)
{
    struct spread spread;
    const struct message *message = town_find(caller, KIND_SPREAD, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&spread_schema, message->fields, &spread), ERROR_OK);
    return spread;
}

static struct response end_of(uint32_t caller, uint64_t correlation)
{
    struct response response;
    const struct message *message = town_find(caller, KIND_RESPONSE, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&response_schema, message->fields, &response), ERROR_OK);
    return response;
}

/* The outcome that the caller was told of that session; MOVED: nothing. */
static enum error part_of(uint32_t caller, uint32_t of)
{
    for (size_t i = 0; i < town_clients[caller].letters_count; i++) {
        const struct message *message = &town_clients[caller].letters[i].message;
        struct part part;
        if (message->kind != KIND_PART)
            continue;
        cr_assert_eq(schema_decode(&part_schema, message->fields, &part), ERROR_OK);
        cr_assert_eq(part.number, 0, "the members' own");
        if (session_id_equal(part.session, town_clients[of].session))
            return (enum error)part.outcome;
    }
    return ERROR_MOVED;
}

/* What is said of the node in a body of groups. */
static struct node_answer node_in(struct span body, const char *name)
{
    struct node_answer answer = {.code = ERROR_MOVED};
    enum error error;
    while (group_next(&node_answer_schema, &body, &answer, &error)) {
        if (span_equal(answer.node, span_text(name)))
            return answer;
    }
    return (struct node_answer){.code = ERROR_MOVED};
}

Test(polls, say_how_many_then_of_each_then_the_end)
{
    town_pair();
    uint32_t near = listener(0, "gold"), far = listener(1, "gold"), other = listener(1, "trial");
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    struct spread spread = spread_of(caller, 9);
    cr_assert_eq(spread.sent, 2);
    cr_assert_eq(spread.nodes_asked, 2);
    cr_assert_eq(spread.nodes_answered, 2);
    struct span body = town_find(caller, KIND_SPREAD, 9)->body;
    cr_assert_eq(node_in(body, town_nodes[1].config.name).matched, 1);
    cr_assert_eq(town_letters(other, KIND_REQUEST), 0);
    answer(far, "from afar");
    cr_assert_eq(part_of(caller, far), ERROR_OK);
    cr_assert_null(town_find(caller, KIND_RESPONSE, 9));
    answer(near, "from here");
    cr_assert_eq(town_letters(caller, KIND_PART), 2);
    struct response end = end_of(caller, 9);
    cr_assert_eq(end.outcome, ERROR_OK);
    cr_assert_eq(end.sent, 2);
    cr_assert_eq(end.answered, 2);
    cr_assert_eq(end.nodes_answered, 2);
    cr_assert_eq(town_count(0, COUNTER_requests_ok), 1);
    cr_assert_eq(town_count(0, COUNTER_parts_answered), 2);
}

Test(polls, where_nothing_matches_end_at_once)
{
    town_pair();
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'none'", 5000);
    cr_assert_eq(spread_of(caller, 9).sent, 0);
    cr_assert_eq(end_of(caller, 9).outcome, ERROR_OK);
}

Test(polls, with_a_bad_filter_make_no_peer_hear_of_them)
{
    town_pair();
    uint32_t caller = town_open(0, NULL, NULL);
    town_wait_ms(300);
    uint64_t frames = town_count(0, COUNTER_forward_frames_out);
    ask(caller, 9, "tier is gold", 5000);
    struct client_error error;
    const struct message *message = town_find(caller, KIND_ERROR, 9);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &error), ERROR_OK);
    cr_assert_eq(error.code, ERROR_INVALID_FILTER);
    cr_assert_eq(error.column, 9);
    cr_assert_eq(town_count(0, COUNTER_forward_frames_out), frames);
    cr_assert_eq(town_count(0, COUNTER_requests_other), 1);
}

Test(polls, tell_of_those_that_do_not_listen)
{
    town_pair();
    uint32_t deaf = town_open(1, "tier", "gold"), caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    cr_assert_eq(part_of(caller, deaf), ERROR_UNHANDLED);
    cr_assert_eq(end_of(caller, 9).outcome, ERROR_OK);
}

Test(polls, include_the_caller_if_it_matches)
{
    town_pair();
    uint32_t caller = listener(0, "gold");
    ask(caller, 9, "tier is 'gold'", 5000);
    answer(caller, "myself");
    cr_assert_eq(part_of(caller, caller), ERROR_OK);
    cr_assert_eq(end_of(caller, 9).answered, 1);
}

Test(polls, at_the_deadline_name_those_that_said_nothing)
{
    town_pair();
    uint32_t near = listener(0, "gold"), far = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 700);
    answer(near, "here");
    town_wait_ms(600);
    cr_assert_null(town_find(caller, KIND_RESPONSE, 9));
    town_wait_ms(400);
    cr_assert_eq(part_of(caller, far), ERROR_TIMEOUT);
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 1);
    cr_assert_eq(end_of(caller, 9).answered, 2);
    cr_assert_eq(town_letters(far, KIND_CANCEL), 1);
    answer(far, "late");
    cr_assert_eq(town_letters(caller, KIND_PART), 2);
}

Test(polls, name_the_node_that_died)
{
    town_pair();
    uint32_t near = listener(0, "gold"), far = listener(1, "gold"), second = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    answer(near, "here");
    answer(second, "here");
    town_crash(1);
    struct response end = end_of(caller, 9);
    cr_assert_eq(end.outcome, ERROR_CLUSTER_ROUTING);
    cr_assert_eq(end.sent, 3);
    cr_assert_eq(end.answered, 2);
    cr_assert_eq(end.nodes_answered, 1);
    struct node_answer lost =
        node_in(town_find(caller, KIND_RESPONSE, 9)->body, town_nodes[1].config.name);
    cr_assert_eq(lost.code, ERROR_HANDLER_LOST);
    cr_assert_eq(lost.applied, 1);
    cr_assert_eq(lost.failed, 1);
    cr_assert_eq(part_of(caller, far), ERROR_MOVED, "of that one nothing is said but in the end");
    cr_assert_eq(town_count(0, COUNTER_parts_failed), 1);
}

Test(polls, cancelled_end_once_and_those_asked_hear_of_it)
{
    town_pair();
    uint32_t near = listener(0, "gold"), far = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    town_say(caller, KIND_CANCEL, 9, NULL, NULL, (struct span){0});
    cr_assert_eq(end_of(caller, 9).outcome, ERROR_CANCELLED);
    cr_assert_eq(town_letters(near, KIND_CANCEL), 1);
    cr_assert_eq(town_letters(far, KIND_CANCEL), 1);
    answer(far, "late");
    cr_assert_eq(town_letters(caller, KIND_PART), 0);
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 1);
}

Test(polls, of_a_caller_who_goes_are_cancelled_everywhere)
{
    town_pair();
    uint32_t near = listener(0, "gold"), far = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    town_disconnect(caller);
    cr_assert_eq(town_letters(near, KIND_CANCEL), 1);
    cr_assert_eq(town_letters(far, KIND_CANCEL), 1);
    cr_assert_eq(town_count(0, COUNTER_requests_cancelled), 1);
}

Test(polls, take_a_session_that_closes_for_lost_or_for_none)
{
    town_pair();
    uint32_t far = listener(1, "gold"), waiting = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    town_tell(waiting, MESH_CONNECTION_FULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    town_disconnect(far);
    town_disconnect(waiting);
    cr_assert_eq(part_of(caller, far), ERROR_HANDLER_LOST);
    cr_assert_eq(part_of(caller, waiting), ERROR_NO_SUCH_SESSION);
    cr_assert_eq(end_of(caller, 9).outcome, ERROR_OK);
}

Test(polls, whose_frames_come_twice_ask_once_and_tell_once)
{
    town_pair();
    uint32_t far = listener(1, "gold"), second = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    town_repeats = true;
    ask(caller, 9, "tier is 'gold'", 5000);
    cr_assert_eq(town_letters(far, KIND_REQUEST), 1);
    answer(far, "one");
    cr_assert_null(town_find(caller, KIND_RESPONSE, 9));
    answer(second, "two");
    town_repeats = false;
    cr_assert_eq(town_letters(caller, KIND_PART), 2);
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 1);
    cr_assert_eq(end_of(caller, 9).answered, 2);
}

Test(polls, ask_more_than_the_first_window_as_answers_come)
{
    enum { LISTENERS = 40 };
    uint32_t listeners[LISTENERS];
    town_end();
    town_begin();
    town_nodes[1].config.requests_in_flight_max = 64;
    town_nodes[1].config.sessions_max = 64;
    town_start(0);
    town_start(1);
    town_wait_ms(3000);
    for (uint32_t i = 0; i < LISTENERS; i++)
        listeners[i] = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    ask(caller, 9, "tier is 'gold'", 5000);
    cr_assert_eq(spread_of(caller, 9).sent, LISTENERS);
    size_t asked = 0;
    for (uint32_t i = 0; i < LISTENERS; i++)
        asked += town_letters(listeners[i], KIND_REQUEST);
    cr_assert_eq(asked, 8);
    town_wait_ms(200); /* nobody answers: the others are asked all the same */
    for (uint32_t i = 0; i < LISTENERS; i++)
        answer(listeners[i], "here");
    cr_assert_eq(town_letters(caller, KIND_PART), LISTENERS);
    cr_assert_eq(end_of(caller, 9).outcome, ERROR_OK);
}

Test(polls, of_a_caller_that_does_not_read_wait_and_do_not_end_it)
{
    enum { LISTENERS = 40 };
    uint32_t listeners[LISTENERS];
    town_end();
    town_begin();
    town_nodes[0].config.session_queue_messages = 32;
    town_nodes[1].config.requests_in_flight_max = 64;
    town_nodes[1].config.sessions_max = 64;
    town_start(0);
    town_start(1);
    town_wait_ms(3000);
    for (uint32_t i = 0; i < LISTENERS; i++)
        listeners[i] = listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    town_tell(caller, MESH_CONNECTION_FULL);
    ask(caller, 9, "tier is 'gold'", 60000);
    for (int round = 0; round < 20; round++) {
        town_wait_ms(100);
        for (uint32_t i = 0; i < LISTENERS; i++) {
            if (town_letters(listeners[i], KIND_REQUEST) > 0)
                answer(listeners[i], "here");
        }
        if (round == 9) {
            cr_assert_lt(town_count(0, COUNTER_parts_answered), 32);
            town_tell(caller, MESH_CONNECTION_WRITABLE);
        }
    }
    cr_assert_null(town_find(caller, KIND_GOODBYE, 0));
    cr_assert_eq(town_letters(caller, KIND_PART), LISTENERS);
    cr_assert_eq(end_of(caller, 9).outcome, ERROR_OK);
}

Test(polls, beyond_the_share_of_one_session_are_overloaded)
{
    town_end();
    town_begin();
    town_nodes[1].config.requests_in_flight_max = 64;
    town_start(0);
    town_start(1);
    town_wait_ms(3000);
    (void)listener(1, "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    for (uint64_t i = 1; i <= 17; i++)
        ask(caller, i, "tier is 'gold'", 5000);
    cr_assert_eq(end_of(caller, 17).outcome, ERROR_OVERLOADED);
    cr_assert_null(town_find(caller, KIND_RESPONSE, 16));
}
