/* merging.c - see merging.h.
 *
 * An update is open while a later one of its topic may merge into it: it waits and is no end. By
 * the rules at most one update of a topic is open, where it is merged as it comes.
 *
 * An index is a table of buckets; records are linked in their bucket by record->next, so that it
 * takes 8 bytes a bucket and nothing a record. A queue has one only since it was longer than
 * SCAN_MAX when an update looked for an older one; walks over a whole queue use the one table of
 * the outbox, because they are made when memory is short.
 *
 * (G1) index.buckets holds exactly the records with is_indexed; between calls the outbox's none
 * (G2) while the queue has an index, every open update that is merged as it comes is in it */
#include "mesh/base/merging.h"

#include "mesh/base/bugs.h"

enum {
    /* So many records are looked at faster than a table is kept: most queues never hold more. */
    SCAN_MAX = 8,
    /* A queue's first table: the smallest block worth a malloc. It doubles at two records a
     * bucket. */
    FIRST_BITS = 6,
};

static uint32_t bucket_of(uint32_t key, uint32_t bits)
{
    /* Keys are numbers of topics, small and close together: multiplied by 2^32 / golden ratio
     * they spread over the upper bits. */
    return (key * UINT32_C(2654435769)) >> (32 - bits);
}

static void index_add(struct update_index *index, struct record *record)
{
    struct record **bucket = &index->buckets[bucket_of(record->key, index->bits)];
    record->next = *bucket;
    record->is_indexed = true;
    *bucket = record;
    index->count++;
}

static void index_remove(struct update_index *index, struct record *record)
{
    struct record **link = &index->buckets[bucket_of(record->key, index->bits)];
    while (*link != record)
        link = &(*link)->next;
    *link = record->next;
    record->is_indexed = false;
    index->count--;
}

static struct record *index_find(const struct update_index *index, uint32_t key)
{
    struct record *record = index->buckets[bucket_of(key, index->bits)];
    while (record != NULL && record->key != key)
        record = record->next;
    return record;
}

static bool index_resize(struct update_index *index, struct memory *memory, uint32_t bits)
{
    struct update_index larger = {.bits = bits};
    larger.buckets = memory_new(memory, MEMORY_QUEUES, sizeof *larger.buckets << bits);
    if (larger.buckets == NULL)
        return false;
    for (uint32_t i = 0; index->buckets != NULL && i < UINT32_C(1) << index->bits; i++) {
        while (index->buckets[i] != NULL) {
            struct record *record = index->buckets[i];
            index->buckets[i] = record->next;
            index_add(&larger, record);
        }
    }
    if (index->buckets != NULL)
        memory_free(memory, MEMORY_QUEUES, index->buckets, sizeof *index->buckets << index->bits);
    *index = larger;
    return true;
}

bool merging_applies(const struct outbound *queue, enum topic_policy policy)
{
    bool is_always = policy == TOPIC_POLICY_ALWAYS && !bug_is_planted(BUG_TWO_WAIT);
    return queue->is_conflated &&
           (is_always || (policy == TOPIC_POLICY_CONFLATE && queue->is_merging));
}

static bool is_open(const struct record *record)
{
    return record->where == RECORD_SHARED && !record->is_end && !record->is_closed;
}

bool merging_prepare(struct outbound *queue)
{
    struct memory *memory = outbox_pool(queue->outbox)->memory;
    if (queue->index.buckets != NULL || queue->messages <= SCAN_MAX)
        return true;
    if (!index_resize(&queue->index, memory, FIRST_BITS))
        return false;
    struct chain_place place = queue->waiting;
    struct record *record;
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        if (is_open(record) && merging_applies(queue, record->policy))
            merging_add(queue, record);
    }
    return true;
}

struct record *merging_find(const struct outbound *queue, uint32_t key)
{
    if (queue->index.buckets != NULL)
        return index_find(&queue->index, key);
    struct chain_place place = queue->waiting;
    struct record *record, *found = NULL;
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        if (record->where == RECORD_SHARED && record->key == key)
            found = is_open(record) ? record : NULL;
    }
    return found;
}

void merging_add(struct outbound *queue, struct record *record)
{
    struct update_index *index = &queue->index;
    if (index->buckets == NULL)
        return;
    if (index->count >> index->bits >= 2) /* without memory for that its buckets grow longer */
        (void)index_resize(index, outbox_pool(queue->outbox)->memory, index->bits + 1);
    index_add(index, record);
}

void merging_remove(struct outbound *queue, struct record *record)
{
    if (record->is_indexed)
        index_remove(&queue->index, record);
}

void merging_close(struct outbound *queue, struct record *record)
{
    merging_remove(queue, record);
    record->is_closed = true;
}

void merging_apply(struct outbound *queue, struct record *older, struct shared *message,
                   unsigned marks, bool is_end)
{
    shared_release(outbox_shared(queue->outbox), older->shared);
    older->shared = message;
    older->marks = is_end ? 0 : (uint8_t)(older->marks | marks);
    older->head_bytes = message->head_bytes + (uint32_t)topic_marks_encoded(older->marks).bytes;
    older->body_bytes = message->bytes - message->head_bytes;
    older->is_end = is_end;
    queue->conflated_total++;
    outbox_relief_counts(queue->outbox)->merged++;
}

void merging_forget(struct outbound *queue)
{
    struct update_index *index = &queue->index;
    struct chain_place place = queue->waiting;
    struct record *record;
    if (index->buckets == NULL)
        return;
    while (index->count > 0 && (record = chain_next(&queue->chain, &place)) != NULL)
        if (record->is_indexed)
            index_remove(index, record);
    memory_free(outbox_pool(queue->outbox)->memory, MEMORY_QUEUES, index->buckets,
                sizeof *index->buckets << index->bits);
    *index = (struct update_index){0};
}

void merging_rest(struct outbound *queue)
{
    if (queue->index.bits > FIRST_BITS)
        merging_forget(queue);
}

/* A walk over what waits, in which some of it is taken out. */
struct walk {
    struct outbound *queue;
    struct update_index *seen; /* the outbox's */
    struct chain_place place;
    uint32_t position; /* of the record, from 0, in what waited */
    uint32_t again;    /* that had left before */
    uint32_t removed;
};

static struct walk walk_start(struct outbound *queue)
{
    require(!outbox_is_pulled(queue->outbox, queue));
    merging_forget(queue);
    return (struct walk){
        .queue = queue,
        .seen = outbox_index(queue->outbox),
        .place = queue->waiting,
        .again = queue->again_messages,
    };
}

/* The record's account is settled, its run goes with the end of the walk. */
static void walk_remove(struct walk *walk, struct record *record)
{
    struct outbound *queue = walk->queue;
    queue->messages--;
    queue->sent_total++;
    if (walk->position < walk->again)
        queue->again_messages--;
    chain_void(record);
    walk->removed++;
}

static uint32_t walk_end(struct walk *walk)
{
    struct outbound *queue = walk->queue;
    struct chain_place place = queue->waiting;
    struct record *record;
    while (walk->seen->count > 0 && (record = chain_next(&queue->chain, &place)) != NULL)
        if (record->is_indexed)
            index_remove(walk->seen, record);
    require(walk->seen->count == 0);
    if (walk->removed == 0)
        return 0;
    chain_squeeze(outbox_pool(queue->outbox), &queue->chain, queue->waiting);
    queue->unkept = (struct chain_place){0}; /* what is kept stays so, but must be looked at anew */
    queue->kept_messages = 0;
    outbox_place(queue->outbox, queue);
    return walk->removed;
}

static bool is_merged_by(const struct record *record, bool is_all)
{
    return record->where == RECORD_SHARED && (record->policy == TOPIC_POLICY_ALWAYS ||
                                              (record->policy == TOPIC_POLICY_CONFLATE && is_all));
}

uint32_t merging_walk(struct outbound *queue, bool is_all)
{
    struct walk walk = walk_start(queue);
    struct record *record;
    for (; (record = chain_next(&queue->chain, &walk.place)) != NULL; walk.position++) {
        if (!is_merged_by(record, is_all))
            continue;
        struct record *older = index_find(walk.seen, record->key);
        if (older != NULL && (record->is_start || !is_open(record)))
            index_remove(walk.seen, older);
        if (older != NULL && record->is_start)
            older->is_closed = true;
        if (older != NULL && !record->is_start) {
            queue->bytes -= record_bytes(older) + record_bytes(record);
            merging_apply(queue, older, record->shared, record->marks, record->is_end);
            queue->bytes += record_bytes(older);
            older->is_closed = record->is_closed;
            walk_remove(&walk, record);
        } else if (is_open(record)) {
            index_add(walk.seen, record);
        }
    }
    return walk_end(&walk);
}

bool merging_note_end(struct outbound *queue, uint32_t key)
{
    uint32_t *ended = chain_push(outbox_pool(queue->outbox), &queue->ended_keys, sizeof *ended);
    if (ended == NULL)
        return false;
    *ended = key;
    outbox_note(queue->outbox, queue);
    outbox_relief_counts(queue->outbox)->ended++;
    return true;
}

uint32_t merging_give_way(struct outbound *queue)
{
    struct walk walk = walk_start(queue);
    struct record *record;
    for (; (record = chain_next(&queue->chain, &walk.place)) != NULL; walk.position++) {
        if (record->where != RECORD_SHARED || record->is_end ||
            record->policy != TOPIC_POLICY_UNSUBSCRIBE)
            continue;
        if (index_find(walk.seen, record->key) == NULL) {
            if (!merging_note_end(queue, record->key))
                break;
            index_add(walk.seen, record);
        }
        queue->bytes -= record_bytes(record);
        queue->ending_updates--;
        shared_release(outbox_shared(queue->outbox), record->shared);
        walk_remove(&walk, record);
    }
    return walk_end(&walk);
}

void merging_check(const struct outbound *queue)
{
    struct update_index *seen = outbox_index(queue->outbox);
    bool has_index = queue->index.buckets != NULL;
    struct chain_place place = queue->waiting;
    struct record *record;
    uint32_t indexed = 0;
    require(seen->count == 0);
    while ((record = chain_next(&queue->chain, &place)) != NULL) {
        indexed += has_index && record->is_indexed;
        if (!is_open(record) || !merging_applies(queue, record->policy))
            continue;
        if (has_index) { /* it would find another one, if there were two */
            require(record->is_indexed && index_find(&queue->index, record->key) == record);
        } else {
            require(index_find(seen, record->key) == NULL);
            index_add(seen, record);
        }
    }
    require(indexed == queue->index.count);
    place = queue->waiting;
    while (seen->count > 0 && (record = chain_next(&queue->chain, &place)) != NULL)
        if (record->is_indexed)
            index_remove(seen, record);
}
