/* schema.h - turns a struct into tagged fields and back, driven by one table for each message.
 *
 * A message's fields are a row of
 *
 *     +-----+--------------+----------------+
 *     | tag | length       | value          |   tag     1..127; bit 7 set: must be understood
 *     | u8  | u8 [u16|u32] | length bytes   |   length  0..253, or 254 and a u16, or 255 and a u32
 *     +-----+--------------+----------------+
 *
 * in ascending order of tags, each tag at most once. Zero integers and empty runs are left out
 * unless required. An integer's value is 1, 2, 4 or 8 bytes, little-endian; a reader takes any of
 * them. An unknown tag is skipped, unless it bears the must-understand bit.
 * Memory: decoded spans point into the input. Nothing is allocated. Thread: pure functions. */
#ifndef WEFT_PROTO_SCHEMA_H
#define WEFT_PROTO_SCHEMA_H

#include "proto/error.h"
#include "proto/reader.h"
#include "proto/span.h"
#include "proto/writer.h"

enum field_type {
    FIELD_UINT,   /* uint8_t, uint16_t, uint32_t or uint64_t in the struct; max = greatest value */
    FIELD_BOOL,   /* bool */
    FIELD_ID,     /* struct session_id; 16 bytes: instance, serial */
    FIELD_TEXT,   /* struct span, UTF-8 without NUL; max = bytes */
    FIELD_BYTES,  /* struct span; max = bytes */
    FIELD_GROUPS, /* struct span holding groups, each u32 length + fields; see group_next */
};

enum field_need { FIELD_OPTIONAL, FIELD_REQUIRED, FIELD_MUST_UNDERSTAND };

struct field {
    const char *name; /* as in proto/README.md and vectors.json */
    uint16_t offset;  /* of the member in the struct */
    uint8_t tag;
    uint8_t width; /* bytes of the struct's integer, FIELD_UINT only */
    enum field_type type;
    enum field_need need;
    uint64_t max;
};

/* Straight code for one table (compiled.h). decode is false for what is not as encode writes it. */
struct schema_code {
    size_t (*measure)(const void *message);
    void (*encode)(const void *message, struct writer *writer);
    bool (*decode)(struct span fields, void *message);
};

struct schema {
    const char *name;
    const struct field *fields; /* ascending tags */
    size_t fields_count;
    size_t struct_bytes;
    const struct schema_code *code; /* NULL: the table is walked */
};

/* Bytes that schema_encode will write for this struct. */
size_t schema_measure(const struct schema *schema, const void *message);

/* Appends the fields; the writer must have room for schema_measure bytes. */
void schema_encode(const struct schema *schema, const void *message, struct writer *writer);

/* Fills the struct (all of it: what is absent is zero or empty) from encoded fields.
 * Returns ERROR_OK; ERROR_INVALID_MESSAGE for truncated, unordered, out of range, missing or
 * not UTF-8; ERROR_VERSION_MISMATCH for an unknown tag that must be understood. The struct's
 * content is unspecified after an error. O(fields). */
ERROR_MUST_CHECK
enum error schema_decode(const struct schema *schema, struct span fields, void *message);

/* Appends one group: u32 length, then the fields. Needs 4 + schema_measure bytes. */
void group_encode(const struct schema *schema, const void *message, struct writer *writer);

/* Decodes the next group of a run into the struct and moves *rest behind it.
 * Returns true when one was decoded; false at the end (*error stays ERROR_OK) or on an error. */
ERROR_MUST_CHECK
bool group_next(const struct schema *schema, struct span *rest, void *message, enum error *error);

#endif
