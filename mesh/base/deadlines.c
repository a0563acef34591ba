/* deadlines.c - see deadlines.h. A hierarchical timing wheel (Varghese and Lauck 1987) of eight
 * levels with 64 slots: level 0 holds single ticks, each higher level 64 times as much. Together
 * they reach past the end of 64-bit nanoseconds, so that no entry is ever too far away.
 *
 * An entry sits on the level of the highest 6-bit digit in which its tick differs from `current`.
 * When `current` comes to the start of a slot on a higher level, the slot's entries are placed
 * again, lower; on level 0 they are due. Each entry moves at most once a level. A bit for each slot
 * that is not empty makes finding the next one a matter of eight words, however far it is: time may
 * jump by years at the cost of one step.
 *
 * (D1) `current` is the last tick whose entries were made due; every entry in a slot is later
 * (D2) a slot's bit is set exactly when the slot holds an entry
 * (D3) on its level, a slot in use lies after the digit of `current`: nothing wraps around
 * (D4) slots keep the order of setting; entries of one tick are always in the same slot */
#include "mesh/base/deadlines.h"

#include "mesh/base/require.h"

enum {
    TICK_BITS = 20, /* 1.05 ms: below what a request's time-out or a probe can notice */
    DIGIT_BITS = 6, /* 64 slots a level: their bits are one word */
    SLOTS = 64,
    LEVELS = 8, /* 48 bits of ticks; 64-bit nanoseconds have 44 */
    SLOT_DUE = LEVELS * SLOTS,
    LOOKS_MAX = 4, /* entries of a slot that are looked at for the earliest of them */
};

#define TICK_MAX (UINT64_MAX >> TICK_BITS)

/* The lists are rings around an entry of our own, whose `slot` says which list it is. */
struct deadlines {
    uint64_t current; /* tick */
    uint64_t bits[LEVELS];
    struct deadline slots[LEVELS * SLOTS];
    struct deadline due;
};

size_t deadlines_bytes(void)
{
    return sizeof(struct deadlines);
}

static void ring_init(struct deadline *ring, uint32_t slot)
{
    ring->next = ring;
    ring->previous = ring;
    ring->slot = slot;
}

void deadlines_init(struct deadlines *deadlines, uint64_t now_ns)
{
    memset(deadlines, 0, sizeof *deadlines);
    deadlines->current = now_ns >> TICK_BITS;
    for (uint32_t i = 0; i < LEVELS * SLOTS; i++)
        ring_init(&deadlines->slots[i], i);
    ring_init(&deadlines->due, SLOT_DUE);
}

static void ring_append(struct deadline *ring, struct deadline *entry)
{
    entry->next = ring;
    entry->previous = ring->previous;
    ring->previous->next = entry;
    ring->previous = entry;
}

/* The first tick at which the time has passed: rounded up, so that nothing is early. */
static uint64_t tick_of(uint64_t at_ns)
{
    uint64_t tick = at_ns >> TICK_BITS;
    bool is_between = (at_ns & ((UINT64_C(1) << TICK_BITS) - 1)) != 0;
    return is_between && tick < TICK_MAX ? tick + 1 : tick;
}

/* Puts an entry where its tick, not before `current`, belongs. */
static void entry_place(struct deadlines *deadlines, struct deadline *entry, uint64_t tick)
{
    uint64_t differing = tick ^ deadlines->current;
    if (differing == 0) {
        ring_append(&deadlines->due, entry);
        return;
    }
    unsigned level = (63 - (unsigned)__builtin_clzll(differing)) / DIGIT_BITS;
    unsigned slot = (unsigned)(tick >> (level * DIGIT_BITS)) % SLOTS;
    ring_append(&deadlines->slots[level * SLOTS + slot], entry);
    deadlines->bits[level] |= UINT64_C(1) << slot;
}

void deadlines_set(struct deadlines *deadlines, struct deadline *entry, uint64_t at_ns)
{
    deadlines_cancel(deadlines, entry);
    entry->at_ns = at_ns;
    /* What is due already waits for the next tick: whoever sets an entry again and again to "now"
     * does not keep the caller of deadlines_next_due for ever. */
    uint64_t tick = tick_of(at_ns);
    entry_place(deadlines, entry, tick > deadlines->current ? tick : deadlines->current + 1);
}

void deadlines_cancel(struct deadlines *deadlines, struct deadline *entry)
{
    if (entry->next == NULL)
        return;
    struct deadline *before = entry->previous;
    entry->next->previous = before;
    before->next = entry->next;
    bool was_last = before->next == before;
    if (was_last && before->slot < SLOT_DUE)
        deadlines->bits[before->slot / SLOTS] &= ~(UINT64_C(1) << before->slot % SLOTS);
    entry->next = NULL;
    entry->previous = NULL;
}

bool deadline_is_set(const struct deadline *entry)
{
    return entry->next != NULL;
}

/* Finds the slot that is reached first; returns SLOT_DUE when all are empty. By (D3) a lower level
 * comes before a higher one, and a lower bit before a higher one. */
static uint32_t slot_first(const struct deadlines *deadlines, uint64_t *tick)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        if (deadlines->bits[level] == 0)
            continue;
        unsigned slot = (unsigned)__builtin_ctzll(deadlines->bits[level]);
        unsigned above = (level + 1) * DIGIT_BITS;
        *tick = (deadlines->current >> above << above) | (uint64_t)slot << (level * DIGIT_BITS);
        return level * SLOTS + slot;
    }
    return SLOT_DUE;
}

/* `current` has come to the start of this slot: its entries are due or go to a lower level. */
static void slot_empty(struct deadlines *deadlines, uint32_t slot)
{
    struct deadline *ring = &deadlines->slots[slot];
    while (ring->next != ring) {
        struct deadline *entry = ring->next;
        deadlines_cancel(deadlines, entry);
        uint64_t tick = tick_of(entry->at_ns);
        entry_place(deadlines, entry, tick > deadlines->current ? tick : deadlines->current);
    }
}

struct deadline *deadlines_next_due(struct deadlines *deadlines, uint64_t now_ns)
{
    uint64_t now = now_ns >> TICK_BITS;
    while (deadlines->due.next == &deadlines->due) {
        uint64_t tick = 0;
        uint32_t slot = slot_first(deadlines, &tick);
        if (slot == SLOT_DUE || tick > now) {
            if (deadlines->current < now)
                deadlines->current = now;
            return NULL;
        }
        require(tick > deadlines->current);
        deadlines->current = tick;
        slot_empty(deadlines, slot);
    }
    struct deadline *entry = deadlines->due.next;
    deadlines_cancel(deadlines, entry);
    return entry;
}

/* The earliest tick in a slot that begins with `start`. A slot of a higher level reaches far: a
 * thread that sleeps would wake at its start, and at that of each slot below, for nothing. Where
 * entries are few they are asked. */
static uint64_t slot_earliest(const struct deadline *ring, uint64_t start)
{
    const struct deadline *entry = ring->next;
    uint64_t earliest = UINT64_MAX;
    for (int looks = 0; entry != ring; looks++, entry = entry->next) {
        if (looks == LOOKS_MAX)
            return start;
        uint64_t tick = tick_of(entry->at_ns);
        earliest = tick < earliest ? tick : earliest;
    }
    return earliest < start ? start : earliest;
}

uint64_t deadlines_earliest_ns(const struct deadlines *deadlines)
{
    uint64_t tick = 0;
    if (deadlines->due.next != &deadlines->due)
        return deadlines->current << TICK_BITS;
    uint32_t slot = slot_first(deadlines, &tick);
    if (slot == SLOT_DUE)
        return UINT64_MAX;
    return slot_earliest(&deadlines->slots[slot], tick) << TICK_BITS;
}
