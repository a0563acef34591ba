/* test_context.c - what all rooms share is made from the configuration alone. */
#include <criterion/criterion.h>

#include "mesh/base/context.h"

static struct mesh_config config_of(uint8_t seed)
{
    struct mesh_config config;
    mesh_config_defaults(&config);
    config.cluster = "test";
    config.random_seed[0] = seed;
    return config;
}

Test(context, is_the_same_for_the_same_seed_and_another_for_another)
{
    const struct mesh_config config = config_of(1);
    const struct mesh_config other = config_of(2);
    struct context contexts[3] = {0};
    cr_assert(context_init(&contexts[0], &config));
    cr_assert(context_init(&contexts[1], &config));
    cr_assert(context_init(&contexts[2], &other));
    cr_assert_neq(contexts[0].instance, 0);
    cr_assert_eq(contexts[0].instance, contexts[1].instance);
    cr_assert_neq(contexts[0].instance, contexts[2].instance);
    cr_assert_eq(contexts[0].mesh_hash, mesh_name_hash(span_text("test")));
    cr_assert_eq(random_u64(&contexts[0].random), random_u64(&contexts[1].random));
    cr_assert_neq(random_u64(&contexts[0].random), random_u64(&contexts[2].random));
    for (size_t i = 0; i < 3; i++)
        context_clear(&contexts[i]);
}

Test(context, is_cleared_to_the_last_byte)
{
    const struct mesh_config config = config_of(1);
    struct context context = {0};
    cr_assert(context_init(&context, &config));
    cr_assert_not_null(links_open(context.links, span_text("a:1")));
    cr_assert_not_null(scratch_new(&context.scratch, 100));
    context_clear(&context);
    for (enum memory_kind kind = 0; kind < MEMORY_KINDS; kind++)
        cr_assert_eq(context.memory.used[kind], 0);
    context_clear(&context);
}
