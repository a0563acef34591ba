/* loglinear.h - decides which of a fixed number of buckets a value falls into: each doubling is cut
 * into as many equal parts, so a value is known to within a part, whatever its size. The shape of
 * HdrHistogram's tables; who counts keeps the counts.
 *
 * With `bits` significant bits values below 2^bits have a bucket each; above, each doubling has
 * 2^(bits - 1) of them: the top bits of the value say which, the highest being always 1. So a
 * bucket's greatest value is too large by less than 1 / 2^(bits - 1).
 * Memory: none. Thread: pure functions. */
#ifndef WEFT_MESH_BASE_LOGLINEAR_H
#define WEFT_MESH_BASE_LOGLINEAR_H

#include <stdint.h>

/* How many buckets hold all values below 2^top_bits; bits 2..16, top_bits bits..64. */
#define LOGLINEAR_BUCKETS(bits, top_bits) (((top_bits) - (bits) + 2) << ((bits)-1))

/* The bucket of a value; the last of `buckets` for a value beyond. O(1). */
uint32_t loglinear_bucket(unsigned bits, uint32_t buckets, uint64_t value);

/* The greatest value that belongs to the bucket. O(1). */
uint64_t loglinear_top(unsigned bits, uint32_t bucket);

#endif
