/* gather.h - decides when a question to every member is answered: the members are fixed at the
 * start, each answers or is given up (dead, link lost, time over), and then the asker has all of it
 * in one result.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_GATHER_H
#define WEFT_MESH_ROUTING_GATHER_H

#include "mesh/routing/inquiries.h"

/* Asks every member, this node included, or `only` one (NULL: all). The session has or will have
 * its RESULT. */
void gather_start(struct routing *routing, struct session *session, const struct command *command,
                  const struct message *message, const struct node *only, uint32_t timeout_ms);

/* A node's answer: its counts and rows. */
void gather_answered(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                     const struct result *result, struct span rows);

/* A node will not answer any more. Fine if it was not waited for. */
void gather_given_up(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                     const char *why);

/* The time is over: what is there is the result. */
void gather_due(struct routing *routing, struct inquiry *inquiry);

#endif
