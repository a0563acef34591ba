/* opening.h - decides what a HELLO is answered with, but for who it is: that is found out by
 * routing/authentication.h.
 * Memory: see sessions.h. Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_OPENING_H
#define WEFT_MESH_SESSIONS_OPENING_H

#include "mesh/sessions/sessions.h"

/* Somebody at the door: what he said, as long as his frame lives. */
struct opening {
    struct session *session; /* OPENING: it has its fixed properties, as claimed */
    struct client_hello hello;
    struct span offered; /* groups of struct property */
    /* Filled in by the caller. mesh.h: of the key that HELLO came under; nobody's: empty. */
    struct span owner, owner_roles;
};

/* The first message of a connection that has no session. True: it is to be found out who that is,
 * and then opening_admit or sessions_turn_away is called. False: it was answered, by REFUSED, and
 * the connection is cut behind it; or a session was resumed. */
bool opening_hello(struct sessions *sessions, uint32_t connection, struct span address,
                   const struct message *hello, struct opening *opening);

/* It may open, as SESSION_EVENT_OPENING says: the directory is asked next. */
void opening_admit(struct sessions *sessions, struct session *session);

#endif
