/* test_hold.c - sessions are opened, held, and told of when they end. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/hold.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(hold, .init = node_straw_up, .fini = node_straw_down);

static int lines(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

Test(hold, many_are_opened_ready_once_and_closed_at_the_end)
{
    struct play play;
    play_run(&play, "-s $S -o jsonl session open --number 5 --for 500ms");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_eq(lines(play.out), 10, "%s", play.out);
    cr_assert_eq(strncmp(play.err, "weftctl: ready ", 15), 0);
    cr_assert_eq(lines(play.err), 1);
    cr_assert_not_null(strstr(play.out, "\"node\":\"straw\"}"));
    cr_assert_not_null(strstr(play.out, "\"closed\":\"closed_by_client\"}"));
}

Test(hold, count_ends_the_stream)
{
    struct play play;
    play_run(&play, "-s $S session open --count 1");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_not_null(strstr(play.out, "  straw  -\n"));
}

/* Closes the first session that it sees stand, from outside. */
static void *closer(void *user)
{
    (void)user;
    struct weft_client *client = node_straw_session();
    struct weft_session_id own = weft_session(client);
    for (int i = 0; i < 500; i++) {
        for (uint64_t serial = 0; serial < 8; serial++) {
            struct weft_session_id id = {own.instance, serial};
            if (serial != own.serial &&
                weft_close_session_wait(client, id, "enough", 1000)->error == WEFT_OK)
                i = 500;
        }
        (void)weft_run(client, 10);
    }
    weft_destroy(&client);
    return NULL;
}

Test(hold, one_that_is_closed_from_outside_is_an_error)
{
    struct play play;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, closer, NULL), 0);
    play_run(&play, "-s $S -o jsonl session open --for 20s");
    (void)pthread_join(thread, NULL);
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_not_null(strstr(play.out, "\"closed\":\"closed_by_controller\"}\n"), "%s", play.out);
    cr_assert_not_null(strstr(play.out, "{\"error\":{\"code\":\"SESSION_CLOSED\""));
    cr_assert_not_null(strstr(play.err, "closed_by_controller: told to\n"), "%s", play.err);
    cr_assert_not_null(strstr(play.err, "weftctl: SESSION_CLOSED: 1 of 1 closed from outside\n"));
}

Test(hold, a_node_that_never_answers_is_an_error)
{
    struct play play;
    straw.is_mute = true;
    play_run(&play, "-s $S -t 100ms session open");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_not_null(strstr(play.err, "weftctl: CLUSTER_ROUTING: "));
}

Test(hold, a_refusal_is_told_in_its_words)
{
    struct play play;
    straw.refuse_with = WEFT_ACCESS_DENIED;
    play_run(&play, "-s $S session open");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_not_null(strstr(play.err, "weftctl: ACCESS_DENIED: "));
}
