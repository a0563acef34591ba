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

/* Starts at the first of the buffer's bytes; the buffer must outlive the writer. */
static inline void writer_init(struct writer *writer, void *buffer, size_t bytes)
{
    *writer = (struct writer){.next = buffer, .left = bytes};
}

/* Returns where the next `bytes` bytes go, at least one, and moves behind them; NULL and a bad
 * writer when there is no room. */
static inline uint8_t *writer_claim(struct writer *writer, size_t bytes)
{
    if (writer->is_bad || writer->left < bytes) {
        writer->is_bad = true;
        return NULL;
    }
    uint8_t *claimed = writer->next;
    writer->next += bytes;
    writer->left -= bytes;
    return claimed;
}

/* Appends an integer, little-endian; without room the writer becomes bad. In the header because
 * every message of every request passes here. */
static inline void writer_u8(struct writer *writer, uint8_t value)
{
    uint8_t *b = writer_claim(writer, 1);
    if (b != NULL)
        b[0] = value;
}

static inline void writer_u16(struct writer *writer, uint16_t value)
{
    uint8_t *b = writer_claim(writer, 2);
    if (b == NULL)
        return;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

static inline void writer_u32(struct writer *writer, uint32_t value)
{
    uint8_t *b = writer_claim(writer, 4);
    if (b == NULL)
        return;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    b[2] = (uint8_t)(value >> 16);
    b[3] = (uint8_t)(value >> 24);
}

static inline void writer_u64(struct writer *writer, uint64_t value)
{
    uint8_t *b = writer_claim(writer, 8);
    if (b == NULL)
        return;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    b[2] = (uint8_t)(value >> 16);
    b[3] = (uint8_t)(value >> 24);
    b[4] = (uint8_t)(value >> 32);
    b[5] = (uint8_t)(value >> 40);
    b[6] = (uint8_t)(value >> 48);
    b[7] = (uint8_t)(value >> 56);
}

/* Appends the lowest `bytes` bytes of an integer, 1 to 8 of them, little-endian. */
static inline void writer_uint(struct writer *writer, uint64_t value, size_t bytes)
{
    uint8_t *b = writer_claim(writer, bytes);
    for (size_t i = 0; b != NULL && i < bytes; i++)
        b[i] = (uint8_t)(value >> (8 * i));
}

/* Appends an id: instance, serial. */
void writer_id(struct writer *writer, struct session_id id);

/* The member at `offset` of a struct to be filled in: for schema.c. */
static inline void *writer_member(void *message, size_t offset)
{
    return (uint8_t *)message + offset;
}

/* Appends a run of bytes, or makes the writer bad. */
void writer_span(struct writer *writer, struct span bytes);

#endif
