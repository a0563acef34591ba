/* listeners.h - decides which sessions here are told what happens to members, and tells them; what
 * is said about listening to sessions goes on to watches.h and streams.h.
 * Memory: one record for each session's slot, touched as used. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_LISTENERS_H
#define WEFT_MESH_ROUTING_LISTENERS_H

#include "mesh/routing/room.h"

bool listeners_init(struct routing *routing); /* false: no memory */
void listeners_clear(struct routing *routing);

/* LISTEN and UNLISTEN of a session here, answered by DONE or ERROR. A LISTEN is also given the
 * picture: who is there. Returns what is wrong with the message, if it could not be read. */
enum error listeners_from_session(struct routing *routing, struct session *session,
                                  const struct message *message);

/* LISTEN or EVENT of another node, about sessions. An error is a strike. */
enum error listeners_from_node(struct routing *routing, uint64_t instance,
                               const struct message *message);

/* Something happened to a member: every listener gets an event. The node may go after that. */
void listeners_tell(struct routing *routing, enum member_news news, const struct node *node);

/* Fine for one that does not listen. */
void listeners_session_ended(struct routing *routing, const struct session *session);

/* It may do other things now: if it may not listen any more it is told, by ERROR to its LISTEN. */
void listeners_rights_changed(struct routing *routing, struct session *session);

#endif
