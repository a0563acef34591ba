/* test_sessions.c - who may open a session, what keeps it, what ends it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/mesh/town.h"

static void alone(void)
{
    town_begin();
    town_start(0);
    town_wait_ms(100);
}

TestSuite(sessions, .init = alone, .fini = town_end);

static const struct client_hello good = {.version_min = 1, .version_max = 1};

static enum error refusal_of(uint32_t client, const struct client_hello *hello)
{
    town_say(client, KIND_HELLO, 1, &client_hello_schema, hello, (struct span){0});
    const struct message *message = town_find(client, KIND_REFUSED, 1);
    struct client_refused refused;
    if (message == NULL)
        return ERROR_OK;
    cr_assert(town_clients[client].is_cut);
    cr_assert_eq(schema_decode(&client_refused_schema, message->fields, &refused), ERROR_OK);
    cr_assert_gt(refused.text.bytes, 0);
    return (enum error)refused.code;
}

static enum close_reason goodbye_of(uint32_t client)
{
    const struct message *message = town_find(client, KIND_GOODBYE, 0);
    struct client_goodbye goodbye;
    if (message == NULL)
        return CLOSE_REASON_NONE;
    cr_assert(town_clients[client].is_cut);
    cr_assert_eq(schema_decode(&client_goodbye_schema, message->fields, &goodbye), ERROR_OK);
    return (enum close_reason)goodbye.reason;
}

Test(sessions, are_welcomed_with_id_token_and_addresses)
{
    town_end();
    town_pair();
    uint32_t client = town_open(1, NULL, NULL);
    const struct message *message = town_find(client, KIND_WELCOME, 1);
    struct client_welcome welcome;
    cr_assert_eq(schema_decode(&client_welcome_schema, message->fields, &welcome), ERROR_OK);
    cr_assert_eq(welcome.session.instance, mesh_instance(town_nodes[1].mesh));
    cr_assert_eq(welcome.token.bytes, TOKEN_BYTES);
    cr_assert(span_equal(welcome.node, span_text("b")));
    cr_assert(span_equal(welcome.mesh, span_text("weft")));
    cr_assert_eq(welcome.reconnect_ms, 0);
    struct span rest = message->body;
    struct node_address address;
    enum error error;
    cr_assert(group_next(&node_address_schema, &rest, &address, &error));
    cr_assert(span_equal(address.address, span_text("h:20")));
    cr_assert(group_next(&node_address_schema, &rest, &address, &error));
    cr_assert(span_equal(address.address, span_text("h:10")));
    cr_assert_eq(rest.bytes, 0);
}

Test(sessions, have_ids_that_never_repeat)
{
    struct session_id seen[8];
    for (size_t i = 0; i < 8; i++) {
        uint32_t client = town_open(0, NULL, NULL);
        seen[i] = town_clients[client].session;
        for (size_t j = 0; j < i; j++)
            cr_assert_not(session_id_equal(seen[i], seen[j]));
        town_disconnect(client);
    }
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 8);
    cr_assert_eq(town_count(0, COUNTER_sessions_lost), 8);
}

Test(sessions, are_refused_for_version_mesh_and_principal)
{
    struct client_hello hello = good;
    hello.version_min = 7;
    hello.version_max = 9;
    cr_assert_eq(refusal_of(town_connect(0), &hello), ERROR_VERSION_MISMATCH);
    hello = good;
    hello.mesh = span_text("other");
    cr_assert_eq(refusal_of(town_connect(0), &hello), ERROR_WRONG_MESH);
    hello = good;
    hello.principal = span_text("admin");
    cr_assert_eq(refusal_of(town_connect(0), &hello), ERROR_ACCESS_DENIED);
    cr_assert_eq(town_count(0, COUNTER_sessions_refused), 3);
    cr_assert_eq(refusal_of(town_connect(0), &good), ERROR_OK);
}

Test(sessions, speak_any_version_that_both_know)
{
    struct client_hello hello = {.version_min = 1, .version_max = 200};
    uint32_t client = town_connect(0);
    cr_assert_eq(refusal_of(client, &hello), ERROR_OK);
    struct client_welcome welcome;
    const struct message *message = town_find(client, KIND_WELCOME, 1);
    cr_assert_eq(schema_decode(&client_welcome_schema, message->fields, &welcome), ERROR_OK);
    cr_assert_eq(welcome.version, WIRE_VERSION_MAX);
}

Test(sessions, are_sent_elsewhere_before_the_node_is_ready)
{
    town_end();
    town_begin();
    town_nodes[0].config.expect = 3;
    town_nodes[1].config.expect = 3;
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
    uint32_t client = town_connect(1);
    cr_assert_eq(refusal_of(client, &good), ERROR_NOT_READY);
    struct span rest = town_find(client, KIND_REFUSED, 1)->body;
    struct node_address address;
    enum error error;
    cr_assert(group_next(&node_address_schema, &rest, &address, &error));
    cr_assert(span_equal(address.address, span_text("h:10")));
    cr_assert_eq(rest.bytes, 0);
}

Test(sessions, beyond_the_limit_are_refused_and_room_is_made_by_closing)
{
    uint32_t first = town_open(0, NULL, NULL);
    for (int i = 1; i < 8; i++)
        town_open(0, NULL, NULL);
    cr_assert_eq(refusal_of(town_connect(0), &good), ERROR_LIMIT_REACHED);
    town_disconnect(first);
    cr_assert_eq(refusal_of(town_connect(0), &good), ERROR_OK);
}

Test(sessions, of_an_address_with_too_many_are_refused_in_words)
{
    uint32_t before = town_open(0, NULL, NULL);
    town_excess = MESH_EXCESS_CLIENTS;
    cr_assert_eq(refusal_of(town_connect(0), &good), ERROR_LIMIT_REACHED);
    town_excess = MESH_EXCESS_CONNECTS;
    cr_assert_eq(refusal_of(town_connect(0), &good), ERROR_LIMIT_REACHED);
    cr_assert_eq(town_count(0, COUNTER_sessions_refused_address), 1);
    cr_assert_eq(town_count(0, COUNTER_sessions_refused_rate), 1);
    town_say(before, KIND_PING, 9, NULL, NULL, (struct span){0});
    cr_assert_not_null(town_find(before, KIND_PONG, 9), "who is there stays");
    town_excess = MESH_EXCESS_NONE;
    cr_assert_eq(refusal_of(town_connect(0), &good), ERROR_OK);
}

Test(sessions, begin_with_hello_or_not_at_all)
{
    uint32_t client = town_connect(0);
    town_say(client, KIND_PING, 1, NULL, NULL, (struct span){0});
    cr_assert(town_clients[client].is_cut);
    cr_assert_eq(town_clients[client].letters_count, 0);
    cr_assert_eq(town_count(0, COUNTER_client_frames_bad), 1);
}

Test(sessions, that_say_nonsense_three_times_in_ten_seconds_are_closed)
{
    uint32_t client = town_open(0, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        town_say(client, KIND_HELLO, 7, &client_hello_schema, &good, (struct span){0});
        town_wait_ms(6000); /* three in 12 s are forgiven */
    }
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_NONE);
    town_say(client, KIND_REQUEST, 8, NULL, NULL, (struct span){0});
    town_say(client, KIND_WELCOME, 9, NULL, NULL, (struct span){0});
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_INVALID_MESSAGE);
    cr_assert_eq(town_letters(client, KIND_ERROR), 5);
}

Test(sessions, are_closed_for_a_frame_that_cannot_be_taken_apart)
{
    uint32_t client = town_open(0, NULL, NULL);
    struct envelope envelope = {.version = 1, .channel = CHANNEL_CLIENT};
    uint8_t frame[ENVELOPE_CLIENT_BYTES + MESSAGE_HEADER_BYTES + 7];
    struct writer writer;
    writer_init(&writer, frame, sizeof frame);
    envelope_encode(&envelope, &writer);
    message_encode(NULL, NULL, KIND_PING, 0, 1, 0, &writer);
    memset(writer.next, 1, writer.left);
    town_say_bytes(client, frame, sizeof frame);
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_INVALID_MESSAGE);
    cr_assert_eq(town_letters(client, KIND_PONG), 0); /* nothing of such a frame is used */
    cr_assert_eq(town_count(0, COUNTER_client_frames_bad), 1);
}

Test(sessions, are_closed_for_a_message_beyond_one_mebibyte)
{
    uint32_t client = town_open(0, NULL, NULL);
    uint8_t *body = calloc(1, CLIENT_MESSAGE_BYTES_MAX);
    town_say(client, KIND_PING, 1, NULL, NULL, span_of(body, CLIENT_MESSAGE_BYTES_MAX));
    free(body);
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_MESSAGE_TOO_LARGE);
}

Test(sessions, of_unknown_kinds_answer_only_if_an_answer_is_wanted)
{
    uint32_t client = town_open(0, NULL, NULL);
    town_say(client, (enum kind)200, 5, NULL, NULL, (struct span){0});
    const struct message *message = town_find(client, KIND_ERROR, 5);
    struct client_error error;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &error), ERROR_OK);
    cr_assert_eq(error.code, ERROR_VERSION_MISMATCH);
    cr_assert_eq(town_count(0, COUNTER_kinds_unknown), 1);
}

Test(sessions, answer_ping_and_ping_a_silent_client_before_they_give_it_up)
{
    uint32_t client = town_open(0, NULL, NULL);
    town_say(client, KIND_PING, 9, NULL, NULL, (struct span){0});
    cr_assert_not_null(town_find(client, KIND_PONG, 9));
    town_wait_ms(31000);
    cr_assert_eq(town_letters(client, KIND_PING), 1);
    town_say(client, KIND_PONG, 0, NULL, NULL, (struct span){0});
    town_wait_ms(80000);
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_NONE);
    town_wait_ms(15000);
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_CONNECTION_LOST);
}

Test(sessions, end_with_the_clients_own_goodbye)
{
    uint32_t client = town_open(0, NULL, NULL);
    struct client_goodbye goodbye = {.reason = CLOSE_REASON_CLOSED_BY_CLIENT};
    town_say(client, KIND_GOODBYE, 0, &client_goodbye_schema, &goodbye, (struct span){0});
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_CLOSED_BY_CLIENT);
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 1);
}

Test(sessions, whose_queue_overflows_are_closed)
{
    town_end();
    town_begin();
    town_nodes[0].config.session_queue_messages = 4;
    town_start(0);
    town_wait_ms(100);
    uint32_t client = town_open(0, NULL, NULL);
    town_tell(client, MESH_CONNECTION_FULL);
    for (int i = 0; i < 5; i++)
        town_say(client, KIND_PING, 1, NULL, NULL, (struct span){0});
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_QUEUE_LIMIT_REACHED);
    cr_assert_eq(town_letters(client, KIND_PONG), 0);
}

Test(sessions, whose_key_was_taken_away_end_at_once_and_cannot_be_resumed)
{
    uint32_t client = town_open(0, NULL, NULL);
    town_tell(client, MESH_CONNECTION_REVOKED);
    cr_assert_eq(goodbye_of(client), CLOSE_REASON_ACCESS_DENIED);
    cr_assert(town_clients[client].is_cut);
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 1);
    uint32_t stranger = town_connect(0); /* its HELLO had not come yet */
    town_tell(stranger, MESH_CONNECTION_REVOKED);
    cr_assert(town_clients[stranger].is_cut);
}

Test(sessions, get_no_more_than_they_granted)
{
    uint32_t handler = town_open(0, NULL, NULL), caller = town_open(0, NULL, NULL);
    town_register(handler, "a");
    struct client_grant grant = {.messages_limit = 3, .bytes_limit = 100000}; /* one was DONE */
    town_say(handler, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
    for (uint64_t i = 1; i <= 4; i++)
        town_request(caller, i, "a", "x");
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 2);
    grant.received_seq = 3;
    grant.messages_limit = 1;
    town_say(handler, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 3);
    grant.received_seq = 77; /* it cannot have received what was never sent */
    town_say(handler, KIND_GRANT, 5, &client_grant_schema, &grant, (struct span){0});
    cr_assert_null(town_find(handler, KIND_ERROR, 5), "an answer needs credit as well");
    town_say(handler, KIND_PING, 6, NULL, NULL, (struct span){0});
    cr_assert_not_null(town_find(handler, KIND_PONG, 6), "but a sign of life does not");
    grant.received_seq = 4;
    grant.messages_limit = 2;
    town_say(handler, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
    cr_assert_eq(town_letters(handler, KIND_REQUEST), 4);
    cr_assert_not_null(town_find(handler, KIND_ERROR, 5));
}
