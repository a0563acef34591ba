/* test_memory.c - every byte is counted, and no kind passes its limit. */
#include <criterion/criterion.h>

#include "mesh/base/memory.h"

Test(memory, is_zeroed_and_counted_by_kind)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 100, [MEMORY_QUEUES] = 100}};
    uint8_t *block = memory_new(&memory, MEMORY_QUEUES, 60);
    for (size_t i = 0; i < 60; i++)
        cr_assert_eq(block[i], 0);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 60);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
    memory_free(&memory, MEMORY_QUEUES, block, 60);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}

Test(memory, is_refused_beyond_the_limit_and_then_unchanged)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 100}};
    void *block = memory_new(&memory, MEMORY_TABLES, 100);
    cr_assert_not_null(block);
    cr_assert_null(memory_new(&memory, MEMORY_TABLES, 1));
    cr_assert_null(memory_new(&memory, MEMORY_TABLES, SIZE_MAX));
    cr_assert_null(memory_new(&memory, MEMORY_QUEUES, 1), "a kind without limit has none");
    cr_assert_eq(memory.used[MEMORY_TABLES], 100);
    memory_free(&memory, MEMORY_TABLES, block, 100);
}

Test(memory, of_no_bytes_is_a_block_too)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 100}};
    void *block = memory_new(&memory, MEMORY_TABLES, 0);
    cr_assert_not_null(block);
    memory_free(&memory, MEMORY_TABLES, block, 0);
    memory_free(&memory, MEMORY_TABLES, NULL, 50);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
}

Test(memory, resized_keeps_its_content_and_zeroes_what_is_new)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 100}};
    uint8_t *block = memory_new(&memory, MEMORY_TABLES, 10);
    memset(block, 7, 10);
    block = memory_resize(&memory, MEMORY_TABLES, block, 10, 20);
    cr_assert_eq(block[9], 7);
    cr_assert_eq(block[10], 0);
    cr_assert_eq(memory.used[MEMORY_TABLES], 20);
    cr_assert_null(memory_resize(&memory, MEMORY_TABLES, block, 20, 101));
    cr_assert_eq(block[9], 7, "the old block stays");
    block = memory_resize(&memory, MEMORY_TABLES, block, 20, 5);
    cr_assert_eq(memory.used[MEMORY_TABLES], 5);
    cr_assert_eq(block[4], 7);
    memory_free(&memory, MEMORY_TABLES, block, 5);
}

Test(memory, set_aside_counts_and_can_then_be_had)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 100}};
    cr_assert(memory_reserve(&memory, MEMORY_QUEUES, 80));
    cr_assert(!memory_reserve(&memory, MEMORY_QUEUES, 21));
    cr_assert_null(memory_new(&memory, MEMORY_QUEUES, 21));
    memory_release(&memory, MEMORY_QUEUES, 80);
    void *block = memory_new(&memory, MEMORY_QUEUES, 80);
    cr_assert_not_null(block);
    memory_free(&memory, MEMORY_QUEUES, block, 80);
}
