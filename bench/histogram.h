/* histogram.h - how long things took, in a fixed table: log-linear buckets with 8 significant bits,
 * so any quantile is right to within 0.8 %. The same shape as HdrHistogram's.
 * Memory: a plain struct of about 36 KiB. Thread: one owner; add up with histogram_merge. */
#ifndef WEFT_BENCH_HISTOGRAM_H
#define WEFT_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BITS = 8,     /* significant: 128 buckets for each doubling */
    HISTOGRAM_OCTAVES = 35, /* up to 2^42 ns, over an hour */
    HISTOGRAM_BUCKETS = (HISTOGRAM_OCTAVES + 1) << (HISTOGRAM_BITS - 1),
};

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum, min, max; /* exact; ns */
};

/* Adds one value; what is beyond the last bucket counts there. O(1). */
void histogram_add(struct histogram *histogram, uint64_t value_ns);

/* Adds all of `from`. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);

/* The least value that `share` (0..1) of all values do not exceed; 0 when there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

/* The mean; 0 when there are none. */
double histogram_mean(const struct histogram *histogram);

#endif
