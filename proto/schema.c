/* schema.c - see schema.h. Decoding is one merge of two ascending rows: the fields as they come
 * and the table; nothing is looked up, allocated or copied, and time grows with both lengths. */
#include "proto/schema.h"

#include "proto/compiled.h"

size_t schema_measure(const struct schema *schema, const void *message)
{
    size_t total = 0;
    if (schema->code != NULL)
        return schema->code->measure(message);
    for (size_t i = 0; i < schema->fields_count; i++) {
        const struct field *field = &schema->fields[i];
        total += row_measure(field, reader_member(message, field->offset));
    }
    return total;
}

void schema_encode(const struct schema *schema, const void *message, struct writer *writer)
{
    if (schema->code != NULL) {
        schema->code->encode(message, writer);
        return;
    }
    for (size_t i = 0; i < schema->fields_count; i++) {
        const struct field *field = &schema->fields[i];
        row_encode(field, reader_member(message, field->offset), writer);
    }
}

static size_t length_decode(struct reader *reader)
{
    uint8_t first = reader_u8(reader);
    if (first == ROW_LENGTH_IS_U32)
        return reader_u32(reader);
    return first == ROW_LENGTH_IS_U16 ? reader_u16(reader) : first;
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

static enum error walk(const struct schema *schema, struct span fields, void *message)
{
    struct reader reader;
    reader_init(&reader, fields);
    size_t row = 0;
    unsigned last_tag = 0;
    while (reader.left > 0) {
        uint8_t marked = reader_u8(&reader);
        unsigned tag = marked & ROW_TAG_MASK;
        struct span run = reader_span(&reader, length_decode(&reader));
        if (reader.is_bad || tag <= last_tag || !rows_pass(schema, &row, tag))
            return ERROR_INVALID_MESSAGE;
        last_tag = tag;
        if (row < schema->fields_count && schema->fields[row].tag == tag) {
            if (!row_store(&schema->fields[row], run, message))
                return ERROR_INVALID_MESSAGE;
            row++;
        } else if ((marked & ROW_MUST_UNDERSTAND) != 0) {
            return ERROR_VERSION_MISMATCH;
        }
    }
    return rows_pass(schema, &row, ROW_TAG_MASK + 1) ? ERROR_OK : ERROR_INVALID_MESSAGE;
}

enum error schema_decode(const struct schema *schema, struct span fields, void *message)
{
    memset(message, 0, schema->struct_bytes);
    if (schema->code != NULL) {
        if (schema->code->decode(fields, message))
            return ERROR_OK;
        memset(message, 0, schema->struct_bytes);
    }
    return walk(schema, fields, message);
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
