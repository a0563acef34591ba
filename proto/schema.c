/* schema.c - see schema.h. Decoding is one merge of two ascending rows: the fields as they come
 * and the table; nothing is looked up, allocated or copied, and time grows with both lengths. */
#include "proto/schema.h"

enum {
    TAG_MASK = 0x7f,
    TAG_MUST_UNDERSTAND = 0x80,
    LENGTH_IS_U16 = 254,
    LENGTH_IS_U32 = 255,
    ID_BYTES = 16,
};

/* The integer of `width` bytes that starts at a struct's member. */
static uint64_t uint_load(const uint8_t *member, uint8_t width)
{
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (width) {
    case 1:
        return *member;
    case 2:
        memcpy(&u16, member, sizeof u16);
        return u16;
    case 4:
        memcpy(&u32, member, sizeof u32);
        return u32;
    default: /* 8; a test holds every table to 1, 2, 4 or 8 */
        memcpy(&u64, member, sizeof u64);
        return u64;
    }
}

static void uint_store(uint8_t *member, uint8_t width, uint64_t value)
{
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (width) {
    case 1:
        *member = (uint8_t)value;
        break;
    case 2:
        memcpy(member, &u16, sizeof u16);
        break;
    case 4:
        memcpy(member, &u32, sizeof u32);
        break;
    default: /* 8 */
        memcpy(member, &value, sizeof value);
        break;
    }
}

/* How many bytes an integer takes on the wire. */
static size_t uint_bytes(uint64_t value)
{
    return value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
}

static struct span run_load(const uint8_t *member)
{
    struct span run;
    memcpy(&run, member, sizeof run);
    return run;
}

static struct session_id id_load(const uint8_t *member)
{
    struct session_id id;
    memcpy(&id, member, sizeof id);
    return id;
}

static size_t length_bytes(size_t bytes)
{
    return bytes < LENGTH_IS_U16 ? 1 : bytes <= UINT16_MAX ? 3 : 5;
}

/* Zero and empty are left out, unless they must be there. */
static bool is_left_out(const struct field *field, bool is_zero)
{
    return is_zero && field->need != FIELD_REQUIRED;
}

/* Bytes of one field on the wire, tag and length included; 0: left out. */
static size_t field_measure(const struct field *field, const uint8_t *member)
{
    uint64_t number;
    size_t bytes = 0;
    switch (field->type) {
    case FIELD_UINT:
        number = uint_load(member, field->width);
        return is_left_out(field, number == 0) ? 0 : 2 + uint_bytes(number);
    case FIELD_BOOL:
        return is_left_out(field, *member == 0) ? 0 : 3;
    case FIELD_ID:
        return is_left_out(field, session_id_is_none(id_load(member))) ? 0 : 2 + ID_BYTES;
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_GROUPS:
        bytes = run_load(member).bytes;
        break;
    }
    return is_left_out(field, bytes == 0) ? 0 : 1 + length_bytes(bytes) + bytes;
}

size_t schema_measure(const struct schema *schema, const void *message)
{
    size_t total = 0;
    for (size_t i = 0; i < schema->fields_count; i++) {
        const struct field *field = &schema->fields[i];
        total += field_measure(field, reader_member(message, field->offset));
    }
    return total;
}

static uint8_t tag_of(const struct field *field)
{
    unsigned mark = field->need == FIELD_MUST_UNDERSTAND ? TAG_MUST_UNDERSTAND : 0;
    return (uint8_t)(field->tag | mark);
}

static void uint_encode(const struct field *field, uint64_t value, size_t bytes,
                        struct writer *writer)
{
    writer_u8(writer, tag_of(field));
    writer_u8(writer, (uint8_t)bytes);
    writer_uint(writer, value, bytes);
}

static void run_encode(const struct field *field, struct span run, struct writer *writer)
{
    writer_u8(writer, tag_of(field));
    if (run.bytes < LENGTH_IS_U16) {
        writer_u8(writer, (uint8_t)run.bytes);
    } else if (run.bytes <= UINT16_MAX) {
        writer_u8(writer, LENGTH_IS_U16);
        writer_u16(writer, (uint16_t)run.bytes);
    } else if (run.bytes <= UINT32_MAX) {
        writer_u8(writer, LENGTH_IS_U32);
        writer_u32(writer, (uint32_t)run.bytes);
    } else {
        writer->is_bad = true;
    }
    writer_span(writer, run);
}

static void id_encode(const struct field *field, struct session_id id, struct writer *writer)
{
    writer_u8(writer, tag_of(field));
    writer_u8(writer, ID_BYTES);
    writer_id(writer, id);
}

static void field_encode(const struct field *field, const uint8_t *member, struct writer *writer)
{
    uint64_t number;
    struct span run;
    struct session_id id;
    switch (field->type) {
    case FIELD_UINT:
        number = uint_load(member, field->width);
        if (!is_left_out(field, number == 0))
            uint_encode(field, number, uint_bytes(number), writer);
        break;
    case FIELD_BOOL:
        if (!is_left_out(field, *member == 0))
            uint_encode(field, *member, 1, writer);
        break;
    case FIELD_ID:
        id = id_load(member);
        if (!is_left_out(field, session_id_is_none(id)))
            id_encode(field, id, writer);
        break;
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_GROUPS:
        run = run_load(member);
        if (!is_left_out(field, run.bytes == 0))
            run_encode(field, run, writer);
        break;
    }
}

void schema_encode(const struct schema *schema, const void *message, struct writer *writer)
{
    for (size_t i = 0; i < schema->fields_count; i++) {
        const struct field *field = &schema->fields[i];
        field_encode(field, reader_member(message, field->offset), writer);
    }
}

/* The integer in a run of 1, 2, 4 or 8 bytes; false for any other length. */
static bool uint_decode(struct span run, uint64_t *value)
{
    if (run.bytes != 1 && run.bytes != 2 && run.bytes != 4 && run.bytes != 8)
        return false;
    *value = 0;
    for (size_t i = run.bytes; i-- > 0;)
        *value = *value << 8 | run.data[i];
    return true;
}

/* Puts a run of wire bytes into the struct; false when the field cannot be that. */
static bool value_store(const struct field *field, struct span run, void *message)
{
    uint8_t *member = writer_member(message, field->offset);
    uint64_t number = 0;
    struct session_id id;
    struct reader reader;
    bool flag;
    switch (field->type) {
    case FIELD_UINT:
        if (!uint_decode(run, &number) || number > field->max)
            return false;
        uint_store(member, field->width, number);
        return true;
    case FIELD_BOOL:
        if (run.bytes != 1 || run.data[0] > 1)
            return false;
        flag = run.data[0] == 1;
        memcpy(member, &flag, sizeof flag);
        return true;
    case FIELD_ID:
        if (run.bytes != ID_BYTES)
            return false;
        reader_init(&reader, run);
        id = reader_id(&reader);
        memcpy(member, &id, sizeof id);
        return true;
    case FIELD_TEXT:
        if (!span_is_text(run))
            return false;
        break;
    case FIELD_BYTES:
    case FIELD_GROUPS:
        break;
    }
    if (run.bytes > field->max)
        return false;
    memcpy(member, &run, sizeof run);
    return true;
}

static size_t length_decode(struct reader *reader)
{
    uint8_t first = reader_u8(reader);
    if (first == LENGTH_IS_U32)
        return reader_u32(reader);
    return first == LENGTH_IS_U16 ? reader_u16(reader) : first;
}

/* Moves over the table's rows below `tag`; false when one of them had to be there. */
static bool rows_pass(const struct schema *schema, size_t *row, unsigned tag)
{
    for (; *row < schema->fields_count && schema->fields[*row].tag < tag; (*row)++) {
        if (schema->fields[*row].need == FIELD_REQUIRED)
            return false;
    }
    return true;
}

enum error schema_decode(const struct schema *schema, struct span fields, void *message)
{
    struct reader reader;
    reader_init(&reader, fields);
    memset(message, 0, schema->struct_bytes);
    size_t row = 0;
    unsigned last_tag = 0;
    while (reader.left > 0) {
        uint8_t marked = reader_u8(&reader);
        unsigned tag = marked & TAG_MASK;
        struct span run = reader_span(&reader, length_decode(&reader));
        if (reader.is_bad || tag <= last_tag || !rows_pass(schema, &row, tag))
            return ERROR_INVALID_MESSAGE;
        last_tag = tag;
        if (row < schema->fields_count && schema->fields[row].tag == tag) {
            if (!value_store(&schema->fields[row], run, message))
                return ERROR_INVALID_MESSAGE;
            row++;
        } else if ((marked & TAG_MUST_UNDERSTAND) != 0) {
            return ERROR_VERSION_MISMATCH;
        }
    }
    return rows_pass(schema, &row, TAG_MASK + 1) ? ERROR_OK : ERROR_INVALID_MESSAGE;
}

void group_encode(const struct schema *schema, const void *message, struct writer *writer)
{
    struct writer length = *writer;
    writer_u32(writer, 0);
    size_t before = writer->left;
    schema_encode(schema, message, writer);
    if (!writer->is_bad)
        writer_u32(&length, (uint32_t)(before - writer->left));
}

bool group_next(const struct schema *schema, struct span *rest, void *message, enum error *error)
{
    *error = ERROR_OK;
    if (rest->bytes == 0)
        return false;
    struct reader reader;
    reader_init(&reader, *rest);
    struct span fields = reader_span(&reader, reader_u32(&reader));
    *error = reader.is_bad ? ERROR_INVALID_MESSAGE : schema_decode(schema, fields, message);
    if (*error != ERROR_OK)
        return false;
    *rest = reader_rest(&reader);
    return true;
}
