/* reader.h - takes bounds-checked values from a run of bytes; with writer.h the only place in
 * proto/ that does pointer arithmetic.
 * The first value that does not fit makes the reader bad: it stays so, and all later values are 0.
 * Memory: spans point into the input. Thread: one owner. */
#ifndef WEFT_PROTO_READER_H
#define WEFT_PROTO_READER_H

#include "proto/span.h"

struct reader {
    const uint8_t *next;
    size_t left;
    bool is_bad;
};

/* Starts at the first byte of the input, which must outlive the reader. In the header like the
 * integers: a compiler then keeps a short-lived reader in registers. */
static inline void reader_init(struct reader *reader, struct span input)
{
    *reader = (struct reader){.next = input.data, .left = input.bytes};
}

/* Returns the next `bytes` bytes, at least one, and moves behind them; NULL and a bad reader when
 * there are not as many. */
static inline const uint8_t *reader_take(struct reader *reader, size_t bytes)
{
    if (reader->is_bad || reader->left < bytes) {
        reader->is_bad = true;
        return NULL;
    }
    const uint8_t *taken = reader->next;
    reader->next += bytes;
    reader->left -= bytes;
    return taken;
}

/* The next integer, little-endian; 0 from a bad reader. Integers are put together byte by
 * byte, so the machine's own order and alignment do not matter; compilers make one load of it.
 * They are in the header because every message of every request passes here. */
static inline uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *b = reader_take(reader, 1);
    return b == NULL ? 0 : b[0];
}

static inline uint16_t reader_u16(struct reader *reader)
{
    const uint8_t *b = reader_take(reader, 2);
    if (b == NULL)
        return 0;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t reader_u32(struct reader *reader)
{
    const uint8_t *b = reader_take(reader, 4);
    if (b == NULL)
        return 0;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t reader_u64(struct reader *reader)
{
    const uint8_t *b = reader_take(reader, 8);
    if (b == NULL)
        return 0;
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

/* The next id: instance, serial; all zero from a bad reader. */
struct session_id reader_id(struct reader *reader);

/* The next `bytes` bytes, or an empty span and a bad reader. */
static inline struct span reader_span(struct reader *reader, size_t bytes)
{
    const uint8_t *b = bytes == 0 ? NULL : reader_take(reader, bytes);
    return span_of(b, b == NULL ? 0 : bytes);
}

/* The member at `offset` of a struct: for schema.c, whose tables know members by their offsets. */
static inline const void *reader_member(const void *message, size_t offset)
{
    return (const uint8_t *)message + offset;
}

/* What has not been read yet. */
struct span reader_rest(const struct reader *reader);

#endif
