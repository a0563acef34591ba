/* memory.c - see memory.h. The count is kept by what was asked for, not by what malloc spends on
 * it: the same on every machine, so that a simulated run and a real one meet their limits at the
 * same step. */
#include "mesh/base/memory.h"

#include <stdlib.h>

#include "mesh/base/require.h"

bool memory_reserve(struct memory *memory, enum memory_kind kind, size_t bytes)
{
    if (bytes > memory->limit[kind] || memory->used[kind] > memory->limit[kind] - bytes)
        return false;
    memory->used[kind] += bytes;
    return true;
}

void memory_release(struct memory *memory, enum memory_kind kind, size_t bytes)
{
    require(memory->used[kind] >= bytes);
    memory->used[kind] -= bytes;
}

void *memory_new(struct memory *memory, enum memory_kind kind, size_t bytes)
{
    if (!memory_reserve(memory, kind, bytes))
        return NULL;
    /* malloc may answer a wish for nothing with NULL, which would read as "none to be had". */
    void *block = calloc(1, bytes == 0 ? 1 : bytes);
    if (block == NULL)
        memory_release(memory, kind, bytes);
    return block;
}

void *memory_resize(struct memory *memory, enum memory_kind kind, void *block, size_t old_bytes,
                    size_t new_bytes)
{
    void *other = memory_new(memory, kind, new_bytes);
    if (other == NULL)
        return NULL;
    if (block != NULL)
        memcpy(other, block, old_bytes < new_bytes ? old_bytes : new_bytes);
    memory_free(memory, kind, block, old_bytes);
    return other;
}

void memory_free(struct memory *memory, enum memory_kind kind, void *block, size_t bytes)
{
    if (block == NULL)
        return;
    memory_release(memory, kind, bytes);
    free(block);
}
