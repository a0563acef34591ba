/* lookup.c - see lookup.h. */
#include "mesh/routing/lookup.h"

const struct node *lookup_node(const struct routing *routing, struct session_id id,
                               enum error *code)
{
    bool is_shaded = false;
    uint64_t self = routing->context->instance;
    uint64_t owner = ownership_find_session(routing->ownership, id, &is_shaded);
    *code = owner != 0 && owner != self ? ERROR_CLUSTER_ROUTING : ERROR_NO_SUCH_SESSION;
    if (is_shaded)
        return NULL;
    if (owner == 0)
        owner = id.instance;
    return owner == self ? NULL : nodes_find(&routing->nodes, owner);
}

const struct node *lookup_next(const struct routing *routing, struct session_id id,
                               const struct node *asked, uint64_t owner, bool is_redirected,
                               enum error *code)
{
    uint64_t next = owner != 0 && owner != asked->instance ? owner : id.instance;
    const struct node *node = next == asked->instance ? NULL : nodes_find(&routing->nodes, next);
    bool is_nowhere = owner == 0 && node == NULL;
    *code = is_nowhere && !is_redirected ? ERROR_NO_SUCH_SESSION : ERROR_CLUSTER_ROUTING;
    return is_redirected || next == routing->context->instance ? NULL : node;
}

uint64_t lookup_owner(const struct routing *routing, struct session_id id)
{
    bool is_shaded;
    return ownership_find_session(routing->ownership, id, &is_shaded);
}

const char *lookup_sentence(enum error code)
{
    return code == ERROR_NO_SUCH_SESSION
               ? "no node hosts that session: it is closed, or the id is wrong"
               : "the session's node can't be reached now; try again";
}
