/* envelope.c - see envelope.h. */
#include "proto/envelope.h"

enum { MAGIC = 0x54464557 }; /* "WEFT", read as a little-endian integer */

size_t envelope_bytes(enum channel channel)
{
    return channel == CHANNEL_CLIENT ? ENVELOPE_CLIENT_BYTES : ENVELOPE_PEER_BYTES;
}

void envelope_encode(const struct envelope *envelope, struct writer *writer)
{
    writer_u32(writer, MAGIC);
    writer_u8(writer, envelope->version);
    writer_u8(writer, (uint8_t)envelope->channel);
    writer_u16(writer, 0);
    if (envelope->channel == CHANNEL_CLIENT)
        return;
    writer_u64(writer, envelope->mesh);
    writer_u64(writer, envelope->sender);
    writer_u64(writer, envelope->receiver);
    writer_u64(writer, envelope->sequence);
}

enum error envelope_decode(struct reader *frame, enum channel expected, struct envelope *envelope)
{
    *envelope = (struct envelope){.channel = expected};
    uint32_t magic = reader_u32(frame);
    envelope->version = reader_u8(frame);
    uint8_t channel = reader_u8(frame);
    reader_u16(frame);
    if (expected != CHANNEL_CLIENT) {
        envelope->mesh = reader_u64(frame);
        envelope->sender = reader_u64(frame);
        envelope->receiver = reader_u64(frame);
        envelope->sequence = reader_u64(frame);
    }
    if (frame->is_bad || magic != MAGIC || channel != (uint8_t)expected)
        return ERROR_INVALID_MESSAGE;
    if (envelope->version < WIRE_VERSION_MIN || envelope->version > WIRE_VERSION_MAX)
        return ERROR_VERSION_MISMATCH;
    return ERROR_OK;
}

static void header_encode(const struct message *message, size_t fields_bytes, size_t body_bytes,
                          struct writer *writer)
{
    uint8_t *bytes = writer_claim(writer, MESSAGE_HEADER_BYTES);
    if (bytes == NULL)
        return;
    struct writer header;
    writer_init(&header, bytes, MESSAGE_HEADER_BYTES);
    writer_u8(&header, message->kind);
    writer_u8(&header, message->flags);
    writer_u16(&header, (uint16_t)fields_bytes);
    writer_u32(&header, (uint32_t)body_bytes);
    writer_u64(&header, message->correlation);
}

void message_encode(const struct schema *schema, const void *fields, uint8_t kind, uint8_t flags,
                    uint64_t correlation, size_t body_bytes, struct writer *writer)
{
    /* The header names the fields' length: its place is kept until they are written. */
    const struct message message = {.kind = kind, .flags = flags, .correlation = correlation};
    struct writer header = *writer;
    (void)writer_claim(writer, MESSAGE_HEADER_BYTES);
    size_t before = writer->left;
    if (schema != NULL)
        schema_encode(schema, fields, writer);
    size_t fields_bytes = before - writer->left;
    if (fields_bytes > MESSAGE_FIELDS_BYTES_MAX || body_bytes > UINT32_MAX)
        writer->is_bad = true;
    if (!writer->is_bad)
        header_encode(&message, fields_bytes, body_bytes, &header);
}

void message_pass_on(const struct message *message, struct writer *writer)
{
    size_t fields_bytes = message->fields.bytes;
    size_t body_bytes = message->body.bytes;
    if (fields_bytes > MESSAGE_FIELDS_BYTES_MAX || body_bytes > UINT32_MAX)
        writer->is_bad = true;
    header_encode(message, fields_bytes, body_bytes, writer);
    writer_span(writer, message->fields);
}

size_t message_measure(const struct schema *schema, const void *fields)
{
    return MESSAGE_HEADER_BYTES + (schema == NULL ? 0 : schema_measure(schema, fields));
}

/* Takes header and fields; returns how many bytes of body follow. All zero from a bad reader. */
static inline uint32_t head_decode(struct reader *frame, struct message *message)
{
    const uint8_t *bytes = reader_take(frame, MESSAGE_HEADER_BYTES);
    *message = (struct message){.kind = 0};
    if (bytes == NULL)
        return 0;
    struct reader header;
    reader_init(&header, span_of(bytes, MESSAGE_HEADER_BYTES));
    message->kind = reader_u8(&header);
    message->flags = reader_u8(&header);
    uint16_t fields_bytes = reader_u16(&header);
    uint32_t body_bytes = reader_u32(&header);
    message->correlation = reader_u64(&header);
    message->fields = reader_span(frame, fields_bytes);
    return body_bytes;
}

bool message_of_parts(struct span head, struct span body, struct message *message)
{
    struct reader reader;
    reader_init(&reader, head);
    uint32_t body_bytes = head_decode(&reader, message);
    message->body = body;
    return !reader.is_bad && reader.left == 0 && body_bytes == body.bytes;
}

bool message_next(struct reader *frame, struct message *message, enum error *error)
{
    *error = frame->is_bad ? ERROR_INVALID_MESSAGE : ERROR_OK;
    if (frame->is_bad || frame->left == 0)
        return false;
    uint32_t body_bytes = head_decode(frame, message);
    message->body = reader_span(frame, body_bytes);
    if (frame->is_bad)
        *error = ERROR_INVALID_MESSAGE;
    return !frame->is_bad;
}

bool message_skip(struct reader *frame, size_t *bytes, enum error *error)
{
    *error = frame->is_bad ? ERROR_INVALID_MESSAGE : ERROR_OK;
    if (frame->is_bad || frame->left == 0)
        return false;
    struct reader header;
    reader_init(&header, span_of(frame->next, frame->left));
    (void)reader_u16(&header); /* kind and flags */
    size_t fields_bytes = reader_u16(&header);
    size_t body_bytes = reader_u32(&header);
    if (reader_take(frame, MESSAGE_HEADER_BYTES + fields_bytes) == NULL ||
        (body_bytes > 0 && reader_take(frame, body_bytes) == NULL)) {
        *error = ERROR_INVALID_MESSAGE;
        return false;
    }
    *bytes = MESSAGE_HEADER_BYTES + fields_bytes + body_bytes;
    return true;
}

uint64_t mesh_name_hash(struct span name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.bytes; i++)
        hash = (hash ^ name.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

bool mesh_name_is_good(struct span name)
{
    for (size_t i = 0; i < name.bytes; i++) {
        if (name.data[i] <= ' ' || name.data[i] == 127 || name.data[i] == '"' ||
            name.data[i] == ',')
            return false;
    }
    return true;
}
