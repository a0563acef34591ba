/* test_require.c - a mistake of ours ends the process. */
#include <criterion/criterion.h>
#include <signal.h>

#include "mesh/base/require.h"

Test(require, lets_what_is_true_pass)
{
    int evaluated = 0;
    require(++evaluated == 1);
    cr_assert_eq(evaluated, 1);
}

Test(require, ends_the_process_where_it_is_false, .signal = SIGABRT)
{
    require(1 + 1 == 3);
}
