/* snapshot.c - see snapshot.h. */
#include "mesh/ownership/snapshot.h"

#include "mesh/base/bugs.h"
#include "proto/command.h"

struct chunk {
    const struct content *content;
    struct writer writer;
    size_t left;
};

/* False: it does not fit, the chunk ends here. */
static bool entry_write(struct chunk *chunk, const struct ownership_entry *entry)
{
    size_t bytes = ownership_entry_measure(entry, chunk->content->writer);
    if (bytes > chunk->left)
        return false;
    chunk->left -= bytes;
    ownership_entry_encode(entry, chunk->content->writer, &chunk->writer);
    return true;
}

static bool table_write(struct chunk *chunk, const struct hosted *hosted, uint32_t position)
{
    struct ownership_entry entry = {.session.instance = hosted->origin};
    struct serials_value value;
    while (serials_next(&hosted->serials, &position, &entry.session.serial, &value)) {
        entry.type = value.claim == 0 ? OWNERSHIP_SESSION_OPENED : OWNERSHIP_SESSION_CLAIMED;
        entry.state = value.state;
        entry.claim = value.claim;
        if (!entry_write(chunk, &entry))
            return false;
    }
    return true;
}

static bool sessions_write(struct chunk *chunk, const struct ownership_entry *cursor)
{
    uint64_t origin = cursor == NULL ? 0 : cursor->session.instance;
    const struct hosted *hosted;
    while ((hosted = content_table_from(chunk->content, origin)) != NULL) {
        bool is_cut = cursor != NULL && hosted->origin == cursor->session.instance;
        uint32_t position = is_cut ? serials_seek(&hosted->serials, cursor->session.serial) : 0;
        if (!table_write(chunk, hosted, position))
            return false;
        if (hosted->origin == UINT64_MAX)
            break;
        origin = hosted->origin + 1;
    }
    return true;
}

static int compare_sessions(struct session_id a, struct session_id b)
{
    if (a.instance != b.instance)
        return a.instance < b.instance ? -1 : 1;
    return a.serial == b.serial ? 0 : (a.serial < b.serial ? -1 : 1);
}

/* The registrations of one path behind `above` (NULL: all). */
static bool path_write(struct chunk *chunk, const struct handler_path *path,
                       const struct session_id *above)
{
    struct ownership_entry entry = {.type = OWNERSHIP_HANDLER_REGISTERED,
                                    .handler_kind = path->kind,
                                    .path = handlers_path(path)};
    uint32_t count;
    uint32_t first = handlers_range(path, chunk->content, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct handler *at = path->at[first + i];
        bool is_wanted = above == NULL || compare_sessions(*above, at->session) < 0;
        entry.session = at->session;
        entry.value = handlers_value(at);
        if (is_wanted && !entry_write(chunk, &entry))
            return false;
    }
    return true;
}

static bool handlers_write(struct chunk *chunk, const struct ownership_entry *cursor)
{
    const struct handler_path *path = handlers_in_order(&chunk->content->directory->handlers);
    if (bug_is_planted(BUG_BARE_SNAPSHOT))
        return true;
    for (; path != NULL; path = path->next) {
        int order = cursor == NULL ? 1
                                   : handlers_compare_paths(path->kind, handlers_path(path),
                                                            cursor->handler_kind, cursor->path);
        const struct session_id *above = order == 0 ? &cursor->session : NULL;
        if (order >= 0 && !path_write(chunk, path, above))
            return false;
    }
    return true;
}

static bool is_handler(const struct ownership_entry *entry)
{
    return entry->type == OWNERSHIP_HANDLER_REGISTERED;
}

size_t snapshot_write(const struct content *content, const struct ownership_entry *cursor,
                      uint8_t *out, size_t most, bool *is_last)
{
    struct chunk chunk = {.content = content, .left = most};
    writer_init(&chunk.writer, out, most);
    bool in_handlers = cursor != NULL && is_handler(cursor);
    *is_last = (in_handlers || sessions_write(&chunk, cursor)) &&
               (content->registrations == 0 || handlers_write(&chunk, in_handlers ? cursor : NULL));
    return most - chunk.left;
}

static bool is_above(const struct ownership_entry *entry, const struct ownership_entry *below)
{
    if (is_handler(entry) != is_handler(below))
        return is_handler(entry);
    int order = is_handler(entry) ? handlers_compare_paths(entry->handler_kind, entry->path,
                                                           below->handler_kind, below->path)
                                  : 0;
    return order == 0 ? compare_sessions(entry->session, below->session) > 0 : order > 0;
}

static bool is_allowed(const struct ownership_entry *entry)
{
    return entry->type == OWNERSHIP_SESSION_OPENED || entry->type == OWNERSHIP_SESSION_CLAIMED ||
           is_handler(entry);
}

enum error snapshot_read(struct content *content, struct span chunk,
                         const struct ownership_entry *cursor, struct span *last_entry)
{
    struct ownership_entry entries[2];
    const struct ownership_entry *below = cursor;
    enum error error = ERROR_OK;
    *last_entry = (struct span){0};
    for (size_t i = 0; error == ERROR_OK; i++) {
        struct ownership_entry *entry = &entries[i % 2];
        struct span before = chunk;
        if (!ownership_entry_next(&chunk, content->writer, entry, &error))
            break;
        if (!is_allowed(entry) || (below != NULL && !is_above(entry, below)))
            return ERROR_INVALID_MESSAGE;
        error = content_apply(content, entry);
        *last_entry = span_of(before.data, before.bytes - chunk.bytes);
        below = entry;
    }
    return error;
}

bool snapshot_cursor(struct span encoded, uint64_t writer, struct ownership_entry *cursor)
{
    enum error error;
    return ownership_entry_next(&encoded, writer, cursor, &error) && encoded.bytes == 0 &&
           is_allowed(cursor);
}
