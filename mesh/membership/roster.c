/* roster.c - see roster.h. Heap sort: in place, without recursion, never slow. */
#include "mesh/membership/roster.h"

void roster_clear(struct roster *roster, struct memory *memory)
{
    memory_free(memory, MEMORY_MEMBERS, roster->rows, roster->capacity * sizeof roster->rows[0]);
    *roster = (struct roster){0};
}

static bool is_before(const struct roster_row *a, const struct roster_row *b)
{
    return strcmp(a->name, b->name) < 0;
}

/* Lets a row sink in the heap of the first `count` rows, the last name on top. */
static void sink(struct roster_row *rows, uint32_t place, uint32_t count)
{
    struct roster_row row = rows[place];
    for (uint32_t child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && is_before(&rows[child], &rows[child + 1]))
            child++;
        if (!is_before(&row, &rows[child]))
            break;
        rows[place] = rows[child];
    }
    rows[place] = row;
}

static void sort(struct roster_row *rows, uint32_t count)
{
    for (uint32_t place = count / 2; place > 0; place--)
        sink(rows, place - 1, count);
    for (uint32_t last = count; last > 1; last--) {
        struct roster_row top = rows[0];
        rows[0] = rows[last - 1];
        rows[last - 1] = top;
        sink(rows, 0, last - 1);
    }
}

static bool reserve(struct roster *roster, struct memory *memory, uint32_t count)
{
    if (count <= roster->capacity)
        return true;
    roster_clear(roster, memory);
    uint32_t capacity = count + count / 4;
    roster->rows = memory_new(memory, MEMORY_MEMBERS, capacity * sizeof roster->rows[0]);
    roster->capacity = roster->rows == NULL ? 0 : capacity;
    return roster->rows != NULL;
}

static bool bring_up_to_date(struct roster *roster, const struct members *members)
{
    uint32_t known = members_live(members) + members->tombs;
    if (roster->changes == members->changes)
        return true;
    if (!reserve(roster, &members->context->memory, known))
        return false;
    uint32_t count = 1;
    for (uint32_t who = members_next(members, WHO_NONE); who != WHO_NONE;
         who = members_next(members, who)) {
        uint32_t place = who == members->self ? 0 : count++;
        roster->rows[place] = (struct roster_row){members_descriptor(members, who)->name, who};
    }
    sort(roster->rows + 1, count - 1);
    roster->count = count;
    roster->changes = members->changes;
    return true;
}

const struct member *roster_next(struct roster *roster, struct members *members,
                                 const struct member *after)
{
    uint32_t place = 0;
    if (after == NULL && !bring_up_to_date(roster, members))
        return NULL;
    if (after != NULL) {
        uint32_t who = members_find(members, after->instance);
        const struct peer *peer = who == WHO_NONE ? NULL : members_peer_if_any(members, who);
        place = peer == NULL ? UINT32_MAX : peer->position + 1;
    }
    if (place >= roster->count ||
        members_entry(members, roster->rows[place].who).state == MEMBER_UNKNOWN)
        return NULL;
    const struct member *view = members_view(members, roster->rows[place].who);
    if (view != NULL)
        members_peer(members, roster->rows[place].who)->position = place;
    return view;
}
