/* self.h - decides this node's own incarnation: it alone raises it, to refute what is said of it.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_SELF_H
#define WEFT_MESH_MEMBERSHIP_SELF_H

#include "mesh/membership/members.h"

struct membership;

#define EPOCH_ONE (UINT64_C(1) << 32)       /* an incarnation's high half counts lives */
#define INCARNATION_MAX (UINT64_C(1) << 63) /* epoch 2^31: whoever says more is mistaken or worse */

struct self {
    uint32_t sessions, lag_us; /* as published */
    uint64_t log_head;
};

/* Puts this node into the table. False: no memory, or a configuration that makes no record. */
bool self_init(struct membership *room);

uint64_t self_incarnation(const struct membership *room);

/* Goes above an incarnation said of this instance, or (a new life) an epoch above one that its name
 * had. Nothing happens when it is above already. */
void self_rise(struct membership *room, uint64_t above, bool is_new_life);

/* Somebody says something of this instance, or of another one with its name. */
void self_heard(struct membership *room, const struct member_record *record);

/* This node's own record, in full. */
void self_describe(const struct membership *room, struct member_record *record);

#endif
