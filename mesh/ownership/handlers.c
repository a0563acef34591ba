/* handlers.c - see handlers.h.
 *
 * One record a registration, one a path. A look-up goes from the path upwards, one hash each level,
 * so it costs the path's depth, however many registrations there are. Listing in order is rare, so
 * the order is made when it is asked for: new paths wait in a list of their own, which is sorted
 * (merge sort, in place) and merged into the ordered one.
 *
 * Invariants:
 * (H1) A path is here exactly while it has a registration.
 * (H2) The registrations of a path ascend by node, content and session.
 * (H3) Those of a session are found from by_session, also when two contents hold it. */
#include "mesh/ownership/handlers.h"

#include "mesh/base/require.h"
#include "mesh/ownership/content.h"
#include "mesh/ownership/path_order.h"

void handlers_init(struct handlers *handlers, struct memory *memory, uint64_t salt)
{
    *handlers = (struct handlers){.memory = memory};
    slots_init(&handlers->slots, memory);
    slots_init(&handlers->paths, memory);
    hashmap_init_dealt(&handlers->by_path, memory, MEMORY_DIRECTORY, salt);
    hashmap_init_dealt(&handlers->by_session, memory, MEMORY_DIRECTORY, ~salt);
}

void handlers_clear(struct handlers *handlers)
{
    require(handlers->slots.count == 0 && handlers->paths.count == 0);
    slots_clear(&handlers->slots);
    slots_clear(&handlers->paths);
    hashmap_clear(&handlers->by_path);
    hashmap_clear(&handlers->by_session);
}

struct span handlers_path(const struct handler_path *path)
{
    return span_of(path->text, path->bytes);
}

struct span handlers_value(const struct handler *handler)
{
    return span_of(handler->value, handler->value_bytes);
}

int handlers_compare_paths(uint8_t kind_a, struct span path_a, uint8_t kind_b, struct span path_b)
{
    if (kind_a != kind_b)
        return kind_a < kind_b ? -1 : 1;
    size_t bytes = path_a.bytes < path_b.bytes ? path_a.bytes : path_b.bytes;
    int order = bytes == 0 ? 0 : memcmp(path_a.data, path_b.data, bytes);
    if (order != 0 || path_a.bytes == path_b.bytes)
        return order;
    return path_a.bytes < path_b.bytes ? -1 : 1;
}

/* Paths are compared after the look-up, so that kinds share keys now and then does no harm. */
static struct hashmap_key key_of(const struct handlers *handlers, uint8_t kind, struct span path)
{
    struct hashmap_key key = hashmap_key_of_bytes(&handlers->by_path, path);
    key.high ^= (uint64_t)kind << 56;
    return key;
}

static struct handler_path *first_of_key(const struct handlers *handlers, struct hashmap_key key)
{
    uint32_t number = hashmap_get(&handlers->by_path, key);
    return number == HASHMAP_NONE ? NULL : slots_get(&handlers->paths, number);
}

static bool is_at(const struct handler_path *path, uint8_t kind, struct span text)
{
    return path->kind == kind && span_equal(handlers_path(path), text);
}

static struct handler_path *path_find(const struct handlers *handlers, uint8_t kind,
                                      struct span text)
{
    struct handler_path *path = first_of_key(handlers, key_of(handlers, kind, text));
    while (path != NULL && !is_at(path, kind, text))
        path = path->next_of_key;
    return path;
}

const struct handler_path *handlers_at(const struct handlers *handlers, uint8_t kind,
                                       struct span path)
{
    return path_find(handlers, kind, path);
}

const struct handler_path *handlers_at_again(struct handlers *handlers, uint8_t kind,
                                             struct span path)
{
    const struct handler_path *last = handlers->last_found;
    if (last != NULL && is_at(last, kind, path))
        return last;
    const struct handler_path *found = path_find(handlers, kind, path);
    if (found != NULL)
        handlers->last_found = found;
    return found;
}

static size_t path_record_bytes(size_t text_bytes)
{
    return sizeof(struct handler_path) + text_bytes;
}

static struct handler_path *path_add(struct handlers *handlers, uint8_t kind, struct span text)
{
    size_t bytes = path_record_bytes(text.bytes);
    struct handler_path *path = memory_new(handlers->memory, MEMORY_DIRECTORY, bytes);
    if (path == NULL)
        return NULL;
    path->kind = kind;
    path->bytes = (uint32_t)text.bytes;
    memcpy(path->text, text.data, text.bytes);
    struct hashmap_key key = key_of(handlers, kind, text);
    path->next_of_key = first_of_key(handlers, key);
    bool is_numbered = slots_add(&handlers->paths, path, &path->number);
    if (is_numbered && hashmap_put(&handlers->by_path, key, path->number)) {
        path_order_insert(&handlers->unordered, path);
        return path;
    }
    if (is_numbered)
        slots_remove(&handlers->paths, path->number);
    memory_free(handlers->memory, MEMORY_DIRECTORY, path, bytes);
    return NULL;
}

static void path_remove(struct handlers *handlers, struct handler_path *path)
{
    struct hashmap_key key = key_of(handlers, path->kind, handlers_path(path));
    struct handler_path *first = first_of_key(handlers, key);
    require(first != NULL);
    if (first == path && path->next_of_key == NULL) {
        hashmap_remove(&handlers->by_path, key);
    } else if (first == path) {
        require(hashmap_put(&handlers->by_path, key, path->next_of_key->number)); /* no new key */
    } else {
        while (first->next_of_key != path)
            first = first->next_of_key;
        first->next_of_key = path->next_of_key;
    }
    path_order_remove(path->is_ordered ? &handlers->ordered : &handlers->unordered, path);
    slots_remove(&handlers->paths, path->number);
    if (handlers->last_found == path)
        handlers->last_found = NULL;
    memory_free(handlers->memory, MEMORY_DIRECTORY, path->at, path->capacity * sizeof path->at[0]);
    memory_free(handlers->memory, MEMORY_DIRECTORY, path, path_record_bytes(path->bytes));
}

const struct handler_path *handlers_in_order(struct handlers *handlers)
{
    path_order_merge(&handlers->ordered, &handlers->unordered);
    return handlers->ordered;
}

/* By node, of one node the older content first, then by session. */
static bool is_before(const struct handler *handler, const struct content *content,
                      struct session_id session)
{
    if (handler->content != content) {
        uint64_t a = handler->content->writer;
        uint64_t b = content->writer;
        return a != b ? a < b : handler->content->birth < content->birth;
    }
    if (handler->session.instance != session.instance)
        return handler->session.instance < session.instance;
    return handler->session.serial < session.serial;
}

/* The index of the first one that is not before these. */
static uint32_t index_of(const struct handler_path *path, const struct content *content,
                         struct session_id session)
{
    uint32_t low = 0;
    uint32_t high = path->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(path->at[middle], content, session))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t handlers_range(const struct handler_path *path, const struct content *content,
                        uint32_t *count)
{
    struct session_id last = {.instance = UINT64_MAX, .serial = UINT64_MAX};
    uint32_t first = index_of(path, content, (struct session_id){0});
    uint32_t end = index_of(path, content, last);
    bool has_last = end < path->count && path->at[end]->content == content;
    *count = end - first + (has_last ? 1 : 0);
    return first;
}

static struct hashmap_key session_key(struct session_id session)
{
    return (struct hashmap_key){.high = session.instance, .low = session.serial};
}

static struct handler *first_of_session(const struct handlers *handlers, struct session_id session)
{
    uint32_t number = hashmap_get(&handlers->by_session, session_key(session));
    return number == HASHMAP_NONE ? NULL : slots_get(&handlers->slots, number);
}

struct handler *handlers_of_session(const struct handlers *handlers, const struct content *content,
                                    struct session_id session)
{
    struct handler *handler = first_of_session(handlers, session);
    while (handler != NULL && handler->content != content)
        handler = handler->next_of_session;
    return handler;
}

struct handler *handlers_find(const struct handlers *handlers, const struct content *content,
                              uint8_t kind, struct span path, struct session_id session)
{
    struct handler *handler = first_of_session(handlers, session);
    while (handler != NULL) {
        if (handler->content == content && handler->path->kind == kind &&
            span_equal(handlers_path(handler->path), path))
            return handler;
        handler = handler->next_of_session;
    }
    return NULL;
}

static bool path_grow(struct handlers *handlers, struct handler_path *path)
{
    if (path->count < path->capacity)
        return true;
    uint32_t capacity = path->capacity == 0 ? 1 : 2 * path->capacity;
    struct handler **at = memory_resize(handlers->memory, MEMORY_DIRECTORY, path->at,
                                        path->capacity * sizeof at[0], capacity * sizeof at[0]);
    if (at == NULL)
        return false;
    path->at = at;
    path->capacity = capacity;
    return true;
}

/* False: no memory. */
static bool link_at_path(struct handlers *handlers, struct handler *handler,
                         struct handler_path *path)
{
    if (!path_grow(handlers, path))
        return false;
    uint32_t index = index_of(path, handler->content, handler->session);
    memmove(path->at + index + 1, path->at + index, (path->count - index) * sizeof path->at[0]);
    path->at[index] = handler;
    path->count++;
    handler->path = path;
    return true;
}

static void unlink_from_path(struct handler *handler)
{
    struct handler_path *path = handler->path;
    uint32_t index = index_of(path, handler->content, handler->session);
    while (path->at[index] != handler)
        index++; /* an older value of the same key is beside it for a moment */
    path->count--;
    memmove(path->at + index, path->at + index + 1, (path->count - index) * sizeof path->at[0]);
}

static size_t record_bytes(size_t value_bytes)
{
    return sizeof(struct handler) + value_bytes;
}

/* A numbered record, found by its session. NULL: no memory, unchanged. */
static struct handler *record_add(struct handlers *handlers, struct session_id session,
                                  struct span value)
{
    size_t bytes = record_bytes(value.bytes);
    struct handler *handler = memory_new(handlers->memory, MEMORY_DIRECTORY, bytes);
    if (handler == NULL)
        return NULL;
    handler->session = session;
    handler->value_bytes = (uint32_t)value.bytes;
    if (value.bytes > 0)
        memcpy(handler->value, value.data, value.bytes);
    handler->next_of_session = first_of_session(handlers, session);
    bool is_numbered = slots_add(&handlers->slots, handler, &handler->number);
    if (is_numbered && hashmap_put(&handlers->by_session, session_key(session), handler->number))
        return handler;
    if (is_numbered)
        slots_remove(&handlers->slots, handler->number);
    memory_free(handlers->memory, MEMORY_DIRECTORY, handler, bytes);
    return NULL;
}

static void record_remove(struct handlers *handlers, struct handler *handler)
{
    struct hashmap_key key = session_key(handler->session);
    struct handler *first = first_of_session(handlers, handler->session);
    if (first == handler && handler->next_of_session == NULL) {
        hashmap_remove(&handlers->by_session, key);
    } else if (first == handler) {
        require(hashmap_put(&handlers->by_session, key, handler->next_of_session->number));
    } else {
        while (first->next_of_session != handler)
            first = first->next_of_session;
        first->next_of_session = handler->next_of_session;
    }
    slots_remove(&handlers->slots, handler->number);
    memory_free(handlers->memory, MEMORY_DIRECTORY, handler, record_bytes(handler->value_bytes));
}

struct handler *handlers_add(struct handlers *handlers, struct content *content, uint8_t kind,
                             struct span path, struct session_id session, struct span value)
{
    struct handler *handler = record_add(handlers, session, value);
    if (handler == NULL)
        return NULL;
    struct handler_path *at = path_find(handlers, kind, path);
    if (at == NULL)
        at = path_add(handlers, kind, path);
    handler->content = content;
    if (at != NULL && link_at_path(handlers, handler, at)) {
        handlers->listeners_changes += kind == OWNERSHIP_KIND_LISTENER;
        return handler;
    }
    if (at != NULL && at->count == 0)
        path_remove(handlers, at);
    record_remove(handlers, handler);
    return NULL;
}

void handlers_remove(struct handlers *handlers, struct handler *handler)
{
    struct handler_path *path = handler->path;
    handlers->listeners_changes += path->kind == OWNERSHIP_KIND_LISTENER;
    unlink_from_path(handler);
    record_remove(handlers, handler);
    if (path->count == 0)
        path_remove(handlers, path);
}

struct handler *handlers_of_content(const struct handlers *handlers, const struct content *content,
                                    uint32_t *number)
{
    struct handler *handler;
    while ((handler = slots_next(&handlers->slots, number)) != NULL) {
        if (handler->content == content)
            return handler;
    }
    return NULL;
}
