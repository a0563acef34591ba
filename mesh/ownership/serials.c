/* serials.c - see serials.h.
 *
 * An ordered hash table (Amble, Knuth 1974): serials are unpredictable, so they are their own hash;
 * the home slot is serial * capacity / 2^64, which grows with the serial, and linear probing keeps
 * the order. So the slots, empty ones left out, are sorted by serial: a snapshot can be read by
 * ranges of serials while the table changes, and gone on with at another node.
 *
 *     home(serial) .. slot:  no empty slot between, no greater serial before
 *
 * Filling it in order would crowd the lowest slots, as all that is above is still to come: a
 * snapshot is first kept as a row (capacity 0) and becomes a table when its size is known.
 *
 * There is no wrapping around: a few slots behind the last home take what spills over.
 * A node that chose its serials to crowd a few slots would make its own table slow: a run longer
 * than CROWD_MAX makes the table grow, and below 1/8 full it is refused.
 *
 * Invariants:
 * (T1) Occupied slots ascend strictly by serial.
 * (T2) Between a serial's home and its slot no slot is empty; slot >= home. */
#include "mesh/ownership/serials.h"

#include "mesh/base/require.h"

enum {
    CAPACITY_MIN = 16,
    SPILL_MAX = 256, /* slots behind the last home */
    CROWD_MAX = 200, /* 10^5 honest serials meet it at about 2/3 full, and grow a little early */
};

#define CAPACITY_MAX (UINT32_MAX / 4)

void serials_init(struct serials *table, struct memory *memory)
{
    *table = (struct serials){.memory = memory};
}

static size_t bytes_of(uint32_t slots)
{
    return (size_t)slots * (sizeof(uint64_t) + sizeof(uint8_t));
}

void serials_clear(struct serials *table)
{
    memory_free(table->memory, MEMORY_DIRECTORY, table->serials, bytes_of(table->slots));
    serials_init(table, table->memory);
}

/* Where the serial would be in an otherwise empty table: its high bits, scaled. */
static uint32_t home_of(const struct serials *table, uint64_t serial)
{
    uint64_t high = (serial >> 32) * table->capacity;
    uint64_t low = (serial & UINT32_MAX) * table->capacity >> 32;
    return (uint32_t)((high + low) >> 32);
}

/* The slot of the serial, or the one where it belongs. */
static uint32_t slot_of(const struct serials *table, uint64_t serial)
{
    uint32_t slot = home_of(table, serial);
    while (slot < table->slots && table->states[slot] != 0 && table->serials[slot] < serial)
        slot++;
    return slot;
}

static bool is_at(const struct serials *table, uint32_t slot, uint64_t serial)
{
    return slot < table->slots && table->states[slot] != 0 && table->serials[slot] == serial;
}

uint8_t serials_get(const struct serials *table, uint64_t serial)
{
    if (table->count == 0)
        return 0;
    uint32_t slot = slot_of(table, serial);
    return is_at(table, slot, serial) ? table->states[slot] : 0;
}

/* Puts a serial above all that are in the table behind them; for filling in order. */
static bool fill(struct serials *table, uint32_t *next_free, uint64_t serial, uint8_t state)
{
    uint32_t home = home_of(table, serial);
    uint32_t slot = home > *next_free ? home : *next_free;
    if (slot >= table->slots)
        return false;
    table->serials[slot] = serial;
    table->states[slot] = state;
    table->count++;
    *next_free = slot + 1;
    return true;
}

/* Moves all into a table of another capacity. False: no memory, or they do not fit. */
static bool rebuild(struct serials *table, uint32_t capacity)
{
    uint32_t spill = capacity < SPILL_MAX ? capacity : SPILL_MAX;
    struct serials next = {
        .memory = table->memory, .capacity = capacity, .slots = capacity + spill};
    next.serials = memory_new(table->memory, MEMORY_DIRECTORY, bytes_of(next.slots));
    if (next.serials == NULL)
        return false;
    next.states = (uint8_t *)(next.serials + next.slots);
    uint32_t next_free = 0;
    for (uint32_t slot = 0; slot < table->slots; slot++) {
        if (table->states[slot] == 0)
            continue;
        if (!fill(&next, &next_free, table->serials[slot], table->states[slot])) {
            serials_clear(&next);
            return false;
        }
    }
    serials_clear(table);
    *table = next;
    return true;
}

static bool grow(struct serials *table)
{
    if (table->capacity == 0)
        return rebuild(table, CAPACITY_MIN);
    if (table->capacity > CAPACITY_MAX)
        return false;
    return rebuild(table, table->capacity + table->capacity / 2);
}

/* A row of so many slots, the first `count` filled. */
static bool row_resize(struct serials *table, uint32_t slots)
{
    struct serials next = {.memory = table->memory, .slots = slots, .count = table->count};
    next.serials = memory_new(table->memory, MEMORY_DIRECTORY, bytes_of(slots));
    if (next.serials == NULL)
        return false;
    next.states = (uint8_t *)(next.serials + slots);
    if (table->count > 0) {
        memcpy(next.serials, table->serials, table->count * sizeof table->serials[0]);
        memcpy(next.states, table->states, table->count);
    }
    serials_clear(table);
    *table = next;
    return true;
}

bool serials_append(struct serials *table, uint64_t serial, uint8_t state)
{
    require(state != 0 && table->capacity == 0);
    require(table->count == 0 || table->serials[table->count - 1] < serial);
    if (table->count == table->slots) {
        uint32_t slots = table->slots + table->slots / 2 + CAPACITY_MIN;
        if (slots > CAPACITY_MAX || !row_resize(table, slots))
            return false;
    }
    table->serials[table->count] = serial;
    table->states[table->count] = state;
    table->count++;
    return true;
}

bool serials_settle(struct serials *table)
{
    if (table->capacity != 0 || table->count == 0)
        return true;
    uint32_t capacity = table->count + table->count / 2;
    if (capacity < CAPACITY_MIN)
        capacity = CAPACITY_MIN;
    return rebuild(table, capacity) || rebuild(table, 2 * capacity);
}

/* The first empty slot at or behind this one; `slots` when a crowd or the end is in the way. */
static uint32_t empty_from(const struct serials *table, uint32_t slot)
{
    uint32_t end = table->slots - slot < CROWD_MAX ? table->slots : slot + CROWD_MAX;
    while (slot < end && table->states[slot] != 0)
        slot++;
    return slot < end ? slot : table->slots;
}

/* Makes room at the slot for the serial. False: it needs a larger table. */
static bool insert(struct serials *table, uint64_t serial, uint8_t state)
{
    if (table->count >= table->capacity / 4 * 3)
        return false;
    uint32_t slot = slot_of(table, serial);
    uint32_t empty = slot < table->slots ? empty_from(table, slot) : table->slots;
    if (empty >= table->slots || slot - home_of(table, serial) > CROWD_MAX)
        return false;
    uint32_t moved = empty - slot;
    memmove(table->serials + slot + 1, table->serials + slot, moved * sizeof table->serials[0]);
    memmove(table->states + slot + 1, table->states + slot, moved);
    table->serials[slot] = serial;
    table->states[slot] = state;
    table->count++;
    return true;
}

bool serials_put(struct serials *table, uint64_t serial, uint8_t state, uint8_t *before)
{
    require(state != 0 && (table->capacity > 0 || table->count == 0));
    *before = 0;
    uint32_t slot = slot_of(table, serial);
    if (is_at(table, slot, serial)) {
        *before = table->states[slot];
        table->states[slot] = state;
        return true;
    }
    while (!insert(table, serial, state)) {
        bool is_crowded = table->capacity > CAPACITY_MIN && table->count < table->capacity / 8;
        if (is_crowded || !grow(table))
            return false;
    }
    return true;
}

uint8_t serials_remove(struct serials *table, uint64_t serial)
{
    if (table->count == 0)
        return 0;
    uint32_t slot = slot_of(table, serial);
    if (!is_at(table, slot, serial))
        return 0;
    uint8_t before = table->states[slot];
    uint32_t next = slot + 1;
    while (next < table->slots && table->states[next] != 0 &&
           home_of(table, table->serials[next]) < next) {
        table->serials[next - 1] = table->serials[next];
        table->states[next - 1] = table->states[next];
        next++;
    }
    table->states[next - 1] = 0;
    table->count--;
    if (table->count == 0)
        serials_clear(table);
    else if (table->capacity > CAPACITY_MIN && table->count < table->capacity / 8)
        (void)rebuild(table, table->capacity / 2); /* no memory: it stays large */
    return before;
}

bool serials_next(const struct serials *table, uint32_t *position, uint64_t *serial, uint8_t *state)
{
    while (*position < table->slots && table->states[*position] == 0)
        (*position)++;
    if (*position >= table->slots)
        return false;
    *serial = table->serials[*position];
    *state = table->states[*position];
    (*position)++;
    return true;
}

uint32_t serials_seek(const struct serials *table, uint64_t above)
{
    if (table->count == 0)
        return 0;
    uint32_t slot = slot_of(table, above);
    return is_at(table, slot, above) ? slot + 1 : slot;
}
