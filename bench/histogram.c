#include "bench/histogram.h"

#include "mesh/base/loglinear.h"

void histogram_add(struct histogram *histogram, uint64_t value_ns)
{
    histogram->counts[loglinear_bucket(HISTOGRAM_BITS, HISTOGRAM_BUCKETS, value_ns)]++;
    if (histogram->count == 0 || value_ns < histogram->min)
        histogram->min = value_ns;
    if (value_ns > histogram->max)
        histogram->max = value_ns;
    histogram->count++;
    histogram->sum += value_ns;
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (histogram->count == 0 || from->min < histogram->min)
        histogram->min = from->min;
    if (from->max > histogram->max)
        histogram->max = from->max;
    histogram->count += from->count;
    histogram->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->counts[i] += from->counts[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    if (histogram->count == 0)
        return 0;
    uint64_t wanted = (uint64_t)(share * (double)histogram->count + 0.5);
    if (wanted == 0)
        wanted = 1;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted) {
            uint64_t top = loglinear_top(HISTOGRAM_BITS, i);
            return top < histogram->max ? top : histogram->max;
        }
    }
    return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : (double)histogram->sum / (double)histogram->count;
}
