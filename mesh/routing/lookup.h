/* lookup.h - decides which node to ask for a session that is not here: the one the directory names,
 * else the one in its id (the directory may lag); and where to ask next when that node says "not
 * mine".
 *
 * (C2) NO_SUCH_SESSION is said only when no directory entry has the id and the node in the id is
 *      this one, or is gone (with this version its sessions went with it), or said "not mine"
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_LOOKUP_H
#define WEFT_MESH_ROUTING_LOOKUP_H

#include "mesh/routing/room.h"

/* The node to ask; NULL: *code says why there is none, NO_SUCH_SESSION or CLUSTER_ROUTING. */
const struct node *lookup_node(const struct routing *routing, struct session_id id,
                               enum error *code);

/* The node to ask after `asked` said "not mine" and named the owner it knows of, or 0. As above;
 * whoever was asked for the second time already (is_redirected) is not asked for a third. */
const struct node *lookup_next(const struct routing *routing, struct session_id id,
                               const struct node *asked, uint64_t owner, bool is_redirected,
                               enum error *code);

/* What a node that does not host the session says about it: the instance that has it, or 0. */
uint64_t lookup_owner(const struct routing *routing, struct session_id id);

/* One sentence for each of the two codes. */
const char *lookup_sentence(enum error code);

#endif
