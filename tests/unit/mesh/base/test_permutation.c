/* test_permutation.c - known answers of XTEA, and serials that do not repeat. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "mesh/base/permutation.h"

Test(permutation, is_xtea)
{
    const struct permutation one = {{0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f}};
    cr_assert_eq(permutation_apply(&one, UINT64_C(0x4142434445464748)),
                 UINT64_C(0x497df3d072612cb5));
    cr_assert_eq(permutation_apply(&one, UINT64_C(0x5a5b6e278948d77f)),
                 UINT64_C(0x4141414141414141));
    const struct permutation zero = {{0}};
    cr_assert_eq(permutation_apply(&zero, 0), UINT64_C(0xdee9d4d8f7131ed9));
    cr_assert_eq(permutation_apply(&zero, UINT64_C(0x0102030405060708)),
                 UINT64_C(0x065c1b8975c6a816));
}

static int serials_compare(const void *a, const void *b)
{
    uint64_t left;
    uint64_t right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return left < right ? -1 : left > right;
}

Test(permutation, never_repeats_and_keeps_no_order)
{
    enum { SERIALS = 200000 };
    const uint8_t seed[32] = {4};
    struct random random;
    struct permutation permutation;
    random_init(&random, seed, 0);
    permutation_init(&permutation, &random);
    uint64_t *serials = malloc(SERIALS * sizeof *serials);
    uint32_t rising = 0;
    for (uint64_t i = 0; i < SERIALS; i++) {
        /* Half of the counters low, half of them far up: the whole range is one permutation. */
        serials[i] = permutation_apply(&permutation, i % 2 == 0 ? i : UINT64_MAX - i);
        rising += i > 0 && serials[i] > serials[i - 1];
    }
    cr_assert(rising > SERIALS * 49 / 100 && rising < SERIALS * 51 / 100);
    qsort(serials, SERIALS, sizeof *serials, serials_compare);
    for (size_t i = 1; i < SERIALS; i++)
        cr_assert_neq(serials[i], serials[i - 1]);
    free(serials);
}

Test(permutation, differs_with_its_key)
{
    const uint8_t seed[32] = {4};
    struct random random;
    struct permutation one;
    struct permutation other;
    random_init(&random, seed, 0);
    permutation_init(&one, &random);
    permutation_init(&other, &random);
    cr_assert_neq(permutation_apply(&one, 1), permutation_apply(&other, 1));
}
