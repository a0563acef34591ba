/* direct.h - decides what becomes of a request to one session: handed over if it is here and
 * listens on exactly that path, else given to its node, which is looked for as for a command by id.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_DIRECT_H
#define WEFT_MESH_ROUTING_DIRECT_H

#include "mesh/routing/room.h"

/* A flight of a session here that nobody has: it is handed over, given to a node, or ends. */
void direct_route(struct routing *routing, struct flight *flight, const struct parcel *parcel);

/* A flight of another node's: handed over, or ended, with `moved` if the session is not here. */
void direct_take(struct routing *routing, struct flight *flight, const struct parcel *parcel);

/* The node that was asked has not got the session, and knows of that owner, or of none (0): asked
 * once more, elsewhere, or ended. */
void direct_moved(struct routing *routing, struct flight *flight, const struct node *asked,
                  uint64_t owner, const struct parcel *parcel);

/* "the session does not listen on ..", as all say it. */
struct sentence;
void direct_unhandled_say(struct sentence *text, struct span path);

#endif
