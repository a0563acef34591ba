/* probe.c - see probe.h.
 *
 *     started ---gap--- 2nd try ---gap--- 3rd try ... period's end: suspect
 *         \________________ ack: known to live ________________/
 *
 * Tries repair what TCP loses: a second segment behind a lost one makes the first be sent again in
 * one round trip instead of a timeout. A probe belongs to (instance, incarnation): what it finds
 * says nothing about a member that has refuted since. */
#include "mesh/membership/probe.h"

#include "mesh/membership/room.h"

enum {
    GAP_UNKNOWN_MS = 100, /* until the first round trip was measured */
    NUMBER_STEP = 16,     /* > PROBE_TRIES_MAX: the low bits of a correlation name the try */
    RTT_GAIN = 8,
    RTT_DEVIATION_GAIN = 4, /* RFC 6298 */
    SHUFFLE_ROUNDS = 4,
};

void probe_start(struct membership *room)
{
    uint64_t period_ns = room_config(room)->period_ms * MS_NS;
    room->probes.round_key = random_u64(&room->random);
    room_set(room, &room->probes.period, DEADLINE_PERIOD,
             room->context->now_ns + random_below(&room->random, period_ns));
}

/* The n-th place of a shuffled round: a small Feistel network over the least power of four that
 * holds them all. Costs no memory, visits every place once. */
static uint32_t shuffled(uint64_t key, uint32_t bits, uint32_t place)
{
    uint32_t mask = (UINT32_C(1) << bits) - 1;
    uint32_t left = place >> bits;
    uint32_t right = place & mask;
    for (uint32_t i = 0; i < SHUFFLE_ROUNDS; i++) {
        uint64_t sum = (right + i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ key;
        sum = (sum ^ (sum >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
        uint32_t next = left ^ ((uint32_t)(sum >> 32) & mask);
        left = right;
        right = next;
    }
    return left << bits | right;
}

/* The member whose turn it is; WHO_NONE: there is nobody to ask. */
static uint32_t round_next(struct membership *room)
{
    struct probes *probes = &room->probes;
    if (members_live(&room->members) < 2)
        return WHO_NONE;
    uint32_t bits = 1;
    while (UINT32_C(1) << 2 * bits < room->members.capacity)
        bits++;
    for (uint32_t tries = 0; tries < UINT32_C(2) << 2 * bits; tries++) {
        if (probes->round_place >= UINT32_C(1) << 2 * bits) {
            probes->round_place = 0;
            probes->round_key = random_u64(&room->random);
        }
        uint32_t who = shuffled(probes->round_key, bits, probes->round_place++);
        if (who != room->members.self && members_is_live(&room->members, who))
            return who;
    }
    return WHO_NONE;
}

static void steps_set(struct membership *room)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = 0; i < room->probes.count; i++) {
        if (room->probes.list[i].step_ns < earliest_ns)
            earliest_ns = room->probes.list[i].step_ns;
    }
    if (earliest_ns == UINT64_MAX)
        deadlines_cancel(room->context->deadlines, &room->probes.steps);
    else
        room_set(room, &room->probes.steps, DEADLINE_PROBES, earliest_ns);
}

/* How long to wait for an answer before trying again: nearly all answers come within. */
static uint64_t gap_ns(const struct membership *room, uint32_t who)
{
    const struct gossip_config *config = room_config(room);
    const struct peer *peer = members_peer_if_any(&room->members, who);
    uint64_t gap = GAP_UNKNOWN_MS * MS_NS;
    if (peer != NULL && peer->rtt_us != 0)
        gap = (peer->rtt_us + UINT64_C(4) * peer->rtt_deviation_us) * 1000;
    uint64_t least = config->gap_min_ms * MS_NS;
    uint64_t most = config->gap_max_ms * MS_NS;
    return gap < least ? least : gap > most ? most : gap;
}

static void ping(struct membership *room, struct probe *probe)
{
    probe->sent_ns[probe->tries] = room->context->now_ns;
    uint64_t correlation = probe->number + probe->tries;
    probe->tries++;
    frames_send(room, probe->who, KIND_SWIM_PING, correlation, &(struct gossip_swim){0});
    const struct gossip_config *config = room_config(room);
    uint32_t most = config->tries < PROBE_TRIES_MAX ? config->tries : PROBE_TRIES_MAX;
    probe->step_ns = probe->tries < most ? room->context->now_ns + probe->gap_ns : probe->ends_ns;
    if (probe->step_ns > probe->ends_ns)
        probe->step_ns = probe->ends_ns;
}

void probe_now(struct membership *room, uint32_t who)
{
    struct probes *probes = &room->probes;
    for (uint32_t i = 0; i < probes->count; i++) {
        if (probes->list[i].who == who)
            return;
    }
    if (probes->count == PROBES_MAX || !members_is_live(&room->members, who) ||
        leave_has_begun(room))
        return; /* its turn will come */
    probes->numbers += NUMBER_STEP;
    struct probe *probe = &probes->list[probes->count++];
    *probe = (struct probe){
        .number = probes->numbers,
        .instance = members_descriptor(&room->members, who)->instance,
        .incarnation = members_entry(&room->members, who).incarnation,
        .started_ns = room->context->now_ns,
        .gap_ns = health_stretch_ns(&room->health, gap_ns(room, who)),
        .ends_ns = room->context->now_ns +
                   health_stretch_ns(&room->health, room_config(room)->period_ms * MS_NS),
        .who = who,
    };
    count(room->context, COUNTER_probes_sent);
    ping(room, probe);
    steps_set(room);
}

void probe_period_due(struct membership *room)
{
    uint64_t period_ns = room_config(room)->period_ms * MS_NS;
    room_set(room, &room->probes.period, DEADLINE_PERIOD,
             room->context->now_ns + health_stretch_ns(&room->health, period_ns));
    uint32_t who = round_next(room);
    if (who != WHO_NONE)
        probe_now(room, who);
}

static void probe_remove(struct membership *room, uint32_t place)
{
    room->probes.list[place] = room->probes.list[--room->probes.count];
}

static void rtt_measured(struct peer *peer, uint64_t rtt_ns)
{
    uint32_t rtt_us = (uint32_t)(rtt_ns / 1000 > UINT32_MAX / 8 ? UINT32_MAX / 8 : rtt_ns / 1000);
    rtt_us = rtt_us == 0 ? 1 : rtt_us; /* 0 is "not measured" */
    if (peer->rtt_us == 0) {
        peer->rtt_us = rtt_us;
        peer->rtt_deviation_us = rtt_us / 2;
        return;
    }
    uint32_t off = rtt_us > peer->rtt_us ? rtt_us - peer->rtt_us : peer->rtt_us - rtt_us;
    peer->rtt_deviation_us += off / RTT_DEVIATION_GAIN;
    peer->rtt_deviation_us -= peer->rtt_deviation_us / RTT_DEVIATION_GAIN;
    peer->rtt_us = peer->rtt_us - peer->rtt_us / RTT_GAIN + rtt_us / RTT_GAIN;
    peer->rtt_us = peer->rtt_us == 0 ? 1 : peer->rtt_us;
}

void probe_answered(struct membership *room, uint32_t who, uint64_t correlation)
{
    struct peer *peer = members_peer(&room->members, who);
    if (peer != NULL)
        peer->acked_ns = room->context->now_ns;
    for (uint32_t i = 0; i < room->probes.count; i++) {
        const struct probe *probe = &room->probes.list[i];
        uint64_t nth = correlation - probe->number;
        if (probe->who != who || nth >= probe->tries)
            continue;
        if (peer != NULL)
            rtt_measured(peer, room->context->now_ns - probe->sent_ns[nth]);
        health_improved(&room->health);
        probe_remove(room, i);
        steps_set(room);
        return;
    }
}

/* The next try, or the verdict. */
static bool probe_step(struct membership *room, struct probe *probe)
{
    if (members_find(&room->members, probe->instance) != probe->who ||
        !members_is_live(&room->members, probe->who))
        return false;
    if (room->context->now_ns < probe->ends_ns) {
        ping(room, probe);
        return true;
    }
    count(room->context, COUNTER_probes_failed);
    health_worsened(&room->health, 1);
    evidence_unanswered(room, probe->who, probe->incarnation);
    return false;
}

void probe_steps_due(struct membership *room)
{
    for (uint32_t i = room->probes.count; i > 0; i--) {
        struct probe *probe = &room->probes.list[i - 1];
        if (probe->step_ns <= room->context->now_ns && !probe_step(room, probe))
            probe_remove(room, i - 1);
    }
    steps_set(room);
}
