/* gossip.h - decides when news goes out by itself: at once when it is urgent, else every
 * interval_ms while there is some, to `fanout` random members.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_GOSSIP_H
#define WEFT_MESH_MEMBERSHIP_GOSSIP_H

#include "mesh/base/deadlines.h"
#include "mesh/membership/dissemination.h"

struct membership;

struct gossip {
    struct deadline deadline;
    uint64_t sent_ns; /* the last round */
};

/* There is news of a member. */
void gossip_put(struct membership *room, uint32_t who, enum news_class class, bool is_full);

void gossip_due(struct membership *room);

#endif
