/* messages.h - what the tests of proto/ share: every message's table in one list, seeded random
 * messages, and their comparison field by field.
 * Memory: random texts live in a pool that message_random starts anew. Thread: one. */
#ifndef WEFT_TESTS_PROTO_MESSAGES_H
#define WEFT_TESTS_PROTO_MESSAGES_H

#include <stdalign.h>

#include "proto/schema.h"

enum { STRUCT_BYTES_MAX = 512, ENCODED_BYTES_MAX = 1 << 20 };

/* Room for any message's struct. */
struct any_message {
    alignas(16) uint8_t bytes[STRUCT_BYTES_MAX];
};

/* Every schema of proto/, and how many there are. */
extern const struct schema *const message_schemas[];
extern const size_t message_schemas_count;

/* The schema with that name; NULL: none. */
const struct schema *message_schema_named(const char *name);

/* A sequence of numbers that looks random and is the same for the same seed (splitmix64). */
uint64_t random_next(uint64_t *seed);

/* Fills the struct with values inside the schema's limits, about half of them zero or empty. */
void message_random(const struct schema *schema, uint64_t *seed, void *message);

/* Whether two structs say the same, field by field. */
bool message_equal(const struct schema *schema, const void *a, const void *b);

/* The value of a FIELD_UINT in a struct. */
uint64_t message_uint(const struct field *field, const void *message);
void message_uint_set(const struct field *field, void *message, uint64_t value);

/* Encodes into `buffer`; returns the bytes, SIZE_MAX when measure and encode disagree. */
size_t message_fields_encode(const struct schema *schema, const void *message, void *buffer,
                             size_t bytes_max);

#endif
