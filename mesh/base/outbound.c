/* outbound.c - see outbound.h. A queue is a chain of heads; in front of each lies a record that
 * says where the body is and whose it is.
 *
 *            +--------+------+--------+------+--------+------+
 *     chain  | record | head | record | head | record | head |   oldest first
 *            +---|----+------+---|----+------+---|----+------+
 *                v kept          v kept          v referenced: in the frame it came in
 *             our copy        our copy        input memory, until the pull ends
 *
 * (Q1) bytes = the heads and bodies of all messages in the chain = what is written for them
 * (Q2) the first kept_messages are kept; `unkept` stands behind them
 * (Q3) every byte of a body counts once as MEMORY_QUEUES, referenced or kept
 * (Q4) queued_total - sent_total = messages
 * (Q5) credit counts what left by a frame, never what was dropped */
#include "mesh/base/outbound.h"

#include "mesh/base/outbox.h"
#include "mesh/base/require.h"

struct record {
    const uint8_t *body;
    uint32_t body_bytes;
    uint32_t head_bytes;
    uint8_t *kept; /* the body, when it is our copy */
    bool consumes_credit;
    uint8_t head[];
};

/* Where frames are cut off, and the largest that a receiver takes. */
static const struct {
    size_t aim, limit;
} frame_bytes[] = {
    [CHANNEL_CLIENT] = {CLIENT_FRAME_BYTES_AIM, CLIENT_FRAME_BYTES_MAX},
    [CHANNEL_GOSSIP] = {GOSSIP_FRAME_BYTES_MAX, GOSSIP_FRAME_BYTES_MAX},
    [CHANNEL_FORWARD] = {FORWARD_FRAME_BYTES_AIM, FORWARD_FRAME_BYTES_MAX},
};

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
        .frame_bytes_aim = frame_bytes[envelope->channel].aim,
        .messages_max = messages_max,
        .bytes_max = bytes_max,
        .credit_messages_limit = UINT64_MAX,
        .credit_bytes_limit = UINT64_MAX,
    };
}

/* Where the oldest messages leave, by being written or dropped, their accounts are settled. */
static void oldest_pop(struct outbound *queue, const struct record *record)
{
    struct chain_pool *pool = outbox_pool(queue->outbox);
    if (record->kept != NULL)
        memory_free(pool->memory, pool->kind, record->kept, record->body_bytes);
    else
        memory_release(pool->memory, pool->kind, record->body_bytes);
    queue->bytes -= (size_t)record->head_bytes + record->body_bytes;
    queue->messages--;
    queue->sent_total++;
    if (queue->kept_messages > 0)
        queue->kept_messages--;
    if (queue->kept_messages == 0)
        queue->unkept = (struct chain_place){0};
    chain_pop(pool, &queue->chain);
}

void outbound_drop_all(struct outbound *queue)
{
    if (queue->outbox == NULL)
        return;
    require(!outbox_is_pulled(queue->outbox, queue));
    while (queue->messages > 0)
        oldest_pop(queue, chain_front(&queue->chain));
    outbox_place(queue->outbox, queue);
}

void outbound_clear(struct outbound *queue)
{
    outbound_drop_all(queue);
    *queue = (struct outbound){0};
}

static bool body_reserve(struct chain_pool *pool, size_t bytes)
{
    if (memory_reserve(pool->memory, pool->kind, bytes))
        return true;
    /* Spare blocks are nobody's; before a message is refused they go. */
    chain_pool_trim(pool);
    return memory_reserve(pool->memory, pool->kind, bytes);
}

static bool has_room(const struct outbound *queue, size_t head_bytes, size_t body_bytes)
{
    enum channel channel = queue->envelope.channel;
    size_t most = frame_bytes[channel].limit - envelope_bytes(channel);
    if (head_bytes > MESSAGE_HEADER_BYTES + MESSAGE_FIELDS_BYTES_MAX || body_bytes > most ||
        head_bytes + body_bytes > most)
        return false;
    return queue->messages < queue->messages_max && queue->bytes <= queue->bytes_max &&
           head_bytes + body_bytes <= queue->bytes_max - queue->bytes;
}

static void head_encode(const struct outgoing *message, struct record *record)
{
    struct writer writer;
    writer_init(&writer, record->head, record->head_bytes);
    if (message->schema != NULL) {
        message_encode(message->schema, message->fields, message->kind, message->flags,
                       message->correlation, message->body.bytes, &writer);
    } else {
        const struct message as_it_came = {
            .kind = message->kind,
            .flags = message->flags,
            .correlation = message->correlation,
            .fields = message->encoded_fields,
            .body = message->body,
        };
        message_pass_on(&as_it_came, &writer);
    }
    require(!writer.is_bad && writer.left == 0);
}

enum error outbound_send(struct outbound *queue, const struct outgoing *message)
{
    size_t head_bytes = message->schema != NULL
                            ? message_measure(message->schema, message->fields)
                            : MESSAGE_HEADER_BYTES + message->encoded_fields.bytes;
    struct chain_pool *pool = outbox_pool(queue->outbox);
    if (!has_room(queue, head_bytes, message->body.bytes) ||
        !body_reserve(pool, message->body.bytes))
        return ERROR_LIMIT_REACHED;
    struct record *record = chain_push(pool, &queue->chain, sizeof *record + head_bytes);
    if (record == NULL) {
        memory_release(pool->memory, pool->kind, message->body.bytes);
        return ERROR_LIMIT_REACHED;
    }
    *record = (struct record){
        .body = message->body.data,
        .body_bytes = (uint32_t)message->body.bytes,
        .head_bytes = (uint32_t)head_bytes,
        .consumes_credit = message->consumes_credit,
    };
    head_encode(message, record);
    queue->messages++;
    queue->bytes += head_bytes + message->body.bytes;
    queue->queued_total++;
    if (queue->place == OUTBOUND_NOWHERE) /* what is behind the oldest message moves no queue */
        outbox_place(queue->outbox, queue);
    return ERROR_OK;
}

bool outbound_next(const struct outbound *queue, struct chain_place *place, struct message *message)
{
    const struct record *record = chain_next(&queue->chain, place);
    if (record == NULL)
        return false;
    bool is_whole = message_of_parts(span_of(record->head, record->head_bytes),
                                     span_of(record->body, record->body_bytes), message);
    require(is_whole);
    return true;
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
    uint64_t bytes = (uint64_t)record->head_bytes + record->body_bytes;
    purse->messages--;
    purse->bytes = purse->bytes > bytes ? purse->bytes - bytes : 0;
    return true;
}

bool outbound_must_wait(const struct outbound *queue)
{
    struct purse purse = purse_of(queue);
    return queue->is_blocked ||
           (queue->messages > 0 && !purse_pay(&purse, chain_front(&queue->chain)));
}

uint32_t outbound_measure(const struct outbound *queue, size_t *bytes)
{
    size_t most = queue->frame_bytes_aim - envelope_bytes(queue->envelope.channel);
    struct purse purse = purse_of(queue);
    *bytes = queue->bytes;
    if (queue->bytes <= most && queue->bytes <= purse.bytes && queue->messages <= purse.messages)
        return queue->messages;
    uint32_t messages = 0;
    size_t total = 0;
    struct chain_place place = {0};
    while (messages < queue->messages) {
        const struct record *record = chain_next(&queue->chain, &place);
        size_t more = (size_t)record->head_bytes + record->body_bytes;
        if (messages > 0 && (total + more > most || !purse_pay(&purse, record)))
            break;
        if (messages == 0)
            (void)purse_pay(&purse, record); /* it may leave: outbound_must_wait said so */
        messages++;
        total += more;
    }
    *bytes = total;
    return messages;
}

void outbound_write(struct outbound *queue, uint32_t messages, struct writer *writer)
{
    for (uint32_t i = 0; i < messages; i++) {
        const struct record *record = chain_front(&queue->chain);
        writer_span(writer, span_of(record->head, record->head_bytes));
        writer_span(writer, span_of(record->body, record->body_bytes));
        if (record->consumes_credit) {
            queue->credit_messages_sent++;
            queue->credit_bytes_sent += (uint64_t)record->head_bytes + record->body_bytes;
        }
        oldest_pop(queue, record);
    }
}

void outbound_keep(struct outbound *queue)
{
    struct chain_pool *pool = outbox_pool(queue->outbox);
    struct record *record;
    while ((record = chain_next(&queue->chain, &queue->unkept)) != NULL) {
        if (record->body_bytes == 0)
            continue;
        memory_release(pool->memory, pool->kind, record->body_bytes);
        record->kept = memory_new(pool->memory, pool->kind, record->body_bytes);
        /* Within the limit it can only be the system that has none left: better gone than silent,
         * as the message was promised to leave. */
        require(record->kept != NULL);
        memcpy(record->kept, record->body, record->body_bytes);
        record->body = record->kept;
    }
    queue->kept_messages = queue->messages;
}
