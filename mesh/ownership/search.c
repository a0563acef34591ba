/* search.c - see search.h. */
#include "mesh/ownership/search.h"

#include "mesh/base/path.h"

struct search {
    const struct handler_path *path;
    uint32_t own_first, own_count; /* the registrations of this node */
    uint32_t own_start, start;     /* of its own and of the others, the one to begin with */
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
                                  .value = handlers_value(handler),
                                  .state = state};
}

/* The live ones in that state, of this node or of the others, in a circle, while there is room. */
static void take(struct search *search, bool is_own, enum session_state state)
{
    uint32_t others = search->path->count - search->own_count;
    uint32_t count = is_own ? search->own_count : others;
    uint32_t i = is_own ? search->own_start : search->start;
    for (uint32_t seen = 0; seen < count && search->count < search->most; seen++) {
        uint32_t skipped = i < search->own_first ? 0 : search->own_count;
        const struct handler *at = search->path->at[is_own ? search->own_first + i : i + skipped];
        if (at->content->visibility == CONTENT_LIVE && state_of(at) == state)
            search->entries[search->count++] = entry_of(at, state);
        i = i + 1 == count ? 0 : i + 1;
    }
}

/* Where this node's registrations are, and where to begin: by chance, when not all will be looked
 * at, so that each has its share. */
static void divide(struct search *search, const struct content *own, struct random *random)
{
    const struct handler_path *path = search->path;
    search->own_first = handlers_range(path, own, &search->own_count);
    search->own_start = search->start = 0;
    if (path->count <= search->most)
        return;
    uint32_t others = path->count - search->own_count;
    uint64_t chance = random_u64(random);
    search->own_start = search->own_count == 0 ? 0 : (uint32_t)(chance % search->own_count);
    search->start = others == 0 ? 0 : (uint32_t)(chance % others);
}

size_t search_path(struct directory *directory, struct random *random, enum handler_kind kind,
                   struct span path, struct handler_entry *entries, size_t most)
{
    struct search search = {.entries = entries, .most = most};
    for (; path.bytes > 0 && search.count == 0; path = path_parent(path)) {
        search.path = handlers_at_again(&directory->handlers, (uint8_t)kind, path);
        if (search.path == NULL)
            continue;
        divide(&search, directory->own, random);
        take(&search, true, SESSION_ACTIVE);
        take(&search, false, SESSION_ACTIVE);
        if (search.count == search.path->count)
            break; /* nobody is left to look at, as a rule */
        take(&search, true, SESSION_DISCONNECTED);
        take(&search, false, SESSION_DISCONNECTED);
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
    const struct handler_path *path;
    uint32_t index = (uint32_t)*cursor;
    if (*cursor == 0)
        path = handlers_in_order(&directory->handlers);
    else
        path = slots_get(&directory->handlers.paths, (uint32_t)(*cursor >> 32));
    while (is_known(path) &&
           (index >= path->count || path->at[index]->content->visibility != CONTENT_LIVE)) {
        bool is_end = index >= path->count;
        path = is_end ? path->next : path;
        index = is_end ? 0 : index + 1;
    }
    if (!is_known(path))
        return false;
    *cursor = (uint64_t)path->number << 32 | (index + 1);
    *kind = (enum handler_kind)path->kind;
    *entry = entry_of(path->at[index], state_of(path->at[index]));
    return true;
}
