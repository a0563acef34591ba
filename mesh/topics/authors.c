/* authors.c - see authors.h.
 *
 * (A1) a run of entries is decoded to its end before the first one is merged
 * (A2) the first entry of a log, and no other, says that its writer sequences: so `have` above 0
 *      says it too */
#include "mesh/topics/authors.h"

#include "mesh/topics/merge.h"
#include "mesh/topics/operations.h"
#include "mesh/topics/sequencers.h"

enum { CURSOR_BYTES = 8 };

struct author *authors_find(struct topics *topics, uint64_t instance)
{
    if (instance == topics->own.instance)
        return &topics->own;
    const struct replica *replica = replicas_find(&topics->replicas, instance);
    return replica == NULL ? NULL : author_of(replica);
}

struct author *authors_get(struct topics *topics, uint64_t instance)
{
    struct memory *memory = &topics->context->memory;
    struct author *author = authors_find(topics, instance);
    if (author != NULL)
        return author;
    author = memory_new(memory, MEMORY_DIRECTORY, sizeof *author);
    if (author == NULL)
        return NULL;
    if (!replicas_add(&topics->replicas, &author->replica, instance)) {
        memory_free(memory, MEMORY_DIRECTORY, author, sizeof *author);
        return NULL;
    }
    author->instance = instance;
    author->waiting = OPERATION_NONE;
    author->died_ns = topics->context->now_ns; /* unless it joins now */
    return author;
}

struct author *authors_next(const struct topics *topics, uint32_t *number)
{
    struct replica *replica = replicas_next(&topics->replicas, number);
    return replica == NULL ? NULL : author_of(replica);
}

static void author_destroy(struct topics *topics, struct author *author)
{
    replicas_remove(&topics->replicas, &author->replica);
    memory_free(&topics->context->memory, MEMORY_DIRECTORY, author, sizeof *author);
}

/* A lost node that is back within this is known as one, and needs no transfer. */
#define KEPT_NS (UINT64_C(600) * 1000 * 1000 * 1000)

static bool is_over(const struct topics *topics, const struct author *author)
{
    return !author->is_live &&
           (author->lost_ns == 0 || topics->context->now_ns - author->lost_ns >= KEPT_NS);
}

void authors_tidy(struct topics *topics)
{
    struct author *author;
    uint32_t number = 0;
    while ((author = authors_next(topics, &number)) != NULL) {
        if (is_over(topics, author) && author->count == 0 && author->waiting == OPERATION_NONE &&
            !author->replica.is_followed)
            author_destroy(topics, author);
    }
}

void authors_clear(struct topics *topics)
{
    struct author *author;
    uint32_t number = 0;
    while ((author = authors_next(topics, &number)) != NULL)
        author_destroy(topics, author);
}

static bool is_in_place(const struct topic_entry *entry, uint64_t position)
{
    return entry->position == position && entry->term <= TOPICS_TERM_MAX &&
           (entry->type == TOPIC_ENTRY_SERVING) == (position == 1);
}

static bool run_is_sound(struct span body, const struct log_entries *entries)
{
    struct topic_entry entry;
    enum error error;
    uint64_t position = entries->first;
    while (topic_entry_next(&body, &entry, &error)) {
        if (!is_in_place(&entry, position++))
            return false;
    }
    return error == ERROR_OK && position == entries->last + 1;
}

/* How many of the entries were merged; fewer than there are without memory. */
static uint64_t run_merge(struct topics *topics, struct author *author, struct span body,
                          uint64_t skip)
{
    struct topic_entry entry;
    enum error error;
    uint64_t merged = 0;
    while (topic_entry_next(&body, &entry, &error)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        if (merge_entry(topics, author, &entry) != ERROR_OK)
            break;
        merged++;
    }
    return merged;
}

/* Its log has grown here. */
static void author_advanced(struct topics *topics, struct author *author, uint64_t before)
{
    if (before == 0 && author->replica.have > 0)
        sequencers_members_changed(topics);
    operations_log_advanced(topics, author);
}

static void run_apply(struct topics *topics, struct author *author, struct span body,
                      const struct log_entries *entries, uint64_t skip)
{
    struct replica *replica = &author->replica;
    struct log_entries done = *entries;
    uint64_t before = replica->have;
    uint64_t merged = run_merge(topics, author, body, skip);
    done.last = before + merged;
    if (merged > 0)
        replica_applied(replica, &topics->log, &done);
    if (done.last < entries->last) {
        replica_not_applied(replica, &topics->log); /* no memory: asked for again */
        count(topics->context, COUNTER_log_rejected);
    }
    author_advanced(topics, author, before);
}

enum error authors_entries_received(struct topics *topics, uint64_t peer,
                                    const struct message *message)
{
    struct log_entries entries;
    uint64_t skip = 0;
    if (schema_decode(&log_entries_schema, message->fields, &entries) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    struct replica *replica = replicas_find(&topics->replicas, entries.writer);
    enum replica_verdict verdict = replica_judge_entries(
        replica, &topics->log, peer, message->correlation, &entries, message->body.bytes, &skip);
    if (verdict != REPLICA_APPLY)
        return verdict == REPLICA_REFUSE ? ERROR_INVALID_MESSAGE : ERROR_OK;
    require(replica != NULL); /* of nobody nothing is applied */
    if (!run_is_sound(message->body, &entries)) {
        replica_not_applied(replica, &topics->log);
        return ERROR_INVALID_MESSAGE;
    }
    run_apply(topics, author_of(replica), message->body, &entries, skip);
    return ERROR_OK;
}

/* A chunk's entries ascend, from the cursor on. */
static bool chunk_is_sound(struct span body, uint64_t after)
{
    struct topic_entry entry;
    enum error error;
    while (topic_entry_next(&body, &entry, &error)) {
        if (entry.position <= after || entry.type == TOPIC_ENTRY_SERVING ||
            entry.term > TOPICS_TERM_MAX)
            return false;
        after = entry.position;
    }
    return error == ERROR_OK;
}

static uint64_t position_read(struct span encoded)
{
    struct reader reader;
    reader_init(&reader, encoded);
    return reader_u64(&reader);
}

/* Merges a sound chunk; *last: the position of its last entry. */
static enum error chunk_merge(struct topics *topics, struct author *author, struct span body,
                              uint64_t *last)
{
    struct topic_entry entry;
    enum error error;
    while (topic_entry_next(&body, &entry, &error)) {
        error = merge_entry(topics, author, &entry);
        if (error != ERROR_OK)
            return error;
        *last = entry.position;
    }
    return ERROR_OK;
}

enum error authors_chunk_received(struct topics *topics, uint64_t peer,
                                  const struct message *message)
{
    struct log_snapshot snapshot;
    if (schema_decode(&log_snapshot_schema, message->fields, &snapshot) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    struct replica *replica = replicas_find(&topics->replicas, snapshot.writer);
    enum replica_verdict verdict = replica_judge_chunk(
        replica, &topics->log, peer, message->correlation, &snapshot, message->body.bytes);
    if (verdict != REPLICA_APPLY)
        return verdict == REPLICA_REFUSE ? ERROR_INVALID_MESSAGE : ERROR_OK;
    require(replica != NULL);
    struct author *author = author_of(replica);
    uint64_t before = replica->have;
    uint64_t after = replica->in_snapshot ? position_read(replica->cursor) : before;
    bool is_sound = chunk_is_sound(message->body, after);
    if (!is_sound || chunk_merge(topics, author, message->body, &after) != ERROR_OK) {
        replica_not_applied(replica, &topics->log);
        count(topics->context, COUNTER_log_rejected);
        return is_sound ? ERROR_OK : ERROR_INVALID_MESSAGE;
    }
    struct writer writer;
    writer_init(&writer, author->cursor, CURSOR_BYTES);
    writer_u64(&writer, after);
    replica_chunk_applied(replica, &topics->log, &snapshot, span_of(author->cursor, CURSOR_BYTES));
    author_advanced(topics, author, before);
    return ERROR_OK;
}

static struct topic_entry entry_of(const struct topic *topic)
{
    return (struct topic_entry){.type = topic->type,
                                .position = topic->position,
                                .term = topic->version.term,
                                .instance = topic->version.instance,
                                .n = topic->version.n,
                                .path = tree_path(topic),
                                .rest = span_of(topic->rest, topic->rest_bytes)};
}

static bool is_first_above(const struct topic *topic, uint64_t position)
{
    return topic->position > position &&
           (topic->older == NULL || topic->older->position <= position);
}

/* The author's first entry above the position. As a rule a piece goes on where the last one ended;
 * else from the newer end: whoever asks has most of it, or nothing. */
static struct topic *first_above(const struct author *author, uint64_t position)
{
    struct topic *topic = author->newest;
    if (topic == NULL || topic->position <= position)
        return NULL;
    if (author->cut != NULL && is_first_above(author->cut, position))
        return author->cut;
    if (author->oldest->position > position)
        return author->oldest;
    while (!is_first_above(topic, position))
        topic = topic->older;
    return topic;
}

/* How many bytes the entries from this one on take, as many as a chunk holds, at least one; *end:
 * the one behind them. */
static size_t chunk_measure(struct topic *topic, struct topic **end)
{
    size_t bytes = 0;
    for (; topic != NULL; topic = topic->newer) {
        struct topic_entry entry = entry_of(topic);
        size_t more = topic_entry_measure(&entry);
        if (bytes > 0 && bytes + more > LOG_CHUNK_BYTES)
            break;
        bytes += more;
    }
    *end = topic;
    return bytes;
}

static void chunk_send(struct topics *topics, uint64_t peer, uint64_t correlation,
                       struct author *author, uint64_t head, uint64_t after)
{
    struct log *log = &topics->log;
    struct topic *end;
    struct topic *topic = first_above(author, after);
    if (!log_can_answer(log, peer))
        return; /* asked for again later, or elsewhere */
    size_t bytes = chunk_measure(topic, &end);
    uint8_t *chunk = scratch_new(&topics->context->scratch, bytes);
    if (chunk == NULL)
        return;
    struct writer writer;
    writer_init(&writer, chunk, bytes);
    for (; topic != end; topic = topic->newer) {
        struct topic_entry entry = entry_of(topic);
        topic_entry_encode(&entry, &writer);
    }
    require(!writer.is_bad);
    author->cut = end;
    struct log_snapshot snapshot = {
        .writer = author->instance, .stream = LOG_TOPICS, .head = head, .is_last = end == NULL};
    log_answer_chunk(log, peer, correlation, &snapshot, span_of(chunk, bytes));
}

enum error authors_pull_received(struct topics *topics, uint64_t peer,
                                 const struct message *message)
{
    struct log_pull pull;
    struct replica *replica;
    enum pull_verdict verdict =
        replicas_pull_received(&topics->replicas, peer, message, &pull, &replica);
    if (verdict != PULL_CHUNK)
        return verdict == PULL_REFUSED ? ERROR_INVALID_MESSAGE : ERROR_OK;
    if (pull.cursor.bytes != 0 && pull.cursor.bytes != CURSOR_BYTES)
        return ERROR_INVALID_MESSAGE;
    struct author *author = replica == NULL ? &topics->own : author_of(replica);
    uint64_t head = replica == NULL ? log_head(&topics->log) : replica->have;
    uint64_t after = pull.cursor.bytes == 0 ? pull.have : position_read(pull.cursor);
    chunk_send(topics, peer, message->correlation, author, head, after);
    return ERROR_OK;
}

enum error authors_write(struct topics *topics, struct topic_entry *entry)
{
    struct log *log = &topics->log;
    entry->position = log_head(log) + 1;
    size_t bytes = topic_entry_measure(entry);
    uint8_t *encoded = scratch_new(&topics->context->scratch, bytes);
    if (encoded == NULL)
        return ERROR_LIMIT_REACHED;
    struct writer writer;
    struct topic_entry merged;
    enum error error;
    struct span run = span_of(encoded, bytes);
    writer_init(&writer, encoded, bytes);
    topic_entry_encode(entry, &writer);
    require(!writer.is_bad && topic_entry_next(&run, &merged, &error));
    error = merge_entry(topics, &topics->own, &merged);
    if (error == ERROR_OK)
        log_append(log, span_of(encoded, bytes));
    return error;
}
