/* losses.h - decides what becomes of requests when something is lost: a session, a link, a node, or
 * time.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_LOSSES_H
#define WEFT_MESH_ROUTING_LOSSES_H

#include "mesh/routing/room.h"

/* The session is over and not in the directory any more: what it asked is cancelled, what it was to
 * serve is routed again or HANDLER_LOST. */
void losses_session(struct routing *routing, struct session *session);

/* What was sent to the node may be lost. Its own callers' requests go on. */
void losses_link(struct routing *routing, struct node *node);

/* The node is gone, and its slot is free afterwards. */
void losses_node(struct routing *routing, struct node *node);

/* A flight's deadline has passed. */
void losses_due(struct routing *routing, struct flight *flight);

#endif
