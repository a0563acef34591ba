/* handover.h - hands requests over: to a session here, or to the node of one; and takes them back
 * while they wait. The body is not copied here; the queue copies what waits longer than its frame
 * lives.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_HANDOVER_H
#define WEFT_MESH_ROUTING_HANDOVER_H

#include "mesh/routing/room.h"
#include "mesh/routing/served.h"

/* Starts the flight's time. */
void handover_deadline(struct routing *routing, struct flight *flight, uint32_t timeout_ms);

/* Queues the request to a session here, for that registration of it. ERROR_LIMIT_REACHED: its queue
 * is full; nothing changed. */
enum error handover_here(struct routing *routing, struct flight *flight,
                         const struct parcel *parcel, struct session *session,
                         struct served *served);

/* Queues it to the node that hosts that session; parcel->properties go along. ERROR_LIMIT_REACHED:
 * the link's queue is full; ERROR_CLUSTER_ROUTING: there is no link; nothing changed. */
enum error handover_to_node(struct routing *routing, struct flight *flight,
                            const struct parcel *parcel, const struct node *node,
                            struct session_id handler);

/* Takes it from whoever has it, because its time is over or nobody waits for it: out of the queue
 * it still waits in, so that it is not handed over, or with a CANCEL behind it. */
void handover_cancel(struct routing *routing, struct flight *flight);

/* It never left, and is on its way to somebody else: the registration has nothing to do with it. */
void handover_withdrawn(struct routing *routing, struct flight *flight);

#endif
