/* test_error.c - numbers, names and sentences that travel. */
#include <criterion/criterion.h>

#include "proto/error.h"

Test(error_name, numbers_that_travel_keep_their_meaning)
{
    cr_assert_str_eq(error_name(0), "OK");
    cr_assert_str_eq(error_name(3), "NO_HANDLER");
    cr_assert_str_eq(error_name(10), "CANCELLED");
    cr_assert_str_eq(error_name(32), "SESSION_CLOSED");
    cr_assert_str_eq(error_name(46), "VERSION_MISMATCH");
    cr_assert_str_eq(error_name(96), "MOVED");
}

Test(error_name, unknown_numbers_have_a_name_too)
{
    cr_assert_str_eq(error_name(11), "UNKNOWN_ERROR");
    cr_assert_str_eq(error_name(65535), "UNKNOWN_ERROR");
    cr_assert_str_eq(error_name(~0U), "UNKNOWN_ERROR");
}

Test(error_sentence, says_something_for_every_number)
{
    for (unsigned number = 0; number < 256; number++)
        cr_assert_gt(strlen(error_sentence(number)), 3);
    cr_assert_str_eq(error_sentence(3), "nobody in the mesh serves the path");
}

Test(close_reason_name, names_known_and_unknown_reasons)
{
    cr_assert_str_eq(close_reason_name(1), "closed_by_client");
    cr_assert_str_eq(close_reason_name(10), "node_stopping");
    cr_assert_str_eq(close_reason_name(11), "moved");
    cr_assert_str_eq(close_reason_name(0), "unknown_reason");
    cr_assert_str_eq(close_reason_name(255), "unknown_reason");
}
