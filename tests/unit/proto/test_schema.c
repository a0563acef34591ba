/* test_schema.c - fields on the wire: what is written, what is taken, what is refused. One table
 * of its own has a field of each type, so that the bytes can be read beside it. */
#include <criterion/criterion.h>

#include "proto/field.h"

struct sample {
    uint8_t small;
    uint64_t large;
    bool flag;
    struct session_id id;
    struct span text;
    struct span bytes;
    uint16_t needed;
    uint32_t safety;
};

FIELDS(sample) = {
    FIELD(sample, 2, small, UINT, OPTIONAL, 200),
    FIELD(sample, 3, large, UINT, OPTIONAL, UINT64_MAX),
    FIELD(sample, 4, flag, BOOL, OPTIONAL, 0),
    FIELD(sample, 5, id, ID, OPTIONAL, 0),
    FIELD(sample, 8, text, TEXT, OPTIONAL, 5),
    FIELD(sample, 9, bytes, BYTES, OPTIONAL, 70000),
    FIELD(sample, 10, needed, UINT, REQUIRED, UINT16_MAX),
    FIELD(sample, 12, safety, UINT, MUST_UNDERSTAND, UINT32_MAX),
};
static SCHEMA(sample);

static uint8_t buffer[80000];

static struct span encoded(const struct sample *sample)
{
    struct writer writer;
    size_t bytes = schema_measure(&sample_schema, sample);
    writer_init(&writer, buffer, bytes);
    schema_encode(&sample_schema, sample, &writer);
    cr_assert(!writer.is_bad);
    cr_assert_eq(writer.left, 0, "measure and encode must agree");
    return span_of(buffer, bytes);
}

/* Decodes the bytes of a literal. */
#define DECODE(sample, ...)                                                                        \
    schema_decode(&sample_schema,                                                                  \
                  span_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})), \
                  sample)

/* The required field, which ends most inputs below. */
#define NEEDED 10, 1, 7

Test(schema_encode, leaves_out_zeros_but_not_what_is_required)
{
    struct sample sample = {0};
    cr_assert(span_equal(encoded(&sample), span_of("\x0a\x01\x00", 3)));
}

Test(schema_encode, takes_the_fewest_bytes_for_an_integer)
{
    static const struct {
        uint64_t value;
        size_t bytes;
    } cases[] = {{1, 1},     {255, 1},        {256, 2},         {65535, 2},
                 {65536, 4}, {UINT32_MAX, 4}, {0x100000000, 8}, {UINT64_MAX, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sample sample = {.large = cases[i].value};
        struct sample back;
        struct span fields = encoded(&sample);
        cr_assert_eq(fields.bytes, 2 + cases[i].bytes + 3);
        cr_assert_eq(fields.data[1], cases[i].bytes);
        cr_assert_eq(schema_decode(&sample_schema, fields, &back), ERROR_OK);
        cr_assert_eq(back.large, cases[i].value);
    }
}

Test(schema_encode, marks_what_must_be_understood)
{
    struct sample sample = {.safety = 5};
    cr_assert(span_equal(encoded(&sample), span_of("\x0a\x01\x00\x8c\x01\x05", 6)));
}

Test(schema_encode, writes_lengths_in_one_three_or_five_bytes)
{
    static const struct {
        size_t length;
        size_t prefix;
    } cases[] = {{1, 1}, {253, 1}, {254, 3}, {255, 3}, {65535, 3}, {65536, 5}};
    static uint8_t run[65536];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sample sample = {.bytes = span_of(run, cases[i].length)};
        struct sample back;
        struct span fields = encoded(&sample);
        cr_assert_eq(fields.bytes, 1 + cases[i].prefix + cases[i].length + 3);
        cr_assert_eq(schema_decode(&sample_schema, fields, &back), ERROR_OK);
        cr_assert_eq(back.bytes.bytes, cases[i].length);
    }
}

Test(schema_encode, without_room_makes_the_writer_bad)
{
    struct sample sample = {.small = 1, .flag = true, .id = {1, 2}, .text = span_text("abc")};
    size_t bytes = schema_measure(&sample_schema, &sample);
    for (size_t room = 0; room < bytes; room++) {
        struct writer writer;
        writer_init(&writer, buffer, room);
        schema_encode(&sample_schema, &sample, &writer);
        cr_assert(writer.is_bad);
    }
}

Test(schema_decode, fills_the_whole_struct)
{
    struct sample sample;
    memset(&sample, 0xee, sizeof sample);
    cr_assert_eq(DECODE(&sample, NEEDED), ERROR_OK);
    cr_assert_eq(sample.small, 0);
    cr_assert_eq(sample.large, 0);
    cr_assert_eq(sample.flag, false);
    cr_assert(session_id_is_none(sample.id));
    cr_assert_eq(sample.text.bytes, 0);
    cr_assert_eq(sample.needed, 7);
}

Test(schema_decode, takes_an_integer_of_any_of_the_four_lengths)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 2, 1, 9, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 2, 2, 9, 0, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 2, 4, 9, 0, 0, 0, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 2, 8, 9, 0, 0, 0, 0, 0, 0, 0, NEEDED), ERROR_OK);
    cr_assert_eq(sample.small, 9);
}

Test(schema_decode, refuses_integers_of_other_lengths_or_beyond_the_limit)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 2, 0, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 3, 9, 0, 0, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 1, 200, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 2, 1, 201, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 2, 9, 1, NEEDED), ERROR_INVALID_MESSAGE);
}

Test(schema_decode, a_flag_is_one_byte_zero_or_one)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 4, 1, 1, NEEDED), ERROR_OK);
    cr_assert(sample.flag);
    cr_assert_eq(DECODE(&sample, 4, 1, 0, NEEDED), ERROR_OK);
    cr_assert(!sample.flag);
    cr_assert_eq(DECODE(&sample, 4, 1, 2, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 4, 0, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 4, 2, 1, 0, NEEDED), ERROR_INVALID_MESSAGE);
}

Test(schema_decode, an_id_is_sixteen_bytes)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 5, 16, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, NEEDED),
                 ERROR_OK);
    cr_assert_eq(sample.id.instance, 1);
    cr_assert_eq(sample.id.serial, 2);
    cr_assert_eq(DECODE(&sample, 5, 15, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, NEEDED),
                 ERROR_INVALID_MESSAGE);
}

Test(schema_decode, a_text_is_utf8_within_its_limit)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 8, 5, 'a', 'b', 'c', 0xc3, 0xa9, NEEDED), ERROR_OK);
    cr_assert_eq(sample.text.bytes, 5);
    cr_assert_eq(DECODE(&sample, 8, 0, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 8, 6, 'a', 'b', 'c', 'd', 'e', 'f', NEEDED),
                 ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 8, 1, 0xff, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 8, 1, 0, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 9, 2, 0xff, 0, NEEDED), ERROR_OK, "bytes may be anything");
}

Test(schema_decode, refuses_what_lacks_a_required_field)
{
    struct sample sample;
    cr_assert_eq(schema_decode(&sample_schema, (struct span){0}, &sample), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 1, 9), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 12, 1, 9), ERROR_INVALID_MESSAGE);
}

Test(schema_decode, tags_ascend_and_come_once)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 2, 1, 9, 3, 1, 9, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 3, 1, 9, 2, 1, 9, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 1, 9, 2, 1, 9, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, NEEDED, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 0, 1, 9, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 0x80, 1, 9, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 2, 1, 9, 0x82, 1, 9, NEEDED), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, 7, 0, 7, 0, NEEDED), ERROR_INVALID_MESSAGE, "unknown ones too");
}

Test(schema_decode, skips_unknown_fields_wherever_they_stand)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 1, 3, 1, 2, 3, 2, 1, 9, 7, 0, NEEDED, 127, 1, 0), ERROR_OK);
    cr_assert_eq(sample.small, 9);
    cr_assert_eq(sample.needed, 7);
}

Test(schema_decode, an_unknown_field_that_must_be_understood_is_a_mismatch)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 0x81, 1, 1, NEEDED), ERROR_VERSION_MISMATCH);
    cr_assert_eq(DECODE(&sample, NEEDED, 0xff, 0), ERROR_VERSION_MISMATCH);
}

Test(schema_decode, a_known_field_may_bear_the_mark_or_not)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 0x82, 1, 9, NEEDED, 12, 1, 3), ERROR_OK);
    cr_assert_eq(sample.small, 9);
    cr_assert_eq(sample.safety, 3);
    cr_assert_eq(DECODE(&sample, NEEDED, 0x8c, 1, 4), ERROR_OK);
    cr_assert_eq(sample.safety, 4);
}

Test(schema_decode, lengths_need_not_be_the_shortest_but_must_fit)
{
    struct sample sample;
    cr_assert_eq(DECODE(&sample, 2, 254, 1, 0, 9, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, 2, 255, 1, 0, 0, 0, 9, NEEDED), ERROR_OK);
    cr_assert_eq(DECODE(&sample, NEEDED, 13, 4, 1, 2, 3), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, NEEDED, 13, 254, 1), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, NEEDED, 13, 254, 1, 0), ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, NEEDED, 13, 255, 0xff, 0xff, 0xff, 0xff, 1, 2),
                 ERROR_INVALID_MESSAGE);
    cr_assert_eq(DECODE(&sample, NEEDED, 13), ERROR_INVALID_MESSAGE);
}

Test(group, runs_are_walked_to_their_end)
{
    struct sample first = {.small = 1, .text = span_text("one")};
    struct sample second = {.needed = 2};
    struct sample out;
    struct writer writer;
    enum error error;
    writer_init(&writer, buffer, sizeof buffer);
    group_encode(&sample_schema, &first, &writer);
    group_encode(&sample_schema, &second, &writer);
    cr_assert(!writer.is_bad);
    size_t bytes = 4 + schema_measure(&sample_schema, &first) + 4 + 3;
    cr_assert_eq(sizeof buffer - writer.left, bytes);
    struct span rest = span_of(buffer, bytes);
    cr_assert(group_next(&sample_schema, &rest, &out, &error));
    cr_assert(span_equal(out.text, span_text("one")));
    cr_assert(group_next(&sample_schema, &rest, &out, &error));
    cr_assert_eq(out.needed, 2);
    cr_assert(!group_next(&sample_schema, &rest, &out, &error));
    cr_assert_eq(error, ERROR_OK);
}

Test(group, cut_runs_and_bad_fields_are_errors)
{
    struct sample sample = {.small = 1, .text = span_text("one")};
    struct sample out;
    struct writer writer;
    enum error error;
    writer_init(&writer, buffer, sizeof buffer);
    group_encode(&sample_schema, &sample, &writer);
    size_t bytes = sizeof buffer - writer.left;
    for (size_t cut = 1; cut < bytes; cut++) {
        struct span rest = span_of(buffer, cut);
        cr_assert(!group_next(&sample_schema, &rest, &out, &error));
        cr_assert_eq(error, ERROR_INVALID_MESSAGE);
        cr_assert_eq(rest.bytes, cut, "the run stays where it was");
    }
    buffer[6] = 201;
    struct span rest = span_of(buffer, bytes);
    cr_assert(!group_next(&sample_schema, &rest, &out, &error));
    cr_assert_eq(error, ERROR_INVALID_MESSAGE);
}

Test(group, an_empty_group_lacks_what_is_required)
{
    struct sample out;
    enum error error;
    struct span rest = span_of("\0\0\0\0", 4);
    cr_assert(!group_next(&sample_schema, &rest, &out, &error));
    cr_assert_eq(error, ERROR_INVALID_MESSAGE);
}

Test(group, without_room_makes_the_writer_bad)
{
    struct sample sample = {.small = 1};
    for (size_t room = 0; room < 4 + 6; room++) {
        struct writer writer;
        writer_init(&writer, buffer, room);
        group_encode(&sample_schema, &sample, &writer);
        cr_assert(writer.is_bad);
    }
}
