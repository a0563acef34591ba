/* slots.c - see slots.h. Slots come in chunks, so that timers inside them stay where they are. */
#include "client/slots.h"

#include <stdlib.h>

enum { SLOTS_CHUNK = 32 };

void slots_init(struct slots *slots, uint32_t max)
{
    *slots = (struct slots){.max = max};
}

void slots_clear(struct slots *slots, struct timers *timers)
{
    for (uint32_t i = 0; i < slots->chunks_count; i++) {
        for (uint32_t j = 0; j < SLOTS_CHUNK; j++)
            timers_forget(timers, &slots->chunks[i][j].timer);
        free(slots->chunks[i]);
    }
    timers_release(timers, (size_t)slots->chunks_count * SLOTS_CHUNK);
    free(slots->chunks);
    *slots = (struct slots){.max = slots->max};
}

static struct slot *slot_at(const struct slots *slots, uint32_t index)
{
    return &slots->chunks[index / SLOTS_CHUNK][index % SLOTS_CHUNK];
}

/* Adds a chunk; the directory grows with each one, since a chunk is the dearer by far. */
static bool grow(struct slots *slots, struct timers *timers)
{
    size_t count = (size_t)slots->chunks_count + 1;
    struct slot **chunks = realloc(slots->chunks, count * sizeof *chunks);
    if (chunks == NULL)
        return false;
    slots->chunks = chunks;
    struct slot *chunk = calloc(SLOTS_CHUNK, sizeof *chunk);
    if (chunk == NULL)
        return false;
    if (!timers_reserve(timers, SLOTS_CHUNK)) {
        free(chunk);
        return false;
    }
    uint32_t base = slots->chunks_count * SLOTS_CHUNK;
    slots->chunks[slots->chunks_count++] = chunk;
    for (uint32_t i = SLOTS_CHUNK; i > 0; i--) {
        chunk[i - 1].index = base + i - 1;
        chunk[i - 1].next_free = slots->first_free;
        slots->first_free = base + i;
    }
    return true;
}

struct slot *slots_take(struct slots *slots, struct timers *timers, struct weft_client *client,
                        enum slot_kind kind)
{
    if (slots->used >= slots->max)
        return NULL;
    if (slots->first_free == 0 && !grow(slots, timers))
        return NULL;
    struct slot *slot = slot_at(slots, slots->first_free - 1);
    slots->first_free = slot->next_free;
    slots->used++;
    slot->client = client;
    slot->kind = kind;
    slot->is_lost = false;
    slot->generation++;
    return slot;
}

struct slot *slots_find(const struct slots *slots, uint64_t number, enum slot_kind kind)
{
    uint32_t index = (uint32_t)number;
    if (index / SLOTS_CHUNK >= slots->chunks_count)
        return NULL;
    struct slot *slot = slot_at(slots, index);
    if (slot->kind != kind || slot->generation != (uint32_t)(number >> 32))
        return NULL;
    return slot;
}

uint64_t slots_number(const struct slot *slot)
{
    return (uint64_t)slot->generation << 32 | slot->index;
}

void slots_give(struct slots *slots, struct slot *slot)
{
    timers_cancel(&slot->timer);
    slot->kind = SLOT_FREE;
    slot->next_free = slots->first_free;
    slots->first_free = slot->index + 1;
    slots->used--;
}

struct slot *slots_next(const struct slots *slots, uint32_t *index)
{
    uint32_t end = slots->chunks_count * SLOTS_CHUNK;
    while (slots->used > 0 && *index < end) {
        struct slot *slot = slot_at(slots, (*index)++);
        if (slot->kind != SLOT_FREE)
            return slot;
    }
    return NULL;
}
