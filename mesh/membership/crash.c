/* crash.c - see crash.h.
 *
 *     link lost -> dial --refused--> suspect, observers told --3 refusals--> wait --> dead
 *          \          \--anything else: nothing said       \                  \
 *           \__________\____________________________________\__ an ack: over __\
 *
 * Where we differ from Rapid: refusals are not counted per epoch of the view but per incarnation,
 * and in a mesh too small for three witnesses the same one may be refused three times. */
#include "mesh/membership/crash.h"

#include "mesh/membership/room.h"

enum {
    REFUSALS = 3,     /* two may come from a listener that is being replaced */
    REDIAL_MS = 100,  /* as long as a listener takes to come back after exec */
    REDIALS_MAX = 10, /* then silence decides, by suspicion */
};

static struct crash *find(struct membership *room, uint32_t who)
{
    for (uint32_t i = 0; i < room->crashes.count; i++) {
        if (room->crashes.list[i].who == who)
            return &room->crashes.list[i];
    }
    return NULL;
}

static void clock_set(struct membership *room)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = 0; i < room->crashes.count; i++) {
        const struct crash *crash = &room->crashes.list[i];
        uint64_t at_ns = crash->verdict_ns != 0 && crash->verdict_ns < crash->redial_ns
                             ? crash->verdict_ns
                             : crash->redial_ns;
        earliest_ns = at_ns < earliest_ns ? at_ns : earliest_ns;
    }
    if (earliest_ns == UINT64_MAX)
        deadlines_cancel(room->context->deadlines, &room->crashes.deadline);
    else
        room_set(room, &room->crashes.deadline, DEADLINE_CRASHES, earliest_ns);
}

static void dial(struct membership *room, struct crash *crash)
{
    crash->redials++;
    crash->redial_ns = room->context->now_ns + REDIAL_MS * MS_NS;
    const struct link *link = contacts_link(room, crash->who);
    if (link == NULL)
        return;
    const struct mesh_output order = {
        .order = MESH_PROBE_REFUSED,
        .channel = CHANNEL_GOSSIP,
        .link = link->number,
        .address = span_text(link->gossip_address),
    };
    outbox_order(room->context->outbox, &order);
}

void crash_suspected(struct membership *room, uint32_t who)
{
    if (!members_is_live(&room->members, who) || who == room->members.self || leave_has_begun(room))
        return;
    probe_hurry(room, who);
    if (find(room, who) != NULL || room->crashes.count == CRASHES_MAX)
        return;
    struct crash *crash = &room->crashes.list[room->crashes.count++];
    *crash = (struct crash){
        .instance = members_descriptor(&room->members, who)->instance,
        .who = who,
    };
    dial(room, crash);
    clock_set(room);
}

/* Refusals that count: our own, and those of other witnesses. */
static uint32_t evidence(const struct membership *room, const struct crash *crash)
{
    const struct suspicion *suspicion = suspects_find(room, crash->who);
    if (suspicion == NULL || crash->refusals == 0)
        return 0; /* nobody is held dead here whom we could dial */
    bool is_own = witnesses_has(&suspicion->refused, room->context->instance);
    return crash->refusals + suspicion->refused.count - (is_own ? 1 : 0);
}

void crash_witnessed(struct membership *room, uint32_t who)
{
    struct crash *crash = find(room, who);
    if (crash == NULL || crash->verdict_ns != 0 || evidence(room, crash) < REFUSALS)
        return;
    crash->verdict_ns = room->context->now_ns + room_config(room)->crash_wait_ms * MS_NS;
    clock_set(room);
}

void crash_refused(struct membership *room, uint32_t who)
{
    struct crash *crash = find(room, who);
    if (crash == NULL || !members_is_live(&room->members, who))
        return; /* it answered meanwhile */
    crash->refusals++;
    evidence_refused(room, who);
    crash_witnessed(room, who);
}

static void crash_end(struct membership *room, struct crash *crash)
{
    *crash = room->crashes.list[--room->crashes.count];
    clock_set(room);
}

void crash_answered(struct membership *room, uint32_t who)
{
    struct crash *crash = find(room, who);
    if (crash != NULL)
        crash_end(room, crash);
}

void crash_due(struct membership *room)
{
    uint64_t now_ns = room->context->now_ns;
    for (uint32_t i = room->crashes.count; i > 0; i--) {
        struct crash *crash = &room->crashes.list[i - 1];
        uint32_t who = crash->who;
        bool is_over = crash->redials == REDIALS_MAX && crash->redial_ns <= now_ns;
        if (members_find(&room->members, crash->instance) != who ||
            !members_is_live(&room->members, who) || is_over) {
            crash_end(room, crash);
        } else if (crash->verdict_ns != 0 && crash->verdict_ns <= now_ns) {
            crash_end(room, crash);
            evidence_died(room, who, "connections refused");
        } else if (crash->redial_ns <= now_ns) {
            dial(room, crash);
        }
    }
    clock_set(room);
}

void crash_void(struct membership *room)
{
    room->crashes.count = 0;
    clock_set(room);
}
