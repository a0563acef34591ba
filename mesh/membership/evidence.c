/* evidence.c - see evidence.h.
 *
 *                  alive i+1 (refutes)
 *              +-----------------------+
 *              v                       |
 *     -----> alive ---> suspect i -----+----> dead ---> forgotten (tombstone's age)
 *   complete   |            |                  | ^
 *    record    +------------+------> left      | | alive i+1: it was not dead after all
 *                                              +-+
 *
 * (E1) For one name the higher incarnation wins; at equal: left > dead > suspect > alive.
 * (E2) Left is final for an instance.
 * (E3) News of a member nobody introduced makes no member.
 * (E4) A death is believed by those who suspect the member, or whose link to it broke.
 *      Others pass it on to the member, who refutes it if it can, and ask it. So two halves of a
 *      healed split kill nobody with what they said of each other. (memberlist's merge suspects
 *      where the other table says dead; we do not even suspect, and treat gossip alike, as a death
 *      may outlive its split.)
 * (E5) Nothing said of an older instance touches a newer one of that name. */
#include "mesh/membership/evidence.h"

#include "mesh/membership/room.h"
#include "proto/envelope.h"

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {"unknown", "alive", "suspect", "dead", "left"};
    return names[state <= MEMBER_LEFT ? state : 0];
}

static void notice_give(struct membership *room, uint32_t who, const char *why)
{
    const struct entry entry = members_entry(&room->members, who);
    const struct descriptor *descriptor = members_descriptor(&room->members, who);
    const uint64_t values[4] = {descriptor->instance, entry.incarnation};
    const struct span texts[3] = {span_text(descriptor->name), span_text(state_name(entry.state)),
                                  span_text(why)};
    outbox_notice(room->context->outbox, NOTICE_MEMBER, values, texts);
}

/* What the other rooms hear of a step from one state to another. */
static void events_tell(struct membership *room, uint32_t who, uint8_t from, uint8_t to)
{
    uint64_t instance = members_descriptor(&room->members, who)->instance;
    bool was_live = from == MEMBER_ALIVE || from == MEMBER_SUSPECT;
    bool is_live = to == MEMBER_ALIVE || to == MEMBER_SUSPECT;
    if (!was_live && is_live)
        events_add(&room->events, MEMBER_EVENT_JOINED, instance, 0);
    if (from == MEMBER_SUSPECT && to == MEMBER_ALIVE)
        events_add(&room->events, MEMBER_EVENT_REFUTED, instance, 0);
    if (from != MEMBER_SUSPECT && to == MEMBER_SUSPECT)
        events_add(&room->events, MEMBER_EVENT_SUSPECTED, instance, 0);
    if (was_live && to == MEMBER_DEAD)
        events_add(&room->events, MEMBER_EVENT_FAILED, instance, 0);
    if (from != MEMBER_LEFT && to == MEMBER_LEFT)
        events_add(&room->events, MEMBER_EVENT_LEFT, instance, 0);
}

/* The witness that was added last; 0: there is none. */
static uint64_t last_accuser(const struct membership *room, uint32_t who)
{
    const struct suspicion *suspicion = suspects_find(room, who);
    return suspicion == NULL || suspicion->accusers.count == 0
               ? 0
               : suspicion->accusers.instances[suspicion->accusers.count - 1];
}

static void verdict_add(struct membership *room, uint32_t who, enum verdict_event event)
{
    verdicts_add(room, who,
                 &(struct member_verdict){.event = event, .by = last_accuser(room, who)});
}

/* What `node why` will show of a step. */
static enum verdict_event verdict_of(uint8_t from, enum member_state to)
{
    switch (to) {
    case MEMBER_ALIVE:
        return from == MEMBER_SUSPECT ? VERDICT_REFUTED : VERDICT_JOINED;
    case MEMBER_SUSPECT:
        return VERDICT_SUSPECTED;
    case MEMBER_DEAD:
        return VERDICT_DEAD;
    case MEMBER_LEFT:
        return VERDICT_LEFT;
    }
    return VERDICT_JOINED;
}

/* The one place where another member's state changes. */
static void step(struct membership *room, uint32_t who, enum member_state to, uint64_t incarnation,
                 const char *why)
{
    uint8_t from = members_entry(&room->members, who).state;
    bool was_live = members_is_live(&room->members, who);
    members_set(&room->members, who, to, incarnation);
    if (members_entry(&room->members, who).state == MEMBER_UNKNOWN)
        return; /* dead, and no memory for its tombstone */
    if (to == MEMBER_SUSPECT) {
        suspects_put(room, who);
    } else {
        if (from != to)
            verdict_add(room, who, verdict_of(from, to)); /* while the accusers are known */
        suspects_remove(room, who);
        crash_answered(room, who);
    }
    bool is_introduction = !was_live && (to == MEMBER_ALIVE || to == MEMBER_SUSPECT);
    bool is_join = is_introduction && to == MEMBER_ALIVE && from == MEMBER_UNKNOWN;
    if (!is_join || !join_is_reading(room))
        gossip_put(room, who, is_join ? NEWS_JOIN : NEWS_URGENT, is_introduction);
    if (is_introduction)
        contacts_meet(room, who);
    if (from == to)
        return;
    if (to == MEMBER_SUSPECT)
        count(room->context, COUNTER_suspicions);
    if (to == MEMBER_DEAD)
        count(room->context, COUNTER_deaths);
    if (to == MEMBER_DEAD || to == MEMBER_LEFT)
        seeds_member_lost(room);
    if (from == MEMBER_DEAD && is_introduction)
        health_reset(&room->health); /* what we failed to hear was a split, not our fault */
    events_tell(room, who, from, (uint8_t)to);
    notice_give(room, who, why);
}

/* Puts somebody new in. */
static enum error introduce(struct membership *room, const struct member_record *record,
                            const char *why)
{
    if (members_live(&room->members) >= room_config(room)->members_max)
        return ERROR_LIMIT_REACHED;
    uint32_t who = members_add(&room->members, record);
    if (who == WHO_NONE)
        return ERROR_LIMIT_REACHED;
    step(room, who, (enum member_state)record->state, record->incarnation, why);
    if (record->state == MEMBER_SUSPECT)
        suspects_merge(room, who, record);
    return ERROR_OK;
}

/* A newer instance of a known name. The old one is gone for good, whatever its state. */
static enum error replace(struct membership *room, uint32_t old, const struct member_record *record)
{
    uint64_t instance = members_descriptor(&room->members, old)->instance;
    seeds_member_lost(room);
    suspects_remove(room, old);
    dissemination_remove(&room->dissemination, old);
    members_remove(&room->members, old);
    events_add(&room->events, MEMBER_EVENT_REPLACED, instance, 0);
    return introduce(room, record, "new instance");
}

/* Starts or feeds a suspicion of a live member; returns whether it was started. */
static bool accuse(struct membership *room, uint32_t who, const struct member_record *record,
                   const char *why)
{
    const struct entry entry = members_entry(&room->members, who);
    bool is_start = entry.state != MEMBER_SUSPECT || record->incarnation > entry.incarnation;
    if (is_start)
        step(room, who, MEMBER_SUSPECT, record->incarnation, why);
    bool is_new = suspects_merge(room, who, record);
    if (is_new && !is_start)
        gossip_put(room, who, NEWS_URGENT, false);
    if (is_start || is_new)
        verdict_add(room, who, is_start ? VERDICT_SUSPECTED : VERDICT_CONFIRMED);
    crash_witnessed(room, who);
    return is_start;
}

/* Others accuse a member: whoever is its observer checks at once. */
static void accused_by_others(struct membership *room, uint32_t who,
                              const struct member_record *record)
{
    if (!accuse(room, who, record, "others got no answer") ||
        !observers_has(&room->members, who, room_config(room)->observers, room->members.self))
        return;
    if (record->refused.bytes > 0)
        crash_suspected(room, who);
    else
        probe_now(room, who);
}

/* This node accuses a member: it must hear of that, and so must those who can confirm it. */
static void accused_here(struct membership *room, uint32_t who, const struct member_record *record,
                         const char *why)
{
    if (!accuse(room, who, record, why))
        return;
    frames_tell(room, who);
    uint32_t observers[OBSERVERS_MAX];
    uint32_t count = observers_of(&room->members, who, room_config(room)->observers, observers);
    for (uint32_t i = 0; i < count; i++) {
        if (observers[i] != room->members.self)
            frames_tell(room, observers[i]);
    }
}

/* (E4) */
static bool believes_death(const struct membership *room, uint32_t who)
{
    if (members_entry(&room->members, who).state == MEMBER_SUSPECT)
        return true;
    const struct peer *peer = members_peer_if_any(&room->members, who);
    return peer != NULL && peer->is_cut_off;
}

static void apply_alive(struct membership *room, uint32_t who, const struct member_record *record)
{
    const struct entry entry = members_entry(&room->members, who);
    if (record->incarnation > entry.incarnation || bug_is_planted(BUG_GHOST))
        step(room, who, MEMBER_ALIVE, record->incarnation,
             entry.state == MEMBER_SUSPECT ? "refuted" : "alive again");
}

static void apply_dead(struct membership *room, uint32_t who, const struct member_record *record)
{
    const struct entry entry = members_entry(&room->members, who);
    if (entry.state == MEMBER_DEAD) {
        if (record->incarnation > entry.incarnation)
            members_set(&room->members, who, MEMBER_DEAD, record->incarnation);
    } else if (believes_death(room, who)) {
        step(room, who, MEMBER_DEAD, record->incarnation, "others got no answer");
    } else {
        frames_forward(room, who, record);
        probe_now(room, who);
    }
}

/* News of an instance that is in the table. */
static void apply_known(struct membership *room, uint32_t who, const struct member_record *record)
{
    const struct entry entry = members_entry(&room->members, who);
    bool is_old = record->incarnation < entry.incarnation && !bug_is_planted(BUG_GOES_BACK);
    if (entry.state == MEMBER_LEFT || is_old) /* (E1) (E2) */
        return;
    switch ((enum member_state)record->state) {
    case MEMBER_ALIVE:
        apply_alive(room, who, record);
        break;
    case MEMBER_SUSPECT:
        if (entry.state != MEMBER_DEAD || record->incarnation > entry.incarnation)
            accused_by_others(room, who, record);
        break;
    case MEMBER_DEAD:
        apply_dead(room, who, record);
        break;
    case MEMBER_LEFT:
        step(room, who, MEMBER_LEFT, record->incarnation, "left");
        break;
    }
}

/* News of an instance whose name another one has in the table. */
static enum error apply_namesake(struct membership *room, uint32_t holder,
                                 const struct member_record *record)
{
    const struct entry entry = members_entry(&room->members, holder);
    bool is_live = record->state == MEMBER_ALIVE || record->state == MEMBER_SUSPECT;
    bool holder_is_live = members_is_live(&room->members, holder);
    uint64_t holder_instance = members_descriptor(&room->members, holder)->instance;
    bool is_newer = record->incarnation > entry.incarnation ||
                    (record->incarnation == entry.incarnation && is_live && holder_is_live &&
                     record->instance > holder_instance);
    if (is_live && is_newer)
        return descriptors_is_complete(record) ? replace(room, holder, record) : ERROR_OK;
    if (is_live && !holder_is_live) {
        /* It joined through somebody who did not know its past: it must hear of it. */
        gossip_put(room, holder, NEWS_URGENT, false);
    } else if (!is_live && record->incarnation >= entry.incarnation && holder_is_live) {
        frames_forward(room, holder, record);
    } else if (!is_live && record->incarnation > entry.incarnation) {
        members_set(&room->members, holder, (enum member_state)entry.state, record->incarnation);
    }
    return ERROR_OK;
}

static bool is_possible(const struct member_record *record)
{
    return record->instance != 0 && record->name.bytes > 0 && mesh_name_is_good(record->name) &&
           record->state >= MEMBER_ALIVE && record->state <= MEMBER_LEFT &&
           record->incarnation >= EPOCH_ONE && record->incarnation <= INCARNATION_MAX &&
           (record->gossip_address.bytes == 0 || descriptors_is_complete(record));
}

enum error evidence_apply(struct membership *room, const struct member_record *record)
{
    if (!is_possible(record))
        return ERROR_INVALID_MESSAGE;
    if (!events_has_room(&room->events))
        return ERROR_LIMIT_REACHED;
    if (record->instance == room->context->instance ||
        span_equal(record->name, span_text(room->context->config->name))) {
        self_heard(room, record);
        return ERROR_OK;
    }
    uint32_t who = members_find(&room->members, record->instance);
    if (who != WHO_NONE) {
        if (!span_equal(record->name, span_text(members_descriptor(&room->members, who)->name)))
            return ERROR_INVALID_MESSAGE;
        apply_known(room, who, record);
        return ERROR_OK;
    }
    who = members_named(&room->members, record->name);
    if (who != WHO_NONE) /* (E5) */
        return apply_namesake(room, who, record);
    bool is_live = record->state == MEMBER_ALIVE || record->state == MEMBER_SUSPECT;
    if (!is_live || !descriptors_is_complete(record)) /* (E3) */
        return ERROR_OK;
    return introduce(room, record, "joined");
}

enum error evidence_apply_all(struct membership *room, struct span records)
{
    enum error worst = ERROR_OK;
    enum error error = ERROR_OK;
    struct member_record record;
    while (group_next(&member_record_schema, &records, &record, &error)) {
        if (evidence_apply(room, &record) == ERROR_INVALID_MESSAGE)
            worst = ERROR_INVALID_MESSAGE;
    }
    return error == ERROR_OK ? worst : error;
}

void evidence_apply_own(struct membership *room, uint64_t sender, struct span records)
{
    enum error error = ERROR_OK;
    struct member_record record;
    while (group_next(&member_record_schema, &records, &record, &error)) {
        if (record.instance == sender && record.state == MEMBER_ALIVE)
            (void)evidence_apply(room, &record); /* a bad one changes nothing */
    }
}

/* This node's own evidence against a live member, if it may accuse. */
static void testify(struct membership *room, uint32_t who, uint64_t incarnation, bool is_refused)
{
    const struct entry entry = members_entry(&room->members, who);
    if (!members_is_live(&room->members, who) || entry.incarnation > incarnation ||
        pause_is_dazed(room) || !events_has_room(&room->events))
        return;
    if (bug_is_planted(BUG_HASTY_DEATH)) {
        evidence_died(room, who, "no answer");
        return;
    }
    struct witnesses self = {0};
    uint8_t bytes[WITNESSES_BYTES_MAX];
    witnesses_add(&self, room->context->instance);
    struct member_record record = {
        .incarnation = entry.incarnation + bug_is_planted(BUG_OTHERS_RAISE),
        .accusers = witnesses_encode(&self, bytes),
    };
    if (is_refused)
        record.refused = record.accusers;
    accused_here(room, who, &record, is_refused ? "connection refused" : "no answer");
}

void evidence_unanswered(struct membership *room, uint32_t who, uint64_t incarnation)
{
    testify(room, who, incarnation, false);
}

void evidence_refused(struct membership *room, uint32_t who)
{
    verdicts_add(room, who, &(struct member_verdict){.event = VERDICT_REFUSED});
    testify(room, who, members_entry(&room->members, who).incarnation, true);
}

void evidence_died(struct membership *room, uint32_t who, const char *why)
{
    if (members_is_live(&room->members, who) && events_has_room(&room->events))
        step(room, who, MEMBER_DEAD, members_entry(&room->members, who).incarnation, why);
}

void evidence_forgotten(struct membership *room, uint32_t who)
{
    if (!members_is_live(&room->members, who) || !events_has_room(&room->events))
        return;
    uint8_t from = members_entry(&room->members, who).state;
    uint64_t incarnation = members_entry(&room->members, who).incarnation;
    suspects_remove(room, who);
    dissemination_remove(&room->dissemination, who);
    events_tell(room, who, from, MEMBER_DEAD);
    members_set(&room->members, who, MEMBER_DEAD, incarnation);
    seeds_member_lost(room);
}
