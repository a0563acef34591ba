/* context.c - see context.h. */
#include "mesh/base/context.h"

#define MEBIBYTE (UINT64_C(1) << 20)

/* Links beyond the members': seeds are dialled by address before anybody knows who is there. */
enum { LINKS_SPARE = MESH_SEEDS_MAX * MESH_ADDRESSES_PER_SEED_MAX };

/* Tables and directory are bounded by their own capacities; these limits are the second fence, at
 * ten times what 100,000 sessions here and 1,000,000 in the mesh need. */
static void limits_set(struct memory *memory, const struct mesh_config *config)
{
    memory->limit[MEMORY_TABLES] = 2048 * MEBIBYTE;
    memory->limit[MEMORY_QUEUES] = config->queue_memory_max;
    memory->limit[MEMORY_PROPERTIES] = config->property_memory_max;
    memory->limit[MEMORY_DIRECTORY] = 1024 * MEBIBYTE;
    memory->limit[MEMORY_TOPICS] = config->topic_memory_max;
    memory->limit[MEMORY_MEMBERS] = 512 * MEBIBYTE;
}

/* 0 means "not known" in frames and tables. */
static uint64_t instance_draw(const uint8_t seed[MESH_SEED_BYTES])
{
    struct random random;
    random_init(&random, seed, CONTEXT_STREAM_INSTANCE);
    uint64_t instance;
    do {
        instance = random_u64(&random);
    } while (instance == 0);
    return instance;
}

bool context_init(struct context *context, const struct mesh_config *config)
{
    context->config = config;
    context->instance = instance_draw(config->random_seed);
    context->mesh_hash = mesh_name_hash(span_text(config->cluster));
    limits_set(&context->memory, config);
    scratch_init(&context->scratch, &context->memory);
    random_init(&context->random, config->random_seed, CONTEXT_STREAM_ROOMS);
    context->deadlines = memory_new(&context->memory, MEMORY_TABLES, deadlines_bytes());
    context->outbox = outbox_new(&context->memory);
    if (context->deadlines != NULL)
        deadlines_init(context->deadlines, 0);
    if (context->outbox != NULL)
        context->links = links_new(context, config->gossip.members_max + LINKS_SPARE);
    if (context->deadlines != NULL && context->links != NULL)
        return true;
    context_clear(context);
    return false;
}

void context_clear(struct context *context)
{
    scratch_clear(&context->scratch);
    if (context->links != NULL)
        links_destroy(&context->links);
    outbox_destroy(&context->outbox);
    memory_free(&context->memory, MEMORY_TABLES, context->deadlines, deadlines_bytes());
    context->deadlines = NULL;
    for (enum memory_kind kind = 0; kind < MEMORY_KINDS; kind++)
        require(context->memory.used[kind] == 0);
}
