/* by_id.h - decides where a command on one session is carried out: here, or on the node that hosts
 * the session, asked with one redirect at most.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_BY_ID_H
#define WEFT_MESH_ROUTING_BY_ID_H

#include "mesh/routing/answers.h"
#include "mesh/routing/inquiries.h"

/* A command of a session here: it has or will have its RESULT. ERROR_INVALID_MESSAGE: malformed
 * groups, and no RESULT. */
enum error by_id_from_session(struct routing *routing, struct session *asker,
                              const struct command *command, const struct message *message,
                              uint32_t timeout_ms);

/* A command of a node's session: its node has its RESULT, unless it had it before or will have it.
 * ERROR_OK, or what is wrong with the message. */
enum error by_id_from_node(struct routing *routing, const struct node *node,
                           const struct command *command, const struct message *message);

/* The node that was asked has answered. */
void by_id_answered(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                    struct answer *answer);

/* It can't or will not. */
void by_id_unreachable(struct routing *routing, struct inquiry *inquiry);

#endif
