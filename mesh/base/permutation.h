/* permutation.h - decides the serials of sessions: a keyed permutation of the 64-bit numbers, so
 * that counting up gives serials that never repeat and that nobody can guess.
 * Memory: the struct is the caller's. Thread: pure functions. */
#ifndef WEFT_MESH_BASE_PERMUTATION_H
#define WEFT_MESH_BASE_PERMUTATION_H

#include "mesh/base/random.h"

struct permutation {
    uint32_t key[4];
};

/* Draws the key. */
void permutation_init(struct permutation *permutation, struct random *random);

/* Distinct counters give distinct serials: the function is a bijection. */
uint64_t permutation_apply(const struct permutation *permutation, uint64_t counter);

#endif
