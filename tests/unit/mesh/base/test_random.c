/* test_random.c - the key stream of RFC 8439, appendix A.1, and what is drawn from it. */
#include <criterion/criterion.h>

#include "mesh/base/random.h"

static uint8_t digit(char character)
{
    return (uint8_t)(character <= '9' ? character - '0' : character - 'a' + 10);
}

static void stream_expect(struct random *random, const char *hex)
{
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        uint8_t byte;
        random_bytes(random, &byte, 1);
        cr_assert_eq(byte, digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]), "byte %zu", i);
    }
}

Test(random, is_the_key_stream_of_chacha20)
{
    const uint8_t seed[32] = {0};
    struct random random;
    random_init(&random, seed, 0);
    /* test vectors 1 and 2: blocks 0 and 1 */
    stream_expect(&random, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                           "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    stream_expect(&random, "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                           "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

Test(random, takes_every_byte_of_the_seed_as_the_key)
{
    /* test vectors 3 and 4 */
    uint8_t seed[32] = {[31] = 1};
    struct random random;
    random_init(&random, seed, 0);
    random.state[12] = 1;
    stream_expect(&random, "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
                           "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0");
    uint8_t other[32] = {[1] = 0xff};
    random_init(&random, other, 0);
    random.state[12] = 2;
    stream_expect(&random, "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
                           "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096");
}

Test(random, takes_the_stream_as_the_end_of_the_nonce)
{
    /* test vector 5: the nonce's last byte is 2 */
    const uint8_t seed[32] = {0};
    struct random random;
    random_init(&random, seed, UINT64_C(2) << 56);
    stream_expect(&random, "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
                           "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d");
}

Test(random, goes_on_when_the_block_counter_is_full)
{
    const uint8_t seed[32] = {0};
    struct random random;
    random_init(&random, seed, 0);
    uint64_t first = random_u64(&random);
    random_init(&random, seed, 0);
    random.state[12] = UINT32_MAX;
    for (int i = 0; i < 8; i++)
        random_u64(&random);
    cr_assert_neq(random_u64(&random), first);
    cr_assert_eq(random.state[13], 1);
}

Test(random, is_the_same_in_pieces_and_at_once)
{
    const uint8_t seed[32] = {1, 2, 3};
    struct random at_once;
    struct random in_pieces;
    random_init(&at_once, seed, 7);
    random_init(&in_pieces, seed, 7);
    uint8_t whole[1000];
    uint8_t parts[1000];
    random_bytes(&at_once, whole, sizeof whole);
    for (size_t at = 0, piece = 1; at < sizeof parts; at += piece++) {
        size_t left = sizeof parts - at;
        random_bytes(&in_pieces, &parts[at], piece < left ? piece : left);
    }
    cr_assert_arr_eq(whole, parts, sizeof whole);
    random_bytes(&at_once, whole, 0);
    cr_assert_eq(at_once.used, 1000 % 64);
}

Test(random, below_a_bound_reaches_all_numbers_evenly)
{
    const uint8_t seed[32] = {9};
    struct random random;
    random_init(&random, seed, 0);
    uint32_t seen[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t number = random_below(&random, 6);
        cr_assert_lt(number, 6);
        seen[number]++;
    }
    for (size_t i = 0; i < 6; i++)
        cr_assert(seen[i] > 9500 && seen[i] < 10500, "%zu: %u times", i, seen[i]);
    cr_assert_eq(random_below(&random, 1), 0);
    for (int i = 0; i < 1000; i++)
        cr_assert_leq(random_below(&random, UINT64_MAX), UINT64_MAX - 1);
}
