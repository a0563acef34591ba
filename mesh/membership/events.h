/* events.h - holds what the other rooms are to be told, in order, until mesh.c takes it.
 * Memory: a fixed ring, touched as used; whoever makes events asks first whether there is room.
 * Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_EVENTS_H
#define WEFT_MESH_MEMBERSHIP_EVENTS_H

#include "mesh/membership/membership.h"

/* A 64 KiB frame holds fewer than 2,000 records, each good for two events; mesh.c takes all after
 * each fact. What does not fit is not applied and comes again by anti-entropy. */
enum { EVENTS_MAX = 8192, EVENTS_PER_RECORD = 4 };

struct events {
    struct member_event *list;
    uint32_t first, count;
};

bool events_init(struct events *events, struct memory *memory); /* false: no memory */
void events_clear(struct events *events, struct memory *memory);
bool events_has_room(const struct events *events); /* for one more record */
void events_add(struct events *events, enum member_event_kind kind, uint64_t instance,
                uint64_t log_head);
bool events_next(struct events *events, struct member_event *event);

#endif
