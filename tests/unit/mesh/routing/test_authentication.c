/* test_authentication.c - who may enter, when somebody else has to be asked: passwords and
 * handlers, on this node and elsewhere, and everything that may go wrong with them. Nobody comes in
 * without an allow. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/routing/logins.h"
#include "tests/unit/mesh/visitors.h"

TestSuite(authentication, .init = town_begin, .fini = town_end);

/* ---- passwords ---- */

Test(authentication, the_right_password_brings_the_principal_and_his_roles)
{
    visitors_city(1, "users,deny");
    uint32_t ada = visitors_hello(0, "ada", "lovelace");
    cr_assert_eq(visitors_answer(ada), ERROR_NOT_READY, "nobody has said anything yet");
    cr_assert_eq(town_checks_count, 1);
    cr_assert_str_eq(town_checks[0].principal, "ada");
    cr_assert_str_eq(town_checks[0].credentials, "lovelace");
    town_check(0, MESH_PASSWORD_RIGHT, "desk,eu");
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
    cr_assert_str_eq(visitors_property(ada, "$Principal"), "ada");
    cr_assert_str_eq(visitors_property(ada, "$Roles"), "\"desk\",\"eu\"");
    cr_assert_eq(town_count(0, COUNTER_authentications_allowed), 1);
    cr_assert_gt(town_nodes[0].wipes, 0, "what held credentials is wiped");
}

Test(authentication, a_wrong_password_is_refused_and_counted_against_the_address)
{
    visitors_city(1, "users,allow");
    uint32_t ada = visitors_hello(0, "ada", "wrong");
    town_check(0, MESH_PASSWORD_WRONG, "");
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    cr_assert(town_clients[ada].is_cut);
    cr_assert_eq(town_nodes[0].logins_failed, 1);
    cr_assert_eq(town_count(0, COUNTER_authentications_denied), 1);
}

Test(authentication, who_is_not_in_the_file_is_told_the_same_as_who_is)
{
    visitors_city(1, "users");
    uint32_t known = visitors_hello(0, "ada", "wrong");
    uint32_t unknown = visitors_hello(0, "eve", "wrong");
    town_check(0, MESH_PASSWORD_WRONG, "");
    town_check(0, MESH_PASSWORD_OF_NOBODY, "");
    cr_assert(span_equal(town_find(known, KIND_REFUSED, 1)->fields,
                         town_find(unknown, KIND_REFUSED, 1)->fields));
}

Test(authentication, roles_of_the_file_that_are_none_keep_out)
{
    visitors_city(1, "users,allow");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_check(0, MESH_PASSWORD_RIGHT, "(bad");
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
}

Test(authentication, passwords_are_checked_two_at_a_time_in_the_order_they_came)
{
    visitors_city(1, "users");
    uint32_t a = visitors_hello(0, "a", "x"), b = visitors_hello(0, "b", "x");
    uint32_t c = visitors_hello(0, "c", "x"), d = visitors_hello(0, "d", "x");
    cr_assert_eq(town_checks_count, MESH_PASSWORDS_AT_ONCE);
    town_tell(c, MESH_CONNECTION_LOST); /* at no cost: it was in line */
    town_check(0, MESH_PASSWORD_RIGHT, "");
    cr_assert_eq(town_checks_count, MESH_PASSWORDS_AT_ONCE);
    cr_assert_str_eq(town_checks[1].principal, "d");
    town_check(0, MESH_PASSWORD_RIGHT, "");
    town_check(0, MESH_PASSWORD_RIGHT, "");
    cr_assert_eq(visitors_answer(a), ERROR_OK);
    cr_assert_eq(visitors_answer(b), ERROR_OK);
    cr_assert_eq(visitors_answer(d), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_authentications_abandoned), 1);
}

Test(authentication, a_check_for_a_client_that_is_gone_lets_nobody_in)
{
    visitors_city(1, "users");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_tell(ada, MESH_CONNECTION_LOST);
    uint32_t eve = visitors_hello(0, "eve", "x"); /* in the same slot */
    cr_assert_eq(town_checks_count, 2);
    town_check(0, MESH_PASSWORD_RIGHT, "admin");
    cr_assert_eq(visitors_answer(eve), ERROR_NOT_READY);
    town_check(0, MESH_PASSWORD_WRONG, "");
    cr_assert_eq(visitors_answer(eve), ERROR_ACCESS_DENIED);
    cr_assert_eq(town_count(0, COUNTER_sessions_opened), 0);
}

Test(authentication, a_daemon_that_never_answers_lets_nobody_in)
{
    visitors_city(1, "users,allow");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_wait_ms(29000);
    cr_assert_eq(visitors_answer(ada), ERROR_NOT_READY);
    town_wait_ms(2000);
    cr_assert_eq(visitors_answer(ada), ERROR_LIMIT_REACHED);
    cr_assert_eq(town_count(0, COUNTER_authentications_refused), 1);
}

Test(authentication, who_speaks_before_he_is_welcome_is_turned_away)
{
    visitors_city(1, "users");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_request(ada, 7, "a", "x");
    cr_assert_eq(visitors_answer(ada), ERROR_INVALID_MESSAGE);
    uint32_t twice = visitors_hello(0, "ada", "x");
    struct client_hello hello = {.version_min = 1, .version_max = 1};
    town_say(twice, KIND_HELLO, 1, &client_hello_schema, &hello, (struct span){0});
    cr_assert_eq(visitors_answer(twice), ERROR_INVALID_MESSAGE);
    town_check(0, MESH_PASSWORD_RIGHT, "");
    town_check(0, MESH_PASSWORD_RIGHT, "");
    cr_assert_eq(town_count(0, COUNTER_sessions_opened), 0);
}

/* HELLO and a request in one frame: with a welcome at once both are heard, else nothing is kept. */
static uint32_t hello_and_request(const char *principal)
{
    const struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    const struct client_hello hello = {.version_min = 1,
                                       .version_max = 1,
                                       .principal = span_text(principal),
                                       .credentials = span_text("x")};
    const struct request request = {.path = span_text("nobody/serves"), .timeout_ms = 1000};
    uint8_t frame[512];
    struct writer writer;
    uint32_t client = town_connect(0);
    writer_init(&writer, frame, sizeof frame);
    envelope_encode(&envelope, &writer);
    message_encode(&client_hello_schema, &hello, KIND_HELLO, MESSAGE_WANTS_ANSWER, 1, 0, &writer);
    message_encode(&request_schema, &request, KIND_REQUEST, MESSAGE_WANTS_ANSWER, 2, 0, &writer);
    town_say_bytes(client, frame, sizeof frame - writer.left);
    return client;
}

Test(authentication, what_is_said_behind_hello_in_its_frame_is_heard_or_refused)
{
    visitors_city(1, "anonymous,users");
    uint32_t nobody = hello_and_request("");
    cr_assert_eq(visitors_answer(nobody), ERROR_OK);
    cr_assert_not_null(town_find(nobody, KIND_RESPONSE, 2));
    uint32_t ada = hello_and_request("ada");
    cr_assert_eq(visitors_answer(ada), ERROR_INVALID_MESSAGE);
    town_check(0, MESH_PASSWORD_RIGHT, "");
    cr_assert_eq(town_count(0, COUNTER_sessions_opened), 1);
}

Test(authentication, of_an_address_that_failed_too_often_nobody_is_asked)
{
    visitors_city(1, "anonymous,users");
    town_excess = MESH_EXCESS_FAILURES;
    uint32_t ada = visitors_hello(0, "ada", "x");
    cr_assert_eq(visitors_answer(ada), ERROR_LIMIT_REACHED);
    cr_assert_eq(town_checks_count, 0);
    cr_assert_eq(town_count(0, COUNTER_authentications_refused_address), 1);
    uint32_t nobody = visitors_hello(0, "", "");
    cr_assert_eq(visitors_answer(nobody), ERROR_OK, "the chain needs nobody's word for that");
    town_excess = MESH_EXCESS_NONE;
}

Test(authentication, waiting_strangers_are_limited_by_address_and_their_properties)
{
    static uint8_t groups[LOGIN_OFFERED_BYTES_MAX + 200];
    char value[PROPERTY_VALUE_BYTES_MAX + 1];
    town_nodes[0].config.sessions_max = 512;
    visitors_city(1, "users");
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    struct property property = {.key = span_text("k"), .value = span_text(value)};
    struct writer writer;
    writer_init(&writer, groups, sizeof groups);
    group_encode(&property_schema, &property, &writer);
    uint32_t rich =
        visitors_hello_with(0, "ada", "x", span_of(groups, sizeof groups - writer.left));
    cr_assert_eq(visitors_answer(rich), ERROR_LIMIT_REACHED);
    uint32_t last = 0;
    for (uint32_t i = 0; i < LOGINS_OF_ADDRESS_MAX; i++)
        last = visitors_hello(0, "ada", "x");
    cr_assert_eq(visitors_answer(last), ERROR_NOT_READY, "it waits");
    cr_assert_eq(visitors_answer(visitors_hello(0, "ada", "x")), ERROR_LIMIT_REACHED);
    cr_assert_eq(town_count(0, COUNTER_authentications_refused), 2);
}

Test(authentication, a_new_chain_holds_for_those_who_wait)
{
    visitors_city(1, "users");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_nodes[0].config.auth_chain = "deny";
    uint32_t other = town_connect(0);
    town_tell(other, MESH_RECONFIGURED);
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    town_check(0, MESH_PASSWORD_RIGHT, "");
    cr_assert_eq(town_count(0, COUNTER_sessions_opened), 0);
}

Test(authentication, a_node_that_stops_turns_those_away_who_wait)
{
    visitors_city(1, "users");
    uint32_t ada = visitors_hello(0, "ada", "x");
    uint32_t other = town_connect(0);
    town_tell(other, MESH_STOP);
    cr_assert_not_null(town_find(ada, KIND_REFUSED, 1));
    cr_assert_eq(town_count(0, COUNTER_authentications_refused), 1);
}

/* ---- handlers ---- */

Test(authentication, a_handler_here_decides_and_sets_what_it_wants)
{
    visitors_city(1, "anonymous,handler:corp");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello_with(0, "ada", "secret", visitors_group("tier", "bronze"));
    struct authenticate asked = visitors_asked(handler);
    cr_assert(span_equal(asked.name, span_text("corp")));
    cr_assert(span_equal(asked.principal, span_text("ada")));
    cr_assert(span_equal(asked.credentials, span_text("secret")));
    cr_assert_eq(asked.timeout_ms, 2000);
    cr_assert(visitors_was_shown(handler, "$Transport", "zmq"));
    cr_assert(visitors_was_shown(handler, "tier", "bronze"));
    cr_assert_eq(visitors_answer(ada), ERROR_NOT_READY);
    visitors_decide_with(handler, DECISION_ALLOW,
                         "$Principal=ada@corp\n$Roles=\"eu\",\"desk\"\n$Country=ch\ntier=gold");
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
    cr_assert_str_eq(visitors_property(ada, "$Principal"), "ada@corp");
    cr_assert_str_eq(visitors_property(ada, "$Roles"), "\"desk\",\"eu\"");
    cr_assert_str_eq(visitors_property(ada, "$Country"), "CH");
    cr_assert_str_eq(visitors_property(ada, "tier"), "gold");
}

Test(authentication, what_a_handler_does_not_pass_on_is_dropped)
{
    visitors_city(1, "anonymous,handler:corp");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello_with(0, "ada", "secret", visitors_group("tier", "bronze"));
    visitors_decide(handler, DECISION_ALLOW);
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
    cr_assert_str_eq(visitors_property(ada, "$Principal"), "ada");
    cr_assert_str_eq(visitors_property(ada, "$Roles"), "");
    cr_assert_null(visitors_property(ada, "tier"));
}

Test(authentication, deny_keeps_out_and_abstain_goes_on)
{
    visitors_city(1, "anonymous,handler:corp,handler:other,allow");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t denied = visitors_hello(0, "ada", "x");
    visitors_decide(handler, DECISION_DENY);
    cr_assert_eq(visitors_answer(denied), ERROR_ACCESS_DENIED);
    town_forget(handler);
    uint32_t passed = visitors_hello(0, "ada", "x");
    visitors_decide(handler, DECISION_ABSTAIN);
    cr_assert_eq(visitors_answer(passed), ERROR_OK, "a name registered nowhere abstains");
}

Test(authentication, silence_is_what_on_timeout_says)
{
    visitors_city(1, "anonymous,handler:corp,allow");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_wait_ms(2500);
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    cr_assert_eq(town_count(0, COUNTER_authenticators_silent), 1);
    town_nodes[0].config.auth_timeout_abstains = true;
    uint32_t bob = visitors_hello(0, "bob", "x");
    town_wait_ms(2500);
    cr_assert_eq(visitors_answer(bob), ERROR_OK, "the next step allows");
    visitors_decide(handler, DECISION_ALLOW); /* to the first question: too late */
    cr_assert_eq(town_count(0, COUNTER_authentication_answers_late), 1);
    cr_assert_eq(town_count(0, COUNTER_sessions_opened), 2, "handler and bob");
}

Test(authentication, answers_that_nobody_waits_for_change_nothing)
{
    visitors_city(1, "anonymous,handler:corp");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t other = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    bool is_first = town_find(handler, KIND_AUTHENTICATE, 0) != NULL;
    uint32_t asked = is_first ? handler : other, stranger = is_first ? other : handler;
    uint64_t number = town_find(asked, KIND_AUTHENTICATE, 0)->correlation;
    visitors_say_decision(stranger, number, DECISION_ALLOW, (struct span){0});
    visitors_say_decision(asked, number + 1, DECISION_ALLOW, (struct span){0});
    cr_assert_eq(visitors_answer(ada), ERROR_NOT_READY);
    visitors_say_decision(asked, number, DECISION_DENY, (struct span){0});
    visitors_say_decision(asked, number, DECISION_ALLOW, (struct span){0});
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    cr_assert_eq(town_count(0, COUNTER_authentication_answers_late), 3);
}

Test(authentication, an_answer_that_is_none_leaves_the_question_open)
{
    visitors_city(1, "anonymous,handler:corp");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    visitors_decide(handler, (enum decision_code)9);
    cr_assert_not_null(town_find(handler, KIND_ERROR, 0));
    visitors_decide_with(handler, DECISION_ALLOW, "$Roles=(bad");
    cr_assert_eq(visitors_answer(ada), ERROR_NOT_READY);
    visitors_decide(handler, DECISION_ALLOW);
    cr_assert_eq(visitors_answer(ada), ERROR_OK);
}

Test(authentication, lost_is_nothing_that_a_handler_may_say)
{
    visitors_city(1, "anonymous,handler:corp,allow");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    visitors_decide(handler, DECISION_LOST);
    cr_assert_eq(visitors_answer(ada), ERROR_NOT_READY);
    cr_assert_not_null(town_find(handler, KIND_ERROR, 0));
}

Test(authentication, a_handler_that_goes_is_replaced_once_and_then_it_is_silence)
{
    visitors_city(1, "anonymous,handler:corp,allow");
    uint32_t a = visitors_handler(0, "corp"), b = visitors_handler(0, "corp");
    uint32_t c = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    for (int i = 0; i < 2; i++) {
        uint32_t asked = visitors_whoever_was_asked((uint32_t[]){a, b, c}, 3);
        town_disconnect(asked);
        town_forget(asked);
    }
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED, "the third is not asked");
    cr_assert_eq(town_count(0, COUNTER_authenticators_asked), 2);
    cr_assert_eq(town_count(0, COUNTER_authenticators_lost), 2);
}

Test(authentication, a_handler_that_was_asked_and_is_gone_has_not_abstained)
{
    visitors_city(1, "anonymous,handler:corp,allow");
    uint32_t handler = visitors_handler(0, "corp");
    uint32_t ada = visitors_hello(0, "ada", "x");
    town_disconnect(handler);
    cr_assert_eq(visitors_answer(ada), ERROR_ACCESS_DENIED);
    cr_assert_eq(visitors_answer(visitors_hello(0, "ada", "x")), ERROR_OK,
                 "now it is registered nowhere");
}

Test(authentication, only_names_of_the_chain_can_be_registered)
{
    visitors_city(1, "anonymous,handler:corp");
    uint32_t client = town_open(0, NULL, NULL);
    cr_assert_eq(visitors_register(client, "corporate"), ERROR_INVALID_ARGUMENT);
    cr_assert_eq(visitors_register(client, "corp"), ERROR_OK);
    cr_assert_eq(visitors_register(client, "corp"), ERROR_HANDLER_CONFLICT);
    town_nodes[0].config.auth_chain = "anonymous";
    town_tell(client, MESH_RECONFIGURED);
    cr_assert_not_null(town_find(client, KIND_UNREGISTER, 0), "nobody asks for it any more");
}

/* ---- anew ---- */

Test(authentication, an_open_session_says_anew_who_it_is)
{
    visitors_city(1, "anonymous,users,deny");
    uint32_t client = town_open(0, NULL, NULL);
    visitors_reauthenticate(client, 5, "ada", "x");
    visitors_reauthenticate(client, 6, "ada", "x");
    cr_assert_eq(visitors_error(client, 6), ERROR_LIMIT_REACHED, "one at a time");
    town_check(0, MESH_PASSWORD_RIGHT, "desk");
    cr_assert_not_null(town_find(client, KIND_DONE, 5));
    cr_assert_str_eq(visitors_property(client, "$Principal"), "ada");
    cr_assert_str_eq(visitors_property(client, "$Roles"), "\"desk\"");
    visitors_reauthenticate(client, 7, "eve", "x");
    town_check(0, MESH_PASSWORD_WRONG, "");
    cr_assert_eq(visitors_error(client, 7), ERROR_ACCESS_DENIED);
    cr_assert_str_eq(visitors_property(client, "$Principal"), "ada", "nothing has changed");
    cr_assert_eq(town_nodes[0].logins_failed, 1);
}

Test(authentication, anew_takes_back_what_the_new_roles_do_not_allow)
{
    static const struct mesh_permission permissions[] = {
        {"desk", "register_handler"}, {"*", "view_session"}, {"*", "send_to_handler"}};
    town_nodes[0].config.permissions = permissions;
    town_nodes[0].config.permissions_count = 3;
    town_nodes[0].config.anonymous_roles = "desk";
    visitors_city(1, "anonymous,users");
    uint32_t client = town_open(0, NULL, NULL);
    town_register(client, "a/b");
    visitors_reauthenticate(client, 5, "ada", "x");
    town_check(0, MESH_PASSWORD_RIGHT, "");
    cr_assert_not_null(town_find(client, KIND_UNREGISTER, 0));
}

Test(authentication, a_session_that_ends_meanwhile_is_forgotten)
{
    visitors_city(1, "anonymous,users");
    uint32_t client = town_open(0, NULL, NULL);
    visitors_reauthenticate(client, 5, "ada", "x");
    town_disconnect(client);
    town_check(0, MESH_PASSWORD_RIGHT, "desk");
    cr_assert_eq(town_count(0, COUNTER_authentications_abandoned), 1);
}
