/* outbound.c - see outbound.h. A queue is a chain of heads; in front of each lies a record that
 * says where the body is and whose it is.
 *
 *            +--------+------+--------+------+--------+------+
 *     chain  | record | head | record | head | record | head |   oldest first
 *            +---|----+------+---|----+------+---|----+------+
 *                v kept          v kept          v referenced: in the frame it came in
 *             our copy        our copy        input memory, until the pull ends
 *
 * A queue that keeps what it sent has one more part in front, and bodies of its own from the start:
 *
 *            | held, sent | held, sent | waits: again | waits | waits |
 *     outbound_acknowledge -->         ^ waiting                          outbound_write -->
 *                                      <-- outbound_rewind
 *
 * (Q1) bytes = the heads and bodies of all messages that wait = what is written for them
 * (Q2) the first kept_messages are kept; `unkept` stands behind them
 * (Q3) every byte of a body counts once as MEMORY_QUEUES, referenced or kept
 * (Q4) queued_total - sent_total = messages
 * (Q5) credit counts what left by a frame, never what was dropped
 * (Q6) held are the sent_messages youngest of the first credit_messages_sent; `waiting` stands
 *      behind them, and is zero when there are none
 * (Q7) what waits and what is held: together within messages_max and bytes_max */
#include "mesh/base/outbound.h"

#include "mesh/base/merging.h"
#include "mesh/base/outbox.h"
#include "mesh/base/record.h"
#include "mesh/base/updates.h"
#include "mesh/base/wipe.h"
#include "proto/kinds.h"

void outbound_init(struct outbound *queue, struct outbox *outbox, enum mesh_order order,
                   uint32_t number, const struct envelope *envelope, uint32_t messages_max,
                   size_t bytes_max)
{
    require(queue->place == OUTBOUND_NOWHERE && queue->messages == 0);
    *queue = (struct outbound){
        .outbox = outbox,
        .order = order,
        .number = number,
        .envelope = *envelope,
        .frame_bytes_aim = outgoing_frame_aim(envelope->channel),
        .messages_max = messages_max,
        .bytes_max = bytes_max,
        .credit_messages_limit = UINT64_MAX,
        .credit_bytes_limit = UINT64_MAX,
        .weight_limit = SIZE_MAX,
    };
}

/* The oldest message that waits; NULL: none. */
static struct record *waiting_front(const struct outbound *queue)
{
    struct chain_place place = queue->waiting;
    return chain_next(&queue->chain, &place);
}

/* What a record that is held, or about to be, counts for: shared bytes are nobody's own. */
static size_t held_bytes(const struct record *record)
{
    return sizeof *record + (record->where == RECORD_SHARED ? 0 : record_bytes(record));
}

void outbound_free_body(struct outbound *queue, struct record *record)
{
    struct chain_pool *pool = outbox_pool(queue->outbox);
    if (record->is_secret)
        wipe_bytes(record->head, record->head_bytes);
    switch ((enum record_body)record->where) {
    case RECORD_REFERENCED:
        memory_release(pool->memory, pool->kind, record->body_bytes);
        break;
    case RECORD_KEPT:
        memory_free(pool->memory, pool->kind, record->kept, record->body_bytes);
        break;
    case RECORD_WHOLE:
        break;
    case RECORD_SHARED:
        shared_release(outbox_shared(queue->outbox), record->shared);
        break;
    }
}

/* Where the oldest messages leave, by being written or dropped, their accounts are settled. */
static void oldest_pop(struct outbound *queue, struct record *record)
{
    if (record->where == RECORD_SHARED)
        updates_left(queue, record);
    outbound_free_body(queue, record);
    queue->bytes -= record_bytes(record);
    queue->messages--;
    queue->sent_total++;
    if (queue->kept_messages > 0)
        queue->kept_messages--;
    if (queue->kept_messages == 0)
        queue->unkept = (struct chain_place){0};
    chain_pop(outbox_pool(queue->outbox), &queue->chain);
}

static void urgent_pop(struct outbound *queue)
{
    const struct record *record = chain_front(&queue->urgent);
    queue->urgent_bytes -= record_bytes(record);
    queue->urgent_messages--;
    chain_pop(outbox_pool(queue->outbox), &queue->urgent);
}

/* The oldest of those that were sent is held no longer. */
static void held_pop(struct outbound *queue)
{
    struct record *record = chain_front(&queue->chain);
    size_t bytes = record_bytes(record);
    queue->sent_bytes -= bytes;
    queue->sent_messages--;
    *outbox_held_bytes(queue->outbox) -= held_bytes(record);
    outbound_free_body(queue, record);
    chain_pop(outbox_pool(queue->outbox), &queue->chain);
    if (queue->sent_messages == 0)
        queue->waiting = (struct chain_place){0};
}

/* The oldest that waited was sent, and is held from now on. */
static void held_push(struct outbound *queue)
{
    struct record *record = chain_next(&queue->chain, &queue->waiting);
    size_t bytes = record_bytes(record);
    if (record->where == RECORD_SHARED)
        updates_left(queue, record);
    queue->messages--;
    queue->bytes -= bytes;
    queue->sent_total++;
    queue->sent_messages++;
    queue->sent_bytes += bytes;
    *outbox_held_bytes(queue->outbox) += held_bytes(record);
}

static void held_drop(struct outbound *queue)
{
    while (queue->sent_messages > 0)
        held_pop(queue);
}

bool outbound_drop_sent(struct outbound *queue)
{
    bool has_some = queue->sent_messages > 0;
    held_drop(queue);
    return has_some;
}

void outbound_drop_all(struct outbound *queue)
{
    if (queue->outbox == NULL)
        return;
    require(!outbox_is_pulled(queue->outbox, queue));
    while (queue->urgent_messages > 0)
        urgent_pop(queue);
    held_drop(queue);
    merging_forget(queue);
    while (queue->messages > 0)
        oldest_pop(queue, chain_front(&queue->chain));
    queue->again_messages = 0;
    queue->is_merging = false;
    outbox_place(queue->outbox, queue);
}

void outbound_clear(struct outbound *queue)
{
    if (queue->outbox == NULL)
        return;
    outbound_drop_all(queue);
    outbox_forget(queue->outbox, queue);
    *queue = (struct outbound){0};
}

bool outbound_find_memory(struct outbound *queue)
{
    if (outbox_make_room(queue->outbox))
        return true;
    if (queue->sent_messages == 0)
        return false;
    held_pop(queue);
    return true;
}

/* Urgent messages have as much room of their own: a WELCOME must not wait for it either. */
static bool has_urgent_room(const struct outbound *queue, size_t bytes)
{
    return queue->urgent_messages < queue->messages_max &&
           queue->urgent_bytes <= queue->bytes_max &&
           bytes <= queue->bytes_max - queue->urgent_bytes;
}

/* What was sent gives way to what has to be. */
bool outbound_has_room(struct outbound *queue, uint32_t messages, size_t bytes,
                       size_t replaced_bytes)
{
    size_t others = queue->bytes - replaced_bytes;
    if (messages > queue->messages_max - queue->messages || bytes > queue->bytes_max ||
        others > queue->bytes_max - bytes)
        return false;
    while (queue->sent_messages > 0 &&
           (queue->sent_messages + queue->messages + messages > queue->messages_max ||
            queue->sent_bytes + others + bytes > queue->bytes_max))
        held_pop(queue);
    return true;
}

struct record *outbound_push_record(struct outbound *queue, size_t record_bytes)
{
    return chain_push(outbox_pool(queue->outbox), &queue->chain, record_bytes);
}

/* Head and body in one piece: nothing of the input is needed any more. */
static struct record *push_whole(struct outbound *queue, struct chain *chain, size_t head_bytes,
                                 struct span body)
{
    struct chain_pool *pool = outbox_pool(queue->outbox);
    struct record *record = chain_push(pool, chain, sizeof *record + head_bytes + body.bytes);
    if (record == NULL)
        return NULL;
    if (body.bytes > 0)
        memcpy(record->head + head_bytes, body.data, body.bytes);
    *record = (struct record){.where = RECORD_WHOLE};
    return record;
}

/* Only the head; the body stays where it is until outbound_keep. */
static struct record *push_head(struct outbound *queue, size_t head_bytes, struct span body)
{
    struct chain_pool *pool = outbox_pool(queue->outbox);
    if (!memory_reserve(pool->memory, pool->kind, body.bytes))
        return NULL;
    struct record *record = outbound_push_record(queue, sizeof *record + head_bytes);
    if (record == NULL)
        memory_release(pool->memory, pool->kind, body.bytes);
    else
        *record = (struct record){.where = RECORD_REFERENCED, .body = body.data};
    return record;
}

void outbound_grown(struct outbound *queue)
{
    if (queue->bytes + queue->sent_bytes >= queue->weight_limit)
        weights_raise(outbox_weights(queue->outbox), queue);
}

void outbound_pushed(struct outbound *queue, size_t bytes)
{
    queue->messages++;
    queue->bytes += bytes;
    queue->queued_total++;
    outbound_grown(queue);
    if (queue->place == OUTBOUND_NOWHERE) /* what is behind the oldest message moves no queue */
        outbox_place(queue->outbox, queue);
}

static void urgent_pushed(struct outbound *queue, size_t bytes)
{
    queue->urgent_messages++;
    queue->urgent_bytes += bytes;
    outbox_place(queue->outbox, queue); /* it may leave where the others have to wait */
}

static bool find_room(struct outbound *queue, const struct outgoing *message, size_t head_bytes)
{
    size_t bytes = head_bytes + message->body.bytes;
    if (queue->is_given_up ||
        !outgoing_fits(queue->envelope.channel, head_bytes, message->body.bytes))
        return false;
    if (message->is_urgent)
        return has_urgent_room(queue, bytes);
    while (!outbound_has_room(queue, 1, bytes, 0)) {
        if (!updates_make_room(queue))
            return false;
    }
    return true;
}

static struct record *push(struct outbound *queue, const struct outgoing *message,
                           size_t head_bytes)
{
    struct record *record;
    do {
        record = message->is_urgent  ? push_whole(queue, &queue->urgent, head_bytes, message->body)
                 : queue->keeps_sent ? push_whole(queue, &queue->chain, head_bytes, message->body)
                                     : push_head(queue, head_bytes, message->body);
    } while (record == NULL && outbound_find_memory(queue) && !queue->is_given_up);
    return record;
}

enum error outbound_send(struct outbound *queue, const struct outgoing *message)
{
    size_t head_bytes = outgoing_measure_head(message);
    require(!queue->keeps_sent || message->is_urgent || message->consumes_credit);
    if (!find_room(queue, message, head_bytes))
        return ERROR_LIMIT_REACHED;
    struct record *record = push(queue, message, head_bytes);
    if (record == NULL)
        return ERROR_LIMIT_REACHED;
    record->body_bytes = (uint32_t)message->body.bytes;
    record->head_bytes = (uint32_t)head_bytes;
    record->consumes_credit = message->consumes_credit;
    record->is_secret = kind_is_secret(message->kind);
    record->queued_ms = outbox_now_ms(queue->outbox);
    outgoing_encode_head(message, record->head, head_bytes);
    if (message->is_urgent)
        urgent_pushed(queue, head_bytes + message->body.bytes);
    else
        outbound_pushed(queue, head_bytes + message->body.bytes);
    return ERROR_OK;
}

void outbound_block(struct outbound *queue)
{
    queue->is_blocked = true;
    outbox_place(queue->outbox, queue);
}

void outbound_unblock(struct outbound *queue)
{
    queue->is_blocked = false;
    outbox_place(queue->outbox, queue);
}

void outbound_finish(struct outbound *queue, const struct outgoing *last, bool cut)
{
    if (outbound_must_wait(queue))
        outbound_drop_all(queue);
    held_drop(queue);
    merging_forget(queue);
    outbox_forget(queue->outbox, queue);
    struct outbound *detached = outbox_detach(queue->outbox, queue);
    if (detached != NULL) {
        detached->is_cut_after = cut;
        if (last != NULL)
            (void)outbound_send(detached, last); /* refused only when queues have no memory left */
        outbox_place(detached->outbox, detached);
    } else if (cut) {
        outbox_order(queue->outbox, &(struct mesh_output){
                                        .order = MESH_CUT,
                                        .channel = queue->envelope.channel,
                                        .connection = queue->number,
                                    });
    }
    outbound_clear(queue);
}

void outbound_grant(struct outbound *queue, uint64_t messages_limit, uint64_t bytes_limit)
{
    queue->credit_messages_limit = messages_limit;
    queue->credit_bytes_limit = bytes_limit;
    outbox_place(queue->outbox, queue);
}

void outbound_keep_sent(struct outbound *queue)
{
    require(queue->messages == 0);
    queue->keeps_sent = true;
}

bool outbound_acknowledge(struct outbound *queue, uint64_t received)
{
    if (received > queue->credit_messages_sent)
        return false;
    while (queue->sent_messages > 0 &&
           queue->credit_messages_sent - queue->sent_messages < received)
        held_pop(queue);
    return true;
}

uint64_t outbound_rewind(struct outbound *queue, uint64_t received, uint32_t number)
{
    require(!outbox_is_pulled(queue->outbox, queue));
    require(outbound_acknowledge(queue, received));
    queue->number = number;
    queue->credit_messages_sent -= queue->sent_messages;
    queue->credit_bytes_sent -= queue->sent_bytes;
    queue->sent_total -= queue->sent_messages;
    queue->messages += queue->sent_messages;
    queue->bytes += queue->sent_bytes;
    queue->again_messages += queue->sent_messages;
    struct chain_place place = {0};
    for (; queue->sent_messages > 0; queue->sent_messages--) {
        const struct record *record = chain_next(&queue->chain, &place);
        *outbox_held_bytes(queue->outbox) -= held_bytes(record);
    }
    queue->sent_bytes = 0;
    queue->waiting = (struct chain_place){0};
    updates_back(queue);
    outbox_place(queue->outbox, queue);
    return queue->credit_messages_sent;
}

/* How much credit is left, as it is used up on the way through a queue. */
struct purse {
    uint64_t messages, bytes;
};

static struct purse purse_of(const struct outbound *queue)
{
    uint64_t messages = queue->credit_messages_limit, bytes = queue->credit_bytes_limit;
    return (struct purse){
        .messages =
            messages > queue->credit_messages_sent ? messages - queue->credit_messages_sent : 0,
        .bytes = bytes > queue->credit_bytes_sent ? bytes - queue->credit_bytes_sent : 0,
    };
}

/* Pays for a message; false when there is nothing left to pay with. */
static bool purse_pay(struct purse *purse, const struct record *record)
{
    if (!record->consumes_credit)
        return true;
    if (purse->messages == 0 || purse->bytes == 0)
        return false;
    uint64_t bytes = record_bytes(record);
    purse->messages--;
    purse->bytes = purse->bytes > bytes ? purse->bytes - bytes : 0;
    return true;
}

uint32_t outbound_lag_ms(const struct outbound *queue)
{
    const struct record *record = queue->messages == 0 ? NULL : waiting_front(queue);
    return record == NULL ? 0 : outbox_now_ms(queue->outbox) - record->queued_ms;
}

bool outbound_is_empty(const struct outbound *queue)
{
    return queue->messages == 0 && queue->urgent_messages == 0;
}

bool outbound_must_wait(const struct outbound *queue)
{
    struct purse purse = purse_of(queue);
    if (queue->is_blocked)
        return true;
    return queue->urgent_messages == 0 && queue->messages > 0 &&
           !purse_pay(&purse, waiting_front(queue));
}

/* As outbound_measure, of the urgent messages alone. */
static uint32_t urgent_measure(const struct outbound *queue, size_t most, size_t *bytes)
{
    struct chain_place place = {0};
    const struct record *record;
    uint32_t messages = 0;
    *bytes = 0;
    while ((record = chain_next(&queue->urgent, &place)) != NULL &&
           (messages == 0 || *bytes + record_bytes(record) <= most)) {
        *bytes += record_bytes(record);
        messages++;
    }
    return messages;
}

uint32_t outbound_measure(const struct outbound *queue, size_t *bytes)
{
    size_t most = queue->frame_bytes_aim - envelope_bytes(queue->envelope.channel);
    struct purse purse = purse_of(queue);
    uint32_t messages = urgent_measure(queue, most, bytes);
    size_t total = *bytes;
    if (messages < queue->urgent_messages)
        return messages;
    if (total + queue->bytes <= most && queue->bytes <= purse.bytes &&
        queue->messages <= purse.messages) {
        *bytes += queue->bytes;
        return messages + queue->messages;
    }
    struct chain_place place = queue->waiting;
    const struct record *record;
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        if (messages > 0 && (total + record_bytes(record) > most || !purse_pay(&purse, record)))
            break;
        if (messages == 0)
            (void)purse_pay(&purse, record); /* it may leave: outbound_must_wait said so */
        messages++;
        total += record_bytes(record);
    }
    *bytes = total;
    return messages;
}

/* The record was written. */
static void waiting_sent(struct outbound *queue, struct record *record)
{
    if (record->consumes_credit) {
        queue->credit_messages_sent++;
        queue->credit_bytes_sent += record_bytes(record);
    }
    if (queue->again_messages > 0)
        queue->again_messages--;
    if (queue->keeps_sent)
        held_push(queue);
    else
        oldest_pop(queue, record);
    if (queue->messages == 0)
        merging_rest(queue);
}

/* An update's fields get its marks behind them, and the header says how long they are then. */
static void marked_write(const struct record *record, struct writer *writer)
{
    const struct shared *shared = record->shared;
    struct writer header = *writer;
    writer_span(writer, span_of(shared->content, shared->head_bytes));
    writer_span(writer, topic_marks_encoded(record->marks));
    writer_span(writer, record_body(record));
    if (writer_claim(&header, MESSAGE_FIELDS_BYTES_AT) != NULL)
        writer_u16(&header, (uint16_t)(record->head_bytes - MESSAGE_HEADER_BYTES));
}

static void record_write(const struct record *record, struct writer *writer)
{
    if (record->where != RECORD_SHARED) {
        writer_span(writer, span_of(record->head, record->head_bytes));
        writer_span(writer, record_body(record));
    } else if (record->marks != 0) {
        marked_write(record, writer);
    } else {
        writer_span(writer, span_of(record->shared->content, record->shared->bytes));
    }
}

void outbound_write(struct outbound *queue, uint32_t messages, struct writer *writer)
{
    const struct chain_pool *pool = outbox_pool(queue->outbox);
    uint64_t held_most = pool->memory->limit[pool->kind] / 2;
    for (uint32_t i = 0; i < messages; i++) {
        bool is_urgent = queue->urgent_messages > 0;
        struct record *record = is_urgent ? chain_front(&queue->urgent) : waiting_front(queue);
        record_write(record, writer);
        if (is_urgent)
            urgent_pop(queue);
        else
            waiting_sent(queue, record);
    }
    while (queue->sent_messages > 0 && *outbox_held_bytes(queue->outbox) > held_most)
        held_pop(queue);
}

bool outbound_is_kept(const struct outbound *queue)
{
    return queue->keeps_sent || queue->kept_messages == queue->messages;
}

void outbound_keep(struct outbound *queue)
{
    struct chain_pool *pool = outbox_pool(queue->outbox);
    struct record *record;
    if (queue->keeps_sent)
        return;
    while ((record = chain_next(&queue->chain, &queue->unkept)) != NULL) {
        if (record->body_bytes == 0 || record->where != RECORD_REFERENCED)
            continue;
        memory_release(pool->memory, pool->kind, record->body_bytes);
        uint8_t *kept = memory_new(pool->memory, pool->kind, record->body_bytes);
        /* Within the limit it can only be the system that has none left: better gone than silent,
         * as the message was promised to leave. */
        require(kept != NULL);
        memcpy(kept, record->body, record->body_bytes);
        record->kept = kept;
        record->where = RECORD_KEPT;
    }
    queue->kept_messages = queue->messages;
}
