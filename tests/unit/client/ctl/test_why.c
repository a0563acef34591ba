/* test_why.c - why a member is held what it is held, as the asked node tells it. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/ctl/why.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(why, .init = node_straw_up, .fini = node_straw_down);

Test(why, verdicts_are_a_table_with_the_time_of_day)
{
    struct play play;
    play_run(&play, "-s $S node why hay");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_not_null(strstr(play.out, "2026-11-22T19:14:27.123Z"), "%s", play.out);
    cr_assert_not_null(strstr(play.out, "eu-a,eu-d"));
    cr_assert_not_null(strstr(play.out, "210us"));
    cr_assert_not_null(strstr(play.out, "hay is dead, as straw sees it"));
    cr_assert_null(strstr(play.out, "INCARNATION"), "that is for wide tables");
    cr_assert_str_eq(play.err, "");
}

Test(why, json_has_lists_numbers_and_strings)
{
    struct play play;
    play_run(&play, "-s $S -o json node why hay");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_not_null(strstr(play.out, "\"state\":\t\"dead\""), "%s", play.out);
    cr_assert_not_null(strstr(play.out, "\"at_ms\":\t1795374867123"));
    cr_assert_not_null(strstr(play.out, "\"helpers\":\t[\"eu-a\", \"eu-d\"]"));
    cr_assert_not_null(strstr(play.out, "\"helpers\":\t[]"));
    cr_assert_not_null(strstr(play.out, "\"rtt_us\":\tnull"));
    cr_assert_not_null(strstr(play.out, "\"rtt_us\":\t210"));
    cr_assert_not_null(strstr(play.out, "\"incarnation\":\t\"18446744073709551615\""));
}

Test(why, an_unknown_name_is_nothing_found)
{
    struct play play;
    play_run(&play, "-s $S node why nobody");
    cr_assert_eq(play.code, EXIT_NOTHING);
    cr_assert_str_eq(play.out, "");
    cr_assert_str_eq(play.err, "weftctl: INVALID_ARGUMENT: no member nobody is known; "
                               "`weftctl node ls --all` lists them\n");
}

Test(why, a_name_is_needed)
{
    struct play play;
    play_run(&play, "-s $S node why");
    cr_assert_eq(play.code, EXIT_USAGE);
}
