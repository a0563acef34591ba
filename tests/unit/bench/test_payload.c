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

Test(payload, says_when_it_was_due_if_there_is_room)
{
    uint8_t buffer[PAYLOAD_TIMED_BYTES_MIN];
    const struct payload due = {.run = 1, .sender = 2, .sequence = 3, .from_ns = UINT64_MAX - 1};
    struct payload read;
    payload_write(&due, buffer, PAYLOAD_TIMED_BYTES_MIN);
    cr_assert(payload_read(buffer, PAYLOAD_TIMED_BYTES_MIN, &read));
    cr_assert_eq(read.from_ns, UINT64_MAX - 1);
    payload_write(&due, buffer, PAYLOAD_TIMED_BYTES_MIN - 1);
    cr_assert(payload_read(buffer, PAYLOAD_TIMED_BYTES_MIN - 1, &read));
    cr_assert_eq(read.from_ns, 0);
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
