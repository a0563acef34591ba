/* polls.h - decides how a request to a filter ends for its caller: every member counts who matches
 * and asks them, at the pace at which the caller takes the answers; the caller hears first how
 * many are asked, then of each, then that this was all.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_POLLS_H
#define WEFT_MESH_ROUTING_POLLS_H

#include "mesh/routing/room.h"

enum {
    POLL_GRACE_MS = 250,   /* what the members say at the deadline gets here before it is over */
    POLL_LOOK_MS = 20,     /* how long a caller that reads slowly is left alone */
    POLL_WINDOW_FIRST = 8, /* sessions asked at first; it doubles as answers come */
};

/* Whether the session has one under that number. */
bool polls_has(const struct routing *routing, const struct session *session, uint64_t number);

/* REQUEST to a filter, of a session here. It has or will have its RESPONSE, or ERROR for a filter
 * that can't be read. */
void polls_from_session(struct routing *routing, struct session *session, struct request *request,
                        struct parcel *parcel, uint64_t number, uint32_t timeout_ms);

/* CANCEL of the caller. Fine when there is none. */
void polls_cancel(struct routing *routing, const struct session *session, uint64_t number);

/* SPREAD and PART of another node. An error is a strike. */
enum error polls_spread_from_node(struct routing *routing, const struct node *node,
                                  const struct message *message);
enum error polls_part_from_node(struct routing *routing, const struct node *node,
                                const struct message *message);

/* The outcome of a session that the node asked; that node may be this one. */
void polls_part(struct routing *routing, const struct node *node, uint64_t number,
                const struct part *part, struct span body);

/* The node, or the link to it, is lost: whom it asked may have been, and it says nothing more. */
void polls_node_lost(struct routing *routing, const struct node *node);
void polls_session_ended(struct routing *routing, const struct session *session);

void polls_due(struct routing *routing, uint32_t slot);

#endif
