/* ownership.c - see ownership.h.
 *
 * The directory is the sum of what each node's log adds up to (content.h); there is no other copy.
 * This file is the room's door: facts about this node become entries of its own log, messages and
 * facts about others go to the host concerned, and questions are answered from memory.
 *
 *     this node's session or handler -> content_apply, log_append -> pushed (log.h)
 *     LOG_ENTRIES, LOG_SNAPSHOT      -> the writer's host (host.h)
 *     LOG_PULL                       -> log_answer, or a chunk cut here (snapshot.h)
 *
 * Invariants:
 * (D1) Only facts about this node change its own content; only its writer's entries another's.
 * (D2) Instances are never mixed: a restarted node is another host.
 * (D3) What is found is found without asking anybody. */
#include "mesh/ownership/ownership.h"

#include "mesh/base/path.h"
#include "mesh/ownership/host.h"
#include "mesh/ownership/snapshot.h"
#include "proto/kinds.h"

enum { SESSION_HANDLERS_MAX = 1024, ENTRY_BYTES_MAX = 32 + PATH_BYTES_MAX };

struct ownership {
    struct context *context;
    struct directory directory;
    struct log log; /* this node's own */
    struct content *own;
    struct slots hosts; /* the others: struct host */
    struct hashmap by_instance;
};

struct ownership *ownership_new(struct context *context)
{
    struct ownership *ownership = memory_new(&context->memory, MEMORY_DIRECTORY, sizeof *ownership);
    if (ownership == NULL)
        return NULL;
    ownership->context = context;
    directory_init(&ownership->directory, &context->memory, random_u64(&context->random));
    log_init(&ownership->log, context, LOG_OWNERSHIP, DEADLINE_OWNERSHIP, RING_BLOCKS_MAX);
    slots_init(&ownership->hosts, &context->memory);
    hashmap_init(&ownership->by_instance, &context->memory, MEMORY_DIRECTORY,
                 random_u64(&context->random));
    ownership->own = content_new(&ownership->directory, context->instance);
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
    struct host *host;
    uint32_t number = 0;
    while ((host = slots_next(&ownership->hosts, &number)) != NULL)
        host_destroy(&host, &ownership->log, &ownership->hosts);
    content_destroy(&ownership->own);
    log_clear(&ownership->log);
    slots_clear(&ownership->hosts);
    hashmap_clear(&ownership->by_instance);
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

void ownership_session_changed(struct ownership *ownership, struct session_id id,
                               enum session_state state)
{
    require(state == SESSION_ACTIVE || state == SESSION_DISCONNECTED);
    uint8_t before = content_session_state(ownership->own, id);
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
    require(content_session_state(ownership->own, id) != 0);
    record(ownership, &(struct ownership_entry){.type = OWNERSHIP_SESSION_CLOSED, .session = id});
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
                                        struct span path, struct session_id session)
{
    require(path.bytes > 0 && path.bytes <= PATH_BYTES_MAX);
    if (content_session_state(ownership->own, session) == 0)
        return ERROR_NO_SUCH_SESSION;
    if (handlers_find(&ownership->directory.handlers, ownership->own, kind, path, session) != NULL)
        return ERROR_HANDLER_CONFLICT;
    if (handlers_of(ownership, session) >= SESSION_HANDLERS_MAX)
        return ERROR_LIMIT_REACHED;
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_HANDLER_REGISTERED,
                                                       .session = session,
                                                       .handler_kind = (uint8_t)kind,
                                                       .path = path});
}

enum error ownership_handler_unregistered(struct ownership *ownership, enum handler_kind kind,
                                          struct span path, struct session_id session)
{
    if (handlers_find(&ownership->directory.handlers, ownership->own, kind, path, session) == NULL)
        return ERROR_NO_HANDLER;
    return record(ownership, &(struct ownership_entry){.type = OWNERSHIP_HANDLER_REMOVED,
                                                       .session = session,
                                                       .handler_kind = (uint8_t)kind,
                                                       .path = path});
}

static struct hashmap_key key_of(uint64_t instance)
{
    return (struct hashmap_key){.high = instance};
}

/* NULL: not known, or this node itself. */
static struct host *host_of(const struct ownership *ownership, uint64_t instance)
{
    uint32_t number = hashmap_get(&ownership->by_instance, key_of(instance));
    return number == HASHMAP_NONE ? NULL : slots_get(&ownership->hosts, number);
}

static enum error pull_chunk(struct ownership *ownership, uint64_t peer, uint64_t correlation,
                             const struct log_pull *pull, const struct content *content,
                             uint64_t head)
{
    struct ownership_entry cursor;
    bool goes_on = pull->cursor.bytes > 0;
    if (goes_on && !snapshot_cursor(pull->cursor, pull->writer, &cursor))
        return ERROR_INVALID_MESSAGE;
    if (!log_can_answer(&ownership->log, peer))
        return ERROR_OK;
    uint8_t *chunk = scratch_new(&ownership->context->scratch, LOG_CHUNK_BYTES);
    if (chunk == NULL)
        return ERROR_OK; /* asked for again later */
    struct log_snapshot snapshot = {.writer = pull->writer, .stream = LOG_OWNERSHIP, .head = head};
    size_t bytes = snapshot_write(content, goes_on ? &cursor : NULL, chunk, LOG_CHUNK_BYTES,
                                  &snapshot.is_last);
    log_answer_chunk(&ownership->log, peer, correlation, &snapshot, span_of(chunk, bytes));
    return ERROR_OK;
}

static enum error pull_received(struct ownership *ownership, uint64_t peer,
                                const struct message *message)
{
    struct log_pull pull;
    if (schema_decode(&log_pull_schema, message->fields, &pull) != ERROR_OK ||
        pull.stream != LOG_OWNERSHIP || message->correlation == 0)
        return ERROR_INVALID_MESSAGE;
    uint64_t correlation = message->correlation;
    if (pull.writer == ownership->context->instance) {
        if (log_answer(&ownership->log, peer, correlation, &pull))
            return ERROR_OK;
        return pull_chunk(ownership, peer, correlation, &pull, ownership->own,
                          log_head(&ownership->log));
    }
    const struct host *host = host_of(ownership, pull.writer);
    uint64_t head = host == NULL ? 0 : host->replica.have;
    if (pull.have >= head) {
        log_answer_head(&ownership->log, peer, correlation, pull.writer, head);
        return ERROR_OK;
    }
    return pull_chunk(ownership, peer, correlation, &pull, host->content, head);
}

static enum error entries_received(struct ownership *ownership, uint64_t peer,
                                   const struct message *message)
{
    struct log_entries entries;
    if (schema_decode(&log_entries_schema, message->fields, &entries) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    return host_entries_received(host_of(ownership, entries.writer), &ownership->log, peer, message,
                                 &entries);
}

static enum error chunk_received(struct ownership *ownership, uint64_t peer,
                                 const struct message *message)
{
    struct log_snapshot snapshot;
    if (schema_decode(&log_snapshot_schema, message->fields, &snapshot) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    return host_chunk_received(host_of(ownership, snapshot.writer), &ownership->log, peer, message,
                               &snapshot);
}

enum error ownership_receive(struct ownership *ownership, uint64_t peer,
                             const struct message *message)
{
    enum error error = ERROR_INVALID_MESSAGE;
    if (message->kind == KIND_LOG_ENTRIES)
        error = entries_received(ownership, peer, message);
    else if (message->kind == KIND_LOG_PULL)
        error = pull_received(ownership, peer, message);
    else if (message->kind == KIND_LOG_SNAPSHOT)
        error = chunk_received(ownership, peer, message);
    if (error != ERROR_OK)
        count(ownership->context, COUNTER_log_rejected);
    return error;
}

/* A record for a node not known yet; NULL: no memory, it is not followed (its head will be heard
 * again, and its link come up again). */
static struct host *host_add(struct ownership *ownership, uint64_t instance)
{
    struct host *host =
        host_new(&ownership->directory, &ownership->log, &ownership->hosts, instance);
    if (host == NULL)
        return NULL;
    if (!hashmap_put(&ownership->by_instance, key_of(instance), host->number))
        host_destroy(&host, &ownership->log, &ownership->hosts);
    return host;
}

static void host_remove(struct ownership *ownership, struct host *host)
{
    hashmap_remove(&ownership->by_instance, key_of(host->replica.writer));
    host_destroy(&host, &ownership->log, &ownership->hosts);
}

void ownership_member_joined(struct ownership *ownership, uint64_t instance)
{
    if (instance == ownership->context->instance)
        return;
    struct host *host = host_of(ownership, instance);
    if (host == NULL)
        host = host_add(ownership, instance);
    if (host != NULL)
        host_joined(host, &ownership->log);
    else
        count(ownership->context, COUNTER_log_rejected);
}

/* What the peer was asked for is asked of others. */
static void peer_lost(struct ownership *ownership, uint64_t instance)
{
    struct host *host;
    uint32_t number = 0;
    while ((host = slots_next(&ownership->hosts, &number)) != NULL)
        replica_peer_lost(&host->replica, &ownership->log, instance);
}

void ownership_member_failed(struct ownership *ownership, uint64_t instance)
{
    struct host *host = host_of(ownership, instance);
    if (host != NULL && host->replica.is_followed)
        host_failed(host, &ownership->log);
    peer_lost(ownership, instance);
}

void ownership_member_gone(struct ownership *ownership, uint64_t instance)
{
    struct host *host = host_of(ownership, instance);
    if (host != NULL)
        host_remove(ownership, host);
    peer_lost(ownership, instance);
}

void ownership_link_up(struct ownership *ownership, uint64_t instance)
{
    log_state_head(&ownership->log, instance);
    struct host *host = host_of(ownership, instance);
    if (host != NULL)
        replica_link_up(&host->replica, &ownership->log);
}

void ownership_log_head(struct ownership *ownership, uint64_t instance, uint64_t version)
{
    struct host *host = host_of(ownership, instance);
    if (host != NULL)
        replica_heard(&host->replica, &ownership->log, version);
}

void ownership_due(struct ownership *ownership, const struct deadline *due)
{
    if (due->purpose == LOG_PURPOSE_PUSH) {
        log_push(&ownership->log);
        return;
    }
    struct host *host = slots_get(&ownership->hosts, due->slot);
    require(host != NULL);
    if (due->purpose == LOG_PURPOSE_RETRY)
        replica_retry(&host->replica, &ownership->log);
    else
        host_remove(ownership, host);
}

uint64_t ownership_log_version(const struct ownership *ownership)
{
    return log_head(&ownership->log);
}

bool ownership_is_synced(const struct ownership *ownership)
{
    const struct host *host;
    uint32_t number = 0;
    while ((host = slots_next(&ownership->hosts, &number)) != NULL) {
        if (host->replica.is_followed && !host->replica.is_complete)
            return false;
    }
    return true;
}

uint64_t ownership_find_session(const struct ownership *ownership, struct session_id id,
                                bool *is_shaded)
{
    uint64_t shaded = 0;
    const struct hosted *hosted = origins_first(&ownership->directory.origins, id.instance);
    *is_shaded = false;
    for (; hosted != NULL; hosted = hosted->next) {
        const struct content *content = hosted->content;
        if (content->visibility == CONTENT_STAGED || serials_get(&hosted->serials, id.serial) == 0)
            continue;
        if (content->visibility == CONTENT_LIVE)
            return content->writer;
        shaded = content->writer;
    }
    *is_shaded = shaded != 0;
    return shaded;
}

struct search {
    const struct content *own;
    struct handler_entry *entries;
    size_t count, most;
};

static void take(struct search *search, const struct handler *handler, enum session_state state)
{
    search->entries[search->count++] = (struct handler_entry){.instance = handler->content->writer,
                                                              .session = handler->session,
                                                              .path = handlers_path(handler->path),
                                                              .state = state};
}

static enum session_state state_of(const struct handler *handler)
{
    uint8_t state = content_session_state(handler->content, handler->session);
    return state == SESSION_DISCONNECTED ? SESSION_DISCONNECTED : SESSION_ACTIVE;
}

/* Those of the path that are live, in that state, and on this node or not on it. */
static void search_path(struct search *search, const struct handler_path *path,
                        enum session_state state, bool is_own)
{
    const struct handler *at = path->first;
    for (; at != NULL && search->count < search->most; at = at->next) {
        bool is_wanted =
            at->content->visibility == CONTENT_LIVE && (at->content == search->own) == is_own;
        if (is_wanted && state_of(at) == state)
            take(search, at, state);
    }
}

size_t ownership_find_handlers(const struct ownership *ownership, enum handler_kind kind,
                               struct span path, struct handler_entry *entries, size_t most)
{
    struct search search = {.own = ownership->own, .entries = entries, .most = most};
    for (; path.bytes > 0 && search.count == 0; path = path_parent(path)) {
        const struct handler_path *at = handlers_at(&ownership->directory.handlers, kind, path);
        if (at == NULL)
            continue;
        search_path(&search, at, SESSION_ACTIVE, true);
        search_path(&search, at, SESSION_ACTIVE, false);
        search_path(&search, at, SESSION_DISCONNECTED, true);
        search_path(&search, at, SESSION_DISCONNECTED, false);
    }
    return search.count;
}

bool ownership_next_handler(const struct ownership *ownership, uint64_t *cursor,
                            enum handler_kind *kind, struct handler_entry *entry)
{
    const struct handler_path *path = NULL;
    const struct handler *at = NULL;
    if (*cursor == 0) {
        path = handlers_in_order(&ownership->own->directory->handlers);
        at = path == NULL ? NULL : path->first;
    } else {
        at = slots_get(&ownership->directory.handlers.slots, (uint32_t)(*cursor - 1));
        path = at == NULL ? NULL : at->path;
        at = at == NULL ? NULL : at->next;
    }
    while (path != NULL && (at == NULL || at->content->visibility != CONTENT_LIVE)) {
        if (at == NULL) {
            path = path->next;
            at = path == NULL ? NULL : path->first;
        } else {
            at = at->next;
        }
    }
    if (path == NULL)
        return false;
    *cursor = (uint64_t)at->number + 1;
    *kind = (enum handler_kind)path->kind;
    struct search search = {.entries = entry, .most = 1};
    take(&search, at, state_of(at));
    return true;
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
    const struct host *host;
    uint32_t number = 0;
    while ((host = slots_next(&ownership->hosts, &number)) != NULL) {
        content_check(host->content);
        require(host->replica.have <= host->replica.heard);
        require(host->replica.in_snapshot == (host->staged != NULL));
        if (host->content->visibility == CONTENT_LIVE)
            directory_add(&sum, &host->content->totals);
    }
    require(sum.sessions == ownership->directory.live.sessions);
    require(sum.handlers == ownership->directory.live.handlers);
    require(sum.hash == ownership->directory.live.hash);
}
