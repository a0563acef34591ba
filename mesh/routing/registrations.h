/* registrations.h - decides which sessions here serve which paths; the directory spreads it. What a
 * session registered goes with it (ownership_session_closed).
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_REGISTRATIONS_H
#define WEFT_MESH_ROUTING_REGISTRATIONS_H

#include "mesh/routing/room.h"

/* REGISTER and UNREGISTER of a session here, answered by DONE or ERROR. Returns what is wrong with
 * the message, if it could not be read. */
enum error registrations_from_session(struct routing *routing, struct session *session,
                                      const struct message *message);

#endif
