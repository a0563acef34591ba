/* namesake.c - see namesake.h.
 *
 *     heard, lower than it --> call it --refused: name in use--> this node leaves
 *                                 |  \--heard again, higher: only the living rise--> leaves
 *                                 \--silence--> a new life above it
 *
 * News of a name's old life travels for a while after a restart; it must not stop the new one. */
#include "mesh/membership/namesake.h"

#include "mesh/membership/room.h"

enum { ANSWER_MS = 3000 }; /* as long as a call lasts */

static bool is_higher(const struct membership *room, const struct member_record *other)
{
    uint64_t own = self_incarnation(room);
    return other->incarnation > own ||
           (other->incarnation == own && other->instance > room->context->instance);
}

void namesake_heard(struct membership *room, const struct member_record *other)
{
    struct namesake *namesake = &room->namesake;
    if (!is_higher(room, other)) {
        gossip_put(room, room->members.self, NEWS_URGENT, true); /* it must hear of us */
        return;
    }
    if (span_equal(other->gossip_address, span_text(room->context->config->gossip_address))) {
        self_rise(room, other->incarnation, true); /* nobody else can sit at our address */
        return;
    }
    if (namesake->instance == other->instance && other->incarnation > namesake->incarnation) {
        refusal_name_lost(room, other->name, other->gossip_address);
        return;
    }
    if (namesake->instance == other->instance || other->gossip_address.bytes == 0)
        return;
    namesake->instance = other->instance;
    namesake->incarnation = other->incarnation;
    calls_start(room, other->gossip_address, CALL_NO_SEED);
    room_set(room, &namesake->deadline, DEADLINE_NAMESAKE,
             room->context->now_ns + ANSWER_MS * MS_NS);
}

void namesake_due(struct membership *room)
{
    self_rise(room, room->namesake.incarnation, true);
}
