/* pause.h - decides whether this node itself was asleep (stopped, swapped out, starved), and then
 * forgets what it could have held against others meanwhile.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_PAUSE_H
#define WEFT_MESH_MEMBERSHIP_PAUSE_H

#include "mesh/base/deadlines.h"

struct membership;

struct pause {
    uint64_t noticed_ns; /* the fact in which the last one was found */
    uint64_t dazed_until_ns;
};

/* A deadline came due: how late? Called before it is worked on. */
void pause_check(struct membership *room, const struct deadline *due);

/* Just woken from a long sleep: accuses nobody. */
bool pause_is_dazed(const struct membership *room);

#endif
