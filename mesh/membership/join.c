/* join.c - see join.h. The redial tick is also the room's housekeeping: links and tombstones that
 * nobody needs go then. */
#include "mesh/membership/join.h"

#include "mesh/membership/room.h"

enum { ALONE_MS = 3000, STILL_ALONE_MS = 30000 };

static uint32_t seeds_count(const struct membership *room)
{
    uint32_t count = room->context->config->seeds;
    return count < MESH_SEEDS_MAX ? count : MESH_SEEDS_MAX;
}

/* A seed is looked up anew each time: its address may have changed. */
static void seed_call(struct membership *room, uint32_t seed)
{
    const struct mesh_output order = {.order = MESH_RESOLVE_SEED, .seed = seed};
    outbox_order(room->context->outbox, &order);
}

static bool seed_is_found(const struct membership *room, const struct seed *seed)
{
    if (seed->is_self)
        return true;
    uint32_t who = seed->instance == 0 ? WHO_NONE : members_find(&room->members, seed->instance);
    return who != WHO_NONE && members_is_live(&room->members, who);
}

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
    for (uint32_t seed = 0; seed < seeds_count(room); seed++)
        seed_call(room, seed);
    if (seeds_count(room) == 0)
        be_alone(room);
    room_set(room, &room->join.redial, DEADLINE_REDIAL,
             room->context->now_ns + room_config(room)->redial_ms * MS_NS);
}

void join_seed_resolved(struct membership *room, uint32_t seed, struct span addresses)
{
    if (seed >= seeds_count(room) || leave_has_begun(room))
        return;
    size_t start = 0;
    for (size_t end = 0; end <= addresses.bytes; end++) {
        if (end < addresses.bytes && addresses.data[end] != '\n')
            continue;
        if (end > start)
            calls_start(room, span_of(addresses.data + start, end - start), seed);
        start = end + 1;
    }
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

bool join_call_lost_seed(struct membership *room)
{
    uint32_t count = seeds_count(room);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t seed = (room->join.next_seed + i) % count;
        if (seed_is_found(room, &room->join.seeds[seed]))
            continue;
        room->join.next_seed = seed + 1;
        seed_call(room, seed);
        return true;
    }
    return false;
}

/* Who knows nobody calls all seeds, and the dead besides. */
static void seeds_call(struct membership *room)
{
    for (uint32_t seed = 0; seed < seeds_count(room); seed++) {
        if (!seed_is_found(room, &room->join.seeds[seed]))
            seed_call(room, seed);
    }
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
        seeds_call(room);
    heal_call(room);
}

void join_found(struct membership *room, uint32_t seed, uint64_t instance)
{
    if (seed < seeds_count(room))
        room->join.seeds[seed].instance = instance;
}

void join_found_self(struct membership *room, uint32_t seed)
{
    if (seed < seeds_count(room))
        room->join.seeds[seed].is_self = true;
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

bool join_has_joined(const struct membership *room)
{
    return room->join.has_joined;
}
