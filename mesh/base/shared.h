/* shared.h - keeps a message that many queues hold: encoded once, counted by reference, freed with
 * the last queue that lets go of it.
 * Memory: MEMORY_QUEUES, once, however many hold it. Small ones come from free lists, so that
 * steady traffic allocates nothing. Thread: one owner. */
#ifndef WEFT_MESH_BASE_SHARED_H
#define WEFT_MESH_BASE_SHARED_H

#include "mesh/base/memory.h"

enum { SHARED_CLASSES = 5 };

/* Head and body, as they are written. Whoever holds it reads the plain members and sets none. */
struct shared {
    uint32_t holders;
    uint32_t bytes;      /* of head and body */
    uint32_t head_bytes; /* of these; shared_new leaves them to whoever writes the head */
    uint32_t size_class; /* SHARED_CLASSES: a size of its own */
    uint32_t counted;    /* audit.c's own; 0 otherwise */
    uint32_t unused;
    uint8_t content[];
};

struct shared_spare;

struct shared_pool {
    struct memory *memory;
    struct shared_spare *spare[SHARED_CLASSES]; /* the free lists */
    size_t spare_bytes;
};

void shared_pool_init(struct shared_pool *pool, struct memory *memory);

/* Gives the free lists back to memory. */
void shared_pool_trim(struct shared_pool *pool);

/* A message of so many bytes, not initialised, with one holder. NULL when no memory is to be had;
 * spare blocks of the pool are then still there. O(1). */
struct shared *shared_new(struct shared_pool *pool, uint32_t bytes);

/* One holder more. */
static inline struct shared *shared_hold(struct shared *message)
{
    message->holders++;
    return message;
}

/* One holder less; the last one frees it. */
void shared_release(struct shared_pool *pool, struct shared *message);

#endif
