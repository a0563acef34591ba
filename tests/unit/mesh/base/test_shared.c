/* test_shared.c - a shared message lives as long as somebody holds it, and its block is used again.
 */
#include <criterion/criterion.h>

#include "mesh/base/shared.h"

Test(shared, the_last_holder_frees_it)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1 << 20}};
    struct shared_pool pool;
    shared_pool_init(&pool, &memory);
    struct shared *large = shared_new(&pool, 100000);
    cr_assert_eq(large->bytes, 100000);
    shared_hold(large);
    shared_release(&pool, large);
    cr_assert_eq(memory.used[MEMORY_QUEUES], sizeof *large + 100000);
    shared_release(&pool, large);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}

Test(shared, in_steady_use_small_ones_take_no_new_memory)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1 << 20}};
    struct shared_pool pool;
    struct shared *messages[6];
    static const uint32_t sizes[6] = {16, 104, 105, 300, 1000, 2024};
    shared_pool_init(&pool, &memory);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 6; i++) {
            messages[i] = shared_new(&pool, sizes[i]);
            cr_assert_not_null(messages[i], "in round %d", round);
            memset(messages[i]->content, 0xff, sizes[i]);
        }
        memory.limit[MEMORY_QUEUES] = memory.used[MEMORY_QUEUES];
        for (int i = 0; i < 6; i++)
            shared_release(&pool, messages[i]);
        cr_assert_eq(memory.used[MEMORY_QUEUES], memory.limit[MEMORY_QUEUES]);
    }
    cr_assert_null(shared_new(&pool, 3000), "there is no memory for it");
    shared_pool_trim(&pool);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}
