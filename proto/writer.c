/* writer.c - see writer.h. */
#include "proto/writer.h"

void writer_init(struct writer *writer, void *buffer, size_t bytes)
{
    *writer = (struct writer){.next = buffer, .left = bytes};
}

/* Returns where the next `bytes` bytes go, at least one, and moves behind them; NULL and a bad
 * writer when there is no room. */
static uint8_t *claim(struct writer *writer, size_t bytes)
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

void writer_u8(struct writer *writer, uint8_t value)
{
    uint8_t *b = claim(writer, 1);
    if (b != NULL)
        b[0] = value;
}

void writer_u16(struct writer *writer, uint16_t value)
{
    uint8_t *b = claim(writer, 2);
    if (b == NULL)
        return;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

void writer_u32(struct writer *writer, uint32_t value)
{
    uint8_t *b = claim(writer, 4);
    if (b == NULL)
        return;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    b[2] = (uint8_t)(value >> 16);
    b[3] = (uint8_t)(value >> 24);
}

void writer_u64(struct writer *writer, uint64_t value)
{
    uint8_t *b = claim(writer, 8);
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

void writer_id(struct writer *writer, struct session_id id)
{
    writer_u64(writer, id.instance);
    writer_u64(writer, id.serial);
}

void writer_span(struct writer *writer, struct span bytes)
{
    if (bytes.bytes == 0)
        return;
    uint8_t *b = claim(writer, bytes.bytes);
    if (b != NULL)
        memcpy(b, bytes.data, bytes.bytes);
}
