/* authentication.h - decides who may open a session, and as whom: goes along the chain
 * (sessions/identity.h), asks whom it has to ask, and lets in or turns away. Nobody comes in
 * without an "allow": every fault is a "no".
 *
 *     HELLO, REAUTHENTICATE -> [go along the chain] -+-> allowed -> WELCOME, DONE
 *                                ^                   +-> denied  -> REFUSED, ERROR
 *                                |                   +-> asks: passwords.h, authenticators.h
 *                                +---- abstains, or silent where on_timeout is abstain ----+
 *
 * Memory: logins.h. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_AUTHENTICATION_H
#define WEFT_MESH_ROUTING_AUTHENTICATION_H

#include "mesh/routing/logins.h"
#include "mesh/routing/room.h"
#include "mesh/sessions/allowance.h"
#include "mesh/sessions/opening.h"

/* All steps together: longer than any client waits for a session. */
#define AUTHENTICATION_NS (UINT64_C(30000) * 1000000)

/* HELLO of somebody. is_limited: his address has guessed wrong too often, so nobody is asked. */
void authentication_hello(struct routing *routing, const struct opening *opening, bool is_limited);

/* REAUTHENTICATE of an open session; an error says what is wrong with the message. */
enum error authentication_from_session(struct routing *routing, struct session *session,
                                       const struct message *message, bool is_limited);

/* The session is over, or never will be: its connection is gone, or it spoke before it was
 * welcomed. Nobody is asked for it any more. Fine when nobody was. */
void authentication_abandon(struct routing *routing, struct session *session);

/* The chain, or what it depends on, is another one: what is under way begins anew. */
void authentication_reconfigured(struct routing *routing);

/* The node stops: whoever waits is turned away. */
void authentication_stop(struct routing *routing);

void authentication_due(struct routing *routing, struct login *login);

/* What those who were asked say; for passwords.c and authenticators.c. Each ends the login, or has
 * the next one asked. `lost`: he who was asked can't answer any more. */
void authentication_allowed(struct routing *routing, struct login *login,
                            const struct allowance *allowance);
void authentication_denied(struct routing *routing, struct login *login);
void authentication_abstained(struct routing *routing, struct login *login);
void authentication_lost(struct routing *routing, struct login *login);

/* begun = allowed + denied + refused + abandoned + under way. */
void authentication_check(const struct routing *routing);

#endif
