/* test_schema_tables.c - holds every message's table to the rules of tables, and every message to
 * what must be true of all: what is encoded comes back, what is cut or flipped does no harm. */
#include <criterion/criterion.h>

#include "tests/unit/proto/messages.h"

enum { ROUNDS = 300, FLIPS = 400 };

static uint8_t once[ENCODED_BYTES_MAX];
static uint8_t twice[ENCODED_BYTES_MAX];

Test(schema_tables, ascend_and_stay_inside_their_structs)
{
    for (size_t i = 0; i < message_schemas_count; i++) {
        const struct schema *schema = message_schemas[i];
        unsigned last_tag = 0;
        cr_assert_leq(schema->struct_bytes, STRUCT_BYTES_MAX);
        for (size_t j = 0; j < schema->fields_count; j++) {
            const struct field *field = &schema->fields[j];
            cr_assert_gt(field->tag, last_tag, "%s.%s", schema->name, field->name);
            cr_assert_leq(field->tag, 127);
            cr_assert_leq(field->offset + field->width, schema->struct_bytes);
            last_tag = field->tag;
        }
    }
}

Test(schema_tables, each_type_has_its_width_and_integers_hold_their_limit)
{
    for (size_t i = 0; i < message_schemas_count; i++) {
        for (size_t j = 0; j < message_schemas[i]->fields_count; j++) {
            const struct field *field = &message_schemas[i]->fields[j];
            uint64_t most = field->width >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * field->width) - 1;
            switch (field->type) {
            case FIELD_UINT:
                cr_assert(field->width == 1 || field->width == 2 || field->width == 4 ||
                          field->width == 8);
                cr_assert_leq(field->max, most, "%s.%s", message_schemas[i]->name, field->name);
                cr_assert_gt(field->max, 0);
                break;
            case FIELD_BOOL:
                cr_assert_eq(field->width, sizeof(bool));
                break;
            case FIELD_ID:
                cr_assert_eq(field->width, sizeof(struct session_id));
                break;
            case FIELD_TEXT:
            case FIELD_BYTES:
            case FIELD_GROUPS:
                cr_assert_eq(field->width, sizeof(struct span));
                cr_assert_gt(field->max, 0);
                break;
            }
        }
    }
}

Test(schema_tables, random_messages_come_back_as_they_were)
{
    uint64_t seed = 1;
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < message_schemas_count; i++) {
            const struct schema *schema = message_schemas[i];
            struct any_message in;
            struct any_message out;
            message_random(schema, &seed, &in);
            size_t bytes = message_fields_encode(schema, &in, once, sizeof once);
            cr_assert_neq(bytes, SIZE_MAX);
            memset(&out, 0xee, sizeof out);
            cr_assert_eq(schema_decode(schema, span_of(once, bytes), &out), ERROR_OK, "%s",
                         schema->name);
            cr_assert(message_equal(schema, &in, &out), "%s, round %zu", schema->name, round);
            cr_assert_eq(message_fields_encode(schema, &out, twice, sizeof twice), bytes);
            cr_assert(memcmp(once, twice, bytes) == 0);
        }
    }
}

/* A table that is straight code, walked instead. */
static struct schema walked(const struct schema *schema)
{
    struct schema table = *schema;
    table.code = NULL;
    return table;
}

/* What both make of the same bytes. */
static void decode_both_ways(const struct schema *schema, struct span fields)
{
    struct any_message straight;
    struct any_message by_table;
    const struct schema table = walked(schema);
    memset(&straight, 0xee, sizeof straight);
    memset(&by_table, 0x11, sizeof by_table);
    enum error error = schema_decode(&table, fields, &by_table);
    cr_assert_eq(schema_decode(schema, fields, &straight), error, "%s", schema->name);
    if (error == ERROR_OK)
        cr_assert(message_equal(schema, &straight, &by_table), "%s", schema->name);
}

Test(schema_tables, straight_code_does_what_walking_the_table_does)
{
    uint64_t seed = 7;
    size_t compiled = 0;
    for (size_t i = 0; i < message_schemas_count; i++) {
        const struct schema *schema = message_schemas[i];
        const struct schema table = walked(schema);
        struct any_message message;
        compiled += schema->code != NULL;
        for (size_t round = 0; schema->code != NULL && round < ROUNDS; round++) {
            message_random(schema, &seed, &message);
            size_t bytes = message_fields_encode(schema, &message, once, sizeof once);
            cr_assert_neq(bytes, SIZE_MAX);
            cr_assert_eq(message_fields_encode(&table, &message, twice, sizeof twice), bytes);
            cr_assert(memcmp(once, twice, bytes) == 0, "%s", schema->name);
            for (size_t cut = 0; cut <= bytes && cut < FLIPS; cut++)
                decode_both_ways(schema, span_of(once, cut));
            for (size_t flip = 0; flip < 8 * bytes && flip < FLIPS; flip++) {
                once[flip / 8] ^= (uint8_t)(1U << flip % 8);
                decode_both_ways(schema, span_of(once, bytes));
                once[flip / 8] ^= (uint8_t)(1U << flip % 8);
            }
        }
    }
    cr_assert_gt(compiled, 0);
}

/* Where a field starts in the encoding, a cut leaves a shorter but whole row of fields. */
static bool is_cut_between_fields(struct span fields, size_t cut)
{
    struct reader reader;
    reader_init(&reader, fields);
    while (fields.bytes - reader.left < cut) {
        reader_u8(&reader);
        size_t length = reader_u8(&reader);
        length = length == 255 ? reader_u32(&reader) : length == 254 ? reader_u16(&reader) : length;
        reader_span(&reader, length);
    }
    return fields.bytes - reader.left == cut;
}

Test(schema_tables, cut_messages_are_refused_at_every_byte)
{
    uint64_t seed = 2;
    for (size_t i = 0; i < message_schemas_count * 8; i++) {
        const struct schema *schema = message_schemas[i % message_schemas_count];
        struct any_message message;
        message_random(schema, &seed, &message);
        size_t bytes = message_fields_encode(schema, &message, once, sizeof once);
        size_t step = bytes / 1000 + 1;
        for (size_t cut = 1; cut < bytes; cut += step) {
            /* A block of exactly that size: one byte too far is seen. */
            uint8_t *copy = malloc(cut);
            memcpy(copy, once, cut);
            enum error error = schema_decode(schema, span_of(copy, cut), &message);
            free(copy);
            bool may_be_whole = is_cut_between_fields(span_of(once, bytes), cut);
            cr_assert(error == ERROR_INVALID_MESSAGE || (error == ERROR_OK && may_be_whole),
                      "%s cut at %zu of %zu", schema->name, cut, bytes);
        }
    }
}

Test(schema_tables, flipped_bits_are_refused_or_mean_something_else)
{
    uint64_t seed = 3;
    for (size_t i = 0; i < message_schemas_count * 8; i++) {
        const struct schema *schema = message_schemas[i % message_schemas_count];
        struct any_message message;
        message_random(schema, &seed, &message);
        size_t bytes = message_fields_encode(schema, &message, once, sizeof once);
        for (size_t flip = 0; flip < FLIPS && bytes > 0; flip++) {
            size_t bit = random_next(&seed) % (bytes * 8);
            once[bit / 8] ^= (uint8_t)(1U << bit % 8);
            enum error error = schema_decode(schema, span_of(once, bytes), &message);
            cr_assert(error == ERROR_OK || error == ERROR_INVALID_MESSAGE ||
                      error == ERROR_VERSION_MISMATCH);
            if (error == ERROR_OK) {
                size_t again = message_fields_encode(schema, &message, twice, sizeof twice);
                cr_assert_leq(again, bytes, "nothing grows on its way through a node");
            }
            once[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

Test(schema_tables, noise_is_refused_or_means_something)
{
    uint64_t seed = 4;
    for (size_t round = 0; round < 20000; round++) {
        const struct schema *schema = message_schemas[round % message_schemas_count];
        struct any_message message;
        size_t bytes = random_next(&seed) % 64;
        for (size_t i = 0; i < bytes; i++)
            once[i] = (uint8_t)(random_next(&seed) % (i % 2 == 0 ? 16 : 256));
        enum error error = schema_decode(schema, span_of(once, bytes), &message);
        cr_assert(error == ERROR_OK || error == ERROR_INVALID_MESSAGE ||
                  error == ERROR_VERSION_MISMATCH);
    }
}
