/* test_reader.c - values are taken in order, little-endian, and never past the end. */
#include <criterion/criterion.h>

#include "proto/reader.h"

static const uint8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

Test(reader, takes_little_endian_integers_in_order)
{
    struct reader reader;
    reader_init(&reader, span_of(input, sizeof input));
    cr_assert_eq(reader_u8(&reader), 0x01);
    cr_assert_eq(reader_u16(&reader), 0x0302);
    cr_assert_eq(reader_u32(&reader), 0x07060504);
    cr_assert_eq(reader_u64(&reader), UINT64_C(0x0f0e0d0c0b0a0908));
    cr_assert_eq(reader_rest(&reader).bytes, 1);
    cr_assert(!reader.is_bad);
}

Test(reader, takes_an_id_instance_first)
{
    struct reader reader;
    reader_init(&reader, span_of(input, sizeof input));
    struct session_id id = reader_id(&reader);
    cr_assert_eq(id.instance, UINT64_C(0x0807060504030201));
    cr_assert_eq(id.serial, UINT64_C(0x100f0e0d0c0b0a09));
}

Test(reader, a_value_that_does_not_fit_makes_it_bad_for_good)
{
    struct reader reader;
    reader_init(&reader, span_of(input, 3));
    cr_assert_eq(reader_u32(&reader), 0);
    cr_assert(reader.is_bad);
    cr_assert_eq(reader_u8(&reader), 0, "the bytes that are there are not given out any more");
    cr_assert_eq(reader_u16(&reader), 0);
    cr_assert_eq(reader_u64(&reader), 0);
    cr_assert(session_id_is_none(reader_id(&reader)));
    cr_assert_eq(reader_span(&reader, 1).bytes, 0);
    cr_assert_eq(reader_rest(&reader).bytes, 0);
}

Test(reader, half_an_id_is_none)
{
    struct reader reader;
    reader_init(&reader, span_of(input, 15));
    cr_assert(session_id_is_none(reader_id(&reader)));
    cr_assert(reader.is_bad);
}

Test(reader, spans_point_into_the_input)
{
    struct reader reader;
    reader_init(&reader, span_of(input, sizeof input));
    cr_assert_eq(reader_span(&reader, 5).data, &input[0]);
    cr_assert_eq(reader_span(&reader, 11).data, &input[5]);
    cr_assert_eq(reader_span(&reader, 0).bytes, 0);
    cr_assert(!reader.is_bad);
    cr_assert_eq(reader_span(&reader, 1).bytes, 0);
    cr_assert(reader.is_bad);
}

Test(reader, a_length_near_the_top_of_size_t_does_not_wrap)
{
    struct reader reader;
    reader_init(&reader, span_of(input, sizeof input));
    reader_u8(&reader);
    cr_assert_eq(reader_span(&reader, SIZE_MAX).bytes, 0);
    cr_assert(reader.is_bad);
}

Test(reader, an_empty_input_has_nothing)
{
    struct reader reader;
    reader_init(&reader, (struct span){0});
    cr_assert_eq(reader_rest(&reader).bytes, 0);
    cr_assert_eq(reader_u8(&reader), 0);
    cr_assert(reader.is_bad);
}
