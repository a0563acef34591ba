/* writer.c - see writer.h. */
#include "proto/writer.h"

void writer_id(struct writer *writer, struct session_id id)
{
    writer_u64(writer, id.instance);
    writer_u64(writer, id.serial);
}

void writer_span(struct writer *writer, struct span bytes)
{
    if (bytes.bytes == 0)
        return;
    uint8_t *b = writer_claim(writer, bytes.bytes);
    if (b != NULL)
        memcpy(b, bytes.data, bytes.bytes);
}
