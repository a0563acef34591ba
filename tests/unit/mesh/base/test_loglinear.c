/* test_loglinear.c - each value is in the bucket that says it, to within its share. */
#include <criterion/criterion.h>

#include "mesh/base/loglinear.h"

enum { BITS = 4, BUCKETS = LOGLINEAR_BUCKETS(BITS, 29) };

Test(loglinear, small_values_have_a_bucket_each)
{
    for (uint32_t value = 0; value < 1 << BITS; value++) {
        cr_assert_eq(loglinear_bucket(BITS, BUCKETS, value), value);
        cr_assert_eq(loglinear_top(BITS, value), value);
    }
}

Test(loglinear, a_buckets_top_is_too_large_by_less_than_an_eighth)
{
    for (uint64_t value = 1; value < UINT64_C(1) << 29; value = value * 5 / 4 + 1) {
        uint64_t top = loglinear_top(BITS, loglinear_bucket(BITS, BUCKETS, value));
        cr_assert_geq(top, value);
        cr_assert_lt(8 * (top - value), value < 8 ? 8 : value, "%lu", (unsigned long)value);
    }
}

Test(loglinear, buckets_meet_without_a_gap)
{
    for (uint32_t bucket = 1; bucket < BUCKETS; bucket++) {
        uint64_t below = loglinear_top(BITS, bucket - 1);
        cr_assert_eq(loglinear_bucket(BITS, BUCKETS, below), bucket - 1);
        cr_assert_eq(loglinear_bucket(BITS, BUCKETS, below + 1), bucket);
    }
}

Test(loglinear, what_is_beyond_counts_in_the_last)
{
    cr_assert_eq(loglinear_bucket(BITS, BUCKETS, (UINT64_C(1) << 29) - 1), BUCKETS - 1);
    cr_assert_eq(loglinear_bucket(BITS, BUCKETS, UINT64_C(1) << 29), BUCKETS - 1);
    cr_assert_eq(loglinear_bucket(BITS, BUCKETS, UINT64_MAX), BUCKETS - 1);
    cr_assert_eq(loglinear_bucket(BITS, 3, 9), 2);
}
