/* writer.h - puts values into a buffer of known size.
 * Callers measure first: running out of room is a mistake of ours and marks the writer bad
 * (nothing is ever written past the end); whoever owns the buffer requires !is_bad.
 * Memory: the buffer is the caller's. Thread: one owner. */
#ifndef WEFT_PROTO_WRITER_H
#define WEFT_PROTO_WRITER_H

#include "proto/span.h"

struct writer {
    uint8_t *next;
    size_t left;
    bool is_bad;
};

void writer_init(struct writer *writer, void *buffer, size_t bytes);
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_id(struct writer *writer, struct session_id id);
void writer_span(struct writer *writer, struct span bytes);

#endif
