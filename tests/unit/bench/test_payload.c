#include "bench/payload.h"

#include <criterion/criterion.h>

static const struct payload sample = {.run = 0x0123456789abcdef, .sender = 7, .sequence = 99};

Test(payload, comes_back_as_it_was_written)
{
    for (size_t bytes = PAYLOAD_BYTES_MIN; bytes < 300; bytes++) {
        uint8_t buffer[300];
        struct payload read;
        payload_write(&sample, buffer, bytes);
        cr_assert(payload_read(buffer, bytes, &read));
        cr_assert_eq(read.run, sample.run);
        cr_assert_eq(read.sender, sample.sender);
        cr_assert_eq(read.sequence, sample.sequence);
    }
}

Test(payload, any_flipped_bit_is_seen)
{
    uint8_t buffer[77];
    struct payload read;
    payload_write(&sample, buffer, sizeof buffer);
    for (size_t bit = 0; bit < sizeof buffer * 8; bit++) {
        buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(!payload_read(buffer, sizeof buffer, &read), "bit %zu", bit);
        buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(payload, a_cut_one_is_seen)
{
    uint8_t buffer[77];
    struct payload read;
    payload_write(&sample, buffer, sizeof buffer);
    for (size_t bytes = 0; bytes < sizeof buffer; bytes++)
        cr_assert(!payload_read(buffer, bytes, &read), "%zu bytes", bytes);
}
