/* probe.c - see probe.h.
 *
 *     ping --gap-- ping --gap-- ping ... asks_ns: helpers ping for us ...... period's end: suspect
 *        \____________________________ an ack on any way: it lives ____________/
 *
 * Tries repair what TCP loses: a second segment behind a lost one makes the first be sent again in
 * one round trip instead of a timeout. Helpers (SWIM, 3.1) tell a bad path from a dead member; they
 * say early when they have no answer yet, so that a prober that hears from nobody blames itself
 * (Lifeguard, IV.A). A probe belongs to (instance, incarnation): what it finds says nothing about a
 * member that has refuted since. Nobody is suspected before the period's end. */
#include "mesh/membership/probe.h"

#include "mesh/membership/room.h"

enum {
    GAP_UNKNOWN_MS = 100, /* until the first round trip was measured */
    ASK_MAX_MS = 250,     /* helpers are asked by then: half a period is left for them */
    NUMBER_STEP = 16,     /* the low bits of a correlation name the try */
    PROBE_RELAYED = 15,   /* .. or the helpers */
    RTT_GAIN = 8,
    RTT_DEVIATION_GAIN = 4, /* both RFC 6298 */
    SHUFFLE_ROUNDS = 4,
    PICK_TRIES = 4,
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

uint64_t probe_gap_ns(const struct membership *room, uint32_t who)
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

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void ping(struct membership *room, struct probe *probe)
{
    const struct gossip_config *config = room_config(room);
    uint32_t most = config->tries < PROBE_TRIES_MAX ? config->tries : PROBE_TRIES_MAX;
    uint64_t now_ns = room->context->now_ns;
    uint64_t correlation = probe->number + probe->tries;
    probe->sent_ns[probe->tries++] = now_ns;
    frames_send(room, probe->who, KIND_SWIM_PING, correlation, &(struct gossip_swim){0});
    /* A try that would come with the helpers, or after them, is dropped. */
    uint64_t next_ns = now_ns + probe->gap_ns;
    if (probe->tries == most || next_ns >= probe->asks_ns)
        next_ns = probe->asks_ns;
    probe->step_ns = probe->has_asked ? probe->ends_ns : earlier(next_ns, probe->ends_ns);
}

static bool is_helper(const struct probe *probe, uint64_t instance)
{
    for (uint32_t i = 0; i < probe->helpers_count; i++) {
        if (probe->helpers[i] == instance)
            return true;
    }
    return false;
}

/* Asks random members to ping for us within what is left of the period. */
static void helpers_ask(struct membership *room, struct probe *probe)
{
    const struct gossip_config *config = room_config(room);
    uint32_t most = config->helpers < PROBE_HELPERS_MAX ? config->helpers : PROBE_HELPERS_MAX;
    const struct gossip_swim swim = {
        .target = probe->instance,
        .target_incarnation = probe->incarnation,
        .budget_ms = (uint32_t)((probe->ends_ns - room->context->now_ns) / MS_NS),
    };
    probe->has_asked = true;
    probe->step_ns = probe->ends_ns;
    for (uint32_t tries = 0; tries < most * PICK_TRIES && probe->helpers_count < most; tries++) {
        uint32_t who = members_random(&room->members, &room->random);
        if (who == WHO_NONE || members_live(&room->members) < 3)
            return;
        uint64_t instance = members_descriptor(&room->members, who)->instance;
        if (who == probe->who || is_helper(probe, instance) ||
            members_entry(&room->members, who).state != MEMBER_ALIVE)
            continue;
        probe->helpers[probe->helpers_count++] = instance;
        count(room->context, COUNTER_probes_indirect);
        frames_send(room, who, KIND_SWIM_PING_REQUEST, probe->number + PROBE_RELAYED, &swim);
    }
}

uint64_t probe_number(struct membership *room)
{
    return room->probes.numbers += NUMBER_STEP;
}

static struct probe *find(struct membership *room, uint32_t who)
{
    for (uint32_t i = 0; i < room->probes.count; i++) {
        if (room->probes.list[i].who == who)
            return &room->probes.list[i];
    }
    return NULL;
}

/* When helpers are asked: three gaps on, but not so soon that silence is one retransmission. */
static uint64_t direct_ns(const struct membership *room, uint64_t gap_ns)
{
    uint64_t least = room_config(room)->direct_min_ms * MS_NS;
    uint64_t most = ASK_MAX_MS * MS_NS > least ? ASK_MAX_MS * MS_NS : least;
    uint64_t direct = 3 * gap_ns;
    return direct < least ? least : earlier(direct, most);
}

static struct probe *probe_new(struct membership *room, uint32_t who)
{
    if (room->probes.count == PROBES_MAX || !members_is_live(&room->members, who) ||
        who == room->members.self || leave_has_begun(room))
        return NULL; /* its turn will come */
    const struct health *health = &room->health;
    uint64_t now_ns = room->context->now_ns;
    uint64_t gap_ns = probe_gap_ns(room, who);
    struct probe *probe = &room->probes.list[room->probes.count++];
    *probe = (struct probe){
        .number = probe_number(room),
        .instance = members_descriptor(&room->members, who)->instance,
        .incarnation = members_entry(&room->members, who).incarnation,
        .gap_ns = gap_ns,
        .asks_ns = now_ns + health_stretch_ns(health, direct_ns(room, gap_ns)),
        .ends_ns = now_ns + health_stretch_ns(health, room_config(room)->period_ms * MS_NS),
        .who = who,
    };
    count(room->context, COUNTER_probes_sent);
    return probe;
}

void probe_now(struct membership *room, uint32_t who)
{
    struct probe *probe = find(room, who) == NULL ? probe_new(room, who) : NULL;
    if (probe == NULL)
        return;
    ping(room, probe);
    steps_set(room);
}

void probe_hurry(struct membership *room, uint32_t who)
{
    probe_now(room, who);
    struct probe *probe = find(room, who);
    if (probe == NULL || probe->has_asked)
        return;
    helpers_ask(room, probe);
    steps_set(room);
}

void probe_void(struct membership *room)
{
    room->probes.count = 0;
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

/* It lived when it was asked, or later: an ack may have been long under way, through a helper or a
 * stalled link, and prove nothing of now. The probe is over. */
static void succeeded(struct membership *room, struct probe *probe)
{
    struct peer *peer = members_peer(&room->members, probe->who);
    if (peer != NULL)
        peer->lived_ns = probe->sent_ns[0];
    health_improved(&room->health);
    crash_answered(room, probe->who);
    *probe = room->probes.list[--room->probes.count];
    steps_set(room);
}

void probe_answered(struct membership *room, uint32_t who, uint64_t correlation)
{
    struct probe *probe = find(room, who);
    struct peer *peer = members_peer(&room->members, who);
    uint64_t nth = probe == NULL ? 0 : correlation - probe->number;
    if (probe == NULL || nth >= probe->tries)
        return; /* of an earlier probe: too late to be news */
    uint64_t rtt_ns = room->context->now_ns - probe->sent_ns[nth];
    if (peer != NULL)
        rtt_measured(peer, rtt_ns);
    if (members_entry(&room->members, who).state == MEMBER_SUSPECT)
        verdicts_add(room, who,
                     &(struct member_verdict){.event = VERDICT_ANSWERED,
                                              .rtt_us = (uint32_t)(rtt_ns / 1000)});
    succeeded(room, probe);
}

void probe_relayed(struct membership *room, uint64_t target, uint64_t correlation)
{
    uint32_t who = members_find(&room->members, target);
    struct probe *probe = who == WHO_NONE ? NULL : find(room, who);
    if (probe == NULL || correlation != probe->number + PROBE_RELAYED)
        return;
    struct member_verdict verdict = {.event = VERDICT_ANSWERED_HELPER};
    memcpy(verdict.helpers, probe->helpers, sizeof verdict.helpers);
    verdict.helpers_count = probe->helpers_count;
    verdicts_add(room, who, &verdict);
    succeeded(room, probe);
}

void probe_nacked(struct membership *room, uint64_t helper, uint64_t correlation)
{
    for (uint32_t i = 0; i < room->probes.count; i++) {
        struct probe *probe = &room->probes.list[i];
        if (correlation == probe->number + PROBE_RELAYED && is_helper(probe, helper) &&
            probe->nacks < probe->helpers_count)
            probe->nacks++;
    }
}

/* The period is over and nobody got an answer. A helper that did not even say so may be lost, but
 * likelier it is this node that hears nothing. */
static void failed(struct membership *room, const struct probe *probe)
{
    struct member_verdict verdict = {
        .event = VERDICT_UNANSWERED,
        .helpers_count = probe->helpers_count,
        .incarnation = probe->incarnation,
    };
    memcpy(verdict.helpers, probe->helpers, sizeof verdict.helpers);
    verdicts_add(room, probe->who, &verdict);
    count(room->context, COUNTER_probes_failed);
    if (probe->helpers_count == 0 || probe->nacks < probe->helpers_count)
        health_worsened(&room->health, 1);
    evidence_unanswered(room, probe->who, probe->incarnation);
}

/* The next try, the helpers, or the verdict: then the probe is over, and false is returned. */
static bool probe_step(struct membership *room, struct probe *probe)
{
    uint64_t now_ns = room->context->now_ns;
    if (members_find(&room->members, probe->instance) != probe->who ||
        !members_is_live(&room->members, probe->who))
        return false;
    if (now_ns >= probe->ends_ns) {
        failed(room, probe);
        return false;
    }
    if (now_ns >= probe->asks_ns)
        helpers_ask(room, probe);
    else
        ping(room, probe);
    return true;
}

void probe_steps_due(struct membership *room)
{
    for (uint32_t i = room->probes.count; i > 0; i--) {
        struct probe *probe = &room->probes.list[i - 1];
        if (probe->step_ns <= room->context->now_ns && !probe_step(room, probe))
            *probe = room->probes.list[--room->probes.count];
    }
    steps_set(room);
}
