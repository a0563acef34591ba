/* verdicts.h - remembers why members are held what they are held: the last 64 verdicts of each, for
 * whoever asks. Quiet members have none.
 * Memory: MEMORY_MEMBERS, for at most VERDICT_MEMBERS_MAX members; the longest quiet is forgotten
 * for a new one. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_VERDICTS_H
#define WEFT_MESH_MEMBERSHIP_VERDICTS_H

#include "mesh/membership/membership.h"

enum { VERDICT_MEMBERS_MAX = 256 };

struct verdict_ring;

struct verdicts {
    struct verdict_ring *rings[VERDICT_MEMBERS_MAX];
    uint32_t count;
};

/* Remembers a verdict about a member. Time and, where they are 0, incarnation, confirmations and
 * `by` (this node) are filled in here. Without memory it is not remembered. */
void verdicts_add(struct membership *room, uint32_t who, const struct member_verdict *verdict);

/* The n-th verdict about a known instance and those that had its name before, 0 the oldest; NULL:
 * there are not so many. */
const struct member_verdict *verdicts_at(const struct membership *room, uint64_t instance,
                                         uint32_t n);

void verdicts_clear(struct membership *room);

#endif
