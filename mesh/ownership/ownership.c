/* ownership.c - see ownership.h.
 *
 * The directory is the sum of what each node's log adds up to (content.h); there is no other copy.
 * This file is the room's door: facts about this node become entries of its own log, messages and
 * facts about others go to the host concerned, and questions are answered from memory.
 *
 *     this node's session or handler -> content_apply, log_append -> pushed (log.h)
 *     LOG_ENTRIES, LOG_SNAPSHOT      -> the writer's host (host.h)
 *     LOG_PULL, LOG_HEADS            -> answered from a ring or a content (exchange.h)
 *
 * Invariants:
 * (D1) Only facts about this node change its own content; only its writer's entries another's.
 * (D2) Instances are never mixed: a restarted node is another host.
 * (D3) What is found is found without asking anybody. */
#include "mesh/ownership/ownership.h"

#include "mesh/base/path.h"
#include "mesh/ownership/claims.h"
#include "mesh/ownership/exchange.h"
#include "mesh/ownership/search.h"
#include "proto/kinds.h"

enum {
    SESSION_HANDLERS_MAX = 1024,
    ENTRY_BYTES_MAX = 32 + PATH_BYTES_MAX + OWNERSHIP_VALUE_BYTES_MAX,
};

struct ownership {
    struct context *context;
    struct directory directory;
    struct log log; /* this node's own */
    struct content *own;
    struct replicas replicas; /* the others' logs: hosts */
};

struct ownership *ownership_new(struct context *context)
{
    struct ownership *ownership = memory_new(&context->memory, MEMORY_DIRECTORY, sizeof *ownership);
    if (ownership == NULL)
        return NULL;
    ownership->context = context;
    directory_init(&ownership->directory, &context->memory, random_u64(&context->random));
    log_init(&ownership->log, context, LOG_OWNERSHIP, DEADLINE_OWNERSHIP, RING_BLOCKS_MAX);
    replicas_init(&ownership->replicas, &ownership->log, random_u64(&context->random));
    ownership->own = content_new(&ownership->directory, context->instance);
    ownership->directory.own = ownership->own;
    if (ownership->own == NULL)
        ownership_destroy(&ownership);
    else
        content_show(ownership->own, CONTENT_LIVE);
    return ownership;
}

void ownership_destroy(struct ownership **holder)
{
    struct ownership *ownership = *holder;
    *holder = NULL;
    if (ownership == NULL)
        return;
    struct replica *replica;
    uint32_t number = 0;
    while ((replica = replicas_next(&ownership->replicas, &number)) != NULL) {
        struct host *host = host_of(replica);
        host_destroy(&host, &ownership->replicas);
    }
    replicas_clear(&ownership->replicas);
    content_destroy(&ownership->own);
    log_clear(&ownership->log);
    directory_clear(&ownership->directory);
    memory_free(&ownership->context->memory, MEMORY_DIRECTORY, ownership, sizeof *ownership);
}

/* What happened here goes into the directory, then into the log. */
static enum error record(struct ownership *ownership, const struct ownership_entry *entry)
{
    uint64_t instance = ownership->context->instance;
    enum error error = content_apply(ownership->own, entry);
    if (error != ERROR_OK)
        return error;
    uint8_t bytes[ENTRY_BYTES_MAX];
    size_t length = ownership_entry_measure(entry, instance);
    require(length <= sizeof bytes);
    struct writer writer;
    writer_init(&writer, bytes, length);
    ownership_entry_encode(entry, instance, &writer);
    require(!writer.is_bad);
    log_append(&ownership->log, span_of(bytes, length));
    return ERROR_OK;
}

enum error ownership_session_opened(struct ownership *ownership, struct session_id id)
{
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_SESSION_OPENED,
                                                       .session = id,
                                                       .state = SESSION_ACTIVE});
}

enum error ownership_session_claimed(struct ownership *ownership, struct session_id id,
                                     enum session_state state)
{
    require(state == SESSION_ACTIVE || state == SESSION_DISCONNECTED);
    uint32_t highest = claims_highest(&ownership->directory, id);
    if (highest == UINT32_MAX)
        return ERROR_LIMIT_REACHED;
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_SESSION_CLAIMED,
                                                       .session = id,
                                                       .state = (uint8_t)state,
                                                       .claim = highest + 1});
}

bool ownership_has_lost(const struct ownership *ownership)
{
    return ownership->directory.scan.is_due;
}

bool ownership_next_lost(struct ownership *ownership, struct session_id *session, uint64_t *winner)
{
    return claims_next_lost(&ownership->directory, session, winner);
}

void ownership_session_changed(struct ownership *ownership, struct session_id id,
                               enum session_state state)
{
    require(state == SESSION_ACTIVE || state == SESSION_DISCONNECTED);
    uint8_t before = content_session(ownership->own, id).state;
    require(before != 0);
    if (before == (uint8_t)state)
        return;
    enum error error = record(ownership, &(struct ownership_entry){.type = OWNERSHIP_SESSION_STATE,
                                                                   .session = id,
                                                                   .state = (uint8_t)state});
    require(error == ERROR_OK); /* it is there already: no memory is needed */
}

void ownership_session_closed(struct ownership *ownership, struct session_id id)
{
    require(content_session(ownership->own, id).state != 0);
    record(ownership, &(struct ownership_entry){.type = OWNERSHIP_SESSION_CLOSED, .session = id});
}

static const struct handler *handler_of(const struct ownership *ownership, enum handler_kind kind,
                                        struct span path, struct session_id session)
{
    return handlers_find(&ownership->directory.handlers, ownership->own, (uint8_t)kind, path,
                         session);
}

static uint32_t handlers_of(const struct ownership *ownership, struct session_id session)
{
    uint32_t count = 0;
    const struct handler *handler =
        handlers_of_session(&ownership->directory.handlers, ownership->own, session);
    for (; handler != NULL; handler = handler->next_of_session)
        count++;
    return count;
}

enum error ownership_handler_registered(struct ownership *ownership, enum handler_kind kind,
                                        struct span path, struct session_id session,
                                        struct span value)
{
    require(value.bytes <= OWNERSHIP_VALUE_BYTES_MAX);
    require(path.bytes > 0 && path.bytes <= PATH_BYTES_MAX);
    if (content_session(ownership->own, session).state == 0)
        return ERROR_NO_SUCH_SESSION;
    if (handler_of(ownership, kind, path, session) != NULL)
        return ERROR_HANDLER_CONFLICT;
    if (handlers_of(ownership, session) >= SESSION_HANDLERS_MAX)
        return ERROR_LIMIT_REACHED;
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_HANDLER_REGISTERED,
                                                       .session = session,
                                                       .handler_kind = (uint8_t)kind,
                                                       .path = path,
                                                       .value = value});
}

enum error ownership_handler_unregistered(struct ownership *ownership, enum handler_kind kind,
                                          struct span path, struct session_id session)
{
    if (handler_of(ownership, kind, path, session) == NULL)
        return ERROR_NO_HANDLER;
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_HANDLER_REMOVED,
                                                       .session = session,
                                                       .handler_kind = (uint8_t)kind,
                                                       .path = path});
}

bool ownership_handler_of_session(const struct ownership *ownership, struct session_id session,
                                  uint32_t index, enum handler_kind *kind, struct span *path)
{
    const struct handler *handler =
        handlers_of_session(&ownership->directory.handlers, ownership->own, session);
    while (handler != NULL && (handler->content != ownership->own || index > 0)) {
        index -= handler->content == ownership->own;
        handler = handler->next_of_session;
    }
    if (handler == NULL)
        return false;
    *kind = (enum handler_kind)handler->path->kind;
    *path = handlers_path(handler->path);
    return true;
}

/* All listeners are registered under one path, so that they are found together. */
static struct span listeners_path(void)
{
    return span_text("sessions");
}

static const struct handler *listener_of(const struct ownership *ownership,
                                         struct session_id session)
{
    return handlers_find(&ownership->directory.handlers, ownership->own, OWNERSHIP_KIND_LISTENER,
                         listeners_path(), session);
}

enum error ownership_listener_registered(struct ownership *ownership, struct session_id session,
                                         uint64_t number)
{
    uint8_t value[sizeof number];
    struct writer writer;
    require(content_session(ownership->own, session).state != 0);
    if (listener_of(ownership, session) == NULL &&
        handlers_of(ownership, session) >= SESSION_HANDLERS_MAX)
        return ERROR_LIMIT_REACHED;
    writer_init(&writer, value, sizeof value);
    writer_u64(&writer, number);
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_HANDLER_REGISTERED,
                                                       .session = session,
                                                       .handler_kind = OWNERSHIP_KIND_LISTENER,
                                                       .path = listeners_path(),
                                                       .value = span_of(value, sizeof value)});
}

void ownership_listener_removed(struct ownership *ownership, struct session_id session)
{
    if (listener_of(ownership, session) == NULL)
        return;
    (void)record(ownership, &(struct ownership_entry){.type = OWNERSHIP_HANDLER_REMOVED,
                                                      .session = session,
                                                      .handler_kind = OWNERSHIP_KIND_LISTENER,
                                                      .path = listeners_path()});
}

bool ownership_next_listener(const struct ownership *ownership, uint32_t *cursor,
                             struct listener_entry *entry)
{
    const struct handler_path *path =
        handlers_at(&ownership->directory.handlers, OWNERSHIP_KIND_LISTENER, listeners_path());
    while (path != NULL && *cursor < path->count) {
        const struct handler *handler = path->at[(*cursor)++];
        struct reader reader;
        reader_init(&reader, handlers_value(handler));
        *entry = (struct listener_entry){.instance = handler->content->writer,
                                         .session = handler->session,
                                         .number = reader_u64(&reader)};
        if (handler->content->visibility == CONTENT_LIVE && !reader.is_bad)
            return true;
    }
    return false;
}

uint64_t ownership_listeners_changes(const struct ownership *ownership)
{
    return ownership->directory.handlers.listeners_changes;
}

uint32_t ownership_listeners(const struct ownership *ownership)
{
    const struct handler_path *path =
        handlers_at(&ownership->directory.handlers, OWNERSHIP_KIND_LISTENER, listeners_path());
    return path == NULL ? 0 : path->count;
}

/* NULL: not known, or this node itself. O(1). */
static struct host *host_find(const struct ownership *ownership, uint64_t instance)
{
    const struct replica *replica = replicas_find(&ownership->replicas, instance);
    return replica == NULL ? NULL : host_of(replica);
}

static enum error entries_received(struct ownership *ownership, uint64_t peer,
                                   const struct message *message)
{
    struct log_entries entries;
    if (schema_decode(&log_entries_schema, message->fields, &entries) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    return host_entries_received(host_find(ownership, entries.writer), &ownership->log, peer,
                                 message, &entries);
}

static enum error chunk_received(struct ownership *ownership, uint64_t peer,
                                 const struct message *message)
{
    struct log_snapshot snapshot;
    if (schema_decode(&log_snapshot_schema, message->fields, &snapshot) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    return host_chunk_received(host_find(ownership, snapshot.writer), &ownership->log, peer,
                               message, &snapshot);
}

enum error ownership_receive(struct ownership *ownership, uint64_t peer,
                             const struct message *message)
{
    enum error error = ERROR_INVALID_MESSAGE;
    if (message->kind == KIND_LOG_ENTRIES)
        error = entries_received(ownership, peer, message);
    else if (message->kind == KIND_LOG_PULL)
        error = exchange_pull_received(&ownership->directory, &ownership->replicas, peer, message);
    else if (message->kind == KIND_LOG_SNAPSHOT)
        error = chunk_received(ownership, peer, message);
    else if (message->kind == KIND_LOG_HEADS)
        error = replicas_heads_received(&ownership->replicas, peer, message);
    if (error != ERROR_OK)
        count(ownership->context, COUNTER_log_rejected);
    return error;
}

void ownership_member_joined(struct ownership *ownership, uint64_t instance)
{
    if (instance == ownership->context->instance)
        return;
    struct host *host = host_find(ownership, instance);
    if (host == NULL)
        host = host_new(&ownership->directory, &ownership->replicas, instance);
    if (host != NULL)
        host_joined(host, &ownership->log);
    else
        count(ownership->context, COUNTER_log_rejected);
}

void ownership_member_failed(struct ownership *ownership, uint64_t instance)
{
    struct host *host = host_find(ownership, instance);
    if (host != NULL && host->replica.is_followed)
        host_failed(host, &ownership->log);
    replicas_peer_lost(&ownership->replicas, instance);
}

void ownership_member_gone(struct ownership *ownership, uint64_t instance)
{
    struct host *host = host_find(ownership, instance);
    if (host != NULL)
        host_destroy(&host, &ownership->replicas);
    replicas_peer_lost(&ownership->replicas, instance);
}

void ownership_link_up(struct ownership *ownership, uint64_t instance)
{
    log_state_head(&ownership->log, instance);
    struct host *host = host_find(ownership, instance);
    if (host != NULL)
        replica_link_up(&host->replica, &ownership->log);
}

void ownership_log_head(struct ownership *ownership, uint64_t instance, uint64_t version)
{
    struct host *host = host_find(ownership, instance);
    if (host != NULL)
        replica_heard(&host->replica, &ownership->log, version);
}

void ownership_due(struct ownership *ownership, const struct deadline *due)
{
    if (due->purpose == LOG_PURPOSE_PUSH) {
        log_push(&ownership->log);
        return;
    }
    if (due->purpose == LOG_PURPOSE_COMPARE) {
        replicas_compare(&ownership->replicas);
        return;
    }
    struct replica *replica = replicas_at(&ownership->replicas, due->slot);
    require(replica != NULL);
    struct host *host = host_of(replica);
    if (due->purpose == LOG_PURPOSE_RETRY)
        replica_retry(&host->replica, &ownership->log);
    else
        host_destroy(&host, &ownership->replicas);
}

uint64_t ownership_log_version(const struct ownership *ownership)
{
    return log_head(&ownership->log);
}

bool ownership_is_synced(const struct ownership *ownership)
{
    return replicas_are_synced(&ownership->replicas);
}

uint64_t ownership_find_session(const struct ownership *ownership, struct session_id id,
                                bool *is_shaded)
{
    const struct content *content = claims_find(&ownership->directory, id);
    *is_shaded = content != NULL && content->visibility == CONTENT_SHADED;
    return content == NULL ? 0 : content->writer;
}

size_t ownership_find_handlers(struct ownership *ownership, enum handler_kind kind,
                               struct span path, struct handler_entry *entries, size_t most)
{
    return search_path(&ownership->directory, &ownership->context->random, kind, path, entries,
                       most);
}

bool ownership_session_serves(const struct ownership *ownership, enum handler_kind kind,
                              struct span path, struct session_id session)
{
    for (; path.bytes > 0; path = path_parent(path)) {
        if (handler_of(ownership, kind, path, session) != NULL)
            return true;
    }
    return false;
}

bool ownership_next_handler(const struct ownership *ownership, uint64_t *cursor,
                            enum handler_kind *kind, struct handler_entry *entry)
{
    return search_next(ownership->own->directory, cursor, kind, entry);
}

uint64_t ownership_behind(const struct ownership *ownership)
{
    return replicas_behind(&ownership->replicas);
}

uint32_t ownership_sessions(const struct ownership *ownership)
{
    return ownership->directory.live.sessions;
}

uint32_t ownership_handlers(const struct ownership *ownership)
{
    return ownership->directory.live.handlers;
}

uint64_t ownership_hash(const struct ownership *ownership)
{
    return ownership->directory.live.hash;
}

void ownership_check(const struct ownership *ownership)
{
    struct directory_totals sum = {0};
    content_check(ownership->own);
    directory_add(&sum, &ownership->own->totals);
    const struct replica *replica;
    uint32_t number = 0;
    while ((replica = replicas_next(&ownership->replicas, &number)) != NULL) {
        const struct host *host = host_of(replica);
        content_check(host->content);
        require(host->replica.have <= host->replica.heard);
        require(host->replica.in_snapshot == (host->staged != NULL));
        require(host->replica.have == host->ring.head);
        if (host->content->visibility == CONTENT_LIVE)
            directory_add(&sum, &host->content->totals);
    }
    require(sum.sessions == ownership->directory.live.sessions);
    require(sum.handlers == ownership->directory.live.handlers);
    require(sum.hash == ownership->directory.live.hash);
}
