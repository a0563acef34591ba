/* field.h - how the tables of messages are written down: FIELDS with one FIELD line for
 * each field, in ascending order of tags, and then SCHEMA. For the .c files of proto/ only.
 * Memory: constant tables. Thread: plain data. */
#ifndef WEFT_PROTO_FIELD_H
#define WEFT_PROTO_FIELD_H

#include "proto/schema.h"

/* FIELDS(struct's name) = { FIELD(..), .. }; <name>_any is defined nowhere: only the sizes of its
 * members are asked for. */
#define FIELDS(of)                                                                                 \
    extern const struct of of##_any;                                                               \
    static const struct field of##_fields[]

/* FIELD(struct's name, tag, member, type, need, max): see struct field. The field's name on paper
 * is the member's. */
#define FIELD(of, tag_, member, type_, need_, max_)                                                \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct of, member), .tag = (tag_),                     \
        .width = sizeof(of##_any.member), .type = FIELD_##type_, .need = FIELD_##need_,            \
        .max = (max_),                                                                             \
    }

/* SCHEMA(struct's name): defines <name>_schema from the array <name>_fields. */
#define SCHEMA(of)                                                                                 \
    const struct schema of##_schema = {                                                            \
        .name = #of,                                                                               \
        .fields = of##_fields,                                                                     \
        .fields_count = sizeof of##_fields / sizeof of##_fields[0],                                \
        .struct_bytes = sizeof(struct of),                                                         \
    }

#endif
