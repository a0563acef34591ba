/* test_told.c - what a listener was told is found again, in the list of who told it. */
#include <criterion/criterion.h>

#include "mesh/routing/told.h"

static struct memory memory;
static struct told told;
static struct told_list a, b;

static void begin(void)
{
    memory = (struct memory){.limit = {[MEMORY_TABLES] = 1 << 20}};
    told_init(&told, &memory, 7);
    told_list_init(&a);
    told_list_init(&b);
}

static void end(void)
{
    told_clear(&told);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
}

TestSuite(told, .init = begin, .fini = end);

static struct session_id id(uint64_t serial)
{
    return (struct session_id){.instance = 9, .serial = serial};
}

Test(told, sessions_are_found_until_they_are_removed)
{
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert_neq(told_add(&told, i % 2 == 0 ? &a : &b, id(i)), TOLD_NONE);
    cr_assert_eq(a.count, 50);
    cr_assert_eq(b.count, 50);
    for (uint64_t i = 1; i <= 100; i += 3)
        told_remove(&told, told_find(&told, id(i)));
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert_eq(told_find(&told, id(i)) == TOLD_NONE, i % 3 == 1);
    cr_assert_eq(told_find(&told, id(101)), TOLD_NONE);
    cr_assert_eq(a.count + b.count, told.by_id.count);
    cr_assert_neq(told_add(&told, &a, id(200)), TOLD_NONE);
    cr_assert_eq(told.used, 100, "a free record is used again");
}

Test(told, lists_keep_the_order_of_telling_and_sessions_may_change_lists)
{
    for (uint64_t i = 1; i <= 5; i++)
        told_add(&told, &a, id(i));
    told_move(&told, &b, told_find(&told, id(1)));
    told_move(&told, &b, told_find(&told, id(3)));
    told_remove(&told, told_find(&told, id(5)));
    cr_assert_eq(a.count, 2);
    cr_assert_eq(told_at(&told, a.first)->id.serial, 2);
    cr_assert_eq(told_at(&told, a.last)->id.serial, 4);
    cr_assert_eq(told_at(&told, b.first)->id.serial, 1);
    cr_assert_eq(told_at(&told, b.last)->id.serial, 3);
    cr_assert_eq(told_at(&told, told_find(&told, id(3)))->list, &b);
    told_move(&told, &b, told_find(&told, id(1)));
    cr_assert_eq(told_at(&told, b.first)->id.serial, 3, "to the end of its own");
}

Test(told, a_session_for_which_there_is_no_memory_changes_nothing)
{
    uint64_t i = 1;
    memory.limit[MEMORY_TABLES] = 4096;
    while (told_add(&told, &a, id(i)) != TOLD_NONE)
        i++;
    cr_assert_gt(i, 8);
    cr_assert_eq(a.count, i - 1);
    cr_assert_eq(told_find(&told, id(i)), TOLD_NONE);
    cr_assert_eq(told_at(&told, a.last)->id.serial, i - 1);
}

Test(told, equal_properties_have_equal_hashes)
{
    cr_assert_eq(told_hash(&told, span_text("abc")), told_hash(&told, span_text("abc")));
    cr_assert_neq(told_hash(&told, span_text("abc")), told_hash(&told, span_text("abd")));
    cr_assert_neq(told_hash(&told, span_text("")), told_hash(&told, span_text("a")));
}
