/* salvage.h - takes what was never sent out of a queue again, so that somebody else may have it.
 * Memory: copies in the context's scratch memory. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_SALVAGE_H
#define WEFT_MESH_ROUTING_SALVAGE_H

#include "mesh/base/context.h"

struct salvaged {
    struct salvaged *next;
    struct message message;
};

/* Takes the REQUESTs and COMMANDs out of a link's queue, in their order; everything else stays in
 * it. What there is no memory for is dropped, as if it had been sent. NULL: nothing. O(queued), and
 * without a copy when there is nothing to take. */
struct salvaged *salvage_link(struct context *context, struct outbound *queue);

/* The same with the REQUESTs in the queue of a session, which is about to leave for the last time:
 * a CANCEL leaves in the place of each. What there is no memory for stays: it is sent. */
struct salvaged *salvage_session(struct context *context, struct outbound *queue);

#endif
