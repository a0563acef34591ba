/* gossip.c - see gossip.h. Urgent news leaves with the next tick, but rounds keep a distance: in a
 * storm of news each round carries a full frame instead of one piece. */
#include "mesh/membership/gossip.h"

#include "mesh/membership/room.h"

enum {
    ROUND_DISTANCE_MS = 10, /* five hops reach 100 nodes in 50 ms; 100 rounds a second at most */
    FANOUT_MAX = 16,
    PICK_TRIES = 4, /* a small mesh has fewer members than fanout */
};

void gossip_put(struct membership *room, uint32_t who, enum news_class class, bool is_full)
{
    dissemination_put(&room->dissemination, who, class, is_full);
    uint64_t now_ns = room->context->now_ns;
    uint64_t distance_ms = class == NEWS_URGENT || class == NEWS_JOIN
                               ? ROUND_DISTANCE_MS
                               : room_config(room)->interval_ms;
    uint64_t at_ns = room->gossip.sent_ns + distance_ms * MS_NS;
    at_ns = at_ns > now_ns ? at_ns : now_ns;
    struct deadline *deadline = &room->gossip.deadline;
    if (!deadline_is_set(deadline) || deadline->at_ns > at_ns)
        room_set(room, deadline, DEADLINE_GOSSIP, at_ns);
}

static bool is_among(const uint32_t *list, uint32_t count, uint32_t who)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == who)
            return true;
    }
    return false;
}

void gossip_due(struct membership *room)
{
    const struct gossip_config *config = room_config(room);
    uint32_t fanout = config->fanout < FANOUT_MAX ? config->fanout : FANOUT_MAX;
    if (bug_is_planted(BUG_WALL_CLOCK))
        fanout = 1 + (uint32_t)(room->context->wall_ms % 3);
    uint32_t chosen[FANOUT_MAX];
    uint32_t count = 0;
    for (uint32_t tries = 0; count < fanout && tries < fanout * PICK_TRIES; tries++) {
        uint32_t who = members_random(&room->members, &room->random);
        if (who == WHO_NONE)
            break;
        if (!is_among(chosen, count, who))
            chosen[count++] = who;
    }
    for (uint32_t i = 0; i < count && !dissemination_is_empty(&room->dissemination); i++)
        frames_send(room, chosen[i], KIND_SWIM_NEWS, 0, &(struct gossip_swim){0});
    room->gossip.sent_ns = room->context->now_ns;
    if (count == 0)
        return; /* alone: news waits for the first member */
    if (!dissemination_is_empty(&room->dissemination))
        room_set(room, &room->gossip.deadline, DEADLINE_GOSSIP,
                 room->context->now_ns + config->interval_ms * MS_NS);
}
