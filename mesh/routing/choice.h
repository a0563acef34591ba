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

/* Returns ERROR_OK; ERROR_NO_HANDLER: nobody (else) serves the path; ERROR_CLUSTER_ROUTING:
 * somebody may, but can't be reached now, or this node has not synchronised yet. The flight's
 * moved_from nodes are out of the question. Draws random numbers only when there is a choice.
 * O(registrations of that path). */
enum error choice_make(struct routing *routing, struct span path, const struct flight *flight,
                       enum choice_scope scope, struct choice *choice);

#endif
