/* test_reply.c - a path is served by a value, by what was asked, by a command. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/reply.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

TestSuite(reply, .init = node_straw_up, .fini = node_straw_down);

struct asked {
    const char *path;
    struct weft_value value;
    enum weft_error outcome;
    char answer[256]; /* value or message */
};

/* Asks until somebody serves the path. */
static void *ask(void *user)
{
    struct asked *asked = user;
    struct weft_client *client = node_straw_session();
    const struct weft_response *response;
    do {
        (void)weft_run(client, 5);
        response = weft_request_wait(client, asked->path, &asked->value, NULL);
    } while (response->outcome == WEFT_NO_HANDLER);
    asked->outcome = response->outcome;
    bool is_ok = response->outcome == WEFT_OK;
    const char *data = is_ok ? response->value.data : response->message.data;
    size_t bytes = is_ok ? response->value.bytes : response->message.bytes;
    (void)snprintf(asked->answer, sizeof asked->answer, "%.*s", (int)bytes, data);
    weft_destroy(&client);
    return NULL;
}

static void play_asked(struct play *play, const char *words, struct asked *asked)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, ask, asked), 0);
    play_run(play, words);
    (void)pthread_join(thread, NULL);
}

Test(reply, a_value_is_the_answer_and_the_stream_tells_of_it)
{
    struct play play;
    struct asked asked = {.path = "hello", .value = weft_string("x")};
    play_asked(&play, "-s $S -o jsonl reply hello hi~there --count 1", &asked);
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_eq(asked.outcome, WEFT_OK);
    cr_assert_str_eq(asked.answer, "hi there");
    cr_assert_eq(strncmp(play.err, "weftctl: ready ", 15), 0);
    cr_assert_eq(strncmp(play.out, "{\"path\":\"hello\",\"sender\":\"", 26), 0);
    cr_assert_not_null(strstr(play.out, "\"outcome\":\"OK\"}\n"));
}

Test(reply, echo_gives_back_what_was_asked)
{
    struct play play;
    struct asked asked = {.path = "echo", .value = weft_json("[1]")};
    play_asked(&play, "-s $S reply echo --echo --count 1", &asked);
    cr_assert_str_eq(asked.answer, "[1]");
}

Test(reply, a_command_reads_the_request_and_knows_path_and_type)
{
    struct play play;
    struct asked asked = {.path = "cmd/below", .value = weft_string("abc")};
    play_asked(&play, "-s $S reply cmd --command cat;printf~,$WEFT_PATH,$WEFT_TYPE --count 1",
               &asked);
    cr_assert_eq(asked.outcome, WEFT_OK);
    cr_assert_str_eq(asked.answer, "abc,cmd/below,string", "%s %s", asked.answer, play.err);
}

Test(reply, a_command_that_fails_is_a_handler_error_with_its_code)
{
    struct play play;
    struct asked asked = {.path = "cmd", .value = weft_int64(5)};
    play_asked(&play, "-s $S reply cmd --command exit~$(cat) --count 1", &asked);
    cr_assert_eq(asked.outcome, WEFT_HANDLER_ERROR);
    cr_assert_str_eq(asked.answer, "the command exited with 5");
    cr_assert_not_null(strstr(play.out, "HANDLER_ERROR"));
}

Test(reply, a_command_that_prints_another_type_is_a_handler_error)
{
    struct play play;
    struct asked asked = {.path = "cmd", .value = weft_string("x")};
    play_asked(&play, "-s $S reply cmd --type int64 --command echo~many --count 1", &asked);
    cr_assert_eq(asked.outcome, WEFT_HANDLER_ERROR);
    cr_assert_not_null(strstr(asked.answer, "is not of type int64"));
}

Test(reply, a_refused_registration_ends_it_in_the_nodes_words)
{
    struct play play;
    play_run(&play, "-s $S reply forbidden x");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_not_null(strstr(play.err, "weftctl: ACCESS_DENIED: no permission for forbidden\n"),
                       "%s", play.err);
}

Test(reply, it_ends_when_its_time_is_over)
{
    struct play play;
    play_run(&play, "-s $S reply hello hi --for 200ms");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out, "");
}
