/* opening.h - decides what a HELLO is answered with.
 * Memory: see sessions.h. Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_OPENING_H
#define WEFT_MESH_SESSIONS_OPENING_H

#include "mesh/sessions/sessions.h"

/* The first message of a connection that has no session. A session
 * that may open is announced as SESSION_EVENT_OPENING; any other HELLO is answered with REFUSED,
 * and the connection is cut after it. */
void opening_hello(struct sessions *sessions, uint32_t connection, struct span address,
                   const struct message *hello);

#endif
