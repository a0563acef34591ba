/* audit.c - see audit.h. The letters are those of outbound.c, updates.c and weights.c. */
#include "mesh/base/audit.h"

#include "mesh/base/merging.h"

struct sums {
    uint32_t messages, ending_updates;
    size_t bytes;
};

void audit_count(const struct outbound *queue)
{
    struct chain_place place = {0};
    const struct record *record;
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        if (record->where == RECORD_SHARED)
            record->shared->counted++;
    }
}

/* A message's count goes down to 0 again as the queues that hold it are judged, one by one. Nobody
 * but queues holds one between two facts. */
static void shared_judge(const struct record *record)
{
    struct shared *message = record->shared;
    require(message->counted > 0 && message->counted <= message->holders);
    require(record_bytes(record) == message->bytes + topic_marks_encoded(record->marks).bytes);
    require(record->consumes_credit);
    message->counted--;
}

static void sums_add(struct sums *sums, const struct record *record)
{
    sums->messages++;
    sums->bytes += record_bytes(record);
    if (record->where == RECORD_SHARED)
        sums->ending_updates += record->policy == TOPIC_POLICY_UNSUBSCRIBE && !record->is_end;
}

void audit_judge(const struct outbound *queue)
{
    struct chain_place place = {0};
    const struct record *record;
    struct sums held = {0}, waits = {0};
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        if (record->where == RECORD_SHARED)
            shared_judge(record);
        sums_add(held.messages < queue->sent_messages ? &held : &waits, record);
    }
    require(held.messages == queue->sent_messages && held.bytes == queue->sent_bytes); /* Q6 */
    require((queue->waiting.block == NULL) == (queue->sent_messages == 0));
    require(waits.messages == queue->messages && waits.bytes == queue->bytes); /* Q1 */
    require(waits.ending_updates == queue->ending_updates);                    /* U2 */
    require(queue->queued_total - queue->sent_total == queue->messages);       /* Q4 */
    require(queue->again_messages <= queue->messages);
    require(queue->kept_messages <= queue->messages);                       /* Q2 */
    require(queue->sent_messages + queue->messages <= queue->messages_max); /* Q7 */
    require(queue->sent_bytes + queue->bytes <= queue->bytes_max);
    require(queue->sent_bytes + queue->bytes < queue->weight_limit); /* W1 */
    require(!queue->is_given_up || (queue->messages == 0 && queue->sent_messages == 0));
    merging_check(queue);
}
