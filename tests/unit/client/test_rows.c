/* test_rows.c - what is no row. Rows that are, are read in test_query.c. */
#include <criterion/criterion.h>

#include "client/weft.h"

Test(rows, bytes_that_are_no_rows_end_the_iteration)
{
    struct weft_rows rows = {.data = "\xff\xff\xff\xff garbage", .bytes = 12};
    struct weft_session_row row;
    cr_assert_not(weft_next_session(&rows, &row));
    cr_assert_not(weft_next_session(&rows, &row));
}
