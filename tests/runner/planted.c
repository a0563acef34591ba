/* planted.c - tests that pass, fail and end in every way: the runner must tell them apart. Of these
 * eleven eight fail. */
#include <criterion/criterion.h>

#include <signal.h>
#include <unistd.h>

static void refuse(void)
{
    cr_assert(false, "before the test begins");
}

Test(planted, passes)
{
    cr_assert(true);
}

Test(planted, ends_by_the_signal_it_names, .signal = SIGABRT)
{
    abort();
}

Test(planted, ends_with_the_code_it_names, .exit_code = 3)
{
    exit(3);
}

Test(planted, fails)
{
    cr_assert_eq(1, 2, "and says %s", "why");
}

Test(planted, fails_and_goes_on)
{
    cr_expect(false);
    (void)printf("to its end\n");
}

Test(planted, fails_with_the_code_it_names, .exit_code = EXIT_FAILURE)
{
    cr_assert(false);
}

Test(planted, is_not_begun, .init = refuse)
{
}

Test(planted, ends_early_as_if_all_were_well)
{
    exit(EXIT_SUCCESS);
}

Test(planted, ends_by_another_way_than_it_names, .signal = SIGABRT)
{
}

Test(planted, crashes)
{
    (void)raise(SIGKILL);
}

Test(planted, does_not_end, .timeout = 0.3)
{
    for (;;)
        (void)pause();
}
