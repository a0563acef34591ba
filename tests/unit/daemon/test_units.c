#include "daemon/units.h"

#include <criterion/criterion.h>

static void expect_duration(const char *text, uint64_t ms)
{
    uint64_t value = 7;
    cr_assert(units_parse_duration_ms(text, &value), "%s", text);
    cr_assert_eq(value, ms, "%s", text);
}

Test(units, durations_need_their_unit)
{
    expect_duration("250ms", 250);
    expect_duration("2s", 2000);
    expect_duration("5m", 300000);
    expect_duration("1h", 3600000);
    expect_duration("0", 0);
    uint64_t value = 7;
    const char *bad[] = {"",    "5",  "s",    "5 s",  " 5s",
                         "-5s", "5S", "1.5s", "5sec", "99999999999999999h"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(units_parse_duration_ms(bad[i], &value), "%s", bad[i]);
    cr_assert_eq(value, 7);
}

Test(units, sizes_are_bytes_or_powers_of_1024)
{
    uint64_t value = 0;
    cr_assert(units_parse_size("128", &value));
    cr_assert_eq(value, 128);
    cr_assert(units_parse_size("4KiB", &value));
    cr_assert_eq(value, 4096);
    cr_assert(units_parse_size("16MiB", &value));
    cr_assert_eq(value, 16777216);
    cr_assert(units_parse_size("1GiB", &value));
    cr_assert_eq(value, 1073741824);
    const char *bad[] = {"", "KiB", "4KB", "4K", "4 KiB", "-1", "18446744073709551616"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(units_parse_size(bad[i], &value), "%s", bad[i]);
}

Test(units, numbers_are_digits_alone)
{
    uint64_t value = 0;
    cr_assert(units_parse_number("18446744073709551615", &value));
    cr_assert_eq(value, UINT64_MAX);
    const char *bad[] = {"", "x", "1x", "+1", "-1", " 1", "1 ", "0x10", "1e3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(units_parse_number(bad[i], &value), "%s", bad[i]);
}

Test(units, reals_have_at_most_one_point_inside)
{
    double value = 0;
    cr_assert(units_parse_real("1.5", &value));
    cr_assert_float_eq(value, 1.5, 1e-12);
    cr_assert(units_parse_real("2", &value));
    const char *bad[] = {"", ".", ".5", "5.", "1.2.3", "1e3", "-1", "nan", "inf", "0x1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(units_parse_real(bad[i], &value), "%s", bad[i]);
}

Test(units, what_is_written_is_read_back)
{
    const uint64_t values[] = {0, 1, 999, 1000, 1500, 60000, 90000, 3600000, 5400000};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[UNITS_TEXT_BYTES];
        uint64_t value = 7;
        units_format_duration_ms(values[i], text);
        cr_assert(units_parse_duration_ms(text, &value));
        cr_assert_eq(value, values[i]);
        units_format_size(values[i] << 10, text);
        cr_assert(units_parse_size(text, &value));
        cr_assert_eq(value, values[i] << 10);
    }
    char text[UNITS_TEXT_BYTES];
    units_format_duration_ms(90000, text);
    cr_assert_str_eq(text, "90s");
    units_format_size(1536, text);
    cr_assert_str_eq(text, "1536B");
}
