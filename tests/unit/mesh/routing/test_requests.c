/* test_requests.c - a request gets exactly one outcome, and the right one. */
#include <criterion/criterion.h>

#include "mesh/core.h"
#include "mesh/routing/choice.h"
#include "tests/unit/mesh/town.h"

TestSuite(requests, .init = town_begin, .fini = town_end);

static struct request request_in(const struct message *message)
{
    struct request request;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&request_schema, message->fields, &request), ERROR_OK);
    return request;
}

Test(requests, cross_the_mesh_and_come_back)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "/echo/");
    town_request(caller, 5, "echo/below", "hello");
    const struct message *asked = town_find(handler, KIND_REQUEST, 0);
    struct request request = request_in(asked);
    cr_assert(span_equal(request.path, span_text("echo/below")));
    cr_assert(session_id_equal(request.sender, town_clients[caller].session));
    cr_assert(span_equal(asked->body, span_text("hello")));
    town_respond(handler, asked->correlation, "back");
    cr_assert_eq(town_outcome(caller, 5), ERROR_OK);
    cr_assert(span_equal(town_find(caller, KIND_RESPONSE, 5)->body, span_text("back")));
    cr_assert_eq(town_count(0, COUNTER_requests_forwarded), 1);
    cr_assert_eq(town_count(1, COUNTER_requests_handed_over), 1);
    cr_assert_eq(town_count(1, COUNTER_responses_forwarded), 1);
    cr_assert_eq(town_count(0, COUNTER_requests_ok), 1);
}

Test(requests, to_a_handler_here_send_nothing_to_any_peer)
{
    town_pair();
    uint32_t handler = town_open(0, NULL, NULL), far = town_open(1, NULL, NULL);
    uint32_t caller = town_open(0, NULL, NULL);
    town_register(handler, "echo");
    town_register(far, "echo");
    uint64_t frames = town_count(0, COUNTER_forward_frames_out);
    for (uint64_t i = 1; i <= 5; i++) {
        town_request(caller, i, "echo", "x");
        town_respond(handler, town_find(handler, KIND_REQUEST, 0)->correlation, "y");
        town_forget(handler);
        cr_assert_eq(town_outcome(caller, i), ERROR_OK);
    }
    cr_assert_eq(town_count(0, COUNTER_requests_forwarded), 0);
    cr_assert_eq(town_count(0, COUNTER_forward_frames_out), frames);
    cr_assert_eq(town_letters(far, KIND_REQUEST), 0);
}

Test(requests, the_most_specific_path_wins_over_the_nearer_handler)
{
    town_pair();
    uint32_t near = town_open(0, NULL, NULL), far = town_open(1, NULL, NULL);
    town_register(near, "a");
    town_register(far, "a/b");
    town_request(near, 1, "a/b/c", "x");
    cr_assert_eq(town_letters(near, KIND_REQUEST), 0);
    cr_assert_eq(town_letters(far, KIND_REQUEST), 1);
}

Test(requests, nobody_serves_are_said_so_at_once)
{
    town_pair();
    uint32_t caller = town_open(0, NULL, NULL);
    town_request(caller, 9, "nobody/here", "x");
    struct response response;
    const struct message *message = town_find(caller, KIND_RESPONSE, 9);
    cr_assert_eq(schema_decode(&response_schema, message->fields, &response), ERROR_OK);
    cr_assert_eq(response.outcome, ERROR_NO_HANDLER);
    cr_assert(
        span_equal(response.message, span_text("no handler for nobody/here on 2 of 2 nodes")));
}

Test(requests, with_a_bad_path_or_value_are_answered_and_go_nowhere)
{
    town_pair();
    uint32_t caller = town_open(0, NULL, NULL);
    town_request(caller, 1, "a//b", "x");
    cr_assert_eq(town_outcome(caller, 1), ERROR_INVALID_PATH);
    struct request request = {.path = span_text("a"), .type = VALUE_INT64};
    town_say(caller, KIND_REQUEST, 2, &request_schema, &request, span_text("short"));
    cr_assert_eq(town_outcome(caller, 2), ERROR_INVALID_ARGUMENT);
    cr_assert_eq(town_count(0, COUNTER_requests_other), 2);
}

Test(requests, end_with_timeout_and_a_late_answer_is_dropped)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    struct request request = {.path = span_text("slow"), .type = VALUE_STRING, .timeout_ms = 700};
    town_say(caller, KIND_REQUEST, 3, &request_schema, &request, span_text("x"));
    town_wait_ms(600);
    cr_assert_null(town_find(caller, KIND_RESPONSE, 3));
    town_wait_ms(200);
    cr_assert_eq(town_outcome(caller, 3), ERROR_TIMEOUT);
    const struct message *asked = town_find(handler, KIND_REQUEST, 0);
    cr_assert_not_null(town_find(handler, KIND_CANCEL, asked->correlation));
    town_respond(handler, asked->correlation, "late");
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 1);
    cr_assert_eq(town_count(1, COUNTER_responses_late), 1);
}

Test(requests, that_are_answered_twice_have_one_outcome)
{
    town_pair();
    uint32_t handler = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "echo");
    town_request(caller, 3, "echo", "x");
    uint64_t number = town_find(handler, KIND_REQUEST, 0)->correlation;
    town_respond(handler, number, "one");
    town_respond(handler, number, "two");
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 1);
    cr_assert_eq(town_count(0, COUNTER_responses_late), 1);
}

Test(requests, of_another_session_cannot_be_answered)
{
    town_pair();
    uint32_t handler = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    uint32_t stranger = town_open(0, NULL, NULL);
    town_register(handler, "echo");
    town_request(caller, 3, "echo", "x");
    town_respond(stranger, town_find(handler, KIND_REQUEST, 0)->correlation, "forged");
    cr_assert_null(town_find(caller, KIND_RESPONSE, 3));
}

Test(requests, cancelled_by_the_caller_end_cancelled_and_the_handler_hears)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 4, "slow", "x");
    town_say(caller, KIND_CANCEL, 4, NULL, NULL, (struct span){0});
    cr_assert_eq(town_outcome(caller, 4), ERROR_CANCELLED);
    cr_assert_eq(town_letters(handler, KIND_CANCEL), 1);
}

Test(requests, of_a_caller_who_goes_are_cancelled_at_the_handler)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 4, "slow", "x");
    town_disconnect(caller);
    cr_assert_eq(town_letters(handler, KIND_CANCEL), 1);
}

Test(requests, are_lost_with_the_session_that_had_them)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 4, "slow", "x");
    town_disconnect(handler);
    cr_assert_eq(town_outcome(caller, 4), ERROR_HANDLER_LOST);
    town_wait_ms(500);
    town_request(caller, 5, "slow", "x");
    cr_assert_eq(town_outcome(caller, 5), ERROR_NO_HANDLER);
}

Test(requests, are_lost_when_the_link_that_carried_them_breaks)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 4, "slow", "x");
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 1);
    town_break_forward(0, 1);
    cr_assert_eq(town_outcome(caller, 4), ERROR_HANDLER_LOST);
}

Test(requests, are_lost_when_the_handlers_node_dies)
{
    town_pair();
    uint32_t handler = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 4, "slow", "x");
    town_crash(1);
    cr_assert_eq(town_outcome(caller, 4), ERROR_HANDLER_LOST);
    town_wait_ms(30000);
    town_request(caller, 5, "slow", "x");
    cr_assert_eq(town_outcome(caller, 5), ERROR_NO_HANDLER);
}

Test(requests, that_never_left_a_handlers_queue_go_to_the_next_handler)
{
    town_pair();
    uint32_t first = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    uint32_t second = town_open(1, NULL, NULL);
    town_register(first, "work");
    town_register(second, "work");
    town_tell(first, MESH_CONNECTION_FULL);
    town_request(caller, 4, "work", "precious");
    cr_assert_eq(town_letters(first, KIND_REQUEST), 0);
    town_disconnect(first);
    const struct message *asked = town_find(second, KIND_REQUEST, 0);
    cr_assert_not_null(asked);
    cr_assert(span_equal(asked->body, span_text("precious")));
    town_respond(second, asked->correlation, "done");
    cr_assert_eq(town_outcome(caller, 4), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_requests_rerouted), 1);
}

Test(requests, that_never_left_the_handlers_node_go_back_and_to_the_next_handler)
{
    town_pair();
    uint32_t far = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(far, "work");
    town_tell(far, MESH_CONNECTION_FULL);
    town_request(caller, 4, "work", "precious");
    uint32_t near = town_open(0, NULL, NULL);
    town_register(near, "work");
    town_disconnect(far);
    const struct message *asked = town_find(near, KIND_REQUEST, 0);
    cr_assert_not_null(asked);
    cr_assert(span_equal(asked->body, span_text("precious")));
    cr_assert_eq(town_letters(far, KIND_REQUEST), 0);
}

Test(requests, that_never_left_for_a_lost_node_go_to_the_next_handler)
{
    town_pair();
    uint32_t far = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(far, "work");
    town_break_forward(0, 1);
    town_request(caller, 4, "work", "precious");
    cr_assert_eq(town_letters(far, KIND_REQUEST), 0);
    town_mend_forward(0, 1);
    cr_assert_eq(town_letters(far, KIND_REQUEST), 1);
    cr_assert(span_equal(town_find(far, KIND_REQUEST, 0)->body, span_text("precious")));
}

Test(requests, beyond_the_limit_are_overloaded_and_the_others_go_on)
{
    town_pair();
    uint32_t handler = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    for (uint64_t i = 1; i <= 9; i++)
        town_request(caller, i, "slow", "x");
    cr_assert_eq(town_outcome(caller, 9), ERROR_OVERLOADED);
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 8);
    town_respond(handler, town_find(handler, KIND_REQUEST, 0)->correlation, "y");
    town_request(caller, 10, "slow", "x");
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 9);
}

Test(requests, without_a_number_are_refused_as_malformed)
{
    town_pair();
    uint32_t handler = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 0, "slow", "x");
    cr_assert_not_null(town_find(caller, KIND_ERROR, 0));
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 0);
}

Test(requests, with_a_number_in_use_are_refused_as_malformed)
{
    town_pair();
    uint32_t handler = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "slow");
    town_request(caller, 1, "slow", "x");
    town_request(caller, 1, "slow", "x");
    cr_assert_not_null(town_find(caller, KIND_ERROR, 1));
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 1);
}

Test(requests, of_one_session_are_no_more_than_its_queue_has_room_for)
{
    town_end();
    town_begin();
    town_nodes[0].config.session_queue_messages = 32;
    town_nodes[0].config.requests_in_flight_max = 64;
    town_start(0);
    town_wait_ms(100);
    uint32_t handler = town_open(0, NULL, NULL), second = town_open(0, NULL, NULL);
    uint32_t caller = town_open(0, NULL, NULL);
    town_register(handler, "a");
    town_register(second, "b");
    for (uint64_t i = 1; i <= 30; i++) /* no handler's queue is full: they read */
        town_request(caller, i, i % 2 == 0 ? "a" : "b", "x");
    cr_assert_eq(town_letters(handler, KIND_REQUEST) + town_letters(second, KIND_REQUEST), 24);
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 6);
    cr_assert_eq(town_outcome(caller, 25), ERROR_OVERLOADED);
    town_tell(caller, MESH_CONNECTION_FULL);
    town_disconnect(handler); /* all outcomes come at once, and nobody reads */
    town_disconnect(second);
    town_tell(caller, MESH_CONNECTION_WRITABLE);
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 30);
    cr_assert_null(town_find(caller, KIND_GOODBYE, 0), "and the session stays");
    town_request(caller, 31, "nobody", "x");
    cr_assert_eq(town_outcome(caller, 31), ERROR_NO_HANDLER, "there is room again");
}

Test(requests, whose_time_is_over_while_they_wait_are_not_handed_over)
{
    town_pair();
    uint32_t near = town_open(0, NULL, NULL), far = town_open(1, NULL, NULL);
    uint32_t caller = town_open(0, NULL, NULL);
    town_register(near, "near");
    town_register(far, "far");
    town_tell(near, MESH_CONNECTION_FULL);
    town_tell(far, MESH_CONNECTION_FULL);
    struct request request = {.path = span_text("near"), .type = VALUE_STRING, .timeout_ms = 300};
    town_say(caller, KIND_REQUEST, 1, &request_schema, &request, span_text("x"));
    request.path = span_text("far");
    town_say(caller, KIND_REQUEST, 2, &request_schema, &request, span_text("x"));
    town_wait_ms(500);
    cr_assert_eq(town_outcome(caller, 1), ERROR_TIMEOUT);
    cr_assert_eq(town_outcome(caller, 2), ERROR_TIMEOUT);
    town_tell(near, MESH_CONNECTION_WRITABLE);
    town_tell(far, MESH_CONNECTION_WRITABLE);
    cr_assert_eq(town_letters(near, KIND_REQUEST), 0);
    cr_assert_eq(town_letters(far, KIND_REQUEST), 0);
    cr_assert_eq(town_letters(near, KIND_CANCEL), 1, "of a number it never heard: nothing");
    cr_assert_eq(town_count(0, COUNTER_requests_withdrawn), 1);
    cr_assert_eq(town_count(1, COUNTER_requests_withdrawn), 1);
}

Test(requests, cancelled_while_they_wait_are_not_handed_over)
{
    town_pair();
    uint32_t far = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(far, "far");
    town_tell(far, MESH_CONNECTION_FULL);
    town_request(caller, 1, "far", "x");
    town_say(caller, KIND_CANCEL, 1, NULL, NULL, (struct span){0});
    cr_assert_eq(town_outcome(caller, 1), ERROR_CANCELLED);
    town_tell(far, MESH_CONNECTION_WRITABLE);
    cr_assert_eq(town_letters(far, KIND_REQUEST), 0);
}

static void ask_idempotent(uint32_t caller, uint64_t correlation, const char *path)
{
    struct request request = {.path = span_text(path), .type = VALUE_STRING, .is_idempotent = true};
    town_say(caller, KIND_REQUEST, correlation, &request_schema, &request, span_text("precious"));
}

Test(requests, that_may_be_repeated_go_to_another_handler_when_theirs_is_lost)
{
    town_pair();
    uint32_t far = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    uint32_t near = town_open(0, NULL, NULL);
    town_register(far, "work");
    ask_idempotent(caller, 4, "work");
    cr_assert_eq(town_letters(far, KIND_REQUEST), 1);
    town_register(near, "work");
    town_crash(1);
    const struct message *asked = town_find(near, KIND_REQUEST, 0);
    cr_assert_not_null(asked);
    cr_assert(span_equal(asked->body, span_text("precious")));
    town_respond(near, asked->correlation, "done");
    cr_assert_eq(town_outcome(caller, 4), ERROR_OK);
    cr_assert_eq(town_letters(caller, KIND_RESPONSE), 1);
    cr_assert_eq(town_count(0, COUNTER_requests_retried), 1);
}

Test(requests, that_may_be_repeated_are_when_the_session_elsewhere_closes)
{
    town_pair();
    uint32_t far = town_open(1, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(far, "work");
    ask_idempotent(caller, 4, "work");
    uint32_t near = town_open(0, NULL, NULL);
    town_register(near, "work");
    town_disconnect(far);
    cr_assert_eq(town_letters(near, KIND_REQUEST), 1);
}

Test(requests, that_were_lost_and_find_nobody_else_are_lost_and_not_denied)
{
    town_pair();
    uint32_t near = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(near, "work");
    ask_idempotent(caller, 4, "work");
    town_disconnect(near);
    cr_assert_eq(town_outcome(caller, 4), ERROR_HANDLER_LOST, "NO_HANDLER would be a lie");
    cr_assert_eq(town_count(0, COUNTER_requests_retried), 1);
}

Test(requests, are_repeated_a_few_times_and_no_more)
{
    town_pair();
    uint32_t caller = town_open(0, NULL, NULL);
    uint32_t handlers[5];
    for (int i = 0; i < 5; i++) {
        handlers[i] = town_open(0, NULL, NULL);
        town_register(handlers[i], "work");
    }
    ask_idempotent(caller, 4, "work");
    for (int lost = 0; lost < 4; lost++) {
        for (int i = 0; i < 5; i++) {
            if (town_letters(handlers[i], KIND_REQUEST) > 0) {
                town_forget(handlers[i]);
                town_disconnect(handlers[i]);
                break;
            }
        }
    }
    cr_assert_eq(town_outcome(caller, 4), ERROR_HANDLER_LOST);
    cr_assert_eq(town_count(0, COUNTER_requests_retried), 3);
    cr_assert_eq(town_count(0, COUNTER_requests_handed_over), 4);
}

Test(requests, that_find_no_room_for_their_copy_are_asked_once)
{
    town_end();
    town_begin();
    town_nodes[0].config.queue_memory_max = 1024 * 1024; /* of it an eighth is for copies */
    town_start(0);
    town_start(1);
    town_wait_ms(3000);
    uint32_t near = town_open(0, NULL, NULL), second = town_open(0, NULL, NULL);
    uint32_t caller = town_open(0, NULL, NULL);
    static uint8_t value[150000];
    struct request request = {
        .path = span_text("work"), .type = VALUE_BINARY, .is_idempotent = true};
    town_register(near, "work");
    town_say(caller, KIND_REQUEST, 4, &request_schema, &request, span_of(value, sizeof value));
    cr_assert_eq(town_letters(near, KIND_REQUEST), 1);
    town_register(second, "work");
    town_disconnect(near);
    cr_assert_eq(town_outcome(caller, 4), ERROR_HANDLER_LOST);
    cr_assert_eq(town_count(0, COUNTER_requests_not_copied), 1);
}

Test(requests, are_counted_for_each_handler_by_every_node)
{
    town_pair();
    uint32_t near = town_open(0, NULL, NULL), far = town_open(1, NULL, NULL);
    uint32_t caller = town_open(0, NULL, NULL);
    town_register(near, "near");
    town_register(far, "far");
    town_request(caller, 1, "far", "x");
    town_respond(far, town_find(far, KIND_REQUEST, 0)->correlation, "y");
    town_forget(far);
    town_request(caller, 2, "far", "x");
    struct response refusal = {.outcome = ERROR_REJECTED, .message = span_text("sold out")};
    town_say(far, KIND_RESPONSE, town_find(far, KIND_REQUEST, 0)->correlation, &response_schema,
             &refusal, (struct span){0});
    town_request(caller, 3, "near", "x");
    struct handler_row row = town_handler_stats(caller, 50, "far");
    cr_assert_eq(row.requests, 2);
    cr_assert_eq(row.errors, 1);
    cr_assert_eq(row.in_flight, 0);
    cr_assert(span_equal(row.last_error, span_text("REJECTED: sold out")));
    row = town_handler_stats(caller, 51, "near");
    cr_assert_eq(row.in_flight, 1);
    cr_assert_eq(row.requests, 1);
}

Test(requests, where_nobody_serves_a_path_any_more_those_above_it_do)
{
    town_pair();
    uint32_t above = town_open(0, NULL, NULL), below = town_open(1, NULL, NULL);
    town_register(above, "a");
    town_register(below, "a/b");
    const uint64_t gone[] = {town_clients[below].session.instance};
    struct choice_search search = {.kind = HANDLER_REQUEST, .path = span_text("a/b/c")};
    struct routing *routing = town_nodes[0].mesh->routing;
    struct choice choice;
    cr_assert_eq(choice_find(routing, &search, &choice), ERROR_OK);
    cr_assert(session_id_equal(choice.session, town_clients[below].session));
    search.gone = gone;
    search.gone_count = 1;
    cr_assert_eq(choice_find(routing, &search, &choice), ERROR_OK);
    cr_assert(session_id_equal(choice.session, town_clients[above].session));
    cr_assert(choice.is_local);
    search.path = span_text("a-b");
    cr_assert_eq(choice_find(routing, &search, &choice), ERROR_NO_HANDLER);
}
