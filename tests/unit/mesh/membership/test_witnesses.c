/* test_witnesses.c - sets that merge by union. */
#include "mesh/membership/witnesses.h"

#include <criterion/criterion.h>

Test(witnesses, each_counts_once)
{
    struct witnesses set = {0};
    cr_assert(witnesses_add(&set, 7));
    cr_assert(!witnesses_add(&set, 7));
    cr_assert(!witnesses_add(&set, 0));
    cr_assert_eq(set.count, 1);
    cr_assert(witnesses_has(&set, 7));
    cr_assert(!witnesses_has(&set, 8));
}

Test(witnesses, a_full_set_takes_no_more)
{
    struct witnesses set = {0};
    for (uint64_t i = 1; i <= 2 * WITNESSES_MAX; i++)
        witnesses_add(&set, i);
    cr_assert_eq(set.count, WITNESSES_MAX);
}

Test(witnesses, merging_in_any_order_gives_the_same_set)
{
    uint8_t bytes[2][WITNESSES_BYTES_MAX];
    struct witnesses a = {0};
    struct witnesses b = {0};
    witnesses_add(&a, 1);
    witnesses_add(&a, 2);
    witnesses_add(&b, 2);
    witnesses_add(&b, 3);
    struct span in_a = witnesses_encode(&a, bytes[0]);
    struct span in_b = witnesses_encode(&b, bytes[1]);
    cr_assert_eq(in_a.bytes, 16);
    cr_assert(witnesses_merge(&a, in_b));
    cr_assert(witnesses_merge(&b, in_a));
    for (uint64_t i = 1; i <= 3; i++)
        cr_assert(witnesses_has(&a, i) && witnesses_has(&b, i));
    cr_assert(!witnesses_merge(&a, in_b));
}

Test(witnesses, half_a_number_at_the_end_is_ignored)
{
    const uint8_t bytes[11] = {9, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3};
    struct witnesses set = {0};
    cr_assert(witnesses_merge(&set, span_of(bytes, sizeof bytes)));
    cr_assert_eq(set.count, 1);
    cr_assert(witnesses_has(&set, 9));
}
