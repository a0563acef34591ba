/* listing.h - decides which sessions are on this node's page of a listing, and in which order.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_LISTING_H
#define WEFT_MESH_ROUTING_LISTING_H

#include "mesh/routing/answers.h"

/* LIST_SESSIONS: the first `limit` of those that match, in the order asked for; `total` counts all.
 * The answer's node is filled in. */
void listing_make(struct routing *routing, const struct command *command, struct answer *answer);

#endif
