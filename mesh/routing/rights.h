/* rights.h - decides which permission a message of a session needs, and takes back what stands when
 * its session may not have it any more. Requests and registrations bear a path, and ask for their
 * permission themselves; the answer to what is not permitted is given before anything is looked
 * up, so that nobody learns what exists.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_RIGHTS_H
#define WEFT_MESH_ROUTING_RIGHTS_H

#include "mesh/routing/room.h"

/* PERMISSION_NONE for a verb that this build does not know: nobody carries it out. */
enum permission rights_of_command(uint8_t verb);
enum permission rights_of_listen(uint8_t what);
enum permission rights_of_handler(uint8_t kind);

/* The session's roles or the configuration's permissions have changed: its registrations and what
 * it listens to go, where it may not have them any more, and it is told. O(its registrations). */
void rights_session_changed(struct routing *routing, struct session *session);
void rights_all_changed(struct routing *routing);

#endif
