/* test_outbox.c - what leaves, in which order, in how many frames; one claim a test. What holds
 * for any sequence of calls is in test_outbox_model.c. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "mesh/base/waiting.h"
#include "proto/client.h"
#include "proto/kinds.h"
#include "tests/unit/mesh/base/queues.h"

static const struct envelope to_client = {.version = 1, .channel = CHANNEL_CLIENT};
static const struct envelope to_peer = {
    .version = 1, .channel = CHANNEL_FORWARD, .mesh = 1, .sender = 2, .receiver = 3};
static uint8_t bulk[3 * 1024 * 1024];

static struct memory memory;
static struct outbox *outbox;
static struct outbound first, second;
static struct frame frame;

static void set_up(void)
{
    memory = (struct memory){.limit = {[MEMORY_TABLES] = 16 << 20, [MEMORY_QUEUES] = 16 << 20}};
    outbox = outbox_new(&memory);
    outbound_init(&first, outbox, MESH_REPLY, 11, &to_client, 100, sizeof bulk);
    outbound_init(&second, outbox, MESH_SEND, 22, &to_peer, 100, sizeof bulk);
}

static void tear_down(void)
{
    outbound_clear(&first);
    outbound_clear(&second);
    outbox_destroy(&outbox);
    cr_assert_null(outbox);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
}

TestSuite(outbox, .init = set_up, .fini = tear_down);

Test(outbox, puts_all_of_one_destination_into_one_frame)
{
    for (uint64_t i = 1; i <= 3; i++)
        cr_assert_eq(message_send(&first, i, span_text("body")), ERROR_OK);
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    cr_assert_eq(output.connection, 11);
    cr_assert_eq(output.channel, CHANNEL_CLIENT);
    cr_assert_eq(output.bytes, ENVELOPE_CLIENT_BYTES + 3 * (MESSAGE_HEADER_BYTES + 4));
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, 3);
    cr_assert_eq(frame.messages[2].correlation, 3);
    cr_assert(span_equal(frame.messages[2].body, span_text("body")));
    frame_free(&frame);
    end_expect(outbox);
    cr_assert_eq(first.queued_total, 3);
    cr_assert_eq(first.sent_total, 3);
    cr_assert(!outbox_has_more(outbox));
}

Test(outbox, encodes_fields_and_passes_encoded_ones_on)
{
    const struct client_error error = {.code = ERROR_NOT_READY, .text = span_text("later")};
    uint8_t fields[64];
    struct writer writer;
    writer_init(&writer, fields, sizeof fields);
    schema_encode(&client_error_schema, &error, &writer);
    struct span encoded = span_of(fields, sizeof fields - writer.left);
    struct outgoing message = {.kind = KIND_ERROR,
                               .flags = MESSAGE_WANTS_ANSWER,
                               .schema = &client_error_schema,
                               .fields = &error};
    cr_assert_eq(outbound_send(&first, &message), ERROR_OK);
    message.schema = NULL;
    message.encoded_fields = encoded;
    cr_assert_eq(outbound_send(&first, &message), ERROR_OK);
    memset(fields, 0, sizeof fields); /* heads are encoded at once */
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    for (uint32_t i = 0; i < 2; i++) {
        struct client_error decoded;
        cr_assert_eq(schema_decode(&client_error_schema, frame.messages[i].fields, &decoded),
                     ERROR_OK);
        cr_assert_eq(decoded.code, ERROR_NOT_READY);
        cr_assert(span_equal(decoded.text, span_text("later")));
        cr_assert_eq(frame.messages[i].flags, MESSAGE_WANTS_ANSWER);
    }
    frame_free(&frame);
}

Test(outbox, counts_frames_in_the_envelope_and_what_left_by_channel)
{
    for (uint64_t i = 1; i <= 3; i++) {
        message_send(&second, i, (struct span){0});
        struct mesh_output output = output_expect(outbox, MESH_SEND);
        frame_take(outbox, &output, &frame);
        cr_assert_eq(frame.envelope.sequence, i);
        cr_assert_eq(frame.envelope.receiver, 3);
        frame_free(&frame);
        end_expect(outbox);
    }
    const struct outbox_totals *totals = outbox_totals(outbox);
    cr_assert_eq(totals->frames[CHANNEL_FORWARD], 3);
    cr_assert_eq(totals->messages[CHANNEL_FORWARD], 3);
    cr_assert_eq(totals->bytes[CHANNEL_FORWARD], 3 * (ENVELOPE_PEER_BYTES + MESSAGE_HEADER_BYTES));
    cr_assert_eq(totals->frames[CHANNEL_CLIENT], 0);
}

Test(outbox, cuts_a_frame_at_the_aim_and_gives_the_rest_with_the_next_pull)
{
    for (uint64_t i = 0; i < 5; i++)
        message_send(&first, i, span_of(bulk, 30 * 1024));
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 2);
    end_expect(outbox);
    cr_assert(outbox_has_more(outbox));
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 2);
    end_expect(outbox);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
    cr_assert(!outbox_has_more(outbox));
    end_expect(outbox);
}

Test(outbox, fills_a_frame_to_the_last_byte_of_the_aim)
{
    size_t most = CLIENT_FRAME_BYTES_AIM - ENVELOPE_CLIENT_BYTES - MESSAGE_HEADER_BYTES;
    message_send(&first, 1, span_of(bulk, most - MESSAGE_HEADER_BYTES));
    message_send(&first, 2, (struct span){0});
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 2);
    end_expect(outbox);
    message_send(&first, 1, span_of(bulk, most - MESSAGE_HEADER_BYTES + 1));
    message_send(&first, 2, (struct span){0});
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
    end_expect(outbox);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
}

Test(outbox, gives_a_message_beyond_the_aim_a_frame_of_its_own)
{
    message_send(&first, 1, span_of(bulk, 1024 * 1024));
    message_send(&first, 2, (struct span){0});
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
    end_expect(outbox);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
}

Test(outbox, serves_destinations_in_turn)
{
    message_send(&second, 1, (struct span){0});
    message_send(&first, 1, span_of(bulk, 60 * 1024));
    message_send(&first, 2, span_of(bulk, 60 * 1024));
    frame_expect(outbox, MESH_SEND, 22);
    frame_expect(outbox, MESH_REPLY, 11);
    message_send(&second, 2, (struct span){0}); /* it had its frame in this pull */
    end_expect(outbox);
    frame_expect(outbox, MESH_REPLY, 11);
    frame_expect(outbox, MESH_SEND, 22);
    end_expect(outbox);
}

Test(outbox, skips_a_blocked_destination_and_keeps_its_bodies)
{
    uint8_t *body = malloc(5);
    memcpy(body, "hello", 5);
    outbound_block(&first);
    message_send(&first, 1, span_of(body, 5));
    end_expect(outbox);
    memset(body, 'x', 5);
    free(body);
    cr_assert(!outbox_has_more(outbox));
    message_send(&first, 2, span_text("world"));
    outbound_unblock(&first);
    cr_assert(outbox_has_more(outbox));
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    cr_assert(span_equal(frame.messages[0].body, span_text("hello")));
    cr_assert(span_equal(frame.messages[1].body, span_text("world")));
    frame_free(&frame);
}

Test(outbox, refuses_beyond_the_limits_of_a_queue_with_nothing_queued)
{
    outbound_init(&first, outbox, MESH_REPLY, 11, &to_client, 2, 100);
    cr_assert_eq(message_send(&first, 1, span_of(bulk, 85)), ERROR_LIMIT_REACHED, "bytes");
    cr_assert_eq(message_send(&first, 2, span_of(bulk, 50)), ERROR_OK);
    cr_assert_eq(message_send(&first, 3, span_of(bulk, 19)), ERROR_LIMIT_REACHED, "bytes");
    cr_assert_eq(message_send(&first, 4, span_of(bulk, 18)), ERROR_OK);
    cr_assert_eq(message_send(&first, 5, (struct span){0}), ERROR_LIMIT_REACHED, "messages");
    cr_assert_eq(first.messages, 2);
    cr_assert_eq(first.bytes, 100);
    cr_assert_eq(first.queued_total, 2);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 2);
}

Test(outbox, refuses_what_no_frame_of_the_channel_can_hold)
{
    size_t most = CLIENT_FRAME_BYTES_MAX - ENVELOPE_CLIENT_BYTES - MESSAGE_HEADER_BYTES;
    cr_assert_eq(message_send(&first, 1, span_of(bulk, most + 1)), ERROR_LIMIT_REACHED);
    cr_assert_eq(message_send(&first, 1, span_of(bulk, most)), ERROR_OK);
    struct outgoing message = {.kind = KIND_PING,
                               .encoded_fields = span_of(bulk, MESSAGE_FIELDS_BYTES_MAX + 1)};
    cr_assert_eq(outbound_send(&second, &message), ERROR_LIMIT_REACHED);
    message.encoded_fields.bytes--;
    cr_assert_eq(outbound_send(&second, &message), ERROR_OK);
    frame_expect(outbox, MESH_REPLY, 11);
    frame_expect(outbox, MESH_SEND, 22);
}

Test(outbox, refuses_when_the_memory_of_all_queues_is_used)
{
    memory.limit[MEMORY_QUEUES] = 100 * 1024;
    cr_assert_eq(message_send(&first, 1, span_of(bulk, 60 * 1024)), ERROR_OK);
    cr_assert_eq(message_send(&second, 1, span_of(bulk, 60 * 1024)), ERROR_LIMIT_REACHED);
    cr_assert_eq(second.messages, 0);
    frame_expect(outbox, MESH_REPLY, 11);
    end_expect(outbox);
    cr_assert_eq(message_send(&second, 1, span_of(bulk, 60 * 1024)), ERROR_OK);
    frame_expect(outbox, MESH_SEND, 22);
}

Test(outbox, gives_spare_blocks_up_before_it_refuses)
{
    outbound_block(&second);
    for (uint64_t i = 0; i < 100; i++)
        message_send(&second, i, (struct span){0});
    outbound_drop_all(&second);
    uint64_t spare = memory.used[MEMORY_QUEUES];
    cr_assert_gt(spare, 0);
    memory.limit[MEMORY_QUEUES] = spare + 8192;
    cr_assert_eq(message_send(&first, 1, span_of(bulk, 8192)), ERROR_OK);
    frame_expect(outbox, MESH_REPLY, 11);
}

Test(outbox, in_steady_traffic_takes_no_new_memory)
{
    for (int round = 0; round < 1000; round++) {
        for (uint64_t i = 0; i < 90; i++) {
            cr_assert_eq(message_send(&first, i, span_of(bulk, 100)), ERROR_OK);
            cr_assert_eq(message_send(&second, i, span_of(bulk, 100)), ERROR_OK);
        }
        if (round == 0)
            memory.limit[MEMORY_QUEUES] = memory.used[MEMORY_QUEUES];
        frame_expect(outbox, MESH_REPLY, 11);
        frame_expect(outbox, MESH_SEND, 22);
        end_expect(outbox);
        cr_assert(chain_is_empty(&first.chain), "a queue without traffic holds no block");
    }
}

Test(outbox, tells_which_messages_have_left)
{
    message_send(&second, 1, (struct span){0});
    frame_expect(outbox, MESH_SEND, 22);
    end_expect(outbox);
    outbound_block(&second);
    message_send(&second, 2, span_text("two"));
    message_send(&second, 3, (struct span){0});
    cr_assert_eq(second.queued_total, 3);
    cr_assert_eq(second.sent_total, 1);
    struct waiting place = {0};
    struct message message;
    cr_assert(waiting_next(&second, &place, &message));
    cr_assert_eq(message.correlation, 2);
    cr_assert(span_equal(message.body, span_text("two")));
    cr_assert(waiting_next(&second, &place, &message));
    cr_assert_eq(message.correlation, 3);
    cr_assert(!waiting_next(&second, &place, &message));
    outbound_drop_all(&second);
    cr_assert_eq(second.sent_total, 3);
    cr_assert_eq(second.bytes, 0);
    outbound_unblock(&second);
    end_expect(outbox);
}

static void charged_send(uint64_t correlation, size_t body_bytes)
{
    const struct outgoing message = {.kind = KIND_RESPONSE,
                                     .correlation = correlation,
                                     .body = span_of(bulk, body_bytes),
                                     .consumes_credit = true};
    cr_assert_eq(outbound_send(&first, &message), ERROR_OK);
}

Test(outbox, without_credit_keeps_what_consumes_it_and_all_behind)
{
    outbound_grant(&first, 2, UINT64_MAX);
    message_send(&first, 1, span_text("control"));
    for (uint64_t i = 2; i <= 4; i++)
        charged_send(i, 10);
    message_send(&first, 5, span_text("control"));
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 3);
    end_expect(outbox);
    cr_assert(!outbox_has_more(outbox));
    cr_assert_eq(first.credit_messages_sent, 2);
    cr_assert_eq(first.credit_bytes_sent, 2 * (MESSAGE_HEADER_BYTES + 10));
    outbound_grant(&first, 2, UINT64_MAX);
    end_expect(outbox);
    outbound_grant(&first, 3, UINT64_MAX);
    cr_assert(outbox_has_more(outbox));
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 2);
    end_expect(outbox);
}

Test(outbox, lets_the_message_leave_that_passes_the_byte_limit)
{
    outbound_grant(&first, UINT64_MAX, 1);
    charged_send(1, 1024 * 1024);
    charged_send(2, 0);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
    end_expect(outbox);
    outbound_grant(&first, 0, 0); /* a credit may also shrink */
    end_expect(outbox);
    cr_assert_eq(first.messages, 1);
}

Test(outbox, charges_nothing_for_what_is_dropped)
{
    outbound_grant(&first, 1, UINT64_MAX);
    outbound_block(&first);
    charged_send(1, 10);
    outbound_drop_all(&first);
    outbound_unblock(&first);
    charged_send(2, 10);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
}

Test(outbox, finishes_a_queue_without_credit_with_its_last_message_only)
{
    const struct outgoing goodbye = {.kind = KIND_GOODBYE};
    outbound_grant(&first, 0, 0);
    charged_send(1, 10);
    outbound_finish(&first, &goodbye, true);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
    output_expect(outbox, MESH_CUT);
    end_expect(outbox);
}

Test(outbox, gives_orders_and_notices_before_frames_and_copies_their_texts)
{
    char address[] = "127.0.0.1:7311";
    char name[] = "b";
    message_send(&first, 1, (struct span){0});
    outbox_order(outbox, &(struct mesh_output){.order = MESH_OPEN_LINK,
                                               .channel = CHANNEL_GOSSIP,
                                               .link = 5,
                                               .address = span_text(address)});
    outbox_notice(outbox, NOTICE_MEMBER, (uint64_t[4]){1, 2, 3, 4},
                  (struct span[3]){span_text(name), {0}, span_text("why")});
    outbox_notice(outbox, NOTICE_READY, NULL, NULL);
    memset(address, 'x', sizeof address - 1);
    memset(name, 'x', sizeof name - 1);
    struct mesh_output output = output_expect(outbox, MESH_OPEN_LINK);
    cr_assert_eq(output.link, 5);
    cr_assert(span_equal(output.address, span_text("127.0.0.1:7311")));
    output = output_expect(outbox, MESH_NOTICE);
    cr_assert_eq(output.notice.code, NOTICE_MEMBER);
    cr_assert_eq(output.notice.values[3], 4);
    cr_assert(span_equal(output.notice.texts[0], span_text("b")));
    cr_assert_eq(output.notice.texts[1].bytes, 0);
    cr_assert(span_equal(output.notice.texts[2], span_text("why")));
    output = output_expect(outbox, MESH_NOTICE);
    cr_assert_eq(output.notice.code, NOTICE_READY);
    frame_expect(outbox, MESH_REPLY, 11);
    end_expect(outbox);
}

Test(outbox, cuts_the_texts_of_a_notice_at_255_bytes)
{
    outbox_notice(outbox, NOTICE_REFUSED_BY, NULL,
                  (struct span[3]){span_of(bulk, 1000), span_of(bulk, 255), span_text("x")});
    struct mesh_output output = output_expect(outbox, MESH_NOTICE);
    cr_assert_eq(output.notice.texts[0].bytes, 255);
    cr_assert_eq(output.notice.texts[1].bytes, 255);
    cr_assert_eq(output.notice.texts[2].bytes, 1);
}

Test(outbox, loses_and_counts_notices_beyond_a_limit)
{
    for (int i = 0; i < 70000; i++)
        outbox_notice(outbox, NOTICE_READY, NULL, NULL);
    cr_assert_eq(outbox_totals(outbox)->notices_lost, 70000 - 65536);
    struct mesh_output output;
    int given = 0;
    while (outbox_next(outbox, &output))
        given++;
    cr_assert_eq(given, 65536);
}

static void cut_order(uint32_t connection)
{
    outbox_order(outbox, &(struct mesh_output){.order = MESH_CUT,
                                               .channel = CHANNEL_CLIENT,
                                               .connection = connection});
}

Test(outbox, cuts_a_connection_after_the_frames)
{
    cut_order(11);
    message_send(&first, 1, (struct span){0});
    frame_expect(outbox, MESH_REPLY, 11);
    cr_assert_eq(output_expect(outbox, MESH_CUT).connection, 11);
    end_expect(outbox);
}

Test(outbox, stops_when_nothing_waits_that_can_leave)
{
    outbox_order(outbox, &(struct mesh_output){.order = MESH_STOPPED});
    message_send(&first, 1, span_of(bulk, 60 * 1024));
    message_send(&first, 2, span_of(bulk, 60 * 1024));
    frame_expect(outbox, MESH_REPLY, 11);
    end_expect(outbox);
    frame_expect(outbox, MESH_REPLY, 11);
    output_expect(outbox, MESH_STOPPED);
    end_expect(outbox);
}

Test(outbox, answers_a_connection_that_has_no_queue)
{
    const struct client_refused refused = {.code = ERROR_WRONG_MESH, .text = span_text("no")};
    const struct outgoing message = {
        .kind = KIND_REFUSED, .schema = &client_refused_schema, .fields = &refused};
    cr_assert_eq(outbox_reply(outbox, CHANNEL_GOSSIP, 77, &to_peer, &message), ERROR_OK);
    cut_order(77);
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    cr_assert_eq(output.channel, CHANNEL_GOSSIP);
    cr_assert_eq(output.connection, 77);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, 1);
    cr_assert_eq(frame.messages[0].kind, KIND_REFUSED);
    cr_assert_eq(frame.envelope.sequence, 0);
    frame_free(&frame);
    output_expect(outbox, MESH_CUT);
    end_expect(outbox);
}

Test(outbox, limits_how_many_such_answers_wait)
{
    const struct outgoing message = {.kind = KIND_REFUSED};
    uint32_t taken = 0;
    while (outbox_reply(outbox, CHANNEL_CLIENT, taken, &to_client, &message) == ERROR_OK)
        cr_assert_lt(++taken, 100000);
    cr_assert_gt(taken, 1000);
    frame_expect(outbox, MESH_REPLY, 0);
    cr_assert_eq(outbox_reply(outbox, CHANNEL_CLIENT, 1, &to_client, &message), ERROR_OK);
    const struct outgoing large = {.kind = KIND_REFUSED, .body = span_of(bulk, sizeof bulk)};
    frame_expect(outbox, MESH_REPLY, 1);
    cr_assert_eq(outbox_reply(outbox, CHANNEL_CLIENT, 1, &to_client, &large), ERROR_LIMIT_REACHED);
}

Test(outbox, lets_a_finished_queue_leave_without_its_owner_and_then_cuts)
{
    const struct outgoing goodbye = {.kind = KIND_GOODBYE};
    for (uint64_t i = 0; i < 3; i++)
        message_send(&first, i, span_of(bulk, 60 * 1024));
    outbound_finish(&first, &goodbye, true);
    cr_assert_null(first.outbox);
    memset(&first, 0xee, sizeof first); /* the owner's slot is used for something else */
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
        end_expect(outbox);
    }
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, 2);
    cr_assert_eq(frame.messages[1].kind, KIND_GOODBYE);
    frame_free(&frame);
    cr_assert_eq(output_expect(outbox, MESH_CUT).connection, 11);
    end_expect(outbox);
    memset(&first, 0, sizeof first);
}

Test(outbox, finishes_a_full_queue_and_an_empty_one)
{
    const struct outgoing goodbye = {.kind = KIND_GOODBYE};
    for (uint64_t i = 0; i < 100; i++)
        message_send(&first, i, (struct span){0});
    outbound_finish(&first, &goodbye, false);
    outbound_finish(&second, NULL, true);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 101);
    output_expect(outbox, MESH_CUT);
    end_expect(outbox);
}

Test(outbox, finishes_a_blocked_queue_with_its_last_message_only)
{
    const struct outgoing goodbye = {.kind = KIND_GOODBYE};
    message_send(&first, 1, span_text("too late"));
    outbound_block(&first);
    outbound_finish(&first, &goodbye, true);
    cr_assert_eq(frame_expect(outbox, MESH_REPLY, 11), 1);
    output_expect(outbox, MESH_CUT);
    end_expect(outbox);
}

Test(outbox, without_memory_for_a_goodbye_still_cuts)
{
    const struct outgoing goodbye = {.kind = KIND_GOODBYE};
    memory.limit[MEMORY_QUEUES] = memory.used[MEMORY_QUEUES];
    outbound_finish(&first, &goodbye, true);
    cr_assert_eq(output_expect(outbox, MESH_CUT).connection, 11);
    end_expect(outbox);
}

Test(outbox, leaves_nothing_behind_when_destroyed_with_answers_waiting)
{
    const struct outgoing message = {.kind = KIND_REFUSED, .body = span_of(bulk, 1000)};
    outbox_reply(outbox, CHANNEL_CLIENT, 1, &to_client, &message);
    message_send(&first, 1, span_of(bulk, 60 * 1024));
    message_send(&first, 2, span_of(bulk, 60 * 1024));
    outbound_finish(&first, NULL, true);
    frame_expect(outbox, MESH_REPLY, 1);
    frame_expect(outbox, MESH_REPLY, 11);
    end_expect(outbox);
    outbox_reply(outbox, CHANNEL_CLIENT, 1, &to_client, &message);
    outbox_notice(outbox, NOTICE_READY, NULL, NULL);
}
