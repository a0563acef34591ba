/* test_kinds.c - the numbers of messages. */
#include <criterion/criterion.h>

#include "proto/kinds.h"

Test(kind_name, numbers_that_travel_keep_their_meaning)
{
    cr_assert_str_eq(kind_name(1), "HELLO");
    cr_assert_str_eq(kind_name(16), "REQUEST");
    cr_assert_str_eq(kind_name(24), "COMMAND");
    cr_assert_str_eq(kind_name(28), "AUTHENTICATE");
    cr_assert_str_eq(kind_name(31), "MISSING_TOPIC");
    cr_assert_str_eq(kind_name(32), "LOG_ENTRIES");
    cr_assert_str_eq(kind_name(48), "JOIN");
    cr_assert_str_eq(kind_name(55), "SWIM_SYNC");
}

Test(kind_name, zero_and_unknown_numbers_are_no_kind)
{
    cr_assert_str_eq(kind_name(0), "UNKNOWN_KIND");
    cr_assert_str_eq(kind_name(15), "UNKNOWN_KIND");
    cr_assert_str_eq(kind_name(255), "UNKNOWN_KIND");
}
