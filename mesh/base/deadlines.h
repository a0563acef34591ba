/* deadlines.h - knows what is due: a timing wheel of intrusive entries, O(1) to set and to cancel.
 * An entry names the room it belongs to, so that mesh.c hands what is due to that room: nobody is
 * called back. Entries come in order of their ticks, those of one tick in order of setting.
 * Memory: entries are the caller's and embedded; they must not move while set.
 * Resolution: about 1 ms (2^20 ns), never early. Thread: one owner. */
#ifndef WEFT_MESH_BASE_DEADLINES_H
#define WEFT_MESH_BASE_DEADLINES_H

#include "proto/span.h"

enum deadline_room {
    DEADLINE_MESH = 1,
    DEADLINE_MEMBERSHIP,
    DEADLINE_LOG,
    DEADLINE_OWNERSHIP,
    DEADLINE_SESSIONS,
    DEADLINE_ROUTING,
    DEADLINE_TOPICS,
};

struct deadline {
    struct deadline *next, *previous; /* NULL: not set */
    uint64_t at_ns;
    uint8_t room;    /* enum deadline_room */
    uint8_t purpose; /* the room's own enum */
    uint32_t slot;   /* the room's own number */
};

struct deadlines;

/* Bytes of the wheel, for the owner to allocate zeroed; then deadlines_init. */
size_t deadlines_bytes(void);
void deadlines_init(struct deadlines *deadlines, uint64_t now_ns);

/* Sets or moves an entry whose room, purpose and slot are filled in. A time that has passed means
 * the next tick: an entry set anew to "now" while due ones are taken out is not among them. */
void deadlines_set(struct deadlines *deadlines, struct deadline *entry, uint64_t at_ns);
void deadlines_cancel(struct deadlines *deadlines, struct deadline *entry); /* fine if not set */
bool deadline_is_set(const struct deadline *entry);

/* Takes out the next entry due at now_ns; NULL when none is. */
struct deadline *deadlines_next_due(struct deadlines *deadlines, uint64_t now_ns);

/* When deadlines_next_due is to be called: then the earliest entry is due, or (if it is far away
 * and among many) comes nearer in the wheel. Never more than a tick later than the earliest entry's
 * time; at the time returned there is always progress. UINT64_MAX: nothing is set. O(1). */
uint64_t deadlines_earliest_ns(const struct deadlines *deadlines);

#endif
