/* join.c - see join.h. The redial tick is also the room's housekeeping: links and tombstones that
 * nobody needs go then. */
#include "mesh/membership/join.h"

#include "mesh/membership/room.h"

enum { ALONE_MS = 3000, STILL_ALONE_MS = 30000 };

static void notice_alone(struct membership *room, enum mesh_notice_code code)
{
    const uint64_t values[4] = {room->context->config->seeds};
    room->join.said_alone_ns = room->context->now_ns;
    outbox_notice(room->context->outbox, code, values, NULL);
}

static void be_alone(struct membership *room)
{
    room->join.has_joined = true;
    notice_alone(room, NOTICE_ALONE);
}

void join_start(struct membership *room)
{
    room->join.started_ns = room->context->now_ns;
    seeds_call_all(room);
    if (seeds_count(room) == 0)
        be_alone(room);
    room_set(room, &room->join.redial, DEADLINE_REDIAL,
             room->context->now_ns + room_config(room)->redial_ms * MS_NS);
}

static void alone_check(struct membership *room)
{
    struct join *join = &room->join;
    uint64_t now_ns = room->context->now_ns;
    if (!join->has_joined && now_ns - join->started_ns >= ALONE_MS * MS_NS)
        be_alone(room);
    if (join->has_joined && members_live(&room->members) == 1 && seeds_count(room) > 0 &&
        now_ns - join->said_alone_ns >= STILL_ALONE_MS * MS_NS)
        notice_alone(room, NOTICE_STILL_ALONE);
}

void join_redial_due(struct membership *room)
{
    room_set(room, &room->join.redial, DEADLINE_REDIAL,
             room->context->now_ns + room_config(room)->redial_ms * MS_NS);
    contacts_sweep(room);
    members_expire(&room->members);
    if (leave_has_begun(room) || bug_is_planted(BUG_NO_REDIAL))
        return;
    alone_check(room);
    if (members_live(&room->members) == 1)
        seeds_call_all(room);
    heal_call(room);
}

void join_merged(struct membership *room, uint64_t instance)
{
    struct join *join = &room->join;
    join->has_joined = true;
    sync_pull(room);
    uint32_t who = members_find(&room->members, instance);
    if (join->has_merged || who == WHO_NONE)
        return;
    join->has_merged = true;
    const uint64_t values[4] = {members_live(&room->members),
                                (room->context->now_ns - join->started_ns) / MS_NS};
    const struct span texts[3] = {
        span_text(members_descriptor(&room->members, who)->gossip_address)};
    outbox_notice(room->context->outbox, NOTICE_JOINED, values, texts);
}

void join_read(struct membership *room, bool is_welcome)
{
    room->join.is_reading = is_welcome && !room->join.has_joined;
}

bool join_is_reading(const struct membership *room)
{
    return room->join.is_reading;
}

bool join_has_joined(const struct membership *room)
{
    return room->join.has_joined;
}
