/* planted_leak.c - a Criterion test that passes and leaks. Criterion calls that a success; only
 * the leak's report can fail it, and this proves that our harness reads it. */
#include <criterion/criterion.h>
#include <stdlib.h>

Test(planted_leak, passes_for_criterion)
{
    char *volatile lost = malloc(16);
    cr_assert_not_null(lost);
    lost = NULL;
}
