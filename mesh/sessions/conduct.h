/* conduct.h - decides how a session and its client deal with each other: PING, credit, GOODBYE, and
 * how often a client may be wrong.
 * Memory: see sessions.h. Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_CONDUCT_H
#define WEFT_MESH_SESSIONS_CONDUCT_H

#include "mesh/sessions/sessions.h"

/* A frame came from the session's client: it is alive. */
void conduct_heard(struct sessions *sessions, struct session *session);

/* Asks the client of an open session that has been silent for long whether it lives, and sets when
 * that is to be looked at next. */
void conduct_silence(struct sessions *sessions, struct session *session);

/* The next message of an open session: it is counted if it is numbered, and now and then the client
 * is told how far the node came, so that it need not hold what it sent. */
void conduct_count(struct sessions *sessions, struct session *session,
                   const struct message *message);

/* PING, PONG, GRANT and GOODBYE of an open session. Returns ERROR_OK, or what is wrong with the
 * message; nothing has changed then. */
enum error conduct_receive(struct sessions *sessions, struct session *session,
                           const struct message *message);

/* A message with good framing that could not be used: answered with ERROR, and the third within
 * 10 s closes the session. */
void conduct_blame(struct sessions *sessions, struct session *session, uint64_t correlation,
                   enum error error, struct span text);

#endif
