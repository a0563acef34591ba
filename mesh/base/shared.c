/* shared.c - see shared.h. */
#include "mesh/base/shared.h"

#include "mesh/base/require.h"

/* What a block of each class has room for beside its header: 128 to 2,048 bytes in all. Twice as
 * many classes would save an eighth of the memory of small updates; half as many cost it twice.
 * Above the last, a malloc is small beside the copy. */
static const uint32_t class_bytes[SHARED_CLASSES] = {104, 232, 488, 1000, 2024};

/* Kept for the next burst; as much as chain.c keeps. */
enum { SPARE_BYTES_MAX = 8 * 1024 * 1024 };

/* A block on a free list. */
struct shared_spare {
    struct shared_spare *next;
};

void shared_pool_init(struct shared_pool *pool, struct memory *memory)
{
    *pool = (struct shared_pool){.memory = memory};
}

static size_t block_bytes(uint32_t size_class, uint32_t bytes)
{
    return sizeof(struct shared) + (size_class < SHARED_CLASSES ? class_bytes[size_class] : bytes);
}

void shared_pool_trim(struct shared_pool *pool)
{
    for (uint32_t i = 0; i < SHARED_CLASSES; i++) {
        while (pool->spare[i] != NULL) {
            struct shared_spare *spare = pool->spare[i];
            pool->spare[i] = spare->next;
            memory_free(pool->memory, MEMORY_QUEUES, spare, block_bytes(i, 0));
        }
    }
    pool->spare_bytes = 0;
}

struct shared *shared_new(struct shared_pool *pool, uint32_t bytes)
{
    uint32_t size_class = 0;
    while (size_class < SHARED_CLASSES && class_bytes[size_class] < bytes)
        size_class++;
    void *block;
    if (size_class < SHARED_CLASSES && pool->spare[size_class] != NULL) {
        block = pool->spare[size_class];
        pool->spare[size_class] = pool->spare[size_class]->next;
        pool->spare_bytes -= block_bytes(size_class, bytes);
    } else {
        block = memory_new(pool->memory, MEMORY_QUEUES, block_bytes(size_class, bytes));
    }
    struct shared *message = block;
    if (message != NULL)
        *message = (struct shared){.holders = 1, .bytes = bytes, .size_class = size_class};
    return message;
}

void shared_release(struct shared_pool *pool, struct shared *message)
{
    require(message->holders > 0);
    if (--message->holders > 0)
        return;
    uint32_t size_class = message->size_class;
    size_t bytes = block_bytes(size_class, message->bytes);
    if (size_class == SHARED_CLASSES || pool->spare_bytes + bytes > SPARE_BYTES_MAX) {
        memory_free(pool->memory, MEMORY_QUEUES, message, bytes);
        return;
    }
    void *block = message;
    struct shared_spare *spare = block;
    spare->next = pool->spare[size_class];
    pool->spare[size_class] = spare;
    pool->spare_bytes += bytes;
}
