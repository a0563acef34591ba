/* test_writer.c - values go in order, little-endian, and never past the end. */
#include <criterion/criterion.h>

#include "proto/writer.h"

Test(writer, puts_little_endian_integers_in_order)
{
    static const uint8_t expected[] = {1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8, 'a', 'b'};
    uint8_t buffer[sizeof expected];
    struct writer writer;
    writer_init(&writer, buffer, sizeof buffer);
    writer_u8(&writer, 0x01);
    writer_u16(&writer, 0x0203);
    writer_u32(&writer, 0x04050607);
    writer_u64(&writer, UINT64_C(0x08090a0b0c0d0e0f));
    writer_span(&writer, span_text("ab"));
    cr_assert(!writer.is_bad);
    cr_assert_eq(writer.left, 0);
    cr_assert_arr_eq(buffer, expected, sizeof expected);
}

Test(writer, puts_as_many_bytes_of_an_integer_as_asked_for)
{
    for (size_t bytes = 1; bytes <= 8; bytes++) {
        uint8_t buffer[9] = {0};
        struct writer writer;
        writer_init(&writer, buffer, bytes);
        writer_uint(&writer, 0x8877665544332211, bytes);
        cr_assert(!writer.is_bad && writer.left == 0);
        for (size_t i = 0; i < bytes; i++)
            cr_assert_eq(buffer[i], 0x11 * (i + 1));
        cr_assert_eq(buffer[bytes], 0);
        writer_uint(&writer, 1, 1);
        cr_assert(writer.is_bad, "there was no room for more");
    }
}

Test(writer, puts_an_id_instance_first)
{
    uint8_t buffer[16];
    struct writer writer;
    writer_init(&writer, buffer, sizeof buffer);
    writer_id(&writer, (struct session_id){.instance = 0x11, .serial = 0x22});
    cr_assert_eq(buffer[0], 0x11);
    cr_assert_eq(buffer[8], 0x22);
}

Test(writer, without_room_it_is_bad_for_good_and_writes_nothing)
{
    uint8_t buffer[8];
    struct writer writer;
    memset(buffer, 0xee, sizeof buffer);
    writer_init(&writer, buffer, 3);
    writer_u32(&writer, 0);
    cr_assert(writer.is_bad);
    writer_u8(&writer, 0);
    writer_u16(&writer, 0);
    writer_u64(&writer, 0);
    writer_id(&writer, (struct session_id){0});
    writer_span(&writer, span_text("x"));
    for (size_t i = 0; i < sizeof buffer; i++)
        cr_assert_eq(buffer[i], 0xee);
}

Test(writer, an_empty_run_takes_no_room)
{
    struct writer writer;
    writer_init(&writer, NULL, 0);
    writer_span(&writer, (struct span){0});
    cr_assert(!writer.is_bad);
}
