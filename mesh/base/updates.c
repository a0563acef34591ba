/* updates.c - see updates.h. What a full queue does, in this order, until there is room:
 *
 *     merges what waits     [merging_walk]       the session's switch is on, and it is not yet
 *                                                merging what comes
 *     ends subscriptions    [merging_give_way]   the switch is on, and updates of such topics wait
 *     refuses the message                        and its owner closes the session
 *
 * (U1) is_merging: every topic whose policy is `conflate` has at most one open update that waits
 * (U2) ending_updates = the open updates that wait whose policy is `unsubscribe`
 * (U3) while is_conflated, the same of every topic whose policy is `always`
 * (U4) of a subscription whose end has not been told yet no value is queued: it would come before
 *      that, behind what was dropped, as if nothing were missing */
#include "mesh/base/updates.h"

#include "mesh/base/bugs.h"
#include "mesh/base/merging.h"

struct shared *updates_share(struct outbox *outbox, const struct outgoing *message)
{
    size_t head_bytes = outgoing_measure_head(message);
    size_t bytes = head_bytes + message->body.bytes;
    if (!outgoing_fits(CHANNEL_CLIENT, head_bytes, message->body.bytes))
        return NULL;
    struct shared *shared = shared_new(outbox_shared(outbox), (uint32_t)bytes);
    while (shared == NULL && outbox_make_room(outbox))
        shared = shared_new(outbox_shared(outbox), (uint32_t)bytes);
    if (shared == NULL)
        return NULL;
    shared->head_bytes = (uint32_t)head_bytes;
    outgoing_encode_head(message, shared->content, head_bytes);
    if (message->body.bytes > 0)
        memcpy(shared->content + head_bytes, message->body.data, message->body.bytes);
    return shared;
}

void updates_unshare(struct outbox *outbox, struct shared **message)
{
    if (*message != NULL)
        shared_release(outbox_shared(outbox), *message);
    *message = NULL;
}

/* Half of the queue has left, or it was never as long: there is something to gain again by waiting
 * until it is full. */
static bool is_short(const struct outbound *queue)
{
    return queue->messages <= queue->messages_max / 2 && queue->bytes <= queue->bytes_max / 2;
}

static uint32_t merge_all(struct outbound *queue)
{
    queue->is_merging = true;
    uint32_t merged = merging_walk(queue, true);
    queue->is_merging = !is_short(queue);
    return merged;
}

uint32_t updates_merge(struct outbound *queue)
{
    return queue->is_conflated && !queue->is_merging ? merge_all(queue) : 0;
}

bool updates_make_room(struct outbound *queue)
{
    if (updates_merge(queue) > 0)
        return true;
    return queue->is_conflated && queue->ending_updates > 0 && merging_give_way(queue) > 0;
}

static bool is_ended(const struct outbound *queue, uint32_t key)
{
    struct chain_place place = {0};
    const uint32_t *ended;
    while ((ended = chain_next(&queue->ended_keys, &place)) != NULL) {
        if (*ended == key)
            return true;
    }
    return false;
}

/* The queue is full, and has merged what may be merged: this one's subscription ends, and with it
 * all others that end in such a case. */
static enum error subscription_end(struct outbound *queue, uint32_t key)
{
    if (queue->ending_updates > 0)
        (void)merging_give_way(queue);
    return is_ended(queue, key) || merging_note_end(queue, key) ? ERROR_OK : ERROR_LIMIT_REACHED;
}

/* Where to put the update: *older, NULL behind all others. ERROR_LIMIT_REACHED: nowhere. */
static enum error place_find(struct outbound *queue, const struct update *update,
                             struct record **older)
{
    *older = NULL;
    if (queue->is_given_up)
        return ERROR_LIMIT_REACHED;
    if (queue->is_merging && is_short(queue))
        queue->is_merging = false;
    if (!merging_applies(queue, update->policy))
        return ERROR_OK;
    while (!merging_prepare(queue)) {
        if (!outbox_make_room(queue->outbox) || queue->is_given_up)
            return ERROR_LIMIT_REACHED;
    }
    *older = merging_find(queue, update->key);
    if (*older != NULL && update->is_start) {
        merging_close(queue, *older);
        *older = NULL;
    }
    return ERROR_OK;
}

/* What waits of it: the message, and the marks of both when it merges. */
static size_t bytes_of(const struct update *update, const struct record *older)
{
    unsigned marks = update->marks;
    if (older != NULL && !update->is_end)
        marks |= older->marks;
    return update->message->bytes + topic_marks_encoded(marks).bytes;
}

static void merge(struct outbound *queue, struct record *older, const struct update *update)
{
    if (bug_is_planted(BUG_MERGE_KEEPS_OLD) && !update->is_end)
        return;
    queue->bytes -= record_bytes(older);
    merging_apply(queue, older, shared_hold(update->message), update->marks, update->is_end);
    queue->bytes += record_bytes(older);
    if (update->is_end)
        merging_remove(queue, older);
    outbound_grown(queue);
}

static bool push(struct outbound *queue, const struct update *update)
{
    struct shared *message = update->message;
    size_t bytes = bytes_of(update, NULL);
    struct record *record = outbound_push_record(queue, sizeof *record);
    if (record == NULL)
        return false;
    *record = (struct record){
        .shared = shared_hold(message),
        .head_bytes = (uint32_t)bytes - (message->bytes - message->head_bytes),
        .body_bytes = message->bytes - message->head_bytes,
        .queued_ms = outbox_now_ms(queue->outbox),
        .key = update->key,
        .where = RECORD_SHARED,
        .consumes_credit = true,
        .marks = update->marks,
        .policy = (uint8_t)update->policy,
        .is_start = update->is_start,
        .is_end = update->is_end,
    };
    if (!update->is_end && update->policy == TOPIC_POLICY_UNSUBSCRIBE)
        queue->ending_updates++;
    if (!update->is_end && merging_applies(queue, update->policy))
        merging_add(queue, record);
    outbound_pushed(queue, bytes);
    return true;
}

enum error updates_send(struct outbound *queue, const struct update *update)
{
    struct record *older;
    enum error error;
    require(!update->is_end || update->marks == 0);
    if (!update->is_end && is_ended(queue, update->key))
        return ERROR_OK; /* (U4) */
    while ((error = place_find(queue, update, &older)) == ERROR_OK) {
        size_t replaced_bytes = older == NULL ? 0 : record_bytes(older);
        if (outbound_has_room(queue, older == NULL, bytes_of(update, older), replaced_bytes)) {
            if (older != NULL)
                merge(queue, older, update);
            if (older != NULL || push(queue, update))
                return ERROR_OK;
            if (!outbound_find_memory(queue))
                return ERROR_LIMIT_REACHED;
        } else if (updates_merge(queue) == 0) {
            if (queue->is_conflated && update->policy == TOPIC_POLICY_UNSUBSCRIBE &&
                !update->is_end)
                return subscription_end(queue, update->key);
            if (!updates_make_room(queue))
                return ERROR_LIMIT_REACHED;
        }
    }
    return error;
}

uint32_t updates_switch(struct outbound *queue, bool is_conflated)
{
    queue->is_conflated = is_conflated;
    if (is_conflated)
        return updates_merge(queue);
    merging_forget(queue);
    queue->is_merging = false;
    return 0;
}

bool updates_next_ended(struct outbound *queue, uint32_t *key)
{
    const uint32_t *ended = chain_front(&queue->ended_keys);
    if (ended == NULL)
        return false;
    *key = *ended;
    chain_pop(outbox_pool(queue->outbox), &queue->ended_keys);
    return true;
}

void updates_left(struct outbound *queue, struct record *record)
{
    if (record->policy == TOPIC_POLICY_UNSUBSCRIBE && !record->is_end)
        queue->ending_updates--;
    merging_remove(queue, record);
}

void updates_back(struct outbound *queue)
{
    struct chain_place place = queue->waiting;
    struct record *record;
    queue->ending_updates = 0;
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        if (record->where == RECORD_SHARED && record->policy == TOPIC_POLICY_UNSUBSCRIBE)
            queue->ending_updates += !record->is_end;
    }
    if (queue->is_conflated)
        (void)merging_walk(queue, queue->is_merging);
}
