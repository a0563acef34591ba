/* search.c - see search.h. */
#include "mesh/ownership/search.h"

#include "mesh/base/path.h"

struct search {
    const struct content *own;
    struct handler_entry *entries;
    size_t count, most;
};

static enum session_state state_of(const struct handler *handler)
{
    uint8_t state = content_session(handler->content, handler->session).state;
    return state == SESSION_DISCONNECTED ? SESSION_DISCONNECTED : SESSION_ACTIVE;
}

static struct handler_entry entry_of(const struct handler *handler, enum session_state state)
{
    return (struct handler_entry){.instance = handler->content->writer,
                                  .session = handler->session,
                                  .path = handlers_path(handler->path),
                                  .state = state};
}

/* Those of the path that are live, in that state, and on this node or not on it. */
static void take(struct search *search, const struct handler_path *path, enum session_state state,
                 bool is_own)
{
    const struct handler *at = path->first;
    for (; at != NULL && search->count < search->most; at = at->next) {
        bool is_wanted =
            at->content->visibility == CONTENT_LIVE && (at->content == search->own) == is_own;
        if (is_wanted && state_of(at) == state)
            search->entries[search->count++] = entry_of(at, state);
    }
}

size_t search_path(const struct directory *directory, enum handler_kind kind, struct span path,
                   struct handler_entry *entries, size_t most)
{
    struct search search = {.own = directory->own, .entries = entries, .most = most};
    for (; path.bytes > 0 && search.count == 0; path = path_parent(path)) {
        const struct handler_path *at = handlers_at(&directory->handlers, (uint8_t)kind, path);
        if (at == NULL)
            continue;
        take(&search, at, SESSION_ACTIVE, true);
        take(&search, at, SESSION_ACTIVE, false);
        take(&search, at, SESSION_DISCONNECTED, true);
        take(&search, at, SESSION_DISCONNECTED, false);
    }
    return search.count;
}

/* Later kinds are kept, not understood: they come behind all known ones. */
static bool is_known(const struct handler_path *path)
{
    return path != NULL && path->kind <= HANDLER_MISSING_TOPIC;
}

bool search_next(struct directory *directory, uint64_t *cursor, enum handler_kind *kind,
                 struct handler_entry *entry)
{
    const struct handler_path *path = NULL;
    const struct handler *at = NULL;
    if (*cursor == 0) {
        path = handlers_in_order(&directory->handlers);
        at = path == NULL ? NULL : path->first;
    } else {
        at = slots_get(&directory->handlers.slots, (uint32_t)(*cursor - 1));
        path = at == NULL ? NULL : at->path;
        at = at == NULL ? NULL : at->next;
    }
    while (is_known(path) && (at == NULL || at->content->visibility != CONTENT_LIVE)) {
        path = at == NULL ? path->next : path;
        at = at != NULL ? at->next : (path == NULL ? NULL : path->first);
    }
    if (!is_known(path))
        return false;
    *cursor = (uint64_t)at->number + 1;
    *kind = (enum handler_kind)path->kind;
    *entry = entry_of(at, state_of(at));
    return true;
}
