/* compiled.h - how one row of a table reads and writes its field; and, for the messages that every
 * request bears, the whole table as straight code. A table is written once: schema.c walks any of
 * them with these functions, and where SCHEMA_COMPILED stands in place of SCHEMA the compiler walks
 * it, with every type, width and offset known. For the .c files of proto/ only.
 * Memory: as schema.h. Thread: pure functions. */
#ifndef WEFT_PROTO_COMPILED_H
#define WEFT_PROTO_COMPILED_H

#include "proto/field.h"

enum {
    ROW_TAG_MASK = 0x7f,
    ROW_MUST_UNDERSTAND = 0x80,
    ROW_LENGTH_IS_U16 = 254,
    ROW_LENGTH_IS_U32 = 255,
    ROW_ID_BYTES = 16,
    ROW_NO_TAG = -1, /* behind the last field */
};

/* Inlined whatever it takes: that is where a row becomes a constant. */
#define ROW_INLINE static inline __attribute__((always_inline))

/* One copy of the loop's body for each row. */
#ifdef __clang__
#define ROW_UNROLL _Pragma("unroll")
#else
#define ROW_UNROLL _Pragma("GCC unroll 32")
#endif

/* ---- members of the struct ---- */

/* The integer of `width` bytes that starts at a struct's member. */
ROW_INLINE uint64_t row_load(const uint8_t *member, uint8_t width)
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

ROW_INLINE void row_set(uint8_t *member, uint8_t width, uint64_t value)
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

ROW_INLINE struct span row_run(const uint8_t *member)
{
    struct span run;
    memcpy(&run, member, sizeof run);
    return run;
}

ROW_INLINE struct session_id row_id(const uint8_t *member)
{
    struct session_id id;
    memcpy(&id, member, sizeof id);
    return id;
}

/* Zero and empty are left out, unless they must be there. */
ROW_INLINE bool row_is_left_out(const struct field *field, bool is_zero)
{
    return is_zero && field->need != FIELD_REQUIRED;
}

/* ---- out ---- */

/* How many bytes an integer takes on the wire. */
ROW_INLINE size_t row_uint_bytes(uint64_t value)
{
    return value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
}

/* Bytes of one field on the wire, tag and length included; 0: left out. */
ROW_INLINE size_t row_measure(const struct field *field, const uint8_t *member)
{
    uint64_t number;
    size_t bytes = 0;
    switch (field->type) {
    case FIELD_UINT:
        number = row_load(member, field->width);
        return row_is_left_out(field, number == 0) ? 0 : 2 + row_uint_bytes(number);
    case FIELD_BOOL:
        return row_is_left_out(field, *member == 0) ? 0 : 3;
    case FIELD_ID:
        return row_is_left_out(field, session_id_is_none(row_id(member))) ? 0 : 2 + ROW_ID_BYTES;
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_GROUPS:
        bytes = row_run(member).bytes;
        break;
    }
    size_t length_bytes = bytes < ROW_LENGTH_IS_U16 ? 1 : bytes <= UINT16_MAX ? 3 : 5;
    return row_is_left_out(field, bytes == 0) ? 0 : 1 + length_bytes + bytes;
}

ROW_INLINE uint8_t row_tag(const struct field *field)
{
    unsigned mark = field->need == FIELD_MUST_UNDERSTAND ? ROW_MUST_UNDERSTAND : 0;
    return (uint8_t)(field->tag | mark);
}

/* Writes tag and a length of one byte; `value` is a writer for so many bytes behind them. False and
 * a bad writer when there is no room for all. */
ROW_INLINE bool row_begin(const struct field *field, size_t bytes, struct writer *writer,
                          struct writer *value)
{
    uint8_t *claimed = writer_claim(writer, 2 + bytes);
    if (claimed == NULL)
        return false;
    writer_init(value, claimed, 2 + bytes);
    writer_u8(value, row_tag(field));
    writer_u8(value, (uint8_t)bytes);
    return true;
}

ROW_INLINE void row_uint_encode(const struct field *field, uint64_t number, struct writer *writer)
{
    struct writer value;
    size_t bytes = row_uint_bytes(number);
    if (!row_begin(field, bytes, writer, &value))
        return;
    switch (bytes) {
    case 1:
        writer_u8(&value, (uint8_t)number);
        break;
    case 2:
        writer_u16(&value, (uint16_t)number);
        break;
    case 4:
        writer_u32(&value, (uint32_t)number);
        break;
    default: /* 8 */
        writer_u64(&value, number);
        break;
    }
}

/* A run whose length does not fit one byte. */
static inline void row_long_run_encode(const struct field *field, struct span run,
                                       struct writer *writer)
{
    writer_u8(writer, row_tag(field));
    if (run.bytes <= UINT16_MAX) {
        writer_u8(writer, ROW_LENGTH_IS_U16);
        writer_u16(writer, (uint16_t)run.bytes);
    } else if (run.bytes <= UINT32_MAX) {
        writer_u8(writer, ROW_LENGTH_IS_U32);
        writer_u32(writer, (uint32_t)run.bytes);
    } else {
        writer->is_bad = true;
    }
    writer_span(writer, run);
}

ROW_INLINE void row_run_encode(const struct field *field, struct span run, struct writer *writer)
{
    struct writer value;
    if (run.bytes >= ROW_LENGTH_IS_U16) {
        row_long_run_encode(field, run, writer);
        return;
    }
    if (row_begin(field, run.bytes, writer, &value) && run.bytes > 0)
        memcpy(writer_claim(&value, run.bytes), run.data, run.bytes);
}

ROW_INLINE void row_id_encode(const struct field *field, struct session_id id,
                              struct writer *writer)
{
    struct writer value;
    if (!row_begin(field, ROW_ID_BYTES, writer, &value))
        return;
    writer_u64(&value, id.instance);
    writer_u64(&value, id.serial);
}

ROW_INLINE void row_encode(const struct field *field, const uint8_t *member, struct writer *writer)
{
    uint64_t number;
    struct span run;
    struct session_id id;
    switch (field->type) {
    case FIELD_UINT:
    case FIELD_BOOL:
        number = row_load(member, field->width);
        if (!row_is_left_out(field, number == 0))
            row_uint_encode(field, number, writer);
        break;
    case FIELD_ID:
        id = row_id(member);
        if (!row_is_left_out(field, session_id_is_none(id)))
            row_id_encode(field, id, writer);
        break;
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_GROUPS:
        run = row_run(member);
        if (!row_is_left_out(field, run.bytes == 0))
            row_run_encode(field, run, writer);
        break;
    }
}

/* ---- in ---- */

/* The integer in a run of 1, 2, 4 or 8 bytes; false for any other length. */
ROW_INLINE bool row_uint_decode(struct span run, uint64_t *value)
{
    struct reader reader;
    reader_init(&reader, run);
    switch (run.bytes) {
    case 1:
        *value = reader_u8(&reader);
        return true;
    case 2:
        *value = reader_u16(&reader);
        return true;
    case 4:
        *value = reader_u32(&reader);
        return true;
    case 8:
        *value = reader_u64(&reader);
        return true;
    default:
        return false;
    }
}

/* Puts a run of wire bytes into the struct; false when the field cannot be that. */
ROW_INLINE bool row_store(const struct field *field, struct span run, void *message)
{
    uint8_t *member = writer_member(message, field->offset);
    uint64_t number = 0;
    struct session_id id;
    struct reader reader;
    switch (field->type) {
    case FIELD_UINT:
        if (!row_uint_decode(run, &number) || number > field->max)
            return false;
        row_set(member, field->width, number);
        return true;
    case FIELD_BOOL:
        if (run.bytes != 1 || run.data[0] > 1)
            return false;
        row_set(member, sizeof(bool), run.data[0]);
        return true;
    case FIELD_ID:
        if (run.bytes != ROW_ID_BYTES)
            return false;
        reader_init(&reader, run);
        id.instance = reader_u64(&reader);
        id.serial = reader_u64(&reader);
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

/* ---- a whole table ---- */

ROW_INLINE size_t compiled_measure(const struct field *fields, size_t count, const void *message)
{
    size_t total = 0;
    ROW_UNROLL
    for (size_t i = 0; i < count; i++)
        total += row_measure(&fields[i], reader_member(message, fields[i].offset));
    return total;
}

ROW_INLINE void compiled_encode(const struct field *fields, size_t count, const void *message,
                                struct writer *writer)
{
    struct writer to = *writer; /* its own, so that it stays in registers between bytes */
    ROW_UNROLL
    for (size_t i = 0; i < count; i++)
        row_encode(&fields[i], reader_member(message, fields[i].offset), &to);
    *writer = to;
}

/* Fields as schema_encode writes them: known ones, in order, with lengths of one byte. False: they
 * are something else, good or bad, which schema.c judges. The struct is all zero. */
ROW_INLINE bool compiled_decode(const struct field *fields, size_t count, struct span from,
                                void *message)
{
    struct reader reader;
    reader_init(&reader, from);
    int tag = reader.left > 0 ? reader_u8(&reader) : ROW_NO_TAG;
    ROW_UNROLL
    for (size_t i = 0; i < count; i++) {
        if (tag != row_tag(&fields[i])) {
            if (fields[i].need == FIELD_REQUIRED)
                return false;
            continue;
        }
        size_t bytes = reader_u8(&reader);
        if (bytes == 0 || bytes >= ROW_LENGTH_IS_U16)
            return false;
        struct span run = reader_span(&reader, bytes);
        if (reader.is_bad || !row_store(&fields[i], run, message))
            return false;
        tag = reader.left > 0 ? reader_u8(&reader) : ROW_NO_TAG;
    }
    return tag == ROW_NO_TAG;
}

/* SCHEMA_COMPILED(struct's name): as SCHEMA, with straight code for that table. */
#define SCHEMA_COMPILED(of)                                                                        \
    static size_t of##_measure(const void *message)                                                \
    {                                                                                              \
        return compiled_measure(of##_fields, sizeof of##_fields / sizeof of##_fields[0], message); \
    }                                                                                              \
    static void of##_encode(const void *message, struct writer *writer)                            \
    {                                                                                              \
        compiled_encode(of##_fields, sizeof of##_fields / sizeof of##_fields[0], message, writer); \
    }                                                                                              \
    static bool of##_decode(struct span fields, void *message)                                     \
    {                                                                                              \
        return compiled_decode(of##_fields, sizeof of##_fields / sizeof of##_fields[0], fields,    \
                               message);                                                           \
    }                                                                                              \
    static const struct schema_code of##_code = {of##_measure, of##_encode, of##_decode};          \
    const struct schema of##_schema = {                                                            \
        .name = #of,                                                                               \
        .fields = of##_fields,                                                                     \
        .fields_count = sizeof of##_fields / sizeof of##_fields[0],                                \
        .struct_bytes = sizeof(struct of),                                                         \
        .code = &of##_code,                                                                        \
    }

#endif
