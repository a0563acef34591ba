/* slots.c - see slots.h.
 *
 * A free cell holds the number of the next free one, shifted and odd: no record lies at an odd
 * address, so one word tells both. */
#include "mesh/base/slots.h"

#include "mesh/base/require.h"

enum { SLOTS_AT_FIRST = 16 };

#define SLOTS_MAX (UINT32_MAX / 4)
#define NONE UINT32_MAX

void slots_init(struct slots *slots, struct memory *memory)
{
    *slots = (struct slots){.memory = memory, .first_free = NONE};
}

void slots_clear(struct slots *slots)
{
    memory_free(slots->memory, MEMORY_DIRECTORY, slots->cells,
                slots->capacity * sizeof slots->cells[0]);
    slots_init(slots, slots->memory);
}

static bool grow(struct slots *slots)
{
    if (slots->capacity > SLOTS_MAX)
        return false;
    uint32_t capacity = slots->capacity == 0 ? SLOTS_AT_FIRST : 2 * slots->capacity;
    union slots_cell *cells =
        memory_resize(slots->memory, MEMORY_DIRECTORY, slots->cells,
                      slots->capacity * sizeof cells[0], capacity * sizeof cells[0]);
    if (cells == NULL)
        return false;
    slots->cells = cells;
    slots->capacity = capacity;
    return true;
}

static bool is_free(union slots_cell cell)
{
    return (cell.next_free & 1) != 0;
}

bool slots_add(struct slots *slots, void *record, uint32_t *number)
{
    require(record != NULL);
    if (slots->first_free != NONE) {
        *number = slots->first_free;
        slots->first_free = (uint32_t)(slots->cells[*number].next_free >> 1);
    } else {
        if (slots->used == slots->capacity && !grow(slots))
            return false;
        *number = slots->used++;
    }
    slots->cells[*number].record = record;
    slots->count++;
    return true;
}

void slots_remove(struct slots *slots, uint32_t number)
{
    require(slots_get(slots, number) != NULL);
    slots->cells[number].next_free = (uintptr_t)slots->first_free << 1 | 1;
    slots->first_free = number;
    slots->count--;
}

void *slots_get(const struct slots *slots, uint32_t number)
{
    if (number >= slots->used || is_free(slots->cells[number]))
        return NULL;
    return slots->cells[number].record;
}

void *slots_next(const struct slots *slots, uint32_t *number)
{
    while (*number < slots->used) {
        void *record = slots_get(slots, (*number)++);
        if (record != NULL)
            return record;
    }
    return NULL;
}
