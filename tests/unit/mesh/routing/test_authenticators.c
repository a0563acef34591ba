/* test_authenticators.c - authentication handlers of other nodes: the mesh decides as one. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/visitors.h"

TestSuite(authenticators, .init = town_begin, .fini = town_end);

#define CHAIN "anonymous,handler:corp,allow"

Test(authenticators, a_handler_on_another_node_decides)
{
    visitors_city(3, CHAIN);
    uint32_t handler = visitors_handler(2, "corp");
    uint32_t ada = visitors_hello_with(0, "ada", "secret", visitors_group("tier", "bronze"));
    struct authenticate asked = visitors_asked(handler);
    cr_assert(span_equal(asked.credentials, span_text("secret")));
    cr_assert(visitors_was_shown(handler, "$ServerName", "a"));
    cr_assert(visitors_was_shown(handler, "tier", "bronze"));
    visitors_decide_with(handler, DECISION_ALLOW, "$Roles=desk\ntier=gold");
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
    cr_assert_str_eq(visitors_property(ada, "$Principal"), "ada");
    cr_assert_str_eq(visitors_property(ada, "$Roles"), "\"desk\"");
    cr_assert_str_eq(visitors_property(ada, "tier"), "gold");
    uint32_t eve = visitors_hello(1, "eve", "x");
    town_forget(ada);
    const struct message *second = town_find(handler, KIND_AUTHENTICATE, 0);
    cr_assert_not_null(second);
    town_forget(handler);
    uint32_t bob = visitors_hello(0, "bob", "x");
    visitors_decide(handler, DECISION_DENY);
    cr_assert_eq(visitors_answer(bob), ERROR_ACCESS_DENIED);
    cr_assert_eq(visitors_answer(eve), ERROR_NOT_READY);
    cr_assert_gt(town_nodes[0].wipes, 0);
    cr_assert_gt(town_nodes[2].wipes, 0, "the handler's node wipes what came in");
}

Test(authenticators, one_on_this_node_comes_first)
{
    visitors_city(2, CHAIN);
    uint32_t far = visitors_handler(1, "corp"), near = visitors_handler(0, "corp");
    (void)visitors_hello(0, "ada", "x");
    cr_assert_not_null(town_find(near, KIND_AUTHENTICATE, 0));
    cr_assert_null(town_find(far, KIND_AUTHENTICATE, 0));
}

Test(authenticators, a_node_that_dies_is_replaced_by_another_once)
{
    visitors_city(3, CHAIN);
    uint32_t first = visitors_handler(1, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    cr_assert_not_null(town_find(first, KIND_AUTHENTICATE, 0));
    uint32_t second = visitors_handler(2, "corp");
    town_crash(1);
    town_wait_ms(1000);
    cr_assert_not_null(town_find(second, KIND_AUTHENTICATE, 0));
    visitors_decide(second, DECISION_ALLOW);
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_authenticators_lost), 1);
}

Test(authenticators, a_node_that_dies_with_the_last_handler_is_silence_and_no_abstention)
{
    visitors_city(2, CHAIN);
    (void)visitors_handler(1, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_crash(1);
    town_wait_ms(1500);
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
}

Test(authenticators, a_handler_that_ends_elsewhere_is_told_as_lost)
{
    visitors_city(2, CHAIN);
    uint32_t a = visitors_handler(1, "corp"), b = visitors_handler(1, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    uint32_t asked = visitors_whoever_was_asked((uint32_t[]){a, b}, 2);
    town_disconnect(asked);
    town_forget(asked);
    uint32_t next = visitors_whoever_was_asked((uint32_t[]){a, b}, 2);
    cr_assert_neq(next, asked);
    visitors_decide(next, DECISION_ALLOW);
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
}

Test(authenticators, frames_that_come_twice_ask_and_decide_once)
{
    visitors_city(2, CHAIN);
    uint32_t handler = visitors_handler(1, "corp");
    town_repeats = true;
    uint32_t ada = visitors_hello(0, "ada", "x");
    cr_assert_eq(town_letters(handler, KIND_AUTHENTICATE), 1);
    visitors_decide(handler, DECISION_ALLOW);
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_authentication_answers_late), 1);
    town_repeats = false;
}

Test(authenticators, a_late_answer_from_elsewhere_lets_nobody_in)
{
    visitors_city(2, CHAIN);
    uint32_t handler = visitors_handler(1, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_wait_ms(2500);
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    visitors_decide(handler, DECISION_ALLOW);
    cr_assert_eq(town_count(0, COUNTER_sessions_opened), 0);
    cr_assert_eq(town_count(1, COUNTER_authentication_answers_late), 1);
}

Test(authenticators, a_node_cut_off_keeps_people_out)
{
    visitors_city(2, CHAIN);
    (void)visitors_handler(1, "corp");
    town_break_forward(0, 1);
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_wait_ms(3000);
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    town_mend_forward(0, 1);
}

Test(authenticators, a_newcomer_is_served_by_those_that_are_there)
{
    visitors_city(2, CHAIN);
    uint32_t handler = visitors_handler(0, "corp");
    town_nodes[2].config.auth_chain = CHAIN;
    town_start(2);
    town_wait_ms(5000);
    uint32_t ada = visitors_hello(2, "ada", "x");
    visitors_decide(handler, DECISION_ALLOW);
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
}

Test(authenticators, what_handlers_were_asked_is_counted_for_each)
{
    visitors_city(2, CHAIN);
    uint32_t handler = visitors_handler(1, "corp"), watcher = town_open(0, NULL, NULL);
    (void)visitors_hello(0, "ada", "x");
    cr_assert_eq(town_handler_stats(watcher, 50, "corp").in_flight, 1);
    visitors_decide(handler, DECISION_DENY);
    struct handler_row row = town_handler_stats(watcher, 51, "corp");
    cr_assert_eq(row.kind, HANDLER_AUTHENTICATION);
    cr_assert_eq(row.requests, 1);
    cr_assert_eq(row.errors, 0, "a no is an answer");
    cr_assert_eq(row.in_flight, 0);
    (void)visitors_hello(0, "bob", "x");
    town_wait_ms(2500);
    row = town_handler_stats(watcher, 52, "corp");
    cr_assert_eq(row.errors, 1);
    cr_assert(span_equal(row.last_error, span_text("TIMEOUT")));
    town_disconnect(visitors_hello(1, "eve", "x"));
    row = town_handler_stats(watcher, 53, "corp");
    cr_assert_eq(row.requests, 3);
    cr_assert_eq(row.errors, 2);
    cr_assert_eq(row.in_flight, 0);
    cr_assert(span_equal(row.last_error, span_text("CANCELLED")), "nobody waits any more");
    cr_assert_gt(row.mean_us, 0);
}
