/* test_session.c - a session is closed by its id, once. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "client/ctl/session.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(session, .init = node_straw_up, .fini = node_straw_down);

Test(session, one_that_stands_is_closed_and_then_is_nobodys)
{
    struct play play;
    char id[WEFT_SESSION_ID_BYTES], words[128], expected[256];
    struct weft_client *client = node_straw_session();
    (void)weft_session_id_format(weft_session(client), id);
    (void)snprintf(words, sizeof words, "-s $S -o jsonl session close %s --reason bye", id);
    (void)snprintf(expected, sizeof expected,
                   "{\"command\":\"close\",\"session\":\"%s\",\"node\":\"straw\","
                   "\"outcome\":\"OK\"}\n",
                   id);
    play_run(&play, words);
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out, expected);
    play_run(&play, words);
    cr_assert_eq(play.code, EXIT_NOTHING);
    cr_assert_eq(strncmp(play.err, "weftctl: NO_SUCH_SESSION: ", 26), 0);
    weft_destroy(&client);
}

Test(session, states_have_names)
{
    cr_assert_str_eq(session_state_name(WEFT_SESSION_ACTIVE), "active");
    cr_assert_str_eq(session_state_name(WEFT_SESSION_DISCONNECTED), "disconnected");
    cr_assert_str_eq(session_state_name((enum weft_session_state)9), "unknown");
}
