/* witnesses.c - see witnesses.h. */
#include "mesh/membership/witnesses.h"

#include "proto/reader.h"
#include "proto/writer.h"

bool witnesses_has(const struct witnesses *set, uint64_t instance)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->instances[i] == instance)
            return true;
    }
    return false;
}

bool witnesses_add(struct witnesses *set, uint64_t instance)
{
    if (instance == 0 || set->count == WITNESSES_MAX || witnesses_has(set, instance))
        return false;
    set->instances[set->count++] = instance;
    return true;
}

bool witnesses_merge(struct witnesses *set, struct span encoded)
{
    struct reader reader;
    reader_init(&reader, encoded);
    bool is_new = false;
    while (reader.left >= sizeof(uint64_t))
        is_new |= witnesses_add(set, reader_u64(&reader));
    return is_new;
}

struct span witnesses_encode(const struct witnesses *set, uint8_t bytes[WITNESSES_BYTES_MAX])
{
    struct writer writer;
    writer_init(&writer, bytes, WITNESSES_BYTES_MAX);
    for (uint32_t i = 0; i < set->count; i++)
        writer_u64(&writer, set->instances[i]);
    return span_of(bytes, WITNESSES_BYTES_MAX - writer.left);
}
