/* test_chain.c - runs come out as they went in, and blocks are used again. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "mesh/base/chain.h"
#include "mesh/base/random.h"

static void push(struct chain_pool *pool, struct chain *chain, uint32_t number, size_t bytes)
{
    uint8_t *run = chain_push(pool, chain, bytes + sizeof number);
    cr_assert_not_null(run);
    cr_assert_eq((uintptr_t)run % 8, 0);
    memcpy(run, &number, sizeof number);
    memset(&run[sizeof number], (int)number, bytes);
}

static uint32_t number_of(const void *run)
{
    uint32_t number;
    memcpy(&number, run, sizeof number);
    return number;
}

Test(chain, is_first_in_first_out_whatever_the_sizes)
{
    const uint8_t seed[32] = {3};
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 64 << 20}};
    struct random random;
    struct chain_pool pool;
    struct chain chain = {0};
    uint32_t in = 0;
    uint32_t out = 0;
    random_init(&random, seed, 0);
    chain_pool_init(&pool, &memory, MEMORY_QUEUES);
    for (int step = 0; step < 20000; step++) {
        bool is_rare = random_below(&random, 50) == 0;
        if (random_below(&random, 100) < (step < 10000 ? 60U : 40U))
            push(&pool, &chain, in++, random_below(&random, is_rare ? 70000 : 200));
        else if (out < in) {
            cr_assert_eq(number_of(chain_front(&chain)), out);
            chain_pop(&pool, &chain);
            out++;
        }
        cr_assert_eq(chain_is_empty(&chain), in == out);
    }
    for (; out < in; out++) {
        cr_assert_eq(number_of(chain_front(&chain)), out);
        chain_pop(&pool, &chain);
    }
    cr_assert_null(chain_front(&chain));
    chain_pool_trim(&pool);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}

Test(chain, in_steady_use_takes_no_new_memory)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1 << 20}};
    struct chain_pool pool;
    struct chain chain = {0};
    chain_pool_init(&pool, &memory, MEMORY_QUEUES);
    for (uint32_t round = 0; round < 1000; round++) {
        for (uint32_t i = 0; i < 100; i++)
            push(&pool, &chain, i, 40);
        if (round == 0)
            memory.limit[MEMORY_QUEUES] = memory.used[MEMORY_QUEUES];
        chain_clear(&pool, &chain);
        cr_assert_null(chain.last);
    }
    chain_pool_trim(&pool);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}

Test(chain, without_memory_refuses_and_stays_as_it_was)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1500}};
    struct chain_pool pool;
    struct chain chain = {0};
    chain_pool_init(&pool, &memory, MEMORY_QUEUES);
    push(&pool, &chain, 1, 500);
    cr_assert_null(chain_push(&pool, &chain, 800));
    cr_assert_null(chain_push(&pool, &chain, SIZE_MAX));
    push(&pool, &chain, 2, 100);
    chain_pop(&pool, &chain);
    cr_assert_eq(number_of(chain_front(&chain)), 2);
    chain_clear(&pool, &chain);
    chain_pool_trim(&pool);
}

Test(chain, a_place_goes_on_where_it_was_while_runs_come_and_go)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1 << 20}};
    struct chain_pool pool;
    struct chain chain = {0};
    struct chain_place place = {0};
    chain_pool_init(&pool, &memory, MEMORY_QUEUES);
    cr_assert_null(chain_next(&chain, &place));
    uint32_t in = 0;
    for (; in < 10; in++)
        push(&pool, &chain, in, 300);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert_eq(number_of(chain_next(&chain, &place)), i);
    cr_assert_null(chain_next(&chain, &place));
    for (uint32_t i = 0; i < 9; i++)
        chain_pop(&pool, &chain);
    for (; in < 20; in++)
        push(&pool, &chain, in, 300);
    for (uint32_t i = 10; i < 20; i++)
        cr_assert_eq(number_of(chain_next(&chain, &place)), i);
    cr_assert_null(chain_next(&chain, &place));
    chain_clear(&pool, &chain);
    chain_pool_trim(&pool);
}

/* A chain of `count` runs, numbered from `first`, of all sizes. */
static void fill(struct chain_pool *pool, struct chain *chain, struct random *random,
                 uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_rare = random_below(random, 12) == 0;
        push(pool, chain, first + i, random_below(random, is_rare ? 9000 : 200));
    }
}

Test(chain, squeezed_keeps_what_is_not_void_in_order_and_in_no_more_blocks)
{
    const uint8_t seed[32] = {5};
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 64 << 20}};
    struct random random;
    struct chain_pool pool;
    random_init(&random, seed, 0);
    chain_pool_init(&pool, &memory, MEMORY_QUEUES);
    for (uint32_t round = 0; round < 400; round++) {
        struct chain chain = {0};
        struct chain_place place = {0};
        uint32_t fixed = (uint32_t)random_below(&random, 40), popped = fixed / 3;
        uint32_t percent = (uint32_t)random_below(&random, 101), count = 0;
        bool stays[200];
        fill(&pool, &chain, &random, 0, 200);
        for (uint32_t i = 0; i < fixed; i++)
            chain_next(&chain, &place);
        struct chain_place behind = place;
        for (uint32_t i = fixed; i < 200; i++) {
            void *run = chain_next(&chain, &behind);
            stays[i] = random_below(&random, 100) >= percent;
            if (!stays[i])
                chain_void(run);
        }
        for (uint32_t i = 0; i < popped; i++)
            chain_pop(&pool, &chain);
        uint64_t before = memory.used[MEMORY_QUEUES];
        memory.limit[MEMORY_QUEUES] = before; /* it needs none */
        chain_squeeze(&pool, &chain, place);
        cr_assert_leq(memory.used[MEMORY_QUEUES], before);
        memory.limit[MEMORY_QUEUES] = 64 << 20;
        fill(&pool, &chain, &random, 200, 20);
        for (uint32_t i = popped; i < 220; i++) {
            if (i >= fixed && i < 200 && !stays[i])
                continue;
            const uint8_t *run = chain_front(&chain);
            cr_assert_eq(number_of(run), i);
            chain_pop(&pool, &chain);
            count++;
        }
        cr_assert_geq(count, 20);
        cr_assert(chain_is_empty(&chain));
    }
    chain_pool_trim(&pool);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}
