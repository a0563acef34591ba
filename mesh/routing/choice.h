/* choice.h - decides which handler gets a request: the most specific path over the whole mesh; of
 * those a handler on this node; else one in this node's zone; else, of two picked at random, the
 * one with fewer requests in flight. A disconnected session only when no other is there.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_CHOICE_H
#define WEFT_MESH_ROUTING_CHOICE_H

#include "mesh/routing/room.h"

/* Which handlers come into question. */
enum choice_scope {
    CHOICE_MESH,  /* all that can be reached */
    CHOICE_LOCAL, /* those on this node */
};

struct choice {
    struct session_id session;
    uint64_t instance;
    struct span path, keys; /* of the registration; valid until the directory changes */
    bool is_local;
};

/* What is looked for. */
struct choice_search {
    enum handler_kind kind;
    struct span path; /* as path_parse gave it */
    enum choice_scope scope;
    const uint64_t *gone; /* nodes that are out of the question: gone_count of them */
    size_t gone_count;
    struct session_id except; /* and a session; none: no other */
    bool needs_connected;     /* a disconnected session can't be reached */
};

/* Returns ERROR_OK; ERROR_NO_HANDLER: nobody (else) serves the path; ERROR_CLUSTER_ROUTING:
 * somebody may, but can't be reached now, or this node has not synchronised yet. Draws random
 * numbers only when there is a choice. O(registrations of that path). */
enum error choice_find(struct routing *routing, const struct choice_search *search,
                       struct choice *choice);

/* The same for a request; the flight's moved_from nodes are out of the question. */
enum error choice_make(struct routing *routing, struct span path, const struct flight *flight,
                       enum choice_scope scope, struct choice *choice);

#endif
