#include "bench/histogram.h"

#include <criterion/criterion.h>

Test(histogram, is_empty_at_first)
{
    static struct histogram histogram;
    cr_assert_eq(histogram_quantile(&histogram, 0.5), 0);
    cr_assert_float_eq(histogram_mean(&histogram), 0, 1e-9);
}

Test(histogram, small_values_are_exact)
{
    static struct histogram histogram;
    for (uint64_t value = 1; value <= 100; value++)
        histogram_add(&histogram, value);
    cr_assert_eq(histogram_quantile(&histogram, 0.50), 50);
    cr_assert_eq(histogram_quantile(&histogram, 0.99), 99);
    cr_assert_eq(histogram_quantile(&histogram, 1.0), 100);
    cr_assert_eq(histogram.min, 1);
    cr_assert_float_eq(histogram_mean(&histogram), 50.5, 1e-9);
}

Test(histogram, any_value_comes_back_within_a_hundredth)
{
    for (uint64_t value = 1; value < (uint64_t)1 << 41; value = value * 3 + 1) {
        static struct histogram histogram;
        histogram = (struct histogram){.count = 0};
        histogram_add(&histogram, value);
        histogram_add(&histogram, (uint64_t)1 << 50);
        double found = (double)histogram_quantile(&histogram, 0.5);
        cr_assert_geq(found, (double)value);
        cr_assert_leq(found, (double)value * 1.01);
    }
}

Test(histogram, beyond_the_last_bucket_counts_there_and_the_maximum_is_exact)
{
    static struct histogram histogram;
    histogram_add(&histogram, UINT64_MAX);
    cr_assert_eq(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
    cr_assert_eq(histogram.max, UINT64_MAX);
}

Test(histogram, merging_is_adding_all)
{
    static struct histogram a, b, both;
    for (uint64_t i = 1; i < 5000; i++) {
        histogram_add(i % 3 == 0 ? &a : &b, i * 977);
        histogram_add(&both, i * 977);
    }
    histogram_merge(&a, &b);
    cr_assert_eq(a.count, both.count);
    cr_assert_eq(a.sum, both.sum);
    cr_assert_eq(a.min, both.min);
    cr_assert_eq(a.max, both.max);
    cr_assert_eq(histogram_quantile(&a, 0.9), histogram_quantile(&both, 0.9));
}
