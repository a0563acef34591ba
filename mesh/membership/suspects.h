/* suspects.h - keeps the running suspicions, and holds dead whom nobody defends in time.
 * Memory: MEMORY_MEMBERS, one small record a suspect. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_SUSPECTS_H
#define WEFT_MESH_MEMBERSHIP_SUSPECTS_H

#include "mesh/base/deadlines.h"
#include "mesh/base/hashmap.h"
#include "mesh/membership/suspicion.h"

struct membership;

struct suspect {
    uint32_t who;
    struct suspicion suspicion;
};

struct suspects {
    struct suspect *list; /* in no order */
    uint32_t count, capacity;
    struct hashmap by_who;
    struct deadline deadline;
};

void suspects_init(struct membership *room, uint64_t salt);
void suspects_clear(struct membership *room);

/* Starts the clock of a member that was just put into MEMBER_SUSPECT, or starts it anew for a new
 * incarnation. Without memory the suspicion has no end here: others will spread the verdict. */
void suspects_put(struct membership *room, uint32_t who);

/* Adds what a record says of a suspect; returns whether something was new. */
bool suspects_merge(struct membership *room, uint32_t who, const struct member_record *record);

void suspects_remove(struct membership *room, uint32_t who);

/* NULL: not suspected. */
const struct suspicion *suspects_find(const struct membership *room, uint32_t who);

/* This node slept so long: that was no silence of theirs. */
void suspects_slept(struct membership *room, uint64_t slept_ns);

void suspects_due(struct membership *room);

#endif
