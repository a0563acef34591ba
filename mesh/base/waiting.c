/* waiting.c - see waiting.h. What is replaced stays a message of its queue: no account changes but
 * the bytes'. */
#include "mesh/base/waiting.h"

#include "mesh/base/record.h"

/* How deep in a queue a message is looked for. Thousands that a session leaves behind at its end
 * are each looked for: without a limit a node was away for seconds. Double: four times the work. */
enum { WAITING_DEPTH_MAX = 1024 };

/* The next record, whatever it is; NULL: the end. */
static struct record *step(const struct outbound *queue, struct waiting *walk)
{
    if (walk->place.block == NULL)
        walk->place = queue->waiting;
    struct record *record = chain_next(&queue->chain, &walk->place);
    if (record != NULL)
        walk->position++;
    return record;
}

static bool is_message(const struct record *record, struct message *message)
{
    return record->where != RECORD_SHARED &&
           message_of_parts(span_of(record->head, record->head_bytes), record_body(record),
                            message);
}

bool waiting_next(const struct outbound *queue, struct waiting *walk, struct message *message)
{
    const struct record *record;
    while ((record = step(queue, walk)) != NULL) {
        if (is_message(record, message))
            return true;
    }
    return false;
}

bool waiting_is_again(const struct outbound *queue, const struct waiting *walk)
{
    return walk->position <= queue->again_messages;
}

/* A message is as far from the front as its number is from the last one that left, unless updates
 * were merged away in between: then it is nearer than that, or behind what its number says. */
static struct record *find(const struct outbound *queue, uint64_t number, uint8_t kind,
                           uint64_t correlation)
{
    bool is_exact = queue->conflated_total == 0;
    struct waiting walk = {.position = 0};
    struct record *record;
    if (is_exact && (number <= queue->sent_total || number > queue->queued_total ||
                     number - queue->sent_total > WAITING_DEPTH_MAX))
        return NULL;
    while (walk.position < WAITING_DEPTH_MAX && (record = step(queue, &walk)) != NULL) {
        struct message message;
        if (is_exact && queue->sent_total + walk.position < number)
            continue;
        if (is_message(record, &message) && message.kind == kind &&
            message.correlation == correlation)
            return waiting_is_again(queue, &walk) ? NULL : record;
        if (is_exact)
            return NULL;
    }
    return NULL;
}

bool waiting_replace(struct outbound *queue, uint64_t number, uint8_t kind, uint64_t correlation,
                     uint8_t instead)
{
    struct record *record = find(queue, number, kind, correlation);
    if (record == NULL)
        return false;
    outbound_free_body(queue, record);
    queue->bytes -= record_bytes(record) - MESSAGE_HEADER_BYTES;
    if (record->where == RECORD_KEPT)
        record->where = RECORD_REFERENCED; /* to nothing */
    record->body = NULL;
    record->body_bytes = 0;
    record->head_bytes = MESSAGE_HEADER_BYTES;
    const struct outgoing message = {.kind = instead, .correlation = correlation};
    outgoing_encode_head(&message, record->head, MESSAGE_HEADER_BYTES);
    return true;
}
