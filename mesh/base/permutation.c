/* permutation.c - see permutation.h. XTEA (Needham and Wheeler 1997): a 64-bit block cipher of a
 * dozen lines, whose full 32 cycles nobody has broken. A serial is made when a session opens, so
 * its 100 ns do not matter, and a cipher of our own would have to earn the trust first. */
#include "mesh/base/permutation.h"

enum { CYCLES = 32 };

void permutation_init(struct permutation *permutation, struct random *random)
{
    for (size_t i = 0; i < 4; i++)
        permutation->key[i] = (uint32_t)random_u64(random);
}

uint64_t permutation_apply(const struct permutation *permutation, uint64_t counter)
{
    const uint32_t *key = permutation->key;
    uint32_t left = (uint32_t)(counter >> 32);
    uint32_t right = (uint32_t)counter;
    uint32_t sum = 0;
    for (int i = 0; i < CYCLES; i++) {
        left += ((right << 4 ^ right >> 5) + right) ^ (sum + key[sum & 3]);
        sum += UINT32_C(0x9e3779b9); /* the golden ratio, as the paper has it */
        right += ((left << 4 ^ left >> 5) + left) ^ (sum + key[sum >> 11 & 3]);
    }
    return (uint64_t)left << 32 | right;
}
