/* choice.c - see choice.h. */
#include "mesh/routing/choice.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"

/* Registrations of one path that are looked at, those on this node first. A path served by more is
 * served by these: doubling it doubles what a choice costs, and 128 handlers of one path are more
 * than two a node in a mesh of the size planned for. */
enum { ENTRIES_MAX = 128 };

/* Lower is better. */
enum rank {
    RANK_HERE,
    RANK_ZONE,
    RANK_MESH,
    RANK_LINK_DOWN,
    RANK_DISCONNECTED,
    RANK_UNREACHABLE, /* known, but no way there now */
    RANK_MOVED,       /* said already that it does not serve this */
};

static bool is_gone(const struct choice_search *search, uint64_t instance)
{
    for (size_t i = 0; i < search->gone_count; i++) {
        if (search->gone[i] == instance)
            return true;
    }
    return false;
}

static enum rank rank_of(const struct routing *routing, const struct handler_entry *entry,
                         const struct choice_search *search)
{
    enum rank disconnected = search->needs_connected ? RANK_UNREACHABLE : RANK_DISCONNECTED;
    if (!session_id_is_none(search->except) && session_id_equal(entry->session, search->except))
        return RANK_MOVED;
    if (entry->instance == routing->context->instance) {
        bool is_unfound =
            bug_is_planted(BUG_NEAR_UNFOUND) && ownership_behind(routing->ownership) > 0;
        if (is_unfound || sessions_find(routing->sessions, entry->session) == NULL)
            return RANK_MOVED;
        return entry->state == SESSION_ACTIVE ? RANK_HERE : disconnected;
    }
    if (search->scope == CHOICE_LOCAL || is_gone(search, entry->instance) ||
        bug_is_planted(BUG_FAR_IGNORED))
        return RANK_MOVED;
    const struct node *node = nodes_find(&routing->nodes, entry->instance);
    const struct link *link = links_of_instance(routing->context->links, entry->instance);
    if (node == NULL || link == NULL || !link->forward_open)
        return RANK_UNREACHABLE;
    if (entry->state != SESSION_ACTIVE)
        return disconnected;
    if (!link->forward_up)
        return RANK_LINK_DOWN;
    return node->is_in_zone ? RANK_ZONE : RANK_MESH;
}

/* Of the candidates two at random, and of those the less loaded one. */
static const struct handler_entry *pick(struct routing *routing,
                                        const struct handler_entry *entries,
                                        const uint8_t *candidates, size_t candidates_count)
{
    if (candidates_count == 1)
        return &entries[candidates[0]];
    struct random *random = &routing->context->random;
    uint64_t first = random_below(random, candidates_count);
    uint64_t second = random_below(random, candidates_count - 1);
    second += second >= first;
    const struct handler_entry *a = &entries[candidates[first]];
    const struct handler_entry *b = &entries[candidates[second]];
    bool is_b_freer =
        flights_load(routing->flights, b->session) < flights_load(routing->flights, a->session);
    return is_b_freer ? b : a;
}

/* Of the registrations of one path those that are best; returns how many, and how good. */
static size_t best_of(const struct routing *routing, const struct choice_search *search,
                      const struct handler_entry *entries, size_t entries_count,
                      uint8_t *candidates, enum rank *best)
{
    size_t count = 0;
    *best = RANK_MOVED;
    for (size_t i = 0; i < entries_count; i++) {
        enum rank rank = rank_of(routing, &entries[i], search);
        if (rank == RANK_MOVED || rank > *best)
            continue;
        if (rank < *best)
            count = 0;
        *best = rank;
        candidates[count++] = (uint8_t)i;
    }
    return count;
}

enum error choice_find(struct routing *routing, const struct choice_search *search,
                       struct choice *choice)
{
    MEMORY_UNINITIALIZED struct handler_entry entries[ENTRIES_MAX];
    MEMORY_UNINITIALIZED uint8_t candidates[ENTRIES_MAX];
    enum rank best = RANK_MOVED;
    size_t candidates_count = 0;
    /* Where all have said that they do not serve the path, it is not theirs any more: then those
     * above it serve it. */
    for (struct span path = search->path; path.bytes > 0 && best == RANK_MOVED;
         path = path_parent(entries[0].path)) {
        size_t entries_count =
            ownership_find_handlers(routing->ownership, search->kind, path, entries, ENTRIES_MAX);
        if (entries_count == 0)
            break;
        candidates_count = best_of(routing, search, entries, entries_count, candidates, &best);
        if (search->scope == CHOICE_LOCAL)
            break; /* others, elsewhere, are more specific */
    }
    /* A node serves no session before it has synchronised, so a caller does not see this; a
     * request that comes from elsewhere in that moment does. */
    if (best == RANK_MOVED)
        return routing->status.is_synced ? ERROR_NO_HANDLER : ERROR_CLUSTER_ROUTING;
    if (best == RANK_UNREACHABLE)
        return ERROR_CLUSTER_ROUTING;
    const struct handler_entry *entry = pick(routing, entries, candidates, candidates_count);
    *choice = (struct choice){
        .session = entry->session,
        .instance = entry->instance,
        .path = entry->path,
        .keys = entry->value,
        .is_local = entry->instance == routing->context->instance,
    };
    return ERROR_OK;
}

enum error choice_make(struct routing *routing, struct span path, const struct flight *flight,
                       enum choice_scope scope, struct choice *choice)
{
    const struct choice_search search = {
        .kind = HANDLER_REQUEST,
        .path = path,
        .scope = scope,
        .gone = flight->moved_from,
        .gone_count = flight->moves,
    };
    return choice_find(routing, &search, choice);
}
