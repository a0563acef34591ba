/* reader.c - see reader.h. */
#include "proto/reader.h"

struct session_id reader_id(struct reader *reader)
{
    uint64_t instance = reader_u64(reader);
    uint64_t serial = reader_u64(reader);
    if (reader->is_bad)
        return (struct session_id){0};
    return (struct session_id){.instance = instance, .serial = serial};
}

struct span reader_rest(const struct reader *reader)
{
    return span_of(reader->next, reader->is_bad ? 0 : reader->left);
}
