/* namesake.h - decides who keeps a name that two nodes have after a split: the higher (incarnation,
 * instance). The lower one makes sure that the other lives before it goes.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_NAMESAKE_H
#define WEFT_MESH_MEMBERSHIP_NAMESAKE_H

#include "mesh/base/deadlines.h"
#include "proto/gossip.h"

struct membership;

struct namesake {
    uint64_t instance, incarnation; /* of the other; 0: there is none */
    struct deadline deadline;
};

/* A record says that another instance of our name lives. */
void namesake_heard(struct membership *room, const struct member_record *other);

/* It did not answer: it was an old life. */
void namesake_due(struct membership *room);

#endif
