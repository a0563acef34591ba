/* authenticators.h - decides which authentication handler is asked, and what counts as its answer.
 * A handler of that name on this node comes first, else one on another node; one is asked, and if
 * it or its node is lost before it answered, another one, once.
 * Memory: questions.h, logins.h. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_AUTHENTICATORS_H
#define WEFT_MESH_ROUTING_AUTHENTICATORS_H

#include "mesh/routing/logins.h"
#include "mesh/routing/questions.h"
#include "mesh/routing/room.h"

/* What comes of asking. */
enum authenticator_answer {
    AUTHENTICATOR_ASKED,    /* the login waits: what comes of it is told to authentication.h */
    AUTHENTICATOR_ABSTAINS, /* the name is registered nowhere */
    AUTHENTICATOR_SILENT,   /* there are some, and none can be asked now, or not any more */
};

/* Asks a handler of that name, another one than the login's last one. */
enum authenticator_answer authenticators_ask(struct routing *routing, struct login *login,
                                             struct span name);

/* The login does not wait for its handler here any more. */
void authenticators_withdraw(struct routing *routing, const struct login *login);

/* AUTHENTICATE of another node, whose login it is: put to a handler here, or answered LOST. An
 * error is a strike. */
enum error authenticators_from_node(struct routing *routing, struct node *node,
                                    const struct message *message);

/* DECISION: of a handler, of its node. An error says what is wrong with the message; the question
 * stands then. One that nobody waits for is counted and dropped. */
enum error authenticators_decision_from_session(struct routing *routing,
                                                const struct session *session,
                                                const struct message *message);
enum error authenticators_decision_from_node(struct routing *routing, const struct node *node,
                                             const struct message *message);

/* A session here has ended; a node, or the link to it, is lost. */
void authenticators_session_ended(struct routing *routing, const struct session *session);
void authenticators_link_lost(struct routing *routing, uint64_t instance);
void authenticators_node_gone(struct routing *routing, uint64_t instance);

/* A question's time is over. */
void authenticators_due(struct routing *routing, struct question *question);

#endif
