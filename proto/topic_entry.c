/* topic_entry.c - see topic_entry.h. */
#include "proto/topic_entry.h"

enum { LENGTH_BYTES = 4, CREATOR_BYTES = 16 };

static size_t set_measure(const struct topic_entry *entry)
{
    return 3 + (session_id_is_none(entry->creator) ? 0U : (size_t)CREATOR_BYTES) +
           entry->value.bytes;
}

static bool is_made(const struct topic_entry *entry)
{
    return entry->type == TOPIC_ENTRY_SET && entry->rest.bytes == 0;
}

size_t topic_entry_measure(const struct topic_entry *entry)
{
    return TOPIC_ENTRY_HEAD_BYTES + entry->path.bytes +
           (is_made(entry) ? set_measure(entry) : entry->rest.bytes);
}

static void set_encode(const struct topic_entry *entry, struct writer *writer)
{
    bool has_creator = !session_id_is_none(entry->creator);
    writer_u8(writer, entry->value_type);
    writer_u8(writer, entry->policy);
    writer_u8(writer, has_creator ? 1 : 0);
    if (has_creator) {
        writer_u64(writer, entry->creator.instance);
        writer_u64(writer, entry->creator.serial);
    }
    writer_span(writer, entry->value);
}

void topic_entry_encode(const struct topic_entry *entry, struct writer *writer)
{
    size_t bytes = topic_entry_measure(entry);
    if (entry->path.bytes > PATH_BYTES_MAX || bytes > TOPIC_ENTRY_BYTES_MAX)
        writer->is_bad = true;
    writer_u32(writer, (uint32_t)(bytes - LENGTH_BYTES));
    writer_u8(writer, entry->type);
    writer_u64(writer, entry->position);
    writer_u64(writer, entry->term);
    writer_u64(writer, entry->instance);
    writer_u64(writer, entry->n);
    writer_u16(writer, (uint16_t)entry->path.bytes);
    writer_span(writer, entry->path);
    if (is_made(entry))
        set_encode(entry, writer);
    else
        writer_span(writer, entry->rest);
}

static bool set_decode(struct topic_entry *entry)
{
    struct reader reader;
    reader_init(&reader, entry->rest);
    entry->value_type = reader_u8(&reader);
    entry->policy = reader_u8(&reader);
    uint8_t has_creator = reader_u8(&reader);
    if (has_creator == 1) {
        entry->creator.instance = reader_u64(&reader);
        entry->creator.serial = reader_u64(&reader);
    }
    entry->value = reader_rest(&reader);
    bool is_creator_good =
        has_creator == 0 || (has_creator == 1 && !session_id_is_none(entry->creator));
    return !reader.is_bad && is_creator_good && entry->value.bytes <= TOPIC_VALUE_BYTES_MAX;
}

/* What the type asks for, behind the head that all have. */
static bool is_sound(struct topic_entry *entry)
{
    bool has_path = entry->path.bytes > 0 && entry->path.bytes <= PATH_BYTES_MAX;
    bool has_version = entry->term > 0 && entry->instance > 0 && entry->n > 0;
    if (entry->type == 0 || entry->position == 0)
        return false;
    if (entry->type == TOPIC_ENTRY_SERVING)
        return entry->path.bytes == 0 && entry->rest.bytes == 0;
    if (!has_path || !has_version)
        return false;
    if (entry->type > TOPIC_ENTRY_SERVING)
        return true;
    if (!span_is_text(entry->path))
        return false;
    return entry->type == TOPIC_ENTRY_REMOVED ? entry->rest.bytes == 0 : set_decode(entry);
}

bool topic_entry_next(struct span *rest, struct topic_entry *entry, enum error *error)
{
    *error = ERROR_OK;
    if (rest->bytes == 0)
        return false;
    struct reader outer;
    struct reader reader;
    reader_init(&outer, *rest);
    reader_init(&reader, reader_span(&outer, reader_u32(&outer)));
    *entry = (struct topic_entry){.type = reader_u8(&reader)};
    entry->position = reader_u64(&reader);
    entry->term = reader_u64(&reader);
    entry->instance = reader_u64(&reader);
    entry->n = reader_u64(&reader);
    entry->path = reader_span(&reader, reader_u16(&reader));
    entry->rest = reader_rest(&reader);
    if (outer.is_bad || reader.is_bad || !is_sound(entry)) {
        *error = ERROR_INVALID_MESSAGE;
        return false;
    }
    size_t taken = rest->bytes - reader_rest(&outer).bytes;
    if (taken > TOPIC_ENTRY_BYTES_MAX) {
        *error = ERROR_INVALID_MESSAGE;
        return false;
    }
    *rest = span_of(rest->data + taken, rest->bytes - taken);
    return true;
}
