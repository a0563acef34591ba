/* resuming.h - decides which sessions outlive their connection, for how long, and who may have one
 * back.
 *
 *                 connection lost, or silent for 90 s
 *     active ------------------------------------------> disconnected --> closed, connection_lost
 *        ^   <------------------------------------------      |          (its time has passed)
 *        |         HELLO with id, token, received_seq         |
 *        +--- the same, over a second connection: the first one is cut
 *
 * Memory: see sessions.h. Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_RESUMING_H
#define WEFT_MESH_SESSIONS_RESUMING_H

#include "mesh/sessions/opening.h"

/* A new session asks for so much time. What it is granted is in session->reconnect_ms from now on;
 * 0: it ends with its connection. `token` is made, and only its hash is kept. */
void resuming_grant(struct sessions *sessions, struct session *session, uint32_t asked_ms,
                    uint8_t token[TOKEN_BYTES]);

/* HELLO of a client that names a session, whose version, mesh and moment are fine. Returns
 * ERROR_OK: the session goes on over this connection, WELCOME is queued and behind it what the
 * client has not received. Otherwise nothing has changed, and *why is a sentence:
 * ERROR_NO_SUCH_SESSION whether the id is unknown, the session can't be resumed, the token is
 * another's or the key is of another owner than the one that the session was opened under, after
 * the same work; ERROR_INVALID_MESSAGE for a received_seq that can't be. */
enum error resuming_hello(struct sessions *sessions, uint32_t connection,
                          const struct opening *opening, uint64_t correlation, const char **why);

/* What a session remembers of whose key HELLO came under. */
uint64_t resuming_owner(const struct opening *opening);

/* The session has no connection any more, and may wait for one: it is disconnected. */
void resuming_wait(struct sessions *sessions, struct session *session);

/* Nobody came back in time. */
void resuming_due(struct sessions *sessions, struct session *session);

#endif
