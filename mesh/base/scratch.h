/* scratch.h - memory that lives until the current pull ends: bodies made for answers, bodies taken
 * back from a queue. Not on the path of a request that goes well.
 * Memory: blocks of MEMORY_QUEUES, freed together by scratch_clear. Thread: one owner. */
#ifndef WEFT_MESH_BASE_SCRATCH_H
#define WEFT_MESH_BASE_SCRATCH_H

#include "mesh/base/memory.h"

struct scratch_block;

struct scratch {
    struct memory *memory;
    struct scratch_block *first;
};

void scratch_init(struct scratch *scratch, struct memory *memory);

/* Zeroed bytes, at least one; NULL when the limit of MEMORY_QUEUES is reached. */
void *scratch_new(struct scratch *scratch, size_t bytes);

/* A copy of the bytes; its data is NULL when there is no memory, also for an empty span. */
struct span scratch_copy(struct scratch *scratch, struct span bytes);

/* The pull has ended: nothing points here any more. */
void scratch_clear(struct scratch *scratch);

#endif
