/* test_updates.c - what becomes of topics' updates in a queue, one case at a time; for any sequence
 * of calls: test_updates_model.c. */
#include <criterion/criterion.h>

#include "mesh/base/audit.h"
#include "mesh/base/random.h"
#include "mesh/base/updates.h"
#include "proto/kinds.h"
#include "tests/unit/mesh/base/queues.h"

enum { MESSAGES_MAX = 16, BYTES_MAX = 1 << 20 };

static struct memory memory;
static struct outbox *outbox;
static struct outbound queue;
static const struct envelope to_client = {.version = 1, .channel = CHANNEL_CLIENT};

static void start(uint32_t messages_max, size_t bytes_max)
{
    outbound_init(&queue, outbox, MESH_REPLY, 11, &to_client, messages_max, bytes_max);
    outbox_may_give_up(outbox, &queue, 7);
    updates_switch(&queue, true);
    outbound_block(&queue);
}

static void set_up(void)
{
    memory = (struct memory){.limit = {[MEMORY_TABLES] = 16 << 20, [MEMORY_QUEUES] = 16 << 20}};
    outbox = outbox_new(&memory);
    start(MESSAGES_MAX, BYTES_MAX);
}

static void tear_down(void)
{
    outbound_clear(&queue);
    outbox_destroy(&outbox);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
}

TestSuite(updates, .init = set_up, .fini = tear_down);

/* An update whose value is its version and so many bytes. */
static enum error update_sized(uint32_t key, enum topic_policy policy, uint64_t version,
                               size_t bytes, uint8_t marks, bool is_end)
{
    static const uint8_t zeros[1 << 19];
    struct outgoing message = {
        .kind = KIND_UPDATE, .correlation = version, .body = span_of(zeros, bytes)};
    struct update update = {
        .message = updates_share(outbox, &message),
        .key = key,
        .policy = policy,
        .marks = marks,
        .is_end = is_end,
    };
    if (update.message == NULL)
        return ERROR_LIMIT_REACHED;
    enum error error = updates_send(&queue, &update);
    updates_unshare(outbox, &update.message);
    audit_count(&queue);
    audit_judge(&queue);
    return error;
}

static void update_as(uint32_t key, enum topic_policy policy, uint64_t version)
{
    cr_assert_eq(update_sized(key, policy, version, 10, 0, false), ERROR_OK);
}

static void other(uint64_t correlation)
{
    struct outgoing message = {
        .kind = KIND_DONE, .correlation = correlation, .consumes_credit = true};
    cr_assert_eq(outbound_send(&queue, &message), ERROR_OK);
}

/* An update with nothing but its marks: no other field is required of it here. */
static unsigned marks_of(const struct message *message)
{
    struct span snapshot = topic_marks_encoded(TOPIC_MARK_SNAPSHOT);
    struct span resync = topic_marks_encoded(TOPIC_MARK_RESYNC);
    struct span both = topic_marks_encoded(TOPIC_MARK_SNAPSHOT | TOPIC_MARK_RESYNC);
    if (span_equal(message->fields, both))
        return TOPIC_MARK_SNAPSHOT | TOPIC_MARK_RESYNC;
    if (span_equal(message->fields, snapshot))
        return TOPIC_MARK_SNAPSHOT;
    return span_equal(message->fields, resync) ? TOPIC_MARK_RESYNC : 0;
}

/* Requires these correlations to leave, in this order; 0 ends them. Marks of the last one. */
static unsigned leave(const uint64_t *expected)
{
    static struct frame frame;
    struct mesh_output output;
    unsigned marks = 0;
    outbound_unblock(&queue);
    for (; outbox_next(outbox, &output); frame_free(&frame)) {
        frame_take(outbox, &output, &frame);
        for (uint32_t i = 0; i < frame.count; i++, expected++) {
            cr_assert_eq(frame.messages[i].correlation, *expected, "%lu instead of %lu",
                         frame.messages[i].correlation, *expected);
            marks = marks_of(&frame.messages[i]);
        }
    }
    cr_assert_eq(*expected, 0, "%lu is missing", *expected);
    outbound_block(&queue);
    return marks;
}

#define LEAVE(...) leave((const uint64_t[]){__VA_ARGS__, 0})

Test(updates, of_always_merge_as_they_come_and_keep_the_oldest_place)
{
    update_as(1, TOPIC_POLICY_ALWAYS, 101);
    other(900);
    update_as(2, TOPIC_POLICY_ALWAYS, 201);
    update_as(1, TOPIC_POLICY_ALWAYS, 102);
    cr_assert_eq(queue.messages, 3);
    update_as(1, TOPIC_POLICY_ALWAYS, 103);
    cr_assert_eq(queue.conflated_total, 2);
    LEAVE(103, 900, 201);
    update_as(1, TOPIC_POLICY_ALWAYS, 104);
    LEAVE(104);
}

Test(updates, of_many_topics_are_found_by_an_index)
{
    outbound_clear(&queue);
    start(2000, BYTES_MAX);
    uint64_t expected[501] = {0};
    for (uint64_t version = 1; version <= 4; version++)
        for (uint32_t key = 0; key < 500; key++)
            update_as(key, TOPIC_POLICY_ALWAYS, version * 1000 + key);
    for (uint32_t key = 0; key < 500; key++)
        expected[key] = 4000 + key;
    cr_assert_eq(queue.messages, 500);
    leave(expected);
    update_as(3, TOPIC_POLICY_ALWAYS, 9);
    LEAVE(9);
}

Test(updates, of_conflate_wait_one_by_one_until_the_queue_is_full)
{
    for (uint64_t i = 0; i < MESSAGES_MAX; i++)
        update_as(1 + i % 2, TOPIC_POLICY_CONFLATE, 100 + i);
    cr_assert_eq(queue.messages, MESSAGES_MAX);
    other(900); /* an answer makes room as well as an update */
    cr_assert_eq(queue.messages, 3);
    cr_assert_eq(queue.conflated_total, MESSAGES_MAX - 2);
    update_as(1, TOPIC_POLICY_CONFLATE, 200);
    cr_assert_eq(queue.messages, 4, "short again: nothing is merged before it is full");
    LEAVE(114, 115, 900, 200);
}

Test(updates, of_conflate_merge_at_once_after_that_while_the_queue_is_long)
{
    for (uint32_t key = 0; key < MESSAGES_MAX - 1; key++)
        update_as(key, TOPIC_POLICY_CONFLATE, 100 + key);
    update_as(3, TOPIC_POLICY_CONFLATE, 203);
    update_as(4, TOPIC_POLICY_CONFLATE, 204);
    cr_assert_eq(queue.conflated_total, 2);
    update_as(5, TOPIC_POLICY_CONFLATE, 205);
    cr_assert_eq(queue.messages, MESSAGES_MAX - 1);
    cr_assert_eq(queue.conflated_total, 3);
    LEAVE(100, 101, 102, 203, 204, 205, 106, 107, 108, 109, 110, 111, 112, 113, 114);
}

Test(updates, of_off_are_never_merged_and_a_full_queue_refuses)
{
    for (uint64_t i = 0; i < MESSAGES_MAX; i++)
        update_as(1, TOPIC_POLICY_OFF, 100 + i);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_OFF, 200, 10, 0, false), ERROR_LIMIT_REACHED);
    cr_assert_eq(update_sized(2, TOPIC_POLICY_ALWAYS, 200, 10, 0, false), ERROR_LIMIT_REACHED);
    cr_assert_eq(queue.messages, MESSAGES_MAX);
    cr_assert_eq(queue.conflated_total, 0);
}

Test(updates, of_unsubscribe_leave_a_full_queue_with_their_subscriptions)
{
    uint32_t key;
    update_as(1, TOPIC_POLICY_UNSUBSCRIBE, 101);
    other(900);
    update_as(1, TOPIC_POLICY_UNSUBSCRIBE, 102);
    update_as(2, TOPIC_POLICY_UNSUBSCRIBE, 201);
    for (uint64_t i = 4; i < MESSAGES_MAX; i++)
        other(900 + i);
    cr_assert(!updates_next_ended(&queue, &key));
    cr_assert_null(outbox_next_noted(outbox, NULL));
    update_as(3, TOPIC_POLICY_UNSUBSCRIBE, 301);
    cr_assert_eq(queue.messages, MESSAGES_MAX - 3);
    cr_assert_eq(outbox_next_noted(outbox, NULL), &queue);
    for (uint32_t i = 1; i <= 3; i++) {
        cr_assert(updates_next_ended(&queue, &key));
        cr_assert_eq(key, i);
    }
    cr_assert(!updates_next_ended(&queue, &key));
    cr_assert_eq(update_sized(1, TOPIC_POLICY_UNSUBSCRIBE, 109, 10, 0, true), ERROR_OK);
    LEAVE(900, 904, 905, 906, 907, 908, 909, 910, 911, 912, 913, 914, 915, 109);
}

Test(updates, of_an_ended_subscription_are_not_queued_before_its_end_is_told)
{
    uint32_t key;
    update_as(1, TOPIC_POLICY_UNSUBSCRIBE, 101);
    for (uint64_t i = 1; i <= MESSAGES_MAX; i++)
        other(900 + i);
    update_as(1, TOPIC_POLICY_UNSUBSCRIBE, 102); /* the queue is full */
    cr_assert_eq(queue.messages, MESSAGES_MAX);
    LEAVE(901, 902, 903, 904, 905, 906, 907, 908, 909, 910, 911, 912, 913, 914, 915, 916);
    update_as(1, TOPIC_POLICY_UNSUBSCRIBE, 103); /* there is room */
    update_as(2, TOPIC_POLICY_UNSUBSCRIBE, 201);
    cr_assert(updates_next_ended(&queue, &key));
    cr_assert_eq(key, 1);
    cr_assert(!updates_next_ended(&queue, &key));
    cr_assert_eq(update_sized(1, TOPIC_POLICY_UNSUBSCRIBE, 109, 10, 0, true), ERROR_OK);
    update_as(1, TOPIC_POLICY_UNSUBSCRIBE, 110);
    LEAVE(201, 109, 110);
}

Test(updates, with_the_switch_off_nothing_is_merged_and_nothing_unsubscribed)
{
    uint32_t key;
    updates_switch(&queue, false);
    for (uint64_t i = 0; i < MESSAGES_MAX; i++)
        update_as(1, (enum topic_policy)(i % 4), 100 + i);
    for (enum topic_policy policy = TOPIC_POLICY_CONFLATE; policy <= TOPIC_POLICY_UNSUBSCRIBE;
         policy++)
        cr_assert_eq(update_sized(1, policy, 200, 10, 0, false), ERROR_LIMIT_REACHED);
    cr_assert(!updates_next_ended(&queue, &key));
    cr_assert_eq(queue.messages, MESSAGES_MAX);
}

Test(updates, switched_on_a_long_queue_is_merged_at_once)
{
    updates_switch(&queue, false);
    update_as(1, TOPIC_POLICY_CONFLATE, 101);
    update_as(2, TOPIC_POLICY_ALWAYS, 201);
    update_as(3, TOPIC_POLICY_OFF, 301);
    update_as(1, TOPIC_POLICY_CONFLATE, 102);
    update_as(2, TOPIC_POLICY_ALWAYS, 202);
    update_as(3, TOPIC_POLICY_OFF, 302);
    update_as(2, TOPIC_POLICY_ALWAYS, 203);
    cr_assert_eq(updates_switch(&queue, true), 3);
    LEAVE(102, 203, 301, 302);
    cr_assert_eq(updates_switch(&queue, true), 0);
}

Test(updates, switched_on_once_more_what_the_policy_left_is_merged)
{
    update_as(1, TOPIC_POLICY_CONFLATE, 101);
    update_as(1, TOPIC_POLICY_CONFLATE, 102);
    cr_assert_eq(updates_switch(&queue, true), 1);
    LEAVE(102);
}

Test(updates, merged_keep_the_marks_of_all_that_they_stand_for)
{
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 101, 10, TOPIC_MARK_SNAPSHOT, false),
                 ERROR_OK);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 102, 10, TOPIC_MARK_RESYNC, false), ERROR_OK);
    update_as(1, TOPIC_POLICY_ALWAYS, 103);
    cr_assert_eq(LEAVE(103), TOPIC_MARK_SNAPSHOT | TOPIC_MARK_RESYNC);
    update_as(1, TOPIC_POLICY_ALWAYS, 104);
    cr_assert_eq(LEAVE(104), 0);
}

Test(updates, a_start_stays_behind_what_was_queued_before_it)
{
    struct outgoing message = {.kind = KIND_UPDATE, .correlation = 102};
    struct update start_again = {.message = updates_share(outbox, &message),
                                 .key = 1,
                                 .policy = TOPIC_POLICY_ALWAYS,
                                 .is_start = true};
    update_as(1, TOPIC_POLICY_ALWAYS, 101);
    other(900);
    cr_assert_eq(updates_send(&queue, &start_again), ERROR_OK);
    updates_unshare(outbox, &start_again.message);
    update_as(1, TOPIC_POLICY_ALWAYS, 103);
    cr_assert_eq(updates_switch(&queue, true), 0);
    LEAVE(101, 900, 103);
}

Test(updates, an_end_takes_what_waited_and_parts_it_from_what_comes)
{
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 101, 10, TOPIC_MARK_SNAPSHOT, false),
                 ERROR_OK);
    other(900);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 102, 0, 0, true), ERROR_OK);
    update_as(1, TOPIC_POLICY_ALWAYS, 103);
    update_as(1, TOPIC_POLICY_ALWAYS, 104);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 105, 0, 0, true), ERROR_OK);
    cr_assert_eq(LEAVE(102, 900, 105), 0, "a snapshot's mark is not an end's");
}

Test(updates, that_left_wait_again_after_a_rewind_and_are_merged_like_all_that_waits)
{
    outbound_clear(&queue);
    start(MESSAGES_MAX, BYTES_MAX);
    outbound_keep_sent(&queue);
    update_as(1, TOPIC_POLICY_ALWAYS, 101);
    update_as(2, TOPIC_POLICY_ALWAYS, 201);
    update_as(3, TOPIC_POLICY_CONFLATE, 301);
    LEAVE(101, 201, 301);
    update_as(2, TOPIC_POLICY_ALWAYS, 202);
    update_as(1, TOPIC_POLICY_ALWAYS, 102);
    update_as(3, TOPIC_POLICY_CONFLATE, 302);
    cr_assert_eq(queue.messages, 3, "what has left is not merged with what waits");
    cr_assert_eq(outbound_rewind(&queue, 1, 12), 1, "101 was received");
    cr_assert_eq(queue.messages, 4);
    cr_assert_eq(queue.again_messages, 2);
    audit_count(&queue);
    audit_judge(&queue);
    LEAVE(202, 301, 102, 302);
    cr_assert(outbound_acknowledge(&queue, 5));
    cr_assert_eq(queue.sent_messages, 0);
}

Test(updates, larger_values_count_against_the_limit_when_they_merge)
{
    outbound_clear(&queue);
    start(100, 4000);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 101, 1000, 0, false), ERROR_OK);
    cr_assert_eq(update_sized(2, TOPIC_POLICY_OFF, 201, 2000, 0, false), ERROR_OK);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 102, 3000, 0, false), ERROR_LIMIT_REACHED);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_ALWAYS, 103, 1900, 0, false), ERROR_OK);
    cr_assert_eq(queue.bytes, 1916 + 2016);
    LEAVE(103, 201);
}

Test(updates, large_values_are_held_once_by_all_who_wait_for_them)
{
    static struct outbound others[100];
    static const uint8_t large[100 * 1024];
    struct outgoing message = {
        .kind = KIND_UPDATE, .correlation = 5, .body = span_of(large, sizeof large)};
    struct update update = {.message = updates_share(outbox, &message), .key = 1};
    for (uint32_t i = 0; i < 100; i++) {
        outbound_init(&others[i], outbox, MESH_REPLY, i, &to_client, 10, BYTES_MAX);
        outbound_block(&others[i]);
        cr_assert_eq(updates_send(&others[i], &update), ERROR_OK);
    }
    updates_unshare(outbox, &update.message);
    cr_assert_lt(memory.used[MEMORY_QUEUES], 300 * 1024);
    cr_assert_eq(others[99].bytes, MESSAGE_HEADER_BYTES + sizeof large);
    for (uint32_t i = 0; i < 99; i++)
        outbound_clear(&others[i]);
    cr_assert_gt(memory.used[MEMORY_QUEUES], sizeof large);
    outbound_clear(&others[99]);
    cr_assert_lt(memory.used[MEMORY_QUEUES], 200 * 1024);
}

Test(updates, too_large_for_a_frame_are_not_made)
{
    static const uint8_t huge[CLIENT_FRAME_BYTES_MAX];
    struct outgoing message = {.kind = KIND_UPDATE, .body = span_of(huge, sizeof huge)};
    cr_assert_null(updates_share(outbox, &message));
}

Test(updates, the_heaviest_queue_gives_way_when_memory_is_used_up)
{
    static struct outbound light;
    struct outgoing message = {.kind = KIND_DONE, .consumes_credit = true};
    memory.limit[MEMORY_QUEUES] = memory.used[MEMORY_QUEUES] + 64 * 1024;
    outbound_init(&light, outbox, MESH_REPLY, 5, &to_client, 10000, BYTES_MAX);
    outbox_may_give_up(outbox, &light, 8);
    outbound_block(&light);
    for (uint64_t i = 0; i < 12; i++)
        cr_assert_eq(update_sized(i % 4, TOPIC_POLICY_CONFLATE, 100 + i, 4500, 0, false), ERROR_OK);
    while (queue.conflated_total == 0)
        cr_assert_eq(outbound_send(&light, &message), ERROR_OK);
    cr_assert_eq(queue.messages, 4, "first it is merged");
    cr_assert(!queue.is_given_up);
    while (!queue.is_given_up)
        cr_assert_eq(outbound_send(&light, &message), ERROR_OK);
    cr_assert_eq(queue.messages, 0, "then it is given up");
    cr_assert_eq(outbox_next_noted(outbox, NULL), &queue);
    cr_assert_eq(queue.owner, 7);
    cr_assert_eq(update_sized(1, TOPIC_POLICY_CONFLATE, 200, 10, 0, false), ERROR_LIMIT_REACHED);
    cr_assert(!light.is_given_up);
    cr_assert_eq(outbox_relief(outbox)->given_up, 1);
    while (outbound_send(&light, &message) == ERROR_OK)
        continue;
    cr_assert(light.is_given_up, "at last there is nobody else");
    outbound_clear(&light);
}

Test(updates, the_oldest_place_tells_how_far_a_queue_lags)
{
    outbox_tell_time(outbox, UINT64_C(1000) * 1000000);
    cr_assert_eq(outbound_lag_ms(&queue), 0);
    update_as(1, TOPIC_POLICY_ALWAYS, 101);
    outbox_tell_time(outbox, UINT64_C(1700) * 1000000);
    update_as(1, TOPIC_POLICY_ALWAYS, 102);
    other(900);
    cr_assert_eq(outbound_lag_ms(&queue), 700);
    LEAVE(102, 900);
    cr_assert_eq(outbound_lag_ms(&queue), 0);
}

enum { CROWD = 8 };

static void crowd_check(const struct outbound crowd[CROWD])
{
    for (uint32_t i = 0; i < CROWD; i++)
        audit_count(&crowd[i]);
    for (uint32_t i = 0; i < CROWD; i++)
        audit_judge(&crowd[i]);
    cr_assert_leq(memory.used[MEMORY_QUEUES], memory.limit[MEMORY_QUEUES]);
}

static void member_start(struct outbound crowd[CROWD], uint32_t i)
{
    outbound_init(&crowd[i], outbox, MESH_REPLY, i, &to_client, 40, BYTES_MAX);
    outbox_may_give_up(outbox, &crowd[i], i);
    updates_switch(&crowd[i], i % 3 > 0);
    if (i % 2 == 0)
        outbound_keep_sent(&crowd[i]);
    outbound_block(&crowd[i]);
}

/* Frames leave unread; who is given up begins anew. */
static void crowd_pull(struct outbound crowd[CROWD])
{
    static struct frame frame;
    struct mesh_output output;
    for (; outbox_next(outbox, &output); frame_free(&frame))
        frame_take(outbox, &output, &frame);
    for (uint32_t i = 0; i < CROWD; i++) {
        if (!crowd[i].is_given_up)
            continue;
        outbound_clear(&crowd[i]);
        member_start(crowd, i);
    }
}

static void crowd_send(struct outbound crowd[CROWD], struct random *random)
{
    static const uint8_t zeros[9000];
    size_t bytes = random_below(random, random_below(random, 4) == 0 ? sizeof zeros : 300);
    struct outgoing message = {
        .kind = KIND_UPDATE, .body = span_of(zeros, bytes), .consumes_credit = true};
    uint32_t key = (uint32_t)random_below(random, 30);
    struct update update = {.message = updates_share(outbox, &message),
                            .key = key,
                            .policy = (enum topic_policy)(key % TOPIC_POLICIES)};
    for (uint32_t i = 0; i < CROWD; i++) {
        if (random_below(random, 2) == 0)
            (void)outbound_send(&crowd[i], &message);
        else if (update.message != NULL)
            (void)updates_send(&crowd[i], &update);
    }
    updates_unshare(outbox, &update.message);
}

Test(updates, accounts_stay_true_whatever_memory_there_is)
{
    static struct outbound crowd[CROWD];
    const uint8_t seed[32] = {4};
    struct random random;
    random_init(&random, seed, 0);
    memory.limit[MEMORY_QUEUES] = 300 * 1024;
    for (uint32_t i = 0; i < CROWD; i++)
        member_start(crowd, i);
    for (uint32_t step = 0; step < 6000; step++) {
        uint32_t which = (uint32_t)random_below(&random, CROWD);
        uint32_t key;
        crowd_send(crowd, &random);
        crowd_check(crowd);
        if (random_below(&random, 3) == 0)
            outbound_unblock(&crowd[which]);
        if (random_below(&random, 2) == 0)
            crowd_pull(crowd);
        outbound_block(&crowd[which]);
        while (updates_next_ended(&crowd[which], &key))
            continue;
    }
    const struct outbox_relief *relief = outbox_relief(outbox);
    cr_assert(relief->given_up > 10 && relief->merged > 100 && relief->ended > 100,
              "%lu given up, %lu merged, %lu ended", relief->given_up, relief->merged,
              relief->ended);
    for (uint32_t i = 0; i < CROWD; i++)
        outbound_clear(&crowd[i]);
}
