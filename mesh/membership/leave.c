/* leave.c - see leave.h. A leaver ignores what is said of itself: it would refute its own end. */
#include "mesh/membership/leave.h"

#include "mesh/membership/room.h"

enum { LEAVE_MS = 1000, LEAVE_ACKS = 3 };

void leave_start(struct membership *room)
{
    struct leave *leave = &room->leave;
    if (leave->has_begun)
        return;
    uint32_t others = members_live(&room->members) - 1;
    leave->has_begun = true;
    leave->acks_missing = others < LEAVE_ACKS ? others : LEAVE_ACKS;
    leave->number = random_u64(&room->random) | 1; /* not 0: it is to be acknowledged */
    members_set(&room->members, room->members.self, MEMBER_LEFT, self_incarnation(room));
    if (others == 0) {
        leave->is_over = true;
        return;
    }
    for (uint32_t who = members_next(&room->members, WHO_NONE); who != WHO_NONE;
         who = members_next(&room->members, who)) {
        if (!members_is_live(&room->members, who))
            continue;
        /* Put anew for each: in a large mesh one piece of news is not sent that often. */
        dissemination_put(&room->dissemination, room->members.self, NEWS_URGENT, false);
        frames_send(room, who, KIND_SWIM_NEWS, leave->number, &(struct gossip_swim){0});
    }
    room_set(room, &leave->deadline, DEADLINE_LEAVE, room->context->now_ns + LEAVE_MS * MS_NS);
}

void leave_acknowledged(struct membership *room, uint64_t correlation)
{
    struct leave *leave = &room->leave;
    if (!leave->has_begun || correlation != leave->number || leave->acks_missing == 0)
        return;
    if (--leave->acks_missing == 0)
        leave->is_over = true;
}

void leave_due(struct membership *room)
{
    room->leave.is_over = true;
}

bool leave_has_begun(const struct membership *room)
{
    return room->leave.has_begun;
}
