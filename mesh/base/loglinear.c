/* loglinear.c - see loglinear.h. */
#include "mesh/base/loglinear.h"

uint32_t loglinear_bucket(unsigned bits, uint32_t buckets, uint64_t value)
{
    uint32_t half = UINT32_C(1) << (bits - 1);
    if (value < 2 * half)
        return value < buckets ? (uint32_t)value : buckets - 1;
    unsigned shift = 64u - (unsigned)__builtin_clzll(value) - bits;
    uint32_t bucket = shift * half + (uint32_t)(value >> shift);
    return bucket < buckets ? bucket : buckets - 1;
}

uint64_t loglinear_top(unsigned bits, uint32_t bucket)
{
    uint32_t half = UINT32_C(1) << (bits - 1);
    if (bucket < 2 * half)
        return bucket;
    unsigned shift = bucket / half - 1;
    uint64_t lowest = (uint64_t)(bucket - shift * half) << shift;
    return lowest + ((uint64_t)1 << shift) - 1;
}
