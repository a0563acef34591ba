/* random.h - random numbers that are deterministic for a seed and unpredictable without it:
 * the ChaCha20 key stream (RFC 8439). Thread: one owner. */
#ifndef WEFT_MESH_BASE_RANDOM_H
#define WEFT_MESH_BASE_RANDOM_H

#include "proto/span.h"

struct random {
    uint32_t state[16];
    uint8_t block[64];
    uint32_t used; /* bytes of block */
};

/* `stream` separates concerns: the same seed gives another sequence for each stream. */
void random_init(struct random *random, const uint8_t seed[32], uint64_t stream);
uint64_t random_u64(struct random *random);
uint64_t random_below(struct random *random, uint64_t bound); /* 0..bound-1, unbiased; bound > 0 */
void random_bytes(struct random *random, void *out, size_t bytes);

#endif
