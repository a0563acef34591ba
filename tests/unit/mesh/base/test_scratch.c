/* test_scratch.c - memory of a pull: counted while it lives, gone at once. */
#include <criterion/criterion.h>

#include "mesh/base/scratch.h"

Test(scratch, lives_until_it_is_cleared)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1 << 20}};
    struct scratch scratch;
    scratch_init(&scratch, &memory);
    struct span copies[50];
    for (size_t i = 0; i < 50; i++)
        copies[i] = scratch_copy(&scratch, span_text("something"));
    for (size_t i = 0; i < 50; i++)
        cr_assert(span_equal(copies[i], span_text("something")));
    cr_assert_geq(memory.used[MEMORY_QUEUES], 450);
    scratch_clear(&scratch);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
    scratch_clear(&scratch);
}

Test(scratch, of_nothing_is_something)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 1 << 20}};
    struct scratch scratch;
    scratch_init(&scratch, &memory);
    cr_assert_not_null(scratch_copy(&scratch, (struct span){0}).data);
    scratch_clear(&scratch);
}

Test(scratch, is_refused_at_the_limit)
{
    struct memory memory = {.limit = {[MEMORY_QUEUES] = 100}};
    struct scratch scratch;
    scratch_init(&scratch, &memory);
    cr_assert_null(scratch_new(&scratch, 1000));
    cr_assert_null(scratch_new(&scratch, SIZE_MAX));
    cr_assert_null(scratch_copy(&scratch, span_of(&memory, 101)).data);
    cr_assert_eq(memory.used[MEMORY_QUEUES], 0);
}
