/* shares.h - decides which sessions here a request to a filter goes to: those that match at one
 * instant, each asked once, as fast as the caller's node allows; and tells that node what became
 * of each. This node's own requests to filters have a share here like any other's.
 * Memory: a fixed table; ids, and one copy of the request, in MEMORY_QUEUES. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_SHARES_H
#define WEFT_MESH_ROUTING_SHARES_H

#include "mesh/routing/room.h"

/* Shares at work on a node. A share lasts as long as its slowest session; what comes beyond is
 * answered LIMIT_REACHED, and nobody is asked. */
enum { SHARES_MAX = 256 };

/* What a share is of: the node and the number of the request there. */
struct share_origin {
    uint64_t instance, number;
};

bool shares_init(struct routing *routing);
void shares_clear(struct routing *routing);

/* REQUEST to a filter, of another node: answered with SPREAD. */
void shares_from_node(struct routing *routing, const struct node *node,
                      const struct request *request, const struct parcel *parcel, uint64_t number);

/* Finds who matches; nobody is asked yet. ERROR_OK: *sent says how many; 0: there is no share. Else
 * *why says why not, and there is none. */
enum error shares_begin(struct routing *routing, struct share_origin origin,
                        const struct request *request, const struct parcel *parcel, uint32_t *sent,
                        struct span *why);

/* So many of them may be asked by now, in all. Fine for a share that is over. */
void shares_allow(struct routing *routing, struct share_origin origin, uint32_t allowed);

/* Nobody waits for it any more: who was asked is told, and no PART follows. As above. */
void shares_cancel(struct routing *routing, struct share_origin origin);

/* The node is gone, and all that it asked with it. */
void shares_node_lost(struct routing *routing, uint64_t instance);

/* One of the sessions has its outcome; and, behind that, the flight that asked it is over. */
void shares_answer(struct routing *routing, const struct flight *flight,
                   const struct response *response, struct span body);
void shares_flight_ended(struct routing *routing, uint32_t slot);

void shares_due(struct routing *routing, uint32_t slot);
void shares_check(const struct routing *routing);

#endif
