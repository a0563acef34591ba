/* chain.h - keeps runs of bytes in the order they came, in pooled blocks: what waits in the outbox.
 * Memory: a chain holds blocks only while it holds runs; emptied blocks go to the pool's free list,
 * so that steady traffic allocates nothing. Runs do not move, but by chain_squeeze.
 * Thread: one owner. */
#ifndef WEFT_MESH_BASE_CHAIN_H
#define WEFT_MESH_BASE_CHAIN_H

#include "mesh/base/memory.h"

struct chain_block;

struct chain_pool {
    struct memory *memory;
    enum memory_kind kind;
    struct chain_block *spare; /* the free list */
    uint32_t spares;
};

/* Zeroed is empty. */
struct chain {
    struct chain_block *first, *last;
};

/* A place between two runs of a chain. Zeroed is before the first. Taking out a run before the
 * place leaves the place valid; taking out the last run before it does not. */
struct chain_place {
    struct chain_block *block;
    uint32_t at;
};

void chain_pool_init(struct chain_pool *pool, struct memory *memory, enum memory_kind kind);

/* Gives the free list back to memory. */
void chain_pool_trim(struct chain_pool *pool);

/* Appends a run; returns its bytes, aligned to 8 and not initialised, or NULL when no memory is to
 * be had (unchanged then). */
void *chain_push(struct chain_pool *pool, struct chain *chain, size_t bytes);

static inline bool chain_is_empty(const struct chain *chain)
{
    return chain->first == NULL;
}

/* The oldest run; NULL when the chain is empty. */
void *chain_front(const struct chain *chain);

/* Takes out the oldest run, of which there must be one. */
void chain_pop(struct chain_pool *pool, struct chain *chain);

/* The run behind the place, which moves on; NULL (and no move) at the end. */
void *chain_next(const struct chain *chain, struct chain_place *place);

/* Says of a run that chain_squeeze takes it out; until then it is there as before. */
void chain_void(void *run);

/* Takes out the runs behind the place of which chain_void said so. Those left there move: pointers
 * to them, and places behind this one, are good no more. Needs no memory. O(bytes behind it). */
void chain_squeeze(struct chain_pool *pool, struct chain *chain, struct chain_place place);

/* Takes out all runs. */
void chain_clear(struct chain_pool *pool, struct chain *chain);

#endif
