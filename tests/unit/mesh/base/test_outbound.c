/* test_outbound.c - what a queue holds of what it sent, and what it sends before all else. */
#include <criterion/criterion.h>

#include "mesh/base/waiting.h"
#include "proto/client.h"
#include "proto/kinds.h"
#include "tests/unit/mesh/base/queues.h"

static const struct envelope to_client = {.version = 1, .channel = CHANNEL_CLIENT};
static uint8_t bulk[1024 * 1024];

static struct memory memory;
static struct outbox *outbox;
static struct outbound first, second;
static struct frame frame;

static void set_up(void)
{
    memory = (struct memory){.limit = {[MEMORY_TABLES] = 16 << 20, [MEMORY_QUEUES] = 16 << 20}};
    outbox = outbox_new(&memory);
    outbound_init(&first, outbox, MESH_REPLY, 11, &to_client, 100, sizeof bulk);
    outbound_init(&second, outbox, MESH_REPLY, 22, &to_client, 100, sizeof bulk);
}

static void tear_down(void)
{
    outbound_clear(&first);
    outbound_clear(&second);
    cr_assert_eq(*outbox_held_bytes(outbox), 0);
    outbox_destroy(&outbox);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
}

TestSuite(outbound, .init = set_up, .fini = tear_down);

static void charged_send(uint64_t correlation, size_t body_bytes)
{
    const struct outgoing message = {.kind = KIND_RESPONSE,
                                     .correlation = correlation,
                                     .body = span_of(bulk, body_bytes),
                                     .consumes_credit = true};
    cr_assert_eq(outbound_send(&first, &message), ERROR_OK);
}

static void numbered_send(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++)
        charged_send(i, 10);
}

/* Takes the next frame of `first`; requires the correlations from..to, and nothing else. */
static void correlations_expect(uint64_t from, uint64_t to)
{
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, to - from + 1);
    for (uint32_t i = 0; i < frame.count; i++)
        cr_assert_eq(frame.messages[i].correlation, from + i);
    frame_free(&frame);
}

Test(outbound, holds_what_it_sent_and_sends_it_again_over_another_connection)
{
    outbound_keep_sent(&first);
    numbered_send(1, 5);
    correlations_expect(1, 5);
    end_expect(outbox);
    cr_assert(outbound_acknowledge(&first, 2));
    cr_assert_eq(first.sent_messages, 3);
    numbered_send(6, 7);
    cr_assert_eq(outbound_rewind(&first, 4, 12), 4);
    cr_assert_eq(first.again_messages, 1);
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    cr_assert_eq(output.connection, 12);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, 3);
    cr_assert_eq(frame.messages[0].correlation, 5);
    cr_assert_eq(frame.messages[2].correlation, 7);
    frame_free(&frame);
    end_expect(outbox);
    cr_assert_eq(first.credit_messages_sent, 7);
    cr_assert_eq(first.again_messages, 0);
    cr_assert_not(outbound_acknowledge(&first, 8), "never sent");
    cr_assert(outbound_acknowledge(&first, 7));
    cr_assert(chain_is_empty(&first.chain));
    cr_assert_eq(*outbox_held_bytes(outbox), 0);
}

Test(outbound, lets_what_it_sent_go_for_what_has_to_be_sent)
{
    outbound_init(&first, outbox, MESH_REPLY, 11, &to_client, 8, 10000);
    outbound_keep_sent(&first);
    numbered_send(1, 8);
    correlations_expect(1, 8);
    end_expect(outbox);
    outbound_block(&first);
    numbered_send(9, 12);
    cr_assert_eq(first.sent_messages, 4);
    cr_assert_eq(outbound_rewind(&first, 2, 11), 4, "3 and 4 are lost");
    cr_assert_eq(first.messages, 8);
    struct outgoing more = {.kind = KIND_RESPONSE, .consumes_credit = true};
    cr_assert_eq(outbound_send(&first, &more), ERROR_LIMIT_REACHED);
    more = (struct outgoing){.kind = KIND_WELCOME, .is_urgent = true};
    cr_assert_eq(outbound_send(&first, &more), ERROR_OK, "a full queue still says WELCOME");
    outbound_unblock(&first);
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, 9);
    cr_assert_eq(frame.messages[0].kind, KIND_WELCOME);
    cr_assert_eq(frame.messages[1].correlation, 5);
    cr_assert_eq(frame.messages[8].correlation, 12);
    frame_free(&frame);
}

Test(outbound, holds_no_more_than_half_of_the_memory_for_queues)
{
    memory.limit[MEMORY_QUEUES] = 1024 * 1024;
    outbound_init(&first, outbox, MESH_REPLY, 11, &to_client, 100, sizeof bulk);
    outbound_keep_sent(&first);
    for (uint64_t i = 1; i <= 20; i++) {
        charged_send(i, 60 * 1024);
        frame_expect(outbox, MESH_REPLY, 11);
        end_expect(outbox);
        cr_assert_leq(*outbox_held_bytes(outbox), memory.limit[MEMORY_QUEUES] / 2);
    }
    cr_assert_eq(first.sent_messages, 8);
    cr_assert_eq(message_send(&second, 1, span_of(bulk, 400 * 1024)), ERROR_OK, "room for others");
    frame_expect(outbox, MESH_REPLY, 22);
}

Test(outbound, lets_urgent_messages_pass_those_without_credit)
{
    outbound_grant(&first, 1, UINT64_MAX);
    numbered_send(1, 3);
    correlations_expect(1, 1);
    end_expect(outbox);
    const struct outgoing pong = {.kind = KIND_PONG, .correlation = 9, .is_urgent = true};
    cr_assert_eq(outbound_send(&first, &pong), ERROR_OK);
    cr_assert(outbox_has_more(outbox));
    correlations_expect(9, 9);
    end_expect(outbox);
    outbound_block(&first);
    cr_assert_eq(outbound_send(&first, &pong), ERROR_OK);
    end_expect(outbox);
    outbound_unblock(&first);
    correlations_expect(9, 9);
    end_expect(outbox);
    outbound_grant(&first, 3, UINT64_MAX);
    correlations_expect(2, 3);
}

static bool cancel_instead(uint64_t number, uint64_t correlation)
{
    return waiting_replace(&first, number, KIND_RESPONSE, correlation, KIND_CANCEL);
}

Test(outbound, what_waits_is_replaced_in_its_place_and_gives_its_bytes_back)
{
    numbered_send(1, 1);
    charged_send(2, 1000);
    numbered_send(3, 3);
    size_t bytes = first.bytes;
    cr_assert(cancel_instead(2, 2));
    cr_assert_eq(first.bytes, bytes - 1000);
    cr_assert_eq(first.messages, 3);
    cr_assert(!cancel_instead(2, 2), "it is no RESPONSE any more");
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.count, 3);
    cr_assert_eq(frame.messages[1].kind, KIND_CANCEL);
    cr_assert_eq(frame.messages[1].correlation, 2);
    cr_assert_eq(frame.messages[1].body.bytes, 0);
    frame_free(&frame);
    end_expect(outbox);
}

Test(outbound, what_has_left_or_is_another_is_not_replaced)
{
    numbered_send(1, 1);
    correlations_expect(1, 1);
    end_expect(outbox);
    numbered_send(2, 2);
    cr_assert(!cancel_instead(1, 1), "it has left");
    cr_assert(!cancel_instead(2, 7), "it bears another number");
    cr_assert(!cancel_instead(3, 3), "it was never queued");
    cr_assert(!waiting_replace(&first, 2, KIND_REQUEST, 2, KIND_CANCEL));
    correlations_expect(2, 2);
    end_expect(outbox);
}

Test(outbound, a_body_that_was_kept_is_freed_when_it_is_replaced)
{
    outbound_block(&first);
    charged_send(1, 5000);
    end_expect(outbox); /* the pull ends: the body is copied */
    uint64_t used = memory.used[MEMORY_QUEUES];
    cr_assert(cancel_instead(1, 1));
    cr_assert_eq(memory.used[MEMORY_QUEUES], used - 5000);
    outbound_unblock(&first);
    struct mesh_output output = output_expect(outbox, MESH_REPLY);
    frame_take(outbox, &output, &frame);
    cr_assert_eq(frame.messages[0].kind, KIND_CANCEL);
    frame_free(&frame);
    end_expect(outbox);
}

Test(outbound, what_may_have_arrived_is_not_replaced_and_what_has_not_is)
{
    outbound_keep_sent(&first);
    numbered_send(1, 2);
    correlations_expect(1, 2);
    end_expect(outbox);
    numbered_send(3, 3);
    outbound_rewind(&first, 0, 11); /* 1 and 2 wait again */
    cr_assert(!cancel_instead(1, 1));
    cr_assert(!cancel_instead(2, 2));
    cr_assert(cancel_instead(3, 3));
    correlations_expect(1, 3);
    end_expect(outbox);
}
