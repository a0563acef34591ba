/* salvage.h - takes what was never sent out of a queue again, so that somebody else may have it.
 * Memory: copies in the context's scratch memory. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_SALVAGE_H
#define WEFT_MESH_ROUTING_SALVAGE_H

#include "mesh/base/context.h"

struct salvaged {
    struct salvaged *next;
    struct message message;
};

/* Takes the REQUESTs and COMMANDs out of the queue, in their order; everything else stays in it.
 * What there is no memory for is dropped, as if it had been sent. NULL: nothing. O(queued), and
 * without a copy when there is nothing to take. */
struct salvaged *salvage_queue(struct context *context, struct outbound *queue);

#endif
