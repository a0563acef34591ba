/* self.c - see self.h.
 *
 * An accusation at i >= own is refuted by going to i + 1 (SWIM, 4.2); a second copy of it finds own
 * above i and does nothing. A name that lives on in another, dead instance means that this node
 * joined through somebody who did not know: it starts a new life. */
#include "mesh/membership/self.h"

#include "mesh/membership/room.h"

bool self_init(struct membership *room)
{
    const struct mesh_config *config = room->context->config;
    struct member_record record = {
        .name = span_text(config->name),
        .instance = room->context->instance,
        .gossip_address = span_text(config->gossip_address),
        .forward_address = span_text(config->forward_address),
        .client_address = span_text(config->client_address),
        .zone = span_text(config->zone),
        .version = span_text(config->version),
        .wire_min = WIRE_VERSION_MIN,
        .wire_max = WIRE_VERSION_MAX,
    };
    uint32_t who = members_add(&room->members, &record);
    if (who == WHO_NONE)
        return false;
    room->members.self = who;
    members_set(&room->members, who, MEMBER_ALIVE, EPOCH_ONE);
    return members_peer(&room->members, who) != NULL;
}

uint64_t self_incarnation(const struct membership *room)
{
    return members_entry(&room->members, room->members.self).incarnation;
}

void self_rise(struct membership *room, uint64_t above, bool is_new_life)
{
    uint64_t next = is_new_life ? (above / EPOCH_ONE + 1) * EPOCH_ONE : above + 1;
    if (above < self_incarnation(room) || leave_has_begun(room))
        return;
    members_set(&room->members, room->members.self, MEMBER_ALIVE, next);
    gossip_put(room, room->members.self, NEWS_URGENT, is_new_life);
}

/* Whoever accuses this node must hear that it is wrong, whatever way the news takes. */
static void accusers_answer(struct membership *room, struct span accusers)
{
    struct witnesses who_did = {0};
    struct member_record own;
    witnesses_merge(&who_did, accusers);
    self_describe(room, &own);
    for (uint32_t i = 0; i < who_did.count; i++) {
        uint32_t who = members_find(&room->members, who_did.instances[i]);
        if (who != WHO_NONE && members_is_live(&room->members, who))
            frames_forward(room, who, &own);
    }
}

void self_heard(struct membership *room, const struct member_record *record)
{
    if (leave_has_begun(room))
        return;
    if (record->instance != room->context->instance) {
        if (record->state == MEMBER_DEAD || record->state == MEMBER_LEFT)
            self_rise(room, record->incarnation, true);
        else
            namesake_heard(room, record);
        return;
    }
    bool is_accused = record->state != MEMBER_ALIVE ? record->incarnation >= self_incarnation(room)
                                                    : record->incarnation > self_incarnation(room);
    if (!is_accused || bug_is_planted(BUG_NO_REFUTATION))
        return;
    if (bug_is_planted(BUG_NAME_GIVEN_UP))
        refusal_name_lost(room, record->name, record->gossip_address);
    count(room->context, COUNTER_refutations);
    health_worsened(&room->health, 1);
    if (record->state == MEMBER_DEAD)
        events_add(&room->events, MEMBER_EVENT_HELD_DEAD, room->context->instance, 0);
    self_rise(room, record->incarnation, false);
    accusers_answer(room, record->accusers);
}

void self_describe(const struct membership *room, struct member_record *record)
{
    members_describe(&room->members, room->members.self, true, record);
}
