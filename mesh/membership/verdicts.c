/* verdicts.c - see verdicts.h. */
#include "mesh/membership/verdicts.h"

#include "mesh/membership/room.h"

enum { VERDICTS_MAX = 64 };

/* One for each name: who asks why a node was lost does so after it came back, too. */
struct verdict_ring {
    uint64_t name; /* its hash */
    uint64_t changed_ns;
    uint32_t first, count;
    struct member_verdict list[VERDICTS_MAX];
};

static uint64_t name_of(const struct membership *room, uint32_t who)
{
    return mesh_name_hash(descriptors_name(members_descriptor(&room->members, who)));
}

static struct verdict_ring *find(const struct membership *room, uint64_t name)
{
    for (uint32_t i = 0; i < room->verdicts.count; i++) {
        if (room->verdicts.rings[i]->name == name)
            return room->verdicts.rings[i];
    }
    return NULL;
}

/* A ring for a member that has none: a new one, or that of the longest quiet. */
static struct verdict_ring *ring_new(struct membership *room, uint64_t name)
{
    struct verdicts *verdicts = &room->verdicts;
    struct verdict_ring *ring = NULL;
    if (verdicts->count < VERDICT_MEMBERS_MAX)
        ring = memory_new(&room->context->memory, MEMORY_MEMBERS, sizeof *ring);
    if (ring != NULL) {
        verdicts->rings[verdicts->count++] = ring;
    } else if (verdicts->count > 0) {
        ring = verdicts->rings[0];
        for (uint32_t i = 1; i < verdicts->count; i++) {
            if (verdicts->rings[i]->changed_ns < ring->changed_ns)
                ring = verdicts->rings[i];
        }
    }
    if (ring != NULL)
        *ring = (struct verdict_ring){.name = name};
    return ring;
}

void verdicts_add(struct membership *room, uint32_t who, const struct member_verdict *verdict)
{
    uint64_t name = name_of(room, who);
    struct verdict_ring *ring = find(room, name);
    if (ring == NULL)
        ring = ring_new(room, name);
    if (ring == NULL)
        return;
    const struct suspicion *suspicion = suspects_find(room, who);
    ring->changed_ns = room->context->now_ns;
    if (ring->count == VERDICTS_MAX)
        ring->first = (ring->first + 1) % VERDICTS_MAX;
    else
        ring->count++;
    struct member_verdict *last = &ring->list[(ring->first + ring->count - 1) % VERDICTS_MAX];
    *last = *verdict;
    last->at_ms = room->context->wall_ms;
    if (last->incarnation == 0)
        last->incarnation = members_entry(&room->members, who).incarnation;
    if (last->by == 0)
        last->by = room->context->instance;
    if (last->confirmations == 0 && suspicion != NULL && suspicion->accusers.count > 0)
        last->confirmations = suspicion->accusers.count - 1;
}

const struct member_verdict *verdicts_at(const struct membership *room, uint64_t instance,
                                         uint32_t n)
{
    uint32_t who = members_find(&room->members, instance);
    const struct verdict_ring *ring = who == WHO_NONE ? NULL : find(room, name_of(room, who));
    return ring == NULL || n >= ring->count ? NULL : &ring->list[(ring->first + n) % VERDICTS_MAX];
}

void verdicts_clear(struct membership *room)
{
    for (uint32_t i = 0; i < room->verdicts.count; i++)
        memory_free(&room->context->memory, MEMORY_MEMBERS, room->verdicts.rings[i],
                    sizeof(struct verdict_ring));
    room->verdicts.count = 0;
}
