/* applied.c - a ring in order of time, and a map over it. */
#include "mesh/routing/applied.h"

#include "mesh/base/hashmap.h"

/* A minute is longer than any command lives; 16,384 are 270 a second from all other nodes. */
#define KEEP_NS (UINT64_C(60) * 1000000000)
enum { APPLIED_MAX = 16384 };

struct entry {
    struct hashmap_key id;
    uint64_t at_ns;
    enum error code;
};

struct applied {
    struct context *context;
    uint32_t first, count;
    struct hashmap by_id;
    struct entry entries[APPLIED_MAX];
};

struct applied *applied_new(struct context *context)
{
    struct applied *applied = memory_new(&context->memory, MEMORY_TABLES, sizeof *applied);
    if (applied == NULL)
        return NULL;
    applied->context = context;
    hashmap_init(&applied->by_id, &context->memory, MEMORY_TABLES, random_u64(&context->random));
    return applied;
}

void applied_destroy(struct applied **applied)
{
    struct applied *self = *applied;
    if (self == NULL)
        return;
    hashmap_clear(&self->by_id);
    memory_free(&self->context->memory, MEMORY_TABLES, self, sizeof *self);
    *applied = NULL;
}

static void forget_old(struct applied *applied)
{
    uint64_t now_ns = applied->context->now_ns;
    while (applied->count > 0 && now_ns - applied->entries[applied->first].at_ns >= KEEP_NS) {
        hashmap_remove(&applied->by_id, applied->entries[applied->first].id);
        applied->first = (applied->first + 1) % APPLIED_MAX;
        applied->count--;
    }
}

static struct hashmap_key key_of(struct span id)
{
    struct reader reader;
    reader_init(&reader, id);
    struct hashmap_key key = {.high = reader_u64(&reader)};
    key.low = reader_u64(&reader);
    return key;
}

enum error applied_begin(struct applied *applied, struct span id, bool *is_repeat,
                         enum error *first)
{
    forget_old(applied);
    struct hashmap_key key = key_of(id);
    uint32_t known = hashmap_get(&applied->by_id, key);
    *is_repeat = known != HASHMAP_NONE;
    if (*is_repeat) {
        *first = applied->entries[known].code;
        return ERROR_OK;
    }
    uint32_t at = (applied->first + applied->count) % APPLIED_MAX;
    if (applied->count == APPLIED_MAX || !hashmap_put(&applied->by_id, key, at))
        return ERROR_LIMIT_REACHED;
    applied->entries[at] = (struct entry){.id = key, .at_ns = applied->context->now_ns};
    applied->count++;
    return ERROR_OK;
}

void applied_answer(struct applied *applied, enum error code)
{
    require(applied->count > 0);
    applied->entries[(applied->first + applied->count - 1) % APPLIED_MAX].code = code;
}
