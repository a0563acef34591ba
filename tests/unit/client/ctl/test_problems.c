/* test_problems.c - one line for people, one for scripts. */
#include <criterion/criterion.h>

#include "client/ctl/problems.h"
#include "client/ctl/values.h"
#include "tests/unit/client/ctl/play.h"

static int report(void *user)
{
    (void)user;
    return problems_report("NOT_READY", "%d of %d", 2, 3);
}

Test(problems, are_a_line_on_stderr)
{
    struct play play;
    play_call(&play, report, NULL);
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_str_eq(play.err, "weftctl: NOT_READY: 2 of 3\n");
    cr_assert_str_eq(play.out, "");
}

Test(problems, are_json_too_where_that_was_asked_for)
{
    struct play play;
    problems_use_json(true);
    play_call(&play, report, NULL);
    problems_use_json(false);
    cr_assert_str_eq(play.err, "weftctl: NOT_READY: 2 of 3\n");
    cr_assert_str_eq(play.out,
                     "{\"error\":{\"code\":\"NOT_READY\",\"message\":\"2 of 3\",\"errors\":[]}}\n");
}

static int report_filter(void *user)
{
    (void)user;
    return problems_of_error(WEFT_INVALID_FILTER, values_text("expected a quoted string"), 1, 9);
}

Test(problems, of_a_filter_name_line_and_column)
{
    struct play play;
    problems_use_json(true);
    play_call(&play, report_filter, NULL);
    problems_use_json(false);
    cr_assert_str_eq(play.err, "weftctl: INVALID_FILTER: 1:9: expected a quoted string\n");
    cr_assert_not_null(strstr(play.out, "\"line\":1,\"column\":9"));
}

static int report_hostile(void *user)
{
    (void)user;
    return problems_of_error(WEFT_REJECTED, (struct weft_text){"a\x1b[2Jb\nweftctl: c", 18}, 0, 0);
}

Test(problems, in_other_peoples_words_stay_one_line_and_steer_no_terminal)
{
    struct play play;
    play_call(&play, report_hostile, NULL);
    cr_assert_str_eq(play.err, "weftctl: REJECTED: a?[2Jb?weftctl: c\n");
}

static int report_wordless(void *user)
{
    (void)user;
    return problems_of_error(WEFT_NO_SUCH_SESSION, (struct weft_text){NULL, 0}, 0, 0);
}

Test(problems, without_words_have_the_general_sentence_and_nobodys_session_is_nothing)
{
    struct play play;
    play_call(&play, report_wordless, NULL);
    cr_assert_eq(play.code, EXIT_NOTHING);
    cr_assert_gt(strlen(play.err), strlen("weftctl: NO_SUCH_SESSION: \n"));
}
