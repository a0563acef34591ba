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

void reader_init(struct reader *reader, struct span input);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct session_id reader_id(struct reader *reader);

/* The next `bytes` bytes, or an empty span and a bad reader. */
struct span reader_span(struct reader *reader, size_t bytes);

/* What has not been read yet. */
struct span reader_rest(const struct reader *reader);

#endif
