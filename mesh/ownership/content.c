/* content.c - see content.h.
 *
 * Invariants:
 * (C1) totals = the sum over this content's entries; directory.live = the sum over live contents.
 * (C2) Tables ascend strictly by origin; none is empty. */
#include "mesh/ownership/content.h"

#include "mesh/base/bugs.h"
#include "mesh/base/require.h"
#include "proto/command.h"

struct content *content_new(struct directory *directory, uint64_t writer)
{
    struct content *content = memory_new(directory->memory, MEMORY_DIRECTORY, sizeof *content);
    if (content != NULL)
        *content = (struct content){
            .directory = directory, .writer = writer, .birth = directory->births++};
    return content;
}

void content_destroy(struct content **holder)
{
    struct content *content = *holder;
    *holder = NULL;
    if (content == NULL)
        return;
    content_show(content, CONTENT_STAGED);
    struct directory *directory = content->directory;
    struct handler *handler;
    uint32_t number = 0;
    while (content->registrations > 0 &&
           (handler = handlers_of_content(&directory->handlers, content, &number)) != NULL) {
        handlers_remove(&directory->handlers, handler);
        content->registrations--;
    }
    for (uint32_t i = 0; i < content->tables_count; i++)
        origins_remove(&directory->origins, content->tables[i]);
    memory_free(directory->memory, MEMORY_DIRECTORY, content->tables,
                content->tables_capacity * sizeof content->tables[0]);
    memory_free(directory->memory, MEMORY_DIRECTORY, content, sizeof *content);
}

bool content_settle(struct content *content)
{
    for (uint32_t i = 0; i < content->tables_count; i++) {
        if (!serials_settle(&content->tables[i]->serials))
            return false;
    }
    return true;
}

void content_show(struct content *content, enum content_visibility visibility)
{
    struct directory_totals *live = &content->directory->live;
    if (content->visibility == CONTENT_LIVE)
        directory_subtract(live, &content->totals);
    if (content->registrations > 0)
        content->directory->handlers.listeners_changes++;
    content->visibility = visibility;
    if (visibility == CONTENT_LIVE)
        directory_add(live, &content->totals);
}

static void note_added(struct content *content, struct directory_totals part)
{
    directory_add(&content->totals, &part);
    if (content->visibility == CONTENT_LIVE)
        directory_add(&content->directory->live, &part);
}

static void note_removed(struct content *content, struct directory_totals part)
{
    directory_subtract(&content->totals, &part);
    if (content->visibility == CONTENT_LIVE)
        directory_subtract(&content->directory->live, &part);
}

/* The finaliser of splitmix64: every bit of the input changes half of the output's. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t hash_key(const struct content *content, struct session_id session, uint8_t extra)
{
    uint64_t hash = mix(content->writer + extra);
    hash = mix(hash ^ session.instance);
    return mix(hash ^ session.serial);
}

static struct directory_totals session_part(const struct content *content,
                                            struct session_id session, struct serials_value value)
{
    uint64_t hash = hash_key(content, session, value.state);
    return (struct directory_totals){.sessions = 1, .hash = mix(hash ^ value.claim)};
}

static uint64_t hash_bytes(uint64_t hash, struct span bytes)
{
    for (size_t i = 0; i < bytes.bytes; i++)
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return mix(hash ^ bytes.bytes);
}

static bool is_known(uint8_t kind)
{
    return kind <= HANDLER_MISSING_TOPIC;
}

static struct directory_totals handler_part(const struct handler *handler)
{
    uint8_t kind = handler->path->kind;
    uint64_t hash = hash_key(handler->content, handler->session, (uint8_t)~kind);
    hash = hash_bytes(hash, handlers_path(handler->path));
    hash = hash_bytes(hash, handlers_value(handler));
    return (struct directory_totals){.handlers = is_known(kind) ? 1 : 0, .hash = hash};
}

/* Index of the first table whose origin is not below. */
static uint32_t table_index(const struct content *content, uint64_t origin)
{
    uint32_t low = 0;
    uint32_t high = content->tables_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (content->tables[middle]->origin < origin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct hosted *content_table_from(const struct content *content, uint64_t origin)
{
    uint32_t index = table_index(content, origin);
    return index < content->tables_count ? content->tables[index] : NULL;
}

static struct hosted *table_find(const struct content *content, uint64_t origin)
{
    uint32_t index = table_index(content, origin);
    bool is_there = index < content->tables_count && content->tables[index]->origin == origin;
    return is_there ? content->tables[index] : NULL;
}

static bool tables_grow(struct content *content)
{
    if (content->tables_count < content->tables_capacity)
        return true;
    if (content->tables_count >= CONTENT_ORIGINS_MAX)
        return false;
    uint32_t capacity = content->tables_capacity == 0 ? 1 : 2 * content->tables_capacity;
    struct hosted **tables =
        memory_resize(content->directory->memory, MEMORY_DIRECTORY, content->tables,
                      content->tables_capacity * sizeof tables[0], capacity * sizeof tables[0]);
    if (tables == NULL)
        return false;
    content->tables = tables;
    content->tables_capacity = capacity;
    return true;
}

static struct hosted *table_add(struct content *content, uint64_t origin)
{
    if (!tables_grow(content))
        return NULL;
    struct hosted *hosted = origins_add(&content->directory->origins, origin, content);
    if (hosted == NULL)
        return NULL;
    uint32_t index = table_index(content, origin);
    memmove(content->tables + index + 1, content->tables + index,
            (content->tables_count - index) * sizeof content->tables[0]);
    content->tables[index] = hosted;
    content->tables_count++;
    return hosted;
}

static void table_remove_if_empty(struct content *content, struct hosted *hosted)
{
    if (hosted->serials.count > 0)
        return;
    uint32_t index = table_index(content, hosted->origin);
    content->tables_count--;
    memmove(content->tables + index, content->tables + index + 1,
            (content->tables_count - index) * sizeof content->tables[0]);
    origins_remove(&content->directory->origins, hosted);
}

/* At the limit only sessions that are there already change. */
static bool has_room(const struct content *content, struct session_id session)
{
    return content->totals.sessions < CONTENT_SESSIONS_MAX ||
           content_session(content, session).state != 0;
}

static enum error session_set(struct content *content, struct session_id session,
                              struct serials_value value)
{
    if (!has_room(content, session))
        return ERROR_LIMIT_REACHED;
    struct hosted *hosted = table_find(content, session.instance);
    if (hosted == NULL)
        hosted = table_add(content, session.instance);
    if (hosted == NULL)
        return ERROR_LIMIT_REACHED;
    struct serials_value before = {0};
    bool is_set = content->visibility == CONTENT_STAGED
                      ? serials_append(&hosted->serials, session.serial, value)
                      : serials_put(&hosted->serials, session.serial, value, &before);
    if (!is_set) {
        table_remove_if_empty(content, hosted);
        return ERROR_LIMIT_REACHED;
    }
    if (before.state != 0)
        note_removed(content, session_part(content, session, before));
    note_added(content, session_part(content, session, value));
    return ERROR_OK;
}

static void handler_remove(struct content *content, struct handler *handler)
{
    note_removed(content, handler_part(handler));
    content->registrations--;
    handlers_remove(&content->directory->handlers, handler);
}

/* A session takes its registrations with it. */
static void session_close(struct content *content, struct session_id session)
{
    struct handlers *handlers = &content->directory->handlers;
    struct handler *handler;
    while ((handler = handlers_of_session(handlers, content, session)) != NULL)
        handler_remove(content, handler);
    struct hosted *hosted = table_find(content, session.instance);
    if (hosted == NULL)
        return;
    struct serials_value before = serials_remove(&hosted->serials, session.serial);
    if (before.state != 0)
        note_removed(content, session_part(content, session, before));
    table_remove_if_empty(content, hosted);
}

static struct handler *handler_of(const struct content *content,
                                  const struct ownership_entry *entry)
{
    return handlers_find(&content->directory->handlers, content, entry->handler_kind, entry->path,
                         entry->session);
}

static enum error handler_set(struct content *content, const struct ownership_entry *entry)
{
    struct handler *before = handler_of(content, entry);
    if (before != NULL && span_equal(handlers_value(before), entry->value))
        return ERROR_OK;
    if (before == NULL && content->registrations >= CONTENT_REGISTRATIONS_MAX)
        return ERROR_LIMIT_REACHED;
    struct handler *handler =
        handlers_add(&content->directory->handlers, content, entry->handler_kind, entry->path,
                     entry->session, entry->value);
    if (handler == NULL)
        return ERROR_LIMIT_REACHED;
    content->registrations++;
    note_added(content, handler_part(handler));
    if (before != NULL)
        handler_remove(content, before);
    return ERROR_OK;
}

enum error content_apply(struct content *content, const struct ownership_entry *entry)
{
    struct serials_value value = {.state = entry->state, .claim = entry->claim};
    struct handler *handler;
    switch (entry->type) {
    case OWNERSHIP_SESSION_STATE:
        value.claim = content_session(content, entry->session).claim;
        return session_set(content, entry->session, value);
    case OWNERSHIP_SESSION_OPENED:
    case OWNERSHIP_SESSION_CLAIMED:
        return session_set(content, entry->session, value);
    case OWNERSHIP_SESSION_CLOSED:
        if (bug_is_planted(BUG_GHOST_SESSION) && content != content->directory->own)
            return ERROR_OK;
        session_close(content, entry->session);
        return ERROR_OK;
    case OWNERSHIP_HANDLER_REGISTERED:
        return handler_set(content, entry);
    case OWNERSHIP_HANDLER_REMOVED:
        handler = handler_of(content, entry);
        if (handler != NULL)
            handler_remove(content, handler);
        return ERROR_OK;
    }
    return ERROR_OK;
}

struct serials_value content_session(const struct content *content, struct session_id session)
{
    const struct hosted *hosted = table_find(content, session.instance);
    return hosted != NULL ? serials_get(&hosted->serials, session.serial)
                          : (struct serials_value){0};
}

void content_check(const struct content *content)
{
    struct directory_totals sum = {0};
    for (uint32_t i = 0; i < content->tables_count; i++) {
        const struct hosted *hosted = content->tables[i];
        require(hosted->serials.count > 0 && hosted->content == content);
        require(i == 0 || content->tables[i - 1]->origin < hosted->origin);
        struct session_id id = {.instance = hosted->origin};
        uint32_t position = 0;
        struct serials_value value;
        while (serials_next(&hosted->serials, &position, &id.serial, &value)) {
            struct directory_totals part = session_part(content, id, value);
            directory_add(&sum, &part);
        }
    }
    const struct handler *handler;
    uint32_t number = 0;
    const struct handlers *handlers = &content->directory->handlers;
    uint32_t registrations = 0;
    while ((handler = handlers_of_content(handlers, content, &number)) != NULL) {
        struct directory_totals part = handler_part(handler);
        directory_add(&sum, &part);
        registrations++;
    }
    require(registrations == content->registrations);
    require(sum.sessions == content->totals.sessions && sum.handlers == content->totals.handlers);
    require(sum.hash == content->totals.hash);
}
