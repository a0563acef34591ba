/* test_resuming.c - a session outlives its connection: nothing is lost, nothing comes twice, and
 * nobody else gets it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/mesh/town.h"

enum { RECONNECT_MS = 20000, QUEUE_MESSAGES = 32 };

static void alone(void)
{
    town_begin();
    town_nodes[0].config.session_queue_messages = QUEUE_MESSAGES;
    town_nodes[0].config.requests_in_flight_max = 64;
    town_start(0);
    town_wait_ms(100);
}

TestSuite(resuming, .init = alone, .fini = town_end);

/* What a client remembers of its session. */
struct memory_of_client {
    uint32_t connection;
    struct session_id session;
    uint8_t token[TOKEN_BYTES];
    uint64_t received; /* numbered messages, as the client counts them */
};

static struct client_welcome welcome_of(uint32_t connection)
{
    const struct message *message = town_find(connection, KIND_WELCOME, 1);
    struct client_welcome welcome;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_welcome_schema, message->fields, &welcome), ERROR_OK);
    return welcome;
}

static struct memory_of_client open_lasting(uint32_t node, uint32_t reconnect_ms)
{
    struct memory_of_client mine = {.connection = town_connect(node)};
    struct client_hello hello = {.version_min = 1, .version_max = 1, .reconnect_ms = reconnect_ms};
    town_say(mine.connection, KIND_HELLO, 1, &client_hello_schema, &hello, (struct span){0});
    struct client_welcome welcome = welcome_of(mine.connection);
    cr_assert_eq(welcome.token.bytes, TOKEN_BYTES);
    memcpy(mine.token, welcome.token.data, TOKEN_BYTES);
    mine.session = welcome.session;
    return mine;
}

/* Counts what came, and forgets it: the next look starts afresh. */
static void receive_all(struct memory_of_client *mine)
{
    const struct town_client *client = &town_clients[mine->connection];
    for (size_t i = 0; i < client->letters_count; i++)
        mine->received += kind_is_numbered(client->letters[i].message.kind);
    town_forget(mine->connection);
}

/* HELLO over a new connection; the answer is there afterwards. */
static void come_back(struct memory_of_client *mine, uint32_t node)
{
    struct client_hello hello = {
        .version_min = 1,
        .version_max = 1,
        .session = mine->session,
        .token = span_of(mine->token, TOKEN_BYTES),
        .received_seq = mine->received,
    };
    mine->connection = town_connect(node);
    town_say(mine->connection, KIND_HELLO, 1, &client_hello_schema, &hello, (struct span){0});
}

static enum error refusal(uint32_t connection, const char **text)
{
    static char words[512];
    const struct message *message = town_find(connection, KIND_REFUSED, 1);
    struct client_refused refused;
    cr_assert_not_null(message);
    cr_assert(town_clients[connection].is_cut);
    cr_assert_eq(schema_decode(&client_refused_schema, message->fields, &refused), ERROR_OK);
    cr_assert_lt(refused.text.bytes, sizeof words);
    memcpy(words, refused.text.data, refused.text.bytes);
    words[refused.text.bytes] = '\0';
    *text = words;
    return (enum error)refused.code;
}

static struct client_goodbye goodbye_of(uint32_t connection)
{
    const struct message *message = town_find(connection, KIND_GOODBYE, 0);
    struct client_goodbye goodbye = {0};
    if (message != NULL)
        cr_assert_eq(schema_decode(&client_goodbye_schema, message->fields, &goodbye), ERROR_OK);
    return goodbye;
}

Test(resuming, gives_the_session_back_with_its_id)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    cr_assert_eq(welcome_of(mine.connection).reconnect_ms, RECONNECT_MS);
    town_disconnect(mine.connection);
    cr_assert_eq(town_count(0, COUNTER_sessions_disconnected), 1);
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 0);
    town_wait_ms(RECONNECT_MS - 100);
    come_back(&mine, 0);
    struct client_welcome welcome = welcome_of(mine.connection);
    cr_assert(session_id_equal(welcome.session, mine.session));
    cr_assert(welcome.recovered);
    cr_assert_eq(welcome.token.bytes, 0, "the first token stays good");
    cr_assert_eq(town_count(0, COUNTER_sessions_resumed), 1);
    town_wait_ms(2 * RECONNECT_MS);
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 0, "the old time is forgotten");
    town_say(mine.connection, KIND_PING, 5, NULL, NULL, (struct span){0});
    cr_assert_not_null(town_find(mine.connection, KIND_PONG, 5));
}

Test(resuming, grants_no_more_time_than_is_configured_and_none_to_who_wants_none)
{
    struct memory_of_client mine = open_lasting(0, UINT32_MAX);
    cr_assert_eq(welcome_of(mine.connection).reconnect_ms,
                 town_nodes[0].config.session_reconnect_ms);
    struct memory_of_client short_lived = open_lasting(0, 0);
    cr_assert_eq(welcome_of(short_lived.connection).reconnect_ms, 0);
    town_disconnect(short_lived.connection);
    cr_assert_eq(town_count(0, COUNTER_sessions_lost), 1);
    const char *text;
    come_back(&short_lived, 0);
    cr_assert_eq(refusal(short_lived.connection, &text), ERROR_NO_SUCH_SESSION);
}

Test(resuming, comes_too_late_when_the_time_has_passed)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    town_disconnect(mine.connection);
    town_wait_ms(RECONNECT_MS + 100);
    cr_assert_eq(town_count(0, COUNTER_sessions_lost), 1);
    const char *text;
    come_back(&mine, 0);
    cr_assert_eq(refusal(mine.connection, &text), ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 1, "said once");
}

Test(resuming, refuses_a_wrong_token_as_it_refuses_an_unknown_id)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS), thief = mine;
    const char *text;
    char first[512];
    thief.token[31] ^= 1;
    come_back(&thief, 0);
    cr_assert_eq(refusal(thief.connection, &text), ERROR_NO_SUCH_SESSION);
    memcpy(first, text, strlen(text) + 1);
    thief = mine;
    thief.session.serial ^= 1;
    come_back(&thief, 0);
    cr_assert_eq(refusal(thief.connection, &text), ERROR_NO_SUCH_SESSION);
    cr_assert_str_eq(text, first);
    thief = mine;
    thief.received = 1;
    thief.token[0] ^= 0x80;
    come_back(&thief, 0);
    cr_assert_eq(refusal(thief.connection, &text), ERROR_NO_SUCH_SESSION, "not INVALID_MESSAGE");
    cr_assert_eq(town_count(0, COUNTER_sessions_not_resumed), 3);
    cr_assert_not(town_clients[mine.connection].is_cut, "and the session is not touched");
    town_say(mine.connection, KIND_PING, 5, NULL, NULL, (struct span){0});
    cr_assert_not_null(town_find(mine.connection, KIND_PONG, 5));
    thief = mine;
    thief.received = 1;
    come_back(&thief, 0);
    cr_assert_eq(refusal(thief.connection, &text), ERROR_INVALID_MESSAGE, "his, but impossible");
    cr_assert_not(town_clients[mine.connection].is_cut);
}

Test(resuming, takes_over_from_a_connection_that_still_looks_alive)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    uint32_t before = mine.connection;
    come_back(&mine, 0);
    cr_assert(welcome_of(mine.connection).recovered);
    cr_assert(town_clients[before].is_cut);
    cr_assert_eq(goodbye_of(before).reason, 0, "the session is not over");
    town_say(before, KIND_PING, 5, NULL, NULL, (struct span){0});
    cr_assert_null(town_find(before, KIND_PONG, 5), "late frames are ignored");
    town_disconnect(before);
    town_say(mine.connection, KIND_PING, 6, NULL, NULL, (struct span){0});
    cr_assert_not_null(town_find(mine.connection, KIND_PONG, 6));
    cr_assert_eq(town_count(0, COUNTER_sessions_disconnected), 0);
}

Test(resuming, sends_again_what_was_not_received_and_nothing_else)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    uint32_t handler = town_open(0, NULL, NULL);
    town_register(handler, "a");
    for (uint64_t i = 1; i <= 6; i++)
        town_request(mine.connection, i, "a", "x");
    uint64_t numbers[6];
    for (size_t i = 0, found = 0; found < 6; i++) {
        const struct message *message = &town_clients[handler].letters[i].message;
        if (message->kind == KIND_REQUEST)
            numbers[found++] = message->correlation;
    }
    town_respond(handler, numbers[0], "one");
    town_respond(handler, numbers[1], "two");
    receive_all(&mine);
    cr_assert_eq(mine.received, 2);
    town_respond(handler, numbers[2], "three"); /* sent, and lost on the way */
    town_forget(mine.connection);
    town_disconnect(mine.connection);
    town_respond(handler, numbers[3], "four"); /* while nobody is there */
    come_back(&mine, 0);
    struct client_welcome welcome = welcome_of(mine.connection);
    cr_assert(welcome.recovered);
    cr_assert_eq(welcome.resumed_seq, 2);
    cr_assert_eq(welcome.received_seq, 6, "all requests had arrived");
    cr_assert_eq(town_clients[mine.connection].letters[0].message.kind, KIND_WELCOME);
    cr_assert_eq(town_letters(mine.connection, KIND_RESPONSE), 2);
    cr_assert_eq(town_outcome(mine.connection, 3), ERROR_OK);
    cr_assert(span_equal(town_find(mine.connection, KIND_RESPONSE, 3)->body, span_text("three")));
    cr_assert(span_equal(town_find(mine.connection, KIND_RESPONSE, 4)->body, span_text("four")));
    receive_all(&mine);
    cr_assert_eq(mine.received, 4);
    town_respond(handler, numbers[4], "five");
    town_respond(handler, numbers[5], "six");
    receive_all(&mine);
    come_back(&mine, 0);
    cr_assert_eq(town_letters(mine.connection, KIND_RESPONSE), 0, "nothing was missing");
    cr_assert(welcome_of(mine.connection).recovered);
}

Test(resuming, sends_again_as_often_as_the_connection_breaks)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    for (uint64_t i = 1; i <= 3; i++)
        town_request(mine.connection, i, "nobody", "x");
    for (int round = 0; round < 3; round++) {
        town_disconnect(mine.connection);
        come_back(&mine, 0); /* received nothing, ever */
        cr_assert(welcome_of(mine.connection).recovered);
        cr_assert_eq(town_letters(mine.connection, KIND_RESPONSE), 3);
    }
}

Test(resuming, says_that_something_is_lost_when_there_was_no_room_to_hold_it)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    for (uint64_t i = 1; i <= 100; i++) {
        town_request(mine.connection, i, "nobody", "x");
        town_forget(mine.connection);
    }
    town_disconnect(mine.connection);
    come_back(&mine, 0);
    struct client_welcome welcome = welcome_of(mine.connection);
    cr_assert_not(welcome.recovered);
    cr_assert_eq(welcome.resumed_seq, 100 - QUEUE_MESSAGES);
    cr_assert_eq(town_count(0, COUNTER_sessions_unrecovered), 1);
    cr_assert_null(town_find(mine.connection, KIND_RESPONSE, 100 - QUEUE_MESSAGES));
    cr_assert_eq(town_letters(mine.connection, KIND_RESPONSE), QUEUE_MESSAGES);
    mine.received = welcome.resumed_seq;
    receive_all(&mine);
    cr_assert_eq(mine.received, 100, "and both count alike again");
}

Test(resuming, lets_go_of_what_the_client_has_acknowledged)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    for (uint64_t i = 1; i <= 200; i++) {
        town_request(mine.connection, i, "nobody", "x");
        receive_all(&mine);
        struct client_grant grant = {
            .received_seq = mine.received, .messages_limit = 100, .bytes_limit = 100000};
        town_say(mine.connection, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
    }
    town_disconnect(mine.connection);
    come_back(&mine, 0);
    cr_assert(welcome_of(mine.connection).recovered);
    cr_assert_eq(town_letters(mine.connection, KIND_RESPONSE), 0);
}

Test(resuming, tells_the_client_how_far_its_own_messages_came)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    struct client_grant grant;
    for (uint64_t i = 1; i <= 127; i++) {
        town_request(mine.connection, i, "nobody", "x");
        receive_all(&mine);
    }
    town_request(mine.connection, 128, "nobody", "x");
    const struct message *message = town_find(mine.connection, KIND_GRANT, 0);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_grant_schema, message->fields, &grant), ERROR_OK);
    cr_assert_eq(grant.received_seq, 128);
    uint32_t plain = town_open(0, NULL, NULL); /* not to be resumed: nothing to acknowledge */
    for (uint64_t i = 1; i <= 200; i++) {
        town_request(plain, i, "nobody", "x");
        cr_assert_null(town_find(plain, KIND_GRANT, 0));
        town_forget(plain);
    }
}

Test(resuming, keeps_registrations_and_is_skipped_as_a_handler_meanwhile)
{
    struct memory_of_client first = open_lasting(0, RECONNECT_MS);
    uint32_t second = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(first.connection, "a");
    town_register(second, "a");
    receive_all(&first);
    town_disconnect(first.connection);
    for (uint64_t i = 1; i <= 8; i++)
        town_request(caller, i, "a", "x");
    cr_assert_eq(town_letters(second, KIND_REQUEST), 8);
    town_disconnect(second); /* its session ends with it: only the absent one is left */
    town_request(caller, 20, "a", "x");
    come_back(&first, 0);
    cr_assert_eq(town_letters(first.connection, KIND_REQUEST), 1);
    town_respond(first.connection, town_find(first.connection, KIND_REQUEST, 0)->correlation, "y");
    cr_assert_eq(town_outcome(caller, 20), ERROR_OK);
}

Test(resuming, of_a_session_closed_meanwhile_is_refused)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    uint32_t other = town_open(0, NULL, NULL);
    town_disconnect(mine.connection);
    struct command close = {.verb = COMMAND_CLOSE, .session = mine.session};
    cr_assert_eq(town_command(other, &close, 9).code, ERROR_OK);
    const char *text;
    come_back(&mine, 0);
    cr_assert_eq(refusal(mine.connection, &text), ERROR_NO_SUCH_SESSION);
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 1);
    cr_assert_eq(town_count(0, COUNTER_sessions_lost), 0, "one reason, the first");
}

Test(resuming, fills_the_queue_meanwhile_up_to_its_limit)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    uint32_t callers[2] = {town_open(0, NULL, NULL), town_open(0, NULL, NULL)};
    town_register(mine.connection, "a");
    town_disconnect(mine.connection);
    for (uint64_t i = 1; i <= 40; i++)
        town_request(callers[i % 2], i, "a", "x");
    size_t overloaded = 0;
    for (uint64_t i = 1; i <= 40; i++) {
        if (town_find(callers[i % 2], KIND_RESPONSE, i) != NULL)
            overloaded += town_outcome(callers[i % 2], i) == ERROR_OVERLOADED;
    }
    cr_assert_eq(overloaded, 40 - QUEUE_MESSAGES, "%zu", overloaded);
    mine.received = 1; /* DONE */
    come_back(&mine, 0);
    cr_assert_eq(town_letters(mine.connection, KIND_REQUEST), QUEUE_MESSAGES);
}

Test(resuming, is_what_a_silent_client_is_left_after_ninety_seconds)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    town_wait_ms(91000);
    cr_assert(town_clients[mine.connection].is_cut);
    cr_assert_eq(town_count(0, COUNTER_sessions_disconnected), 1);
    come_back(&mine, 0);
    cr_assert(welcome_of(mine.connection).recovered);
    town_disconnect(mine.connection);
    town_wait_ms(RECONNECT_MS + 1000);
    cr_assert_eq(town_count(0, COUNTER_sessions_lost), 1);
}

Test(resuming, shows_the_state_to_the_whole_mesh)
{
    town_end();
    town_pair();
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    uint32_t near = town_open(1, NULL, NULL), far = town_open(1, NULL, NULL);
    town_register(mine.connection, "a");
    town_register(near, "a/b");
    receive_all(&mine);
    town_disconnect(mine.connection);
    town_wait_ms(500);
    struct command list = {.verb = COMMAND_HANDLERS};
    town_say(far, KIND_COMMAND, 5, &command_schema, &list, (struct span){0});
    const struct message *message = town_find(far, KIND_RESULT, 5);
    cr_assert_not_null(message);
    struct span rest = message->body;
    struct handler_row row;
    enum error error;
    size_t disconnected = 0;
    while (group_next(&handler_row_schema, &rest, &row, &error))
        disconnected += row.state == SESSION_DISCONNECTED && span_equal(row.path, span_text("a"));
    cr_assert_eq(disconnected, 1);
    come_back(&mine, 0);
    town_wait_ms(500);
    town_request(far, 6, "a", "x");
    cr_assert_eq(town_letters(mine.connection, KIND_REQUEST), 1);
}

Test(resuming, does_not_give_a_request_to_two_handlers)
{
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    uint32_t caller = town_open(0, NULL, NULL);
    town_register(mine.connection, "a");
    town_request(caller, 1, "a", "x");
    cr_assert_eq(town_letters(mine.connection, KIND_REQUEST), 1);
    town_disconnect(mine.connection);
    uint32_t other = town_open(0, NULL, NULL);
    town_register(other, "a");
    mine.received = 0;
    come_back(&mine, 0);
    town_tell(mine.connection, MESH_CONNECTION_FULL); /* before it could be sent again, or not */
    town_say(mine.connection, KIND_GOODBYE, 0, &client_goodbye_schema,
             &(struct client_goodbye){.reason = CLOSE_REASON_CLOSED_BY_CLIENT}, (struct span){0});
    cr_assert_eq(town_letters(other, KIND_REQUEST), 0, "it may have been executed");
    cr_assert_eq(town_outcome(caller, 1), ERROR_HANDLER_LOST);
}

Test(resuming, goes_on_under_keys_of_the_same_owner_only)
{
    static const char *const others[] = {"bob", NULL};
    const char *text;
    town_client_owner = "ann";
    struct memory_of_client mine = open_lasting(0, RECONNECT_MS);
    town_disconnect(mine.connection);
    for (size_t i = 0; i < 2; i++) {
        town_client_owner = others[i];
        come_back(&mine, 0);
        cr_assert_eq(refusal(mine.connection, &text), ERROR_NO_SUCH_SESSION);
        cr_assert_not_null(strstr(text, "key"));
    }
    cr_assert_eq(town_count(0, COUNTER_sessions_not_resumed), 2);
    town_client_owner = "ann";
    come_back(&mine, 0);
    cr_assert(session_id_equal(welcome_of(mine.connection).session, mine.session));
}
