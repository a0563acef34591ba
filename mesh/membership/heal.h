/* heal.h - calls those who are held dead, for ever: a split heals when somebody picks up.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_HEAL_H
#define WEFT_MESH_MEMBERSHIP_HEAL_H

#include "proto/span.h"

struct membership;

enum heal_turn { HEAL_SEED, HEAL_NEWEST, HEAL_ANY, HEAL_TURNS };

struct heal {
    uint32_t turn; /* enum heal_turn: what is tried first at the next tick */
};

/* One call: a seed where somebody is missing, one of the newest dead, any dead, in turn. */
void heal_call(struct membership *room);

#endif
