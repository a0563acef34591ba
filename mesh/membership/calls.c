/* calls.c - see calls.h.
 *
 *     dialling --link up--> asking --CHALLENGE--> greeting --SYNC--> over
 *         |                    |                     |
 *         +------ too long ----+----- REFUSED -------+--> over; called again in its turn
 *
 * JOIN is repeated while it is not answered: the other side says nothing while it finds out whether
 * the name's holder lives. A link whose call is over stays if it leads to a live member, and is
 * swept up otherwise. */
#include "mesh/membership/calls.h"

#include "mesh/membership/room.h"

enum {
    CALL_MS = 3000,  /* one SYN is sent again after 1 s, and then after 2 */
    REPEAT_MS = 100, /* as long as a name's holder may take to answer a ping */
    OWN_RECORD_BYTES_MAX = 1024,
};

static struct call *find(struct membership *room, uint32_t link)
{
    for (uint32_t i = 0; i < room->calls.count; i++) {
        if (room->calls.list[i].link == link)
            return &room->calls.list[i];
    }
    return NULL;
}

/* Somebody, perhaps we ourselves, is at the address that was called. */
static void call_found(struct membership *room, const struct call *call, uint64_t instance)
{
    const struct link *link = links_find(room->context->links, call->link);
    if (link != NULL)
        seeds_found(room, call->seed, span_text(link->gossip_address), instance);
}

static void call_end(struct membership *room, struct call *call)
{
    *call = room->calls.list[--room->calls.count];
}

static void clock_set(struct membership *room)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = 0; i < room->calls.count; i++) {
        const struct call *call = &room->calls.list[i];
        uint64_t at_ns = call->phase == CALL_DIALLING || call->ends_ns < call->step_ns
                             ? call->ends_ns
                             : call->step_ns;
        earliest_ns = at_ns < earliest_ns ? at_ns : earliest_ns;
    }
    if (earliest_ns == UINT64_MAX)
        deadlines_cancel(room->context->deadlines, &room->calls.deadline);
    else
        room_set(room, &room->calls.deadline, DEADLINE_CALLS, earliest_ns);
}

/* Says JOIN on the call's link. */
static void ask(struct membership *room, struct call *call)
{
    struct link *link = links_find(room->context->links, call->link);
    if (link == NULL)
        return;
    struct member_record record;
    uint8_t bytes[OWN_RECORD_BYTES_MAX];
    struct writer writer;
    self_describe(room, &record);
    writer_init(&writer, bytes, sizeof bytes);
    group_encode(&member_record_schema, &record, &writer);
    require(!writer.is_bad);
    const struct gossip_join join = {
        .mesh = span_text(room->context->config->cluster),
        .nonce = call->nonce,
        .wire_min = WIRE_VERSION_MIN,
        .wire_max = WIRE_VERSION_MAX,
        .members = members_live(&room->members),
        .member = span_of(bytes, sizeof bytes - writer.left),
    };
    const struct outgoing message = {
        .kind = KIND_JOIN,
        .schema = &gossip_join_schema,
        .fields = &join,
    };
    (void)outbound_send(&link->gossip, &message); /* a full queue: it is repeated */
    call->step_ns = room->context->now_ns + REPEAT_MS * MS_NS;
}

static struct call *call_new(struct membership *room, uint32_t link, uint32_t seed)
{
    if (room->calls.count == CALLS_MAX)
        return NULL;
    struct call *call = &room->calls.list[room->calls.count++];
    *call = (struct call){
        .link = link,
        .seed = seed,
        .ends_ns = room->context->now_ns + CALL_MS * MS_NS,
        .phase = CALL_DIALLING,
    };
    return call;
}

static bool is_being_called(const struct membership *room, struct span address)
{
    for (uint32_t i = 0; i < room->calls.count; i++) {
        const struct link *link = links_find(room->context->links, room->calls.list[i].link);
        if (link != NULL && span_equal(address, span_text(link->gossip_address)))
            return true;
    }
    return false;
}

void calls_start(struct membership *room, struct span address, uint32_t seed)
{
    if (span_equal(address, span_text(room->context->config->gossip_address)))
        return;
    const struct link *known = links_at_address(room->context->links, address);
    uint32_t who = known == NULL ? WHO_NONE : contacts_member(room, known);
    bool is_live = who != WHO_NONE && members_is_live(&room->members, who);
    if (is_live || room->calls.count == CALLS_MAX || is_being_called(room, address))
        return;
    const struct link *link = links_open(room->context->links, address);
    if (link != NULL)
        call_new(room, link->number, seed);
    clock_set(room);
}

void calls_link_up(struct membership *room, uint32_t link)
{
    struct call *call = find(room, link);
    if (call == NULL)
        return;
    if (call->phase == CALL_DIALLING)
        call->phase = CALL_ASKING;
    ask(room, call);
    clock_set(room);
}

/* We called one instance and another one answered. Under the same name, the one we called is gone;
 * under another name the address has changed hands, and probing will tell. */
static void other_answered(struct membership *room, uint64_t called, uint64_t sender,
                           const struct member_record *record)
{
    uint32_t who = members_find(&room->members, called);
    if (who == WHO_NONE || called == sender)
        return;
    if (span_equal(record->name, span_text(members_descriptor(&room->members, who)->name)))
        evidence_died(room, who, "another instance answers");
    else
        probe_now(room, who);
}

/* The call that a challenge belongs to; a new one when somebody asks to be greeted anew. */
static struct call *call_of_challenge(struct membership *room, uint32_t number, uint64_t sender)
{
    struct call *call = find(room, number);
    if (call != NULL)
        return call;
    const struct link *link = links_find(room->context->links, number);
    if (link == NULL || calls_is_greeting(room, sender) || leave_has_begun(room))
        return NULL;
    if (link->instance == 0 || link->instance == sender)
        return call_new(room, number, CALL_NO_SEED);
    calls_start(room, span_text(link->gossip_address), CALL_NO_SEED); /* frames name another */
    return NULL;
}

enum error calls_challenged(struct membership *room, uint32_t number, uint64_t sender,
                            const struct gossip_challenge *challenge)
{
    struct member_record record;
    struct span rest = challenge->member;
    enum error error = ERROR_OK;
    if (!group_next(&member_record_schema, &rest, &record, &error) || record.instance != sender ||
        challenge->known_incarnation > INCARNATION_MAX)
        return ERROR_INVALID_MESSAGE;
    if (challenge->called != 0)
        other_answered(room, challenge->called, sender, &record);
    struct call *call = call_of_challenge(room, number, sender);
    if (call == NULL)
        return ERROR_OK;
    if (sender == room->context->instance) {
        call_found(room, call, sender);
        call_end(room, call);
        clock_set(room);
        return ERROR_OK;
    }
    /* Many frames to somebody who holds us dead bring as many challenges: one answer will do, and
     * another one only when there is more to say. A node that leaves rises no more: its answers
     * would be challenged, and those answered, for ever. */
    bool is_repeat = call->phase == CALL_GREETING && call->instance == sender;
    uint64_t before = self_incarnation(room);
    if (challenge->known_incarnation != 0)
        self_rise(room, challenge->known_incarnation, !join_has_joined(room));
    struct link *link = links_find(room->context->links, number);
    if (link != NULL && link->instance == 0 &&
        links_of_instance(room->context->links, sender) == NULL) {
        links_bind(room->context->links, link, sender);
        links_name(link, record.name);
    }
    call->instance = sender;
    call->nonce = challenge->nonce;
    call->phase = CALL_GREETING;
    call->ends_ns = room->context->now_ns + CALL_MS * MS_NS;
    if (!is_repeat || self_incarnation(room) > before)
        ask(room, call);
    clock_set(room);
    return ERROR_OK;
}

void calls_refused(struct membership *room, uint32_t link)
{
    struct call *call = find(room, link);
    if (call != NULL)
        call_end(room, call);
    clock_set(room);
}

bool calls_is_greeting(const struct membership *room, uint64_t instance)
{
    for (uint32_t i = 0; i < room->calls.count; i++) {
        if (room->calls.list[i].instance == instance)
            return true;
    }
    return false;
}

bool calls_welcomed(struct membership *room, uint64_t instance)
{
    bool is_waited_for = false;
    for (uint32_t i = room->calls.count; i > 0; i--) {
        struct call *call = &room->calls.list[i - 1];
        if (call->instance != instance)
            continue;
        call_found(room, call, instance);
        call_end(room, call);
        is_waited_for = true;
    }
    clock_set(room);
    return is_waited_for;
}

bool calls_has_link(const struct membership *room, uint32_t link)
{
    for (uint32_t i = 0; i < room->calls.count; i++) {
        if (room->calls.list[i].link == link)
            return true;
    }
    return false;
}

void calls_due(struct membership *room)
{
    uint64_t now_ns = room->context->now_ns;
    for (uint32_t i = room->calls.count; i > 0; i--) {
        struct call *call = &room->calls.list[i - 1];
        if (call->ends_ns <= now_ns)
            call_end(room, call);
        else if (call->phase != CALL_DIALLING && call->step_ns <= now_ns)
            ask(room, call);
    }
    clock_set(room);
}
