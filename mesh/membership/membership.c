/* membership.c - see membership.h. The door of the room: it hands each fact to the part whose noun
 * it is and decides nothing itself, but for what a frame's sender must be.
 *
 *     JOIN -> joiners        CHALLENGE -> calls        REFUSED -> refusal
 *     any SWIM message: its news -> evidence, then PING, ACK -> probe, SYNC -> sync */
#include "mesh/membership/membership.h"

#include "mesh/membership/room.h"

static struct descriptors *descriptors_new(struct context *context, struct random *random)
{
    struct descriptors *store =
        memory_new(&context->memory, MEMORY_MEMBERS, sizeof(struct descriptors));
    if (store != NULL)
        descriptors_init(store, &context->memory, random_u64(random));
    return store;
}

struct membership *membership_new(struct context *context)
{
    return membership_new_sharing(context, NULL);
}

struct membership *membership_new_sharing(struct context *context, struct descriptors *shared)
{
    struct membership *room =
        memory_new(&context->memory, MEMORY_MEMBERS, sizeof(struct membership));
    if (room == NULL)
        return NULL;
    room->context = context;
    random_init(&room->random, context->config->random_seed, CONTEXT_STREAM_MEMBERSHIP);
    room->shares_descriptors = shared != NULL;
    room->descriptors = shared != NULL ? shared : descriptors_new(context, &room->random);
    if (room->descriptors == NULL) {
        memory_free(&context->memory, MEMORY_MEMBERS, room, sizeof *room);
        return NULL;
    }
    members_init(&room->members, context, room->descriptors);
    room->views = &room->members;
    room->roster = &room->listed;
    health_init(&room->health, context->config->gossip.health_max);
    dissemination_init(&room->dissemination, &context->memory, random_u64(&room->random));
    suspects_init(room, random_u64(&room->random));
    joiners_init(room);
    if (!events_init(&room->events, &context->memory) || !self_init(room))
        membership_destroy(&room);
    return room;
}

void membership_destroy(struct membership **membership)
{
    struct membership *room = *membership;
    *membership = NULL;
    if (room == NULL)
        return;
    struct context *context = room->context;
    struct deadline *const deadlines[] = {
        &room->gossip.deadline,   &room->probes.period,    &room->probes.steps,
        &room->relays.deadline,   &room->crashes.deadline, &room->calls.deadline,
        &room->join.redial,       &room->sync.deadline,    &room->leave.deadline,
        &room->namesake.deadline,
    };
    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++)
        deadlines_cancel(context->deadlines, deadlines[i]);
    joiners_clear(room);
    suspects_clear(room);
    verdicts_clear(room);
    dissemination_clear(&room->dissemination);
    events_clear(&room->events, &context->memory);
    roster_clear(&room->listed, &context->memory);
    members_clear(&room->members);
    if (!room->shares_descriptors) {
        descriptors_clear(room->descriptors);
        memory_free(&context->memory, MEMORY_MEMBERS, room->descriptors, sizeof *room->descriptors);
    }
    memory_free(&context->memory, MEMORY_MEMBERS, room, sizeof *room);
}

void membership_acquaint(struct membership *room, const struct membership *other)
{
    struct member_record record;
    require(!room->has_started);
    self_describe(other, &record);
    uint32_t who = members_add(&room->members, &record);
    require(who != WHO_NONE);
    members_set(&room->members, who, MEMBER_ALIVE, record.incarnation);
}

void membership_start(struct membership *room)
{
    require(!room->has_started);
    room->has_started = true;
    join_start(room);
    probe_start(room);
    sync_start(room);
}

/* What a ping or an ack says of its sender. */
static void peer_heard(struct membership *room, uint32_t who, const struct gossip_swim *swim)
{
    struct peer *peer = members_peer(&room->members, who);
    if (peer == NULL)
        return;
    peer->sessions = swim->sessions;
    peer->lag_us = swim->lag_us;
    peer->health = swim->health;
    peer->forward_up = swim->forward_up;
    sync_heard(room, who, swim->view_hash);
    if (swim->log_head != peer->log_head && events_has_room(&room->events)) {
        peer->log_head = swim->log_head;
        events_add(&room->events, MEMBER_EVENT_LOG_HEAD,
                   members_descriptor(&room->members, who)->instance, swim->log_head);
    }
}

static void ack_handle(struct membership *room, uint32_t who, uint64_t correlation,
                       const struct gossip_swim *swim)
{
    if (swim->target != 0) {
        probe_relayed(room, swim->target, correlation);
    } else if (!relays_answered(room, who, correlation)) {
        leave_acknowledged(room, correlation);
        probe_answered(room, who, correlation);
    }
    peer_heard(room, who, swim);
}

static void swim_handle(struct membership *room, uint32_t who, const struct message *message,
                        const struct gossip_swim *swim)
{
    switch (message->kind) {
    case KIND_SWIM_PING:
        frames_send(room, who, KIND_SWIM_ACK, message->correlation, &(struct gossip_swim){0});
        peer_heard(room, who, swim);
        break;
    case KIND_SWIM_ACK:
        ack_handle(room, who, message->correlation, swim);
        break;
    case KIND_SWIM_PING_REQUEST:
        relays_asked(room, who, message->correlation, swim);
        break;
    case KIND_SWIM_NACK:
        probe_nacked(room, members_descriptor(&room->members, who)->instance, message->correlation);
        break;
    case KIND_SWIM_NEWS:
        if (message->correlation != 0)
            frames_send(room, who, KIND_SWIM_ACK, message->correlation, &(struct gossip_swim){0});
        break;
    case KIND_SWIM_SYNC:
        sync_received(room, who, swim);
        break;
    default: /* the caller lets only these through */
        break;
    }
}

/* A SWIM message. Strangers are asked to greet first: what they say changes nothing, unless it is
 * the table that a call of ours waits for. */
static enum error swim_receive(struct membership *room, const struct envelope *envelope,
                               uint32_t connection, const struct message *message)
{
    struct gossip_swim swim;
    if (schema_decode(&gossip_swim_schema, message->fields, &swim) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    uint64_t sender = envelope->sender;
    uint32_t who = members_find(&room->members, sender);
    bool is_member = who != WHO_NONE && members_is_live(&room->members, who);
    bool is_welcome = message->kind == KIND_SWIM_SYNC && calls_is_greeting(room, sender);
    if (members_entry(&room->members, who).state == MEMBER_DEAD && !leave_has_begun(room)) {
        evidence_apply_own(room, sender, swim.news);
        is_member = members_is_live(&room->members, who);
    }
    if (!is_member && !is_welcome) {
        joiners_challenge(room, envelope, connection, 0);
        return ERROR_OK;
    }
    join_read(room, is_welcome);
    enum error error = leave_has_begun(room) ? ERROR_OK : evidence_apply_all(room, swim.news);
    join_read(room, false);
    who = members_find(&room->members, sender);
    if (who == WHO_NONE)
        return error; /* its own table does not have it, or a newer instance came up in it */
    if (is_welcome && !swim.has_more && calls_welcomed(room, sender))
        join_merged(room, sender);
    swim_handle(room, who, message, &swim);
    return error;
}

enum error membership_receive(struct membership *room, const struct envelope *envelope,
                              uint32_t connection, struct span address,
                              const struct message *message)
{
    switch (message->kind) {
    case KIND_JOIN:
        return joiners_receive(room, envelope, connection, address, message);
    case KIND_SWIM_PING:
    case KIND_SWIM_ACK:
    case KIND_SWIM_PING_REQUEST:
    case KIND_SWIM_NACK:
    case KIND_SWIM_NEWS:
    case KIND_SWIM_SYNC:
        return swim_receive(room, envelope, connection, message);
    default: /* kinds that come later, or on other channels */
        count(room->context, COUNTER_kinds_unknown);
        return ERROR_OK;
    }
}

enum error membership_receive_answer(struct membership *room, const struct envelope *envelope,
                                     uint32_t link, const struct message *message)
{
    struct gossip_challenge challenge;
    switch (message->kind) {
    case KIND_CHALLENGE:
        if (schema_decode(&gossip_challenge_schema, message->fields, &challenge) != ERROR_OK)
            return ERROR_INVALID_MESSAGE;
        return calls_challenged(room, link, envelope->sender, &challenge);
    case KIND_REFUSED:
        return refusal_received(room, link, message);
    default: /* nothing else is answered on the connection it was asked on */
        count(room->context, COUNTER_kinds_unknown);
        return ERROR_OK;
    }
}

void membership_misaddressed(struct membership *room, const struct envelope *envelope,
                             uint32_t connection)
{
    joiners_challenge(room, envelope, connection, envelope->receiver);
}

/* The live member a link leads to; WHO_NONE: nobody. */
static uint32_t member_at(const struct membership *room, uint32_t number)
{
    const struct link *link = links_find(room->context->links, number);
    uint32_t who = link == NULL ? WHO_NONE : contacts_member(room, link);
    return who != WHO_NONE && members_is_live(&room->members, who) ? who : WHO_NONE;
}

void membership_link_up(struct membership *room, uint32_t number, enum channel channel)
{
    if (channel != CHANNEL_GOSSIP)
        return;
    joiners_link_up(room, number);
    calls_link_up(room, number);
    uint32_t who = member_at(room, number);
    struct peer *peer = who == WHO_NONE ? NULL : members_peer(&room->members, who);
    if (peer == NULL)
        return;
    peer->is_cut_off = false;
    crash_answered(room, who); /* somebody listens there: pings will tell who */
}

void membership_link_lost(struct membership *room, uint32_t number, enum channel channel)
{
    uint32_t who = member_at(room, number);
    if (who == WHO_NONE || channel != CHANNEL_GOSSIP)
        return;
    struct peer *peer = members_peer(&room->members, who);
    if (peer != NULL)
        peer->is_cut_off = true;
    verdicts_add(room, who, &(struct member_verdict){.event = VERDICT_LINK_LOST});
    crash_suspected(room, who);
}

void membership_link_refused(struct membership *room, uint32_t number)
{
    uint32_t who = member_at(room, number);
    if (who != WHO_NONE)
        crash_refused(room, who);
}

void membership_seed_resolved(struct membership *room, uint32_t seed, struct span addresses)
{
    seeds_resolved(room, seed, addresses);
}

void membership_due(struct membership *room, const struct deadline *due)
{
    pause_check(room, due);
    switch ((enum membership_deadline)due->purpose) {
    case DEADLINE_PERIOD:
        probe_period_due(room);
        break;
    case DEADLINE_PROBES:
        probe_steps_due(room);
        break;
    case DEADLINE_RELAYS:
        relays_due(room);
        break;
    case DEADLINE_CRASHES:
        crash_due(room);
        break;
    case DEADLINE_SUSPECTS:
        suspects_due(room);
        break;
    case DEADLINE_GOSSIP:
        gossip_due(room);
        break;
    case DEADLINE_SYNC:
        sync_due(room);
        break;
    case DEADLINE_REDIAL:
        join_redial_due(room);
        break;
    case DEADLINE_CALLS:
        calls_due(room);
        break;
    case DEADLINE_JOINERS:
        joiners_due(room);
        break;
    case DEADLINE_NAMESAKE:
        namesake_due(room);
        break;
    case DEADLINE_LEAVE:
        leave_due(room);
        break;
    }
}

void membership_stop(struct membership *room)
{
    leave_start(room);
}

bool membership_has_left(const struct membership *room)
{
    return room->leave.is_over;
}

bool membership_is_refused(const struct membership *room, enum mesh_notice_code *code,
                           struct span texts[2])
{
    if (!room->refusal.is_final)
        return false;
    *code = room->refusal.code;
    texts[0] = span_text(room->refusal.by);
    texts[1] = span_text(room->refusal.why);
    return true;
}

void membership_publish(struct membership *room, uint32_t sessions, uint32_t lag_us,
                        uint64_t log_head)
{
    room->self = (struct self){sessions, lag_us, log_head};
    struct peer *peer = members_peer(&room->members, room->members.self);
    peer->sessions = sessions;
    peer->lag_us = lag_us;
}

bool membership_has_event(const struct membership *room)
{
    return room->events.count > 0;
}

bool membership_next_event(struct membership *room, struct member_event *event)
{
    /* Who came and went in one frame is not told to have come: nobody can look at it any more. */
    bool is_told = events_next(&room->events, event);
    while (is_told && event->kind == MEMBER_EVENT_JOINED &&
           members_find(&room->members, event->instance) == WHO_NONE)
        is_told = events_next(&room->events, event);
    return is_told;
}

const struct member *membership_find(const struct membership *room, uint64_t instance)
{
    uint32_t who = members_find(&room->members, instance);
    return who == WHO_NONE ? NULL : members_view(room->views, who);
}

const struct member *membership_self(const struct membership *room)
{
    return members_view(room->views, room->members.self);
}

const struct member *membership_named(const struct membership *room, struct span name)
{
    uint32_t who = members_named(&room->members, name);
    return who == WHO_NONE ? NULL : members_view(room->views, who);
}

const struct member *membership_next(const struct membership *room, const struct member *after)
{
    return roster_next(room->roster, room->views, after);
}

const struct member_verdict *membership_verdict(const struct membership *room, uint64_t instance,
                                                uint32_t n)
{
    return verdicts_at(room, instance, n);
}

const char *membership_verdict_name(enum verdict_event event)
{
    static const char *const names[] = {
#define VERDICT_NAME(name, text) text,
        VERDICT_LIST(VERDICT_NAME)
#undef VERDICT_NAME
    };
    return (size_t)event < sizeof names / sizeof names[0] ? names[event] : "unknown";
}

uint32_t membership_alive(const struct membership *room)
{
    return members_live(&room->members);
}

bool membership_has_joined(const struct membership *room)
{
    return join_has_joined(room);
}

uint64_t membership_hash(const struct membership *room)
{
    return room->members.hash;
}

void membership_check(const struct membership *room)
{
    members_check(&room->members);
}
