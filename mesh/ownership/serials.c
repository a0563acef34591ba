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

static size_t bytes_of(uint32_t slots, bool has_claims)
{
    size_t slot_bytes = sizeof(uint64_t) + (has_claims ? sizeof(uint32_t) : 0) + sizeof(uint8_t);
    return slots * slot_bytes;
}

/* Empty slots, one block for all. False: no memory. */
static bool slots_make(struct serials *table, uint32_t capacity, uint32_t slots, bool has_claims)
{
    table->capacity = capacity;
    table->slots = slots;
    table->serials = memory_new(table->memory, MEMORY_DIRECTORY, bytes_of(slots, has_claims));
    if (table->serials == NULL)
        return false;
    void *behind = table->serials + slots;
    table->claims = has_claims ? behind : NULL;
    table->states = has_claims ? (uint8_t *)(table->claims + slots) : behind;
    return true;
}

void serials_clear(struct serials *table)
{
    memory_free(table->memory, MEMORY_DIRECTORY, table->serials,
                bytes_of(table->slots, table->claims != NULL));
    serials_init(table, table->memory);
}

static struct serials_value value_at(const struct serials *table, uint32_t slot)
{
    return (struct serials_value){.state = table->states[slot],
                                  .claim = table->claims == NULL ? 0 : table->claims[slot]};
}

static void set_at(struct serials *table, uint32_t slot, uint64_t serial,
                   struct serials_value value)
{
    table->serials[slot] = serial;
    table->states[slot] = value.state;
    if (table->claims != NULL)
        table->claims[slot] = value.claim;
}

/* Moves a run of slots to another place. */
static void shift(struct serials *table, uint32_t from, uint32_t to, uint32_t slots)
{
    memmove(table->serials + to, table->serials + from, slots * sizeof table->serials[0]);
    memmove(table->states + to, table->states + from, slots);
    if (table->claims != NULL)
        memmove(table->claims + to, table->claims + from, slots * sizeof table->claims[0]);
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

struct serials_value serials_get(const struct serials *table, uint64_t serial)
{
    if (table->count == 0)
        return (struct serials_value){0};
    uint32_t slot = slot_of(table, serial);
    return is_at(table, slot, serial) ? value_at(table, slot) : (struct serials_value){0};
}

/* Copies all, in order, into empty slots: into a row one behind the other, into a table each at
 * its home or behind the one before. False: they do not fit. */
static bool fill(struct serials *table, const struct serials *from)
{
    uint32_t next_free = 0;
    for (uint32_t slot = 0; slot < from->slots; slot++) {
        if (from->states[slot] == 0)
            continue;
        uint32_t home = home_of(table, from->serials[slot]);
        uint32_t to = home > next_free ? home : next_free;
        if (to >= table->slots)
            return false;
        set_at(table, to, from->serials[slot], value_at(from, slot));
        table->count++;
        next_free = to + 1;
    }
    return true;
}

/* Moves all into other slots. False: no memory, or they do not fit; unchanged then. */
static bool rebuild(struct serials *table, uint32_t capacity, uint32_t slots, bool has_claims)
{
    struct serials next = {.memory = table->memory};
    if (!slots_make(&next, capacity, slots, has_claims))
        return false;
    if (!fill(&next, table)) {
        serials_clear(&next);
        return false;
    }
    serials_clear(table);
    *table = next;
    return true;
}

static bool table_resize(struct serials *table, uint32_t capacity, bool has_claims)
{
    uint32_t spill = capacity < SPILL_MAX ? capacity : SPILL_MAX;
    return rebuild(table, capacity, capacity + spill, has_claims);
}

static bool grow(struct serials *table)
{
    if (table->capacity == 0)
        return table_resize(table, CAPACITY_MIN, table->claims != NULL);
    if (table->capacity > CAPACITY_MAX)
        return false;
    return table_resize(table, table->capacity + table->capacity / 2, table->claims != NULL);
}

bool serials_append(struct serials *table, uint64_t serial, struct serials_value value)
{
    require(value.state != 0 && table->capacity == 0);
    require(table->count == 0 || table->serials[table->count - 1] < serial);
    bool has_claims = table->claims != NULL || value.claim != 0;
    bool is_full = table->count == table->slots;
    uint32_t slots = table->slots + (is_full ? table->slots / 2 + CAPACITY_MIN : 0);
    bool fits = !is_full && has_claims == (table->claims != NULL);
    if (!fits && (slots > CAPACITY_MAX || !rebuild(table, 0, slots, has_claims)))
        return false;
    set_at(table, table->count, serial, value);
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
    bool has_claims = table->claims != NULL;
    return table_resize(table, capacity, has_claims) ||
           table_resize(table, 2 * capacity, has_claims);
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
static bool insert(struct serials *table, uint64_t serial, struct serials_value value)
{
    if (table->count >= table->capacity / 4 * 3)
        return false;
    uint32_t slot = slot_of(table, serial);
    uint32_t empty = slot < table->slots ? empty_from(table, slot) : table->slots;
    if (empty >= table->slots || slot - home_of(table, serial) > CROWD_MAX)
        return false;
    shift(table, slot, slot + 1, empty - slot);
    set_at(table, slot, serial, value);
    table->count++;
    return true;
}

bool serials_put(struct serials *table, uint64_t serial, struct serials_value value,
                 struct serials_value *before)
{
    require(value.state != 0 && (table->capacity > 0 || table->count == 0));
    *before = (struct serials_value){0};
    if (value.claim != 0 && table->claims == NULL &&
        !table_resize(table, table->capacity == 0 ? CAPACITY_MIN : table->capacity, true))
        return false;
    uint32_t slot = slot_of(table, serial);
    if (is_at(table, slot, serial)) {
        *before = value_at(table, slot);
        set_at(table, slot, serial, value);
        return true;
    }
    while (!insert(table, serial, value)) {
        bool is_crowded = table->capacity > CAPACITY_MIN && table->count < table->capacity / 8;
        if (is_crowded || !grow(table))
            return false;
    }
    return true;
}

/* A table that is mostly empty is made smaller; without memory for that it stays large. */
static void shrink(struct serials *table)
{
    if (table->count == 0)
        serials_clear(table);
    else if (table->capacity > CAPACITY_MIN && table->count < table->capacity / 8)
        (void)table_resize(table, table->capacity / 2, table->claims != NULL);
}

struct serials_value serials_remove(struct serials *table, uint64_t serial)
{
    uint32_t slot = table->count == 0 ? 0 : slot_of(table, serial);
    if (table->count == 0 || !is_at(table, slot, serial))
        return (struct serials_value){0};
    struct serials_value before = value_at(table, slot);
    uint32_t end = slot + 1;
    while (end < table->slots && table->states[end] != 0 &&
           home_of(table, table->serials[end]) < end)
        end++;
    shift(table, slot + 1, slot, end - slot - 1);
    table->states[end - 1] = 0;
    table->count--;
    shrink(table);
    return before;
}

bool serials_next(const struct serials *table, uint32_t *position, uint64_t *serial,
                  struct serials_value *value)
{
    while (*position < table->slots && table->states[*position] == 0)
        (*position)++;
    if (*position >= table->slots)
        return false;
    *serial = table->serials[*position];
    *value = value_at(table, *position);
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
