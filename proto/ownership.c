/* ownership.c - see ownership.h. */
#include "proto/ownership.h"

#include "proto/command.h"
#include "proto/reader.h"
#include "proto/request.h"

enum { TYPE_MASK = 0x7f, TYPE_HAS_INSTANCE = 0x80 };

size_t ownership_entry_measure(const struct ownership_entry *entry, uint64_t writer_instance)
{
    size_t bytes = 1 + 8 + (entry->session.instance == writer_instance ? 0 : 8);
    switch (entry->type) {
    case OWNERSHIP_SESSION_OPENED:
    case OWNERSHIP_SESSION_STATE:
        return bytes + 1;
    case OWNERSHIP_SESSION_CLOSED:
        return bytes;
    case OWNERSHIP_HANDLER_REGISTERED:
        return bytes + 1 + 2 + 2 + entry->path.bytes + entry->value.bytes;
    case OWNERSHIP_HANDLER_REMOVED:
        return bytes + 1 + 2 + entry->path.bytes;
    case OWNERSHIP_SESSION_CLAIMED:
        return bytes + 1 + 4;
    }
    return bytes;
}

static void handler_encode(const struct ownership_entry *entry, struct writer *writer)
{
    bool has_value = entry->type == OWNERSHIP_HANDLER_REGISTERED;
    if (entry->path.bytes > PATH_BYTES_MAX || entry->value.bytes > OWNERSHIP_VALUE_BYTES_MAX)
        writer->is_bad = true;
    writer_u8(writer, entry->handler_kind);
    writer_u16(writer, (uint16_t)entry->path.bytes);
    if (has_value)
        writer_u16(writer, (uint16_t)entry->value.bytes);
    writer_span(writer, entry->path);
    if (has_value)
        writer_span(writer, entry->value);
}

void ownership_entry_encode(const struct ownership_entry *entry, uint64_t writer_instance,
                            struct writer *writer)
{
    bool has_instance = entry->session.instance != writer_instance;
    unsigned type = (unsigned)entry->type | (has_instance ? TYPE_HAS_INSTANCE : 0U);
    writer_u8(writer, (uint8_t)type);
    writer_u64(writer, entry->session.serial);
    if (has_instance)
        writer_u64(writer, entry->session.instance);
    switch (entry->type) {
    case OWNERSHIP_SESSION_OPENED:
    case OWNERSHIP_SESSION_STATE:
        writer_u8(writer, entry->state);
        break;
    case OWNERSHIP_SESSION_CLAIMED:
        writer_u8(writer, entry->state);
        writer_u32(writer, entry->claim);
        break;
    case OWNERSHIP_SESSION_CLOSED:
        break;
    case OWNERSHIP_HANDLER_REGISTERED:
    case OWNERSHIP_HANDLER_REMOVED:
        handler_encode(entry, writer);
        break;
    }
}

static enum error session_decode(struct reader *reader, struct ownership_entry *entry)
{
    entry->state = reader_u8(reader);
    bool is_known = entry->state == SESSION_ACTIVE || entry->state == SESSION_DISCONNECTED;
    return reader->is_bad || !is_known ? ERROR_INVALID_MESSAGE : ERROR_OK;
}

static enum error claim_decode(struct reader *reader, struct ownership_entry *entry)
{
    enum error error = session_decode(reader, entry);
    entry->claim = reader_u32(reader);
    return reader->is_bad || entry->claim == 0 ? ERROR_INVALID_MESSAGE : error;
}

static enum error handler_decode(struct reader *reader, struct ownership_entry *entry)
{
    bool has_value = entry->type == OWNERSHIP_HANDLER_REGISTERED;
    entry->handler_kind = reader_u8(reader);
    size_t path_bytes = reader_u16(reader);
    size_t value_bytes = has_value ? reader_u16(reader) : 0;
    entry->path = reader_span(reader, path_bytes);
    entry->value = reader_span(reader, value_bytes);
    if (reader->is_bad || entry->handler_kind == 0 || value_bytes > OWNERSHIP_VALUE_BYTES_MAX ||
        path_bytes == 0 || path_bytes > PATH_BYTES_MAX)
        return ERROR_INVALID_MESSAGE;
    bool is_text = entry->handler_kind > HANDLER_MISSING_TOPIC || span_is_text(entry->path);
    return is_text ? ERROR_OK : ERROR_INVALID_MESSAGE;
}

static enum error entry_decode(struct reader *reader, uint64_t writer_instance,
                               struct ownership_entry *entry)
{
    unsigned type = reader_u8(reader);
    *entry = (struct ownership_entry){.type = (enum ownership_entry_type)(type & TYPE_MASK)};
    entry->session.serial = reader_u64(reader);
    entry->session.instance =
        (type & TYPE_HAS_INSTANCE) != 0 ? reader_u64(reader) : writer_instance;
    if (reader->is_bad || entry->session.instance == 0)
        return ERROR_INVALID_MESSAGE;
    switch (entry->type) {
    case OWNERSHIP_SESSION_OPENED:
    case OWNERSHIP_SESSION_STATE:
        return session_decode(reader, entry);
    case OWNERSHIP_SESSION_CLOSED:
        return ERROR_OK;
    case OWNERSHIP_HANDLER_REGISTERED:
    case OWNERSHIP_HANDLER_REMOVED:
        return handler_decode(reader, entry);
    case OWNERSHIP_SESSION_CLAIMED:
        return claim_decode(reader, entry);
    }
    return ERROR_VERSION_MISMATCH;
}

bool ownership_entry_next(struct span *rest, uint64_t writer_instance,
                          struct ownership_entry *entry, enum error *error)
{
    *error = ERROR_OK;
    if (rest->bytes == 0)
        return false;
    struct reader reader;
    reader_init(&reader, *rest);
    *error = entry_decode(&reader, writer_instance, entry);
    if (*error != ERROR_OK)
        return false;
    *rest = reader_rest(&reader);
    return true;
}
