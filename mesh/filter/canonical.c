/* canonical.c - see canonical.h. No filter of FILTER_BYTES_MAX fills the room; should one, the room
 * counts as full for good, and the filter is refused as too long. */
#include "mesh/filter/canonical.h"

void canonical_add_span(struct program_builder *builder, struct span words)
{
    if (words.bytes > PROGRAM_CANONICAL_MAX - builder->canonical_bytes) {
        builder->canonical_bytes = PROGRAM_CANONICAL_MAX;
        return;
    }
    if (words.bytes > 0)
        memcpy(&builder->canonical[builder->canonical_bytes], words.data, words.bytes);
    builder->canonical_bytes += (uint32_t)words.bytes;
}

void canonical_add(struct program_builder *builder, const char *words)
{
    canonical_add_span(builder, span_text(words));
}

void canonical_add_quoted(struct program_builder *builder, struct span value)
{
    size_t from = 0;
    canonical_add(builder, "'");
    for (size_t i = 0; i < value.bytes; i++) {
        if (value.data[i] != '\'' && value.data[i] != '\\')
            continue;
        canonical_add_span(builder, span_of(value.data + from, i - from));
        canonical_add(builder, "\\");
        from = i;
    }
    canonical_add_span(builder, span_of(value.data + from, value.bytes - from));
    canonical_add(builder, "'");
}

void canonical_take_out(struct program_builder *builder, uint32_t at)
{
    memmove(&builder->canonical[at], &builder->canonical[at + 1],
            builder->canonical_bytes - at - 1);
    builder->canonical_bytes--;
}
