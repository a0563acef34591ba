/* chain.c - see chain.h.
 *
 * (C1) every block of a chain holds at least one run that was not taken out
 * (C2) what is on the free list has the standard size */
#include "mesh/base/chain.h"

#include "mesh/base/require.h"

enum {
    ALIGN = 8,
    /* A dozen small messages. Twice as much and 100,000 waiting sessions hold 200 MiB of blocks;
     * half, and a full frame to a node costs twice the walks over the free list. */
    BLOCK_BYTES = 1024,
    SPARES_MAX = 8192, /* 8 MiB kept for the next burst */
};

struct chain_block {
    struct chain_block *next;
    uint32_t capacity, used, taken; /* bytes; runs lie from taken to used */
    uint32_t unused;
    uint8_t bytes[];
};

struct run {
    uint32_t bytes;   /* this header and padding included */
    uint32_t is_void; /* 0 or 1; as wide as it is, so that the content lies aligned */
    uint8_t content[];
};

enum { CAPACITY = BLOCK_BYTES - sizeof(struct chain_block) };

_Static_assert(sizeof(struct chain_block) % ALIGN == 0, "runs start aligned");
_Static_assert(offsetof(struct run, content) % ALIGN == 0, "a run's content is aligned");

void chain_pool_init(struct chain_pool *pool, struct memory *memory, enum memory_kind kind)
{
    *pool = (struct chain_pool){.memory = memory, .kind = kind};
}

static void block_free(struct chain_pool *pool, struct chain_block *block)
{
    memory_free(pool->memory, pool->kind, block, sizeof *block + block->capacity);
}

void chain_pool_trim(struct chain_pool *pool)
{
    while (pool->spare != NULL) {
        struct chain_block *block = pool->spare;
        pool->spare = block->next;
        block_free(pool, block);
    }
    pool->spares = 0;
}

static struct chain_block *block_new(struct chain_pool *pool, uint32_t capacity)
{
    struct chain_block *block = pool->spare;
    if (capacity <= CAPACITY && block != NULL) {
        pool->spare = block->next;
        pool->spares--;
    } else {
        capacity = capacity <= CAPACITY ? CAPACITY : capacity;
        block = memory_new(pool->memory, pool->kind, sizeof *block + capacity);
        if (block == NULL)
            return NULL;
        block->capacity = capacity;
    }
    block->next = NULL;
    block->used = 0;
    block->taken = 0;
    return block;
}

static void block_release(struct chain_pool *pool, struct chain_block *block)
{
    if (block->capacity != CAPACITY || pool->spares == SPARES_MAX) {
        block_free(pool, block);
        return;
    }
    block->next = pool->spare;
    pool->spare = block;
    pool->spares++;
}

static struct run *run_at(struct chain_block *block, uint32_t at)
{
    void *bytes = &block->bytes[at];
    return bytes;
}

void *chain_push(struct chain_pool *pool, struct chain *chain, size_t bytes)
{
    if (bytes > UINT32_MAX / 2)
        return NULL;
    uint32_t needed = (uint32_t)((sizeof(struct run) + bytes + ALIGN - 1) / ALIGN * ALIGN);
    struct chain_block *block = chain->last;
    if (block == NULL || block->capacity - block->used < needed) {
        block = block_new(pool, needed);
        if (block == NULL)
            return NULL;
        if (chain->last == NULL)
            chain->first = block;
        else
            chain->last->next = block;
        chain->last = block;
    }
    struct run *run = run_at(block, block->used);
    *run = (struct run){.bytes = needed};
    block->used += needed;
    return run->content;
}

void *chain_front(const struct chain *chain)
{
    return chain->first == NULL ? NULL : run_at(chain->first, chain->first->taken)->content;
}

void chain_pop(struct chain_pool *pool, struct chain *chain)
{
    struct chain_block *block = chain->first;
    require(block != NULL);
    block->taken += run_at(block, block->taken)->bytes;
    if (block->taken < block->used)
        return;
    chain->first = block->next;
    if (chain->first == NULL)
        chain->last = NULL;
    block_release(pool, block);
}

void *chain_next(const struct chain *chain, struct chain_place *place)
{
    if (place->block == NULL) {
        if (chain->first == NULL)
            return NULL;
        *place = (struct chain_place){chain->first, chain->first->taken};
    } else if (place->at == place->block->used) {
        if (place->block->next == NULL)
            return NULL;
        *place = (struct chain_place){place->block->next, 0};
    }
    struct run *run = run_at(place->block, place->at);
    place->at += run->bytes;
    return run->content;
}

void chain_void(void *content)
{
    uint8_t *bytes = content;
    void *run = bytes - sizeof(struct run);
    ((struct run *)run)->is_void = 1;
}

/* Where runs go as they move together. */
struct squeeze {
    struct chain_pool *pool;
    struct chain *chain;
    struct chain_block *before, *block; /* the block that takes them, and the one in front of it */
    uint32_t from, at;                  /* its runs lie from `from` to `at` */
};

/* The block is done: its successor takes what comes, and it goes if it took nothing. */
static void squeeze_move_on(struct squeeze *to)
{
    struct chain_block *done = to->block, *next = done->next;
    done->used = to->at;
    if (to->at > to->from) {
        to->before = done;
    } else {
        if (to->before == NULL)
            to->chain->first = next;
        else
            to->before->next = next;
        block_release(to->pool, done);
    }
    to->block = next;
    to->from = 0;
    to->at = 0;
}

/* No run moves forward: the block that takes it is its own, or one in front of it. */
static void squeeze_take(struct squeeze *to, const struct chain_block *its, const struct run *run)
{
    uint32_t bytes = run->bytes;
    while (to->block != its && to->block->capacity - to->at < bytes)
        squeeze_move_on(to);
    memmove(&to->block->bytes[to->at], run, bytes);
    to->at += bytes;
}

void chain_squeeze(struct chain_pool *pool, struct chain *chain, struct chain_place place)
{
    struct chain_block *block = place.block == NULL ? chain->first : place.block;
    if (block == NULL)
        return;
    uint32_t at = place.block == NULL ? block->taken : place.at;
    /* A place in a block stands behind a run that stays: such a block does not go. */
    struct squeeze to = {pool, chain, NULL, block, block->taken, at};
    while (block != NULL) {
        struct chain_block *next = block->next;
        uint32_t end = block->used;
        while (at < end) {
            const struct run *run = run_at(block, at);
            at += run->bytes; /* before it may be written over */
            if (run->is_void == 0)
                squeeze_take(&to, block, run);
        }
        block = next;
        at = 0;
    }
    while (to.block != NULL) {
        squeeze_move_on(&to);
    }
    chain->last = to.before;
}

void chain_clear(struct chain_pool *pool, struct chain *chain)
{
    while (chain->first != NULL)
        chain_pop(pool, chain);
}
