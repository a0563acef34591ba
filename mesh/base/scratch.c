/* scratch.c - see scratch.h. */
#include "mesh/base/scratch.h"

#include "mesh/base/require.h"

#include <stdalign.h>

struct scratch_block {
    alignas(16) struct scratch_block *next;
    size_t bytes; /* with this header */
};

void scratch_init(struct scratch *scratch, struct memory *memory)
{
    *scratch = (struct scratch){.memory = memory};
}

void *scratch_new(struct scratch *scratch, size_t bytes)
{
    if (bytes >= SIZE_MAX - sizeof(struct scratch_block))
        return NULL;
    bytes += sizeof(struct scratch_block) + 1;
    struct scratch_block *block = memory_new(scratch->memory, MEMORY_QUEUES, bytes);
    if (block == NULL)
        return NULL;
    block->bytes = bytes;
    block->next = scratch->first;
    scratch->first = block;
    return block + 1;
}

struct span scratch_copy(struct scratch *scratch, struct span bytes)
{
    void *copy = scratch_new(scratch, bytes.bytes);
    if (copy == NULL)
        return (struct span){0};
    if (bytes.bytes > 0)
        memcpy(copy, bytes.data, bytes.bytes);
    return span_of(copy, bytes.bytes);
}

void scratch_clear(struct scratch *scratch)
{
    while (scratch->first != NULL) {
        struct scratch_block *block = scratch->first;
        scratch->first = block->next;
        memory_free(scratch->memory, MEMORY_QUEUES, block, block->bytes);
    }
}
