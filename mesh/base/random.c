/* random.c - see random.h. The key stream of ChaCha20 (RFC 8439 section 2.3): the seed is the key,
 * the stream takes the last two words of the nonce, and the first word of the nonce carries on the
 * 32-bit block counter, so that a stream never comes to its end. */
#include "mesh/base/random.h"

#include "mesh/base/require.h"
#include "proto/reader.h"
#include "proto/writer.h"

enum { WORDS = 16, ROUNDS_DOUBLE = 10, BLOCK_BYTES = 64, COUNTER_LOW = 12, COUNTER_HIGH = 13 };

static uint32_t rotate_left(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

void random_init(struct random *random, const uint8_t seed[32], uint64_t stream)
{
    *random = (struct random){
        /* "expand 32-byte k", read as little-endian integers */
        .state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574},
        .used = BLOCK_BYTES,
    };
    struct reader key;
    reader_init(&key, span_of(seed, 32));
    for (size_t i = 0; i < 8; i++)
        random->state[4 + i] = reader_u32(&key);
    random->state[14] = (uint32_t)stream;
    random->state[15] = (uint32_t)(stream >> 32);
}

static void quarter_round(uint32_t *x, size_t a, size_t b, size_t c, size_t d)
{
    x[a] += x[b];
    x[d] = rotate_left(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate_left(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate_left(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate_left(x[b] ^ x[c], 7);
}

/* Makes the next 64 bytes of the key stream. */
static void block_next(struct random *random)
{
    uint32_t x[WORDS];
    memcpy(x, random->state, sizeof x);
    for (int i = 0; i < ROUNDS_DOUBLE; i++) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    struct writer block;
    writer_init(&block, random->block, sizeof random->block);
    for (size_t i = 0; i < WORDS; i++)
        writer_u32(&block, x[i] + random->state[i]);
    random->used = 0;
    if (++random->state[COUNTER_LOW] == 0)
        random->state[COUNTER_HIGH]++;
}

void random_bytes(struct random *random, void *out, size_t bytes)
{
    uint8_t *next = out;
    while (bytes > 0) {
        if (random->used == BLOCK_BYTES)
            block_next(random);
        size_t part = BLOCK_BYTES - random->used;
        if (part > bytes)
            part = bytes;
        memcpy(next, &random->block[random->used], part);
        random->used += (uint32_t)part;
        next += part;
        bytes -= part;
    }
}

uint64_t random_u64(struct random *random)
{
    uint8_t bytes[8];
    random_bytes(random, bytes, sizeof bytes);
    struct reader reader;
    reader_init(&reader, span_of(bytes, sizeof bytes));
    return reader_u64(&reader);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    require(bound > 0);
    /* The lowest 2^64 mod bound numbers are thrown away: what is left is a multiple of bound. */
    uint64_t thrown_away = (0 - bound) % bound;
    uint64_t number;
    do {
        number = random_u64(random);
    } while (number < thrown_away);
    return number % bound;
}
