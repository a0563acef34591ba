/* scratch.c - see scratch.h. */
#include "mesh/base/scratch.h"

#include "mesh/base/require.h"

#include <stdalign.h>

struct scratch_block {
    alignas(16) struct scratch_block *next;
    void *adopted; /* a block of another kind, or NULL: the bytes behind this header */
    size_t adopted_bytes;
    size_t bytes; /* of this block with its header */
    enum memory_kind adopted_kind;
};

void scratch_init(struct scratch *scratch, struct memory *memory)
{
    *scratch = (struct scratch){.memory = memory};
}

static struct scratch_block *block_new(struct scratch *scratch, size_t bytes)
{
    if (bytes > SIZE_MAX - sizeof(struct scratch_block))
        return NULL;
    bytes += sizeof(struct scratch_block);
    struct scratch_block *block = memory_new(scratch->memory, MEMORY_QUEUES, bytes);
    if (block == NULL)
        return NULL;
    block->bytes = bytes;
    block->next = scratch->first;
    scratch->first = block;
    return block;
}

void *scratch_new(struct scratch *scratch, size_t bytes)
{
    struct scratch_block *block = block_new(scratch, bytes == 0 ? 1 : bytes);
    return block == NULL ? NULL : block + 1;
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

void scratch_adopt(struct scratch *scratch, enum memory_kind kind, void *block, size_t bytes)
{
    if (block == NULL)
        return;
    struct scratch_block *holder = block_new(scratch, 0);
    /* A few bytes past every limit are refused too; whoever adopts can't be told no. The block
     * then stays counted and allocated until the process ends, which is visible, not wrong. */
    if (holder == NULL)
        return;
    holder->adopted = block;
    holder->adopted_bytes = bytes;
    holder->adopted_kind = kind;
}

void scratch_clear(struct scratch *scratch)
{
    while (scratch->first != NULL) {
        struct scratch_block *block = scratch->first;
        scratch->first = block->next;
        memory_free(scratch->memory, block->adopted_kind, block->adopted, block->adopted_bytes);
        memory_free(scratch->memory, MEMORY_QUEUES, block, block->bytes);
    }
}
