/* leave.h - says goodbye: `left` goes to every member at once, and this node goes when three have
 * acknowledged it, or after a second.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_LEAVE_H
#define WEFT_MESH_MEMBERSHIP_LEAVE_H

#include "mesh/base/deadlines.h"

struct membership;

struct leave {
    struct deadline deadline;
    bool has_begun, is_over;
    uint32_t acks_missing;
    uint64_t number; /* correlation of the farewell */
};

void leave_start(struct membership *room);
void leave_acknowledged(struct membership *room, uint64_t correlation);
void leave_due(struct membership *room);
bool leave_has_begun(const struct membership *room);

#endif
