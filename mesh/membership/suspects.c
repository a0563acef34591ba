/* suspects.c - see suspects.h. The timeouts are suspicion.c's. One deadline stands for all: it is
 * set to the earliest end, and all are looked at when it comes; suspects are few or, after a
 * split, end together. */
#include "mesh/membership/suspects.h"

#include "mesh/membership/room.h"

enum { SUSPECTS_FIRST = 8 };

static struct hashmap_key key_of(uint32_t who)
{
    return (struct hashmap_key){0, who};
}

void suspects_init(struct membership *room, uint64_t salt)
{
    hashmap_init(&room->suspects.by_who, &room->context->memory, MEMORY_MEMBERS, salt);
}

void suspects_clear(struct membership *room)
{
    struct suspects *suspects = &room->suspects;
    deadlines_cancel(room->context->deadlines, &suspects->deadline);
    memory_free(&room->context->memory, MEMORY_MEMBERS, suspects->list,
                suspects->capacity * sizeof suspects->list[0]);
    hashmap_clear(&suspects->by_who);
}

static uint64_t ends_ns(const struct membership *room, const struct suspect *suspect)
{
    return suspicion_ends_ns(&suspect->suspicion, room_config(room), members_live(&room->members));
}

/* Sets the deadline to the earliest end. */
static void clock_set(struct membership *room)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = 0; i < room->suspects.count; i++) {
        uint64_t at_ns = ends_ns(room, &room->suspects.list[i]);
        earliest_ns = at_ns < earliest_ns ? at_ns : earliest_ns;
    }
    if (earliest_ns == UINT64_MAX)
        deadlines_cancel(room->context->deadlines, &room->suspects.deadline);
    else
        room_set(room, &room->suspects.deadline, DEADLINE_SUSPECTS, earliest_ns);
}

static struct suspect *find(const struct membership *room, uint32_t who)
{
    uint32_t place = hashmap_get(&room->suspects.by_who, key_of(who));
    return place == HASHMAP_NONE ? NULL : &room->suspects.list[place];
}

static struct suspect *suspect_new(struct membership *room, uint32_t who)
{
    struct suspects *suspects = &room->suspects;
    if (suspects->count == suspects->capacity) {
        uint32_t capacity = suspects->capacity == 0 ? SUSPECTS_FIRST : suspects->capacity * 2;
        struct suspect *list =
            memory_resize(&room->context->memory, MEMORY_MEMBERS, suspects->list,
                          suspects->capacity * sizeof list[0], capacity * sizeof list[0]);
        if (list == NULL)
            return NULL;
        suspects->list = list;
        suspects->capacity = capacity;
    }
    if (!hashmap_put(&suspects->by_who, key_of(who), suspects->count))
        return NULL;
    return &suspects->list[suspects->count++];
}

void suspects_put(struct membership *room, uint32_t who)
{
    struct suspect *suspect = find(room, who);
    if (suspect == NULL)
        suspect = suspect_new(room, who);
    if (suspect == NULL)
        return;
    *suspect = (struct suspect){
        .who = who,
        .suspicion.started_ns = room->context->now_ns,
    };
    clock_set(room);
}

bool suspects_merge(struct membership *room, uint32_t who, const struct member_record *record)
{
    struct suspect *suspect = find(room, who);
    if (suspect == NULL)
        return false;
    bool is_new = witnesses_merge(&suspect->suspicion.accusers, record->accusers);
    is_new |= witnesses_merge(&suspect->suspicion.refused, record->refused);
    if (is_new)
        clock_set(room);
    return is_new;
}

void suspects_remove(struct membership *room, uint32_t who)
{
    struct suspects *suspects = &room->suspects;
    struct suspect *suspect = find(room, who);
    if (suspect == NULL)
        return;
    hashmap_remove(&suspects->by_who, key_of(who));
    const struct suspect *last = &suspects->list[--suspects->count];
    if (suspect != last) {
        *suspect = *last;
        uint32_t place = (uint32_t)(suspect - suspects->list);
        require(hashmap_put(&suspects->by_who, key_of(suspect->who), place)); /* it is there */
    }
    clock_set(room);
}

const struct suspicion *suspects_find(const struct membership *room, uint32_t who)
{
    const struct suspect *suspect = find(room, who);
    return suspect == NULL ? NULL : &suspect->suspicion;
}

void suspects_slept(struct membership *room, uint64_t slept_ns)
{
    for (uint32_t i = 0; i < room->suspects.count; i++)
        room->suspects.list[i].suspicion.slept_ns += slept_ns;
    clock_set(room);
}

/* What happens to a suspicion must not go on while this node is dazed; it is looked at again. */
static bool postpone(struct membership *room)
{
    if (!pause_is_dazed(room))
        return false;
    room_set(room, &room->suspects.deadline, DEADLINE_SUSPECTS, room->pause.dazed_until_ns);
    return true;
}

void suspects_due(struct membership *room)
{
    if (postpone(room) || bug_is_planted(BUG_SUSPECT_FOR_EVER))
        return;
    for (uint32_t i = room->suspects.count; i > 0; i--) {
        const struct suspect *suspect = &room->suspects.list[i - 1];
        if (ends_ns(room, suspect) <= room->context->now_ns && events_has_room(&room->events))
            evidence_died(room, suspect->who, "no answer");
    }
    clock_set(room);
}
