/* slots.h - gives records small numbers, so that a hash map or a deadline can name them.
 * Memory: 8 bytes a number of MEMORY_DIRECTORY; the records are the caller's and do not move.
 * Thread: one owner. */
#ifndef WEFT_MESH_BASE_SLOTS_H
#define WEFT_MESH_BASE_SLOTS_H

#include "mesh/base/memory.h"

union slots_cell {
    void *record;
    uintptr_t next_free; /* of a free cell: the next one's number; odd, see slots.c */
};

struct slots {
    struct memory *memory;
    union slots_cell *cells;
    uint32_t capacity;
    uint32_t used;  /* cells that were ever used */
    uint32_t count; /* records */
    uint32_t first_free;
};

void slots_init(struct slots *slots, struct memory *memory);
void slots_clear(struct slots *slots); /* forgets all records, frees the numbers */

/* Numbers a record. False when no memory is to be had: unchanged then. O(1) on average. */
bool slots_add(struct slots *slots, void *record, uint32_t *number);

void slots_remove(struct slots *slots, uint32_t number);

/* The record, NULL when the number is not in use. O(1). */
void *slots_get(const struct slots *slots, uint32_t number);

/* Walks all records in order of number: from *number (0 at first); NULL: the end. The record just
 * given may be removed. */
void *slots_next(const struct slots *slots, uint32_t *number);

#endif
