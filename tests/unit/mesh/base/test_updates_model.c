/* test_updates_model.c - updates in queues against lists: whatever is sent, granted, acknowledged,
 * lost and resumed, switched, filled and dropped, what leaves is what the rules of updates.h say of
 * plain lists, and a reader sees no value go back, none twice, every end, and the last value. */
#include <criterion/criterion.h>

#include "mesh/base/audit.h"
#include "mesh/base/random.h"
#include "mesh/base/updates.h"
#include "proto/kinds.h"
#include "tests/unit/mesh/base/queues.h"

enum { QUEUES = 3, KEYS = 24, LIST_MAX = 256, BYTES_MAX = 40 * 1024, BODY_MAX = 6000 };

struct entry {
    bool is_update, is_start, is_end, is_closed;
    uint32_t key;
    enum topic_policy policy;
    unsigned marks;
    uint64_t number; /* of all messages, the correlation */
    size_t body_bytes;
};

struct list {
    struct entry entries[LIST_MAX];
    uint32_t count;
};

/* One receiver: its queue, and what the rules make of the same calls. */
struct receiver {
    struct outbound queue;
    uint32_t messages_max;
    struct list waits, held, ended; /* ended: of the entries only the keys */
    uint64_t received;              /* messages that left and are not held any more */
    bool keeps_sent, is_conflated, is_merging, is_blocked;
    uint64_t merged;
    /* As its user sees it: */
    uint64_t seen[KEYS], sent[KEYS]; /* the last number of each topic, read and sent */
    uint64_t last_other;
};

static struct random dice;
static struct memory memory;
static struct outbox *outbox;
static struct receiver receivers[QUEUES];
static uint64_t number;
static uint64_t refusals, merges, endings, rewinds;

static uint64_t draw(uint64_t bound)
{
    return random_below(&dice, bound);
}

static size_t entry_bytes(const struct entry *entry)
{
    return MESSAGE_HEADER_BYTES + topic_marks_encoded(entry->marks).bytes + entry->body_bytes;
}

static size_t list_bytes(const struct list *list)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < list->count; i++)
        bytes += entry_bytes(&list->entries[i]);
    return bytes;
}

static void list_remove(struct list *list, uint32_t at)
{
    list->count--;
    memmove(&list->entries[at], &list->entries[at + 1],
            (list->count - at) * sizeof list->entries[0]);
}

static void list_push(struct list *list, struct entry entry)
{
    cr_assert_lt(list->count, LIST_MAX);
    list->entries[list->count++] = entry;
}

static bool is_short(const struct receiver *to)
{
    return to->waits.count <= to->messages_max / 2 && list_bytes(&to->waits) <= BYTES_MAX / 2;
}

static bool applies(const struct receiver *to, enum topic_policy policy, bool is_all)
{
    return to->is_conflated &&
           (policy == TOPIC_POLICY_ALWAYS || (policy == TOPIC_POLICY_CONFLATE && is_all));
}

/* The last of the topic that waits, if something may merge into it. */
static struct entry *open_of(struct list *list, uint32_t key)
{
    struct entry *found = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        struct entry *entry = &list->entries[i];
        if (entry->is_update && entry->key == key)
            found = entry->is_end || entry->is_closed ? NULL : entry;
    }
    return found;
}

static void absorb(struct receiver *to, struct entry *older, const struct entry *newer)
{
    older->number = newer->number;
    older->body_bytes = newer->body_bytes;
    older->marks = newer->is_end ? 0 : older->marks | newer->marks;
    older->is_end = newer->is_end;
    older->is_closed = newer->is_closed;
    to->merged++;
}

/* Each entry is put behind those before it once more, now merging. */
static uint64_t merge_list(struct receiver *to, bool is_all)
{
    uint64_t before = to->merged;
    static struct list merged;
    merged.count = 0;
    for (uint32_t i = 0; i < to->waits.count; i++) {
        const struct entry *entry = &to->waits.entries[i];
        struct entry *older = NULL;
        if (entry->is_update && applies(to, entry->policy, is_all) && !entry->is_start)
            older = open_of(&merged, entry->key);
        if (older == NULL)
            list_push(&merged, *entry);
        else
            absorb(to, older, entry);
    }
    to->waits = merged;
    return to->merged - before;
}

static uint64_t merge_all(struct receiver *to)
{
    if (!to->is_conflated || to->is_merging)
        return 0;
    uint64_t merged = merge_list(to, true);
    to->is_merging = !is_short(to);
    return merged;
}

static void end_note(struct receiver *to, uint32_t key, uint32_t from)
{
    for (uint32_t i = from; i < to->ended.count; i++)
        if (to->ended.entries[i].key == key)
            return;
    list_push(&to->ended, (struct entry){.key = key});
    endings++;
}

static bool give_way(struct receiver *to)
{
    uint32_t before = to->waits.count, noted = to->ended.count;
    for (uint32_t i = 0; to->is_conflated && i < to->waits.count;) {
        const struct entry *entry = &to->waits.entries[i];
        if (entry->is_update && entry->policy == TOPIC_POLICY_UNSUBSCRIBE && !entry->is_end) {
            end_note(to, entry->key, noted);
            list_remove(&to->waits, i);
        } else {
            i++;
        }
    }
    return to->waits.count < before;
}

/* What its user sees: what left, when it is held no more. Until then a lost connection may take it
 * away, and it comes again. */
static void seen(struct receiver *by, const struct entry *entry)
{
    uint64_t *last = entry->is_update ? &by->seen[entry->key] : &by->last_other;
    cr_assert_gt(entry->number, *last, "it went back, or came twice");
    *last = entry->number;
    by->received++;
}

static void let_go(struct receiver *by)
{
    seen(by, &by->held.entries[0]);
    list_remove(&by->held, 0);
}

/* Whether there is room when `replaced` goes; what is held gives way. */
static bool has_room(struct receiver *to, uint32_t messages, size_t bytes, size_t replaced_bytes)
{
    size_t others = list_bytes(&to->waits) - replaced_bytes;
    if (to->waits.count + messages > to->messages_max || others + bytes > BYTES_MAX)
        return false;
    while (to->held.count > 0 && (to->held.count + to->waits.count + messages > to->messages_max ||
                                  list_bytes(&to->held) + others + bytes > BYTES_MAX))
        let_go(to);
    return true;
}

static bool model_send_other(struct receiver *to, const struct entry *entry)
{
    while (!has_room(to, 1, entry_bytes(entry), 0))
        if (merge_all(to) == 0 && !give_way(to))
            return false;
    list_push(&to->waits, *entry);
    return true;
}

static bool is_ended(const struct receiver *to, uint32_t key)
{
    for (uint32_t i = 0; i < to->ended.count; i++)
        if (to->ended.entries[i].key == key)
            return true;
    return false;
}

static bool model_send_update(struct receiver *to, const struct entry *entry)
{
    if (!entry->is_end && is_ended(to, entry->key))
        return true;
    for (;;) {
        struct entry *older = NULL;
        if (to->is_merging && is_short(to))
            to->is_merging = false;
        if (applies(to, entry->policy, to->is_merging))
            older = open_of(&to->waits, entry->key);
        if (older != NULL && entry->is_start) {
            older->is_closed = true;
            older = NULL;
        }
        struct entry after = *entry;
        if (older != NULL && !entry->is_end)
            after.marks |= older->marks;
        if (has_room(to, older == NULL, entry_bytes(&after),
                     older == NULL ? 0 : entry_bytes(older))) {
            if (older != NULL)
                absorb(to, older, entry);
            else
                list_push(&to->waits, *entry);
            return true;
        }
        if (merge_all(to) > 0)
            continue;
        if (to->is_conflated && entry->policy == TOPIC_POLICY_UNSUBSCRIBE && !entry->is_end) {
            give_way(to);
            end_note(to, entry->key, 0);
            return true;
        }
        if (!give_way(to))
            return false;
    }
}

static void compare(struct receiver *to)
{
    cr_assert_eq(to->queue.messages, to->waits.count);
    cr_assert_eq(to->queue.bytes, list_bytes(&to->waits));
    cr_assert_eq(to->queue.sent_messages, to->held.count);
    cr_assert_eq(to->queue.conflated_total, to->merged);
    audit_count(&to->queue);
    audit_judge(&to->queue);
}

static void send_update(struct receiver *to)
{
    struct entry entry = {
        .is_update = true,
        .key = (uint32_t)draw(draw(3) == 0 ? KEYS : 5),
        .number = ++number,
        .body_bytes = draw(draw(10) == 0 ? BODY_MAX : 200),
    };
    entry.policy = (enum topic_policy)(entry.key % 4);
    entry.is_end = draw(12) == 0;
    entry.is_start = !entry.is_end && draw(12) == 0;
    entry.marks = entry.is_end || draw(4) > 0 ? 0 : (unsigned)draw(TOPIC_MARKS);
    uint8_t body[BODY_MAX]; /* a shared message is a copy */
    memset(body, (int)(number % 251), entry.body_bytes);
    struct outgoing message = {
        .kind = entry.is_end ? KIND_UNSUBSCRIBED : KIND_UPDATE,
        .correlation = number,
        .body = span_of(body, entry.body_bytes),
    };
    struct update update = {
        .message = updates_share(outbox, &message),
        .key = entry.key,
        .policy = entry.policy,
        .marks = (uint8_t)entry.marks,
        .is_start = entry.is_start,
        .is_end = entry.is_end,
    };
    bool is_taken = updates_send(&to->queue, &update) == ERROR_OK;
    updates_unshare(outbox, &update.message);
    cr_assert_eq(is_taken, model_send_update(to, &entry));
    if (is_taken && (entry.is_end || !is_ended(to, entry.key)))
        to->sent[entry.key] = number;
    refusals += !is_taken;
    compare(to);
}

static void send_other(struct receiver *to)
{
    static const uint8_t zeros[300]; /* a body lives until the pull ends */
    struct entry entry = {.number = ++number, .body_bytes = draw(sizeof zeros)};
    struct outgoing message = {
        .kind = KIND_RESPONSE,
        .correlation = number,
        .body = span_of(zeros, entry.body_bytes),
        .consumes_credit = true,
    };
    uint64_t taken = outbound_send(&to->queue, &message) == ERROR_OK;
    cr_assert_eq(taken, model_send_other(to, &entry));
    refusals += taken == 0;
    compare(to);
}

static void ended_take(struct receiver *to)
{
    uint32_t key;
    for (uint32_t i = 0; i < to->ended.count; i++) {
        cr_assert(updates_next_ended(&to->queue, &key));
        cr_assert_eq(key, to->ended.entries[i].key);
    }
    cr_assert(!updates_next_ended(&to->queue, &key));
    outbox_unnote(outbox, &to->queue);
    to->ended.count = 0;
}

static void read_one(struct receiver *from, const struct message *message)
{
    cr_assert_gt(from->waits.count, 0);
    const struct entry expected = from->waits.entries[0];
    cr_assert_eq(message->correlation, expected.number, "%lu came instead of %lu",
                 message->correlation, expected.number);
    cr_assert(span_equal(message->fields, topic_marks_encoded(expected.marks)));
    cr_assert_eq(message->body.bytes, expected.body_bytes);
    for (size_t i = 0; i < message->body.bytes; i++)
        cr_assert_eq(message->body.data[i], expected.is_update ? expected.number % 251 : 0);
    list_remove(&from->waits, 0);
    if (from->keeps_sent)
        list_push(&from->held, expected);
}

static void pull(void)
{
    static struct frame frame;
    struct mesh_output output;
    while (outbox_next(outbox, &output)) {
        struct receiver *from = &receivers[output.connection % QUEUES];
        frame_take(outbox, &output, &frame);
        for (uint32_t i = 0; i < frame.count; i++) {
            const struct entry entry = from->waits.entries[0];
            read_one(from, &frame.messages[i]);
            if (!from->keeps_sent)
                seen(from, &entry);
        }
        frame_free(&frame);
    }
    for (uint32_t i = 0; i < QUEUES; i++)
        compare(&receivers[i]);
}

/* It has read some of what was sent, and says so. */
static void acknowledge(struct receiver *by)
{
    for (uint64_t some = draw(by->held.count + 1); some > 0; some--)
        let_go(by);
    cr_assert(outbound_acknowledge(&by->queue, by->received));
    compare(by);
}

static void resume(struct receiver *by)
{
    acknowledge(by);
    cr_assert_eq(outbound_rewind(&by->queue, by->received, by->queue.number), by->received);
    struct list again = by->held;
    for (uint32_t i = 0; i < by->waits.count; i++)
        list_push(&again, by->waits.entries[i]);
    by->held.count = 0;
    by->waits = again;
    (void)merge_list(by, by->is_merging);
    rewinds++;
    compare(by);
}

static void switch_one(struct receiver *of)
{
    of->is_conflated = draw(4) > 0;
    uint64_t merged = 0;
    if (of->is_conflated)
        merged = merge_all(of);
    else
        of->is_merging = false;
    cr_assert_eq(updates_switch(&of->queue, of->is_conflated), merged);
    compare(of);
}

static void act(struct receiver *on)
{
    uint64_t which = draw(100);
    if (which < 70) {
        send_update(on);
    } else if (which < 85) {
        send_other(on);
    } else if (which < 88) {
        outbound_grant(&on->queue, on->queue.credit_messages_sent + draw(30), UINT64_MAX);
    } else if (which < 92) {
        on->is_blocked = !on->is_blocked;
        if (on->is_blocked)
            outbound_block(&on->queue);
        else
            outbound_unblock(&on->queue);
    } else if (which < 94) {
        switch_one(on);
    } else if (which < 96) {
        ended_take(on);
    } else if (on->keeps_sent && which < 98) {
        acknowledge(on);
    } else if (on->keeps_sent) {
        resume(on);
    }
}

static void receiver_start(uint32_t i, uint32_t messages_max)
{
    const struct envelope envelope = {.version = 1, .channel = CHANNEL_CLIENT};
    struct receiver *receiver = &receivers[i];
    *receiver = (struct receiver){.messages_max = messages_max, .is_conflated = true};
    outbound_init(&receiver->queue, outbox, MESH_REPLY, i, &envelope, messages_max, BYTES_MAX);
    updates_switch(&receiver->queue, true);
    receiver->keeps_sent = i > 0;
    if (receiver->keeps_sent)
        outbound_keep_sent(&receiver->queue);
}

/* Everything is read; then the last of each topic that was taken is the last that was seen. */
static void receiver_end(struct receiver *receiver)
{
    outbound_unblock(&receiver->queue);
    outbound_grant(&receiver->queue, UINT64_MAX, UINT64_MAX);
    do {
        pull();
    } while (outbox_has_more(outbox));
    while (receiver->held.count > 0)
        let_go(receiver);
    cr_assert(outbound_acknowledge(&receiver->queue, receiver->received));
    cr_assert_eq(receiver->queue.messages, 0);
    for (uint32_t key = 0; key < KEYS; key++)
        if (key % 4 != TOPIC_POLICY_UNSUBSCRIBE)
            cr_assert_eq(receiver->seen[key], receiver->sent[key]);
    merges += receiver->merged;
}

Test(updates_model, what_leaves_is_what_the_rules_say_and_no_reader_sees_a_value_go_back)
{
    for (uint8_t round = 0; round < 40; round++) {
        const uint8_t seed[32] = {round, 7};
        random_init(&dice, seed, 0);
        memory = (struct memory){.limit = {[MEMORY_TABLES] = 16 << 20, [MEMORY_QUEUES] = 64 << 20}};
        outbox = outbox_new(&memory);
        number = 0;
        for (uint32_t i = 0; i < QUEUES; i++)
            receiver_start(i, 4 + (uint32_t)draw(60));
        for (int step = 0; step < 400; step++) {
            for (uint64_t i = draw(20); i > 0; i--)
                act(&receivers[draw(QUEUES)]);
            pull();
        }
        for (uint32_t i = 0; i < QUEUES; i++)
            receiver_end(&receivers[i]);
        for (uint32_t i = 0; i < QUEUES; i++)
            outbound_clear(&receivers[i].queue);
        outbox_destroy(&outbox);
        cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
        cr_assert_eq(memory.used[MEMORY_TABLES], 0);
    }
    cr_assert(refusals > 100 && merges > 10000 && endings > 100 && rewinds > 100,
              "%lu refused, %lu merged, %lu ended, %lu resumed: something was never tried",
              refusals, merges, endings, rewinds);
}
