/* relays.c - see relays.h. */
#include "mesh/membership/relays.h"

#include "mesh/membership/room.h"

enum { RELAY_TRIES = 2, BUDGET_MAX_MS = 60000 };

static void clock_set(struct membership *room)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = 0; i < room->relays.count; i++) {
        const struct relay *relay = &room->relays.list[i];
        const uint64_t times[] = {relay->again_ns, relay->nack_ns, relay->ends_ns};
        for (size_t t = 0; t < sizeof times / sizeof times[0]; t++) {
            if (times[t] != 0 && times[t] < earliest_ns)
                earliest_ns = times[t];
        }
    }
    if (earliest_ns == UINT64_MAX)
        deadlines_cancel(room->context->deadlines, &room->relays.deadline);
    else
        room_set(room, &room->relays.deadline, DEADLINE_RELAYS, earliest_ns);
}

static void answer(struct membership *room, const struct relay *relay, enum kind kind)
{
    uint32_t asker = members_find(&room->members, relay->asker);
    const struct gossip_swim swim = {.target = relay->target};
    if (asker != WHO_NONE && members_is_live(&room->members, asker))
        frames_send(room, asker, kind, relay->correlation, &swim);
}

static void ping(struct membership *room, uint32_t who, uint64_t number)
{
    frames_send(room, who, KIND_SWIM_PING, number, &(struct gossip_swim){0});
}

void relays_asked(struct membership *room, uint32_t asker, uint64_t correlation,
                  const struct gossip_swim *swim)
{
    uint32_t who = members_find(&room->members, swim->target);
    uint64_t now_ns = room->context->now_ns;
    uint64_t budget_ms = swim->budget_ms < BUDGET_MAX_MS ? swim->budget_ms : BUDGET_MAX_MS;
    uint64_t nack_ns = now_ns + budget_ms * room_config(room)->nack_percent / 100 * MS_NS;
    struct relay relay = {
        .asker = members_descriptor(&room->members, asker)->instance,
        .target = swim->target,
        .correlation = correlation,
    };
    if (who == WHO_NONE || who == room->members.self || !members_is_live(&room->members, who) ||
        room->relays.count == RELAYS_MAX || leave_has_begun(room)) {
        answer(room, &relay, who == room->members.self ? KIND_SWIM_ACK : KIND_SWIM_NACK);
        return;
    }
    relay.number = probe_number(room);
    relay.again_ns = now_ns + probe_gap_ns(room, who);
    relay.nack_ns = nack_ns;
    relay.ends_ns = now_ns + budget_ms * MS_NS;
    room->relays.list[room->relays.count++] = relay;
    ping(room, who, relay.number);
    clock_set(room);
}

bool relays_answered(struct membership *room, uint32_t who, uint64_t correlation)
{
    uint64_t target = members_descriptor(&room->members, who)->instance;
    for (uint32_t i = 0; i < room->relays.count; i++) {
        struct relay *relay = &room->relays.list[i];
        if (relay->target != target || correlation - relay->number >= RELAY_TRIES)
            continue;
        answer(room, relay, KIND_SWIM_ACK);
        *relay = room->relays.list[--room->relays.count];
        clock_set(room);
        return true;
    }
    return false;
}

/* The second ping, the early "no answer yet"; returns false when the asker has given up. */
static bool relay_step(struct membership *room, struct relay *relay)
{
    uint64_t now_ns = room->context->now_ns;
    uint32_t who = members_find(&room->members, relay->target);
    if (relay->ends_ns <= now_ns || who == WHO_NONE)
        return false;
    if (relay->again_ns != 0 && relay->again_ns <= now_ns) {
        relay->again_ns = 0;
        ping(room, who, relay->number + 1);
    }
    if (relay->nack_ns != 0 && relay->nack_ns <= now_ns) {
        relay->nack_ns = 0;
        answer(room, relay, KIND_SWIM_NACK);
    }
    return true;
}

void relays_due(struct membership *room)
{
    for (uint32_t i = room->relays.count; i > 0; i--) {
        struct relay *relay = &room->relays.list[i - 1];
        if (!relay_step(room, relay))
            *relay = room->relays.list[--room->relays.count];
    }
    clock_set(room);
}

void relays_void(struct membership *room)
{
    room->relays.count = 0;
    clock_set(room);
}
