/* owners.h - decides whether a node may speak under a key: a key is one node's, and its owner's
 * name, which the daemon knows from the operator's files, is that node's name. So nobody can
 * announce another's instance, whatever he says of himself.
 * Memory: none. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_MEMBERSHIP_OWNERS_H
#define WEFT_MESH_MEMBERSHIP_OWNERS_H

#include "proto/envelope.h"

struct membership;

enum owners_verdict {
    OWNERS_FIT,     /* the sender has the owner's name; or no keys are in use */
    OWNERS_UNKNOWN, /* nobody knows the sender's name yet */
    OWNERS_OTHER,   /* it has another name */
};

/* Judges the sender of a frame by the name it is known under, or else by the name that its JOIN or
 * CHALLENGE gives. owner: whose key the frame came under; empty: no keys are in use. O(1). */
enum owners_verdict owners_judge(const struct membership *room, uint64_t sender,
                                 const struct message *message, struct span owner);

/* Says so to the operator, at most once a minute and owner. address: where the frame came from. */
void owners_complain(struct membership *room, struct span owner, struct span address);

/* The same, and the joiner is told: it may have the wrong key file or the wrong name. */
void owners_refuse(struct membership *room, const struct envelope *envelope, uint32_t connection,
                   struct span owner, struct span address, const struct message *join);

#endif
