/* host.c - see host.h.
 *
 *     LIVE --host_failed--> SHADED --host_joined--> LIVE   nothing is transferred: the log goes on
 *                              \--drop due, or a newer instance of the name--> destroyed
 *
 * Invariants:
 * (O1) staged is there exactly while replica.in_snapshot.
 * (O3) ring.head = replica.have.
 * (O2) A run of entries is decoded to its end before the first one changes anything. */
#include "mesh/ownership/host.h"

#include "mesh/base/bugs.h"
#include "mesh/ownership/claims.h"
#include "mesh/ownership/snapshot.h"

/* A lost node that is back within this needs no transfer; twice as long doubles what the dead of a
 * rolling restart hold in memory. */
static const uint64_t drop_after_ns = UINT64_C(600) * 1000 * 1000 * 1000;

struct host *host_new(struct directory *directory, struct replicas *replicas, uint64_t instance)
{
    struct host *host = memory_new(directory->memory, MEMORY_DIRECTORY, sizeof *host);
    if (host == NULL)
        return NULL;
    host->content = content_new(directory, instance);
    if (host->content == NULL || !replicas_add(replicas, &host->replica, instance)) {
        content_destroy(&host->content);
        memory_free(directory->memory, MEMORY_DIRECTORY, host, sizeof *host);
        return NULL;
    }
    content_show(host->content, CONTENT_SHADED);
    host->drop = (struct deadline){.room = (uint8_t)replicas->log->room,
                                   .purpose = HOST_PURPOSE_DROP,
                                   .slot = host->replica.number};
    ring_init(&host->ring, directory->memory, HOST_RING_BLOCKS);
    host->replica.recent = &host->ring;
    return host;
}

void host_destroy(struct host **holder, struct replicas *replicas)
{
    struct host *host = *holder;
    *holder = NULL;
    if (host == NULL)
        return;
    replicas_remove(replicas, &host->replica);
    deadlines_cancel(replicas->log->context->deadlines, &host->drop);
    struct memory *memory = host->content->directory->memory;
    ring_clear(&host->ring);
    content_destroy(&host->staged);
    content_destroy(&host->content);
    memory_free(memory, MEMORY_DIRECTORY, host, sizeof *host);
}

void host_joined(struct host *host, struct log *log)
{
    deadlines_cancel(log->context->deadlines, &host->drop);
    content_show(host->content, CONTENT_LIVE);
    claims_content_shown(host->content);
    replica_follow(&host->replica, log);
}

void host_failed(struct host *host, struct log *log)
{
    replica_unfollow(&host->replica, log);
    content_destroy(&host->staged);
    if (!bug_is_planted(BUG_DEAD_SERVE))
        content_show(host->content, CONTENT_SHADED);
    deadlines_set(log->context->deadlines, &host->drop, log->context->now_ns + drop_after_ns);
}

/* Whether the body is that many well-formed entries. */
static bool is_sound(struct span body, uint64_t writer, uint64_t versions)
{
    struct ownership_entry entry;
    enum error error;
    uint64_t found = 0;
    while (ownership_entry_next(&body, writer, &entry, &error))
        found++;
    return error == ERROR_OK && found == versions;
}

static void keep_recent(struct ring *ring, struct span entry)
{
    if (!ring_append(ring, entry))
        ring_skip(ring);
}

/* Carries out what is new; returns how many entries, fewer than there are without memory. */
static uint64_t apply_new(struct host *host, struct span body, uint64_t skip)
{
    struct ownership_entry entry;
    enum error error;
    uint64_t applied = 0;
    struct span before = body;
    while (ownership_entry_next(&body, host->replica.writer, &entry, &error)) {
        struct span encoded = span_of(before.data, before.bytes - body.bytes);
        before = body;
        if (skip > 0) {
            skip--;
            continue;
        }
        if (content_apply(host->content, &entry) != ERROR_OK)
            break;
        claims_entry_applied(host->content->directory, entry.session);
        keep_recent(&host->ring, encoded);
        applied++;
    }
    return applied;
}

/* Sound entries that follow what is here. */
static void entries_apply(struct host *host, struct log *log, const struct message *message,
                          const struct log_entries *entries, uint64_t skip)
{
    struct log_entries done = *entries;
    uint64_t applied = apply_new(host, message->body, skip);
    done.last = host->replica.have + applied;
    if (applied > 0)
        replica_applied(&host->replica, log, &done);
    if (done.last < entries->last) {
        replica_not_applied(&host->replica, log); /* no memory: asked for again */
        count(log->context, COUNTER_log_rejected);
    }
}

/* What was staged is of no use when the replica gave the snapshot up. */
static void drop_stale_staged(struct host *host)
{
    if (!host->replica.in_snapshot)
        content_destroy(&host->staged);
}

enum error host_entries_received(struct host *host, struct log *log, uint64_t peer,
                                 const struct message *message, const struct log_entries *entries)
{
    uint64_t skip = 0;
    enum replica_verdict verdict =
        replica_judge_entries(host == NULL ? NULL : &host->replica, log, peer, message->correlation,
                              entries, message->body.bytes, &skip);
    enum error error = verdict == REPLICA_REFUSE ? ERROR_INVALID_MESSAGE : ERROR_OK;
    if (verdict != REPLICA_APPLY)
        return error;
    require(host != NULL); /* of nobody nothing is applied */
    if (is_sound(message->body, entries->writer, entries->last - entries->first + 1)) {
        entries_apply(host, log, message, entries, skip);
    } else {
        replica_not_applied(&host->replica, log);
        error = ERROR_INVALID_MESSAGE;
    }
    drop_stale_staged(host);
    return error;
}

/* The snapshot is whole: it takes the place of what was known. */
static void put_in_place(struct host *host)
{
    enum content_visibility visibility = host->content->visibility;
    content_destroy(&host->content);
    host->content = host->staged;
    host->staged = NULL;
    content_show(host->content, visibility);
    claims_content_shown(host->content);
}

static enum error stage(struct host *host, struct span body, struct span *cursor)
{
    struct ownership_entry below;
    bool goes_on = host->replica.in_snapshot;
    if (!goes_on) {
        content_destroy(&host->staged);
        host->staged = content_new(host->content->directory, host->replica.writer);
    } else if (!snapshot_cursor(host->replica.cursor, host->replica.writer, &below)) {
        return ERROR_INTERNAL;
    }
    if (host->staged == NULL)
        return ERROR_LIMIT_REACHED;
    struct span last;
    enum error error = snapshot_read(host->staged, body, goes_on ? &below : NULL, &last);
    if (error == ERROR_OK && last.bytes > 0) {
        require(last.bytes <= sizeof host->cursor);
        memcpy(host->cursor, last.data, last.bytes);
    }
    *cursor = span_of(host->cursor, last.bytes);
    return error;
}

enum error host_chunk_received(struct host *host, struct log *log, uint64_t peer,
                               const struct message *message, const struct log_snapshot *snapshot)
{
    enum replica_verdict verdict =
        replica_judge_chunk(host == NULL ? NULL : &host->replica, log, peer, message->correlation,
                            snapshot, message->body.bytes);
    enum error error = verdict == REPLICA_REFUSE ? ERROR_INVALID_MESSAGE : ERROR_OK;
    if (verdict == REPLICA_APPLY) {
        require(host != NULL);
        struct span cursor;
        error = stage(host, message->body, &cursor);
        if (error == ERROR_OK && snapshot->is_last && !content_settle(host->staged))
            error = ERROR_LIMIT_REACHED;
        if (error != ERROR_OK) {
            replica_not_applied(&host->replica, log);
            count(log->context, COUNTER_log_rejected);
        } else {
            if (snapshot->is_last)
                put_in_place(host);
            replica_chunk_applied(&host->replica, log, snapshot, cursor);
            if (snapshot->is_last)
                ring_restart(&host->ring, host->replica.have);
        }
    }
    if (host != NULL)
        drop_stale_staged(host);
    return error == ERROR_LIMIT_REACHED ? ERROR_OK : error;
}
