/* reader.c - see reader.h. Integers are put together byte by byte, so the machine's own order and
 * alignment do not matter; compilers turn each into one load. */
#include "proto/reader.h"

void reader_init(struct reader *reader, struct span input)
{
    *reader = (struct reader){.next = input.data, .left = input.bytes};
}

/* Returns the next `bytes` bytes, at least one, and moves behind them; NULL and a bad reader when
 * there are not as many. */
static const uint8_t *take(struct reader *reader, size_t bytes)
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

uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *b = take(reader, 1);
    return b == NULL ? 0 : b[0];
}

uint16_t reader_u16(struct reader *reader)
{
    const uint8_t *b = take(reader, 2);
    return b == NULL ? 0 : (uint16_t)(b[0] | b[1] << 8);
}

uint32_t reader_u32(struct reader *reader)
{
    const uint8_t *b = take(reader, 4);
    if (b == NULL)
        return 0;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint64_t reader_u64(struct reader *reader)
{
    const uint8_t *b = take(reader, 8);
    if (b == NULL)
        return 0;
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

struct session_id reader_id(struct reader *reader)
{
    uint64_t instance = reader_u64(reader);
    uint64_t serial = reader_u64(reader);
    if (reader->is_bad)
        return (struct session_id){0};
    return (struct session_id){.instance = instance, .serial = serial};
}

struct span reader_span(struct reader *reader, size_t bytes)
{
    if (bytes == 0)
        return (struct span){0};
    const uint8_t *b = take(reader, bytes);
    return b == NULL ? (struct span){0} : span_of(b, bytes);
}

struct span reader_rest(const struct reader *reader)
{
    return reader->is_bad ? (struct span){0} : span_of(reader->next, reader->left);
}
