/* test_req.c - one answer, bare or as a document. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/req.h"
#include "tests/unit/client/ctl/play.h"
#include "tests/unit/client/node.h"

static atomic_bool is_over;
static pthread_t server;

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    (void)user;
    if (incoming->path.bytes > 5)
        (void)weft_reject(client, incoming->responder, "not today");
    else
        (void)weft_respond(client, incoming->responder, &incoming->value);
}

static void *serve(void *user)
{
    (void)user;
    struct weft_client *client = node_straw_client();
    if (weft_handle_wait(client, "echo", on_request, NULL) != WEFT_OK)
        abort();
    while (!atomic_load(&is_over))
        (void)weft_run(client, 10);
    weft_destroy(&client);
    return NULL;
}

static void up(void)
{
    node_straw_up();
    atomic_store(&is_over, false);
    (void)pthread_create(&server, NULL, serve, NULL);
}

static void down(void)
{
    atomic_store(&is_over, true);
    (void)pthread_join(server, NULL);
    node_straw_down();
}

TestSuite(req, .init = up, .fini = down);

Test(req, values_of_each_type_come_back_bare)
{
    static const char *const words[][2] = {
        {"-s $S req --wait 5s echo hello~there", "hello there\n"},
        {"-s $S req --wait 5s echo [1,2] --type json", "[1,2]\n"},
        {"-s $S req --wait 5s echo --type int64 -- -7", "-7\n"},
        {"-s $S req --wait 5s echo 0.1 --type double", "0.1\n"},
        {"-s $S req --wait 5s echo Zg== --type binary", "Zg==\n"},
        {"-s $S req --wait 5s echo", "\n"},
    };
    struct play play;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        play_run(&play, words[i][0]);
        cr_assert_eq(play.code, EXIT_COMPLETE, "%s: %s", words[i][0], play.err);
        cr_assert_str_eq(play.out, words[i][1]);
    }
}

Test(req, a_document_has_outcome_type_value_and_time)
{
    struct play play;
    play_run(&play, "-s $S -o jsonl req --wait 5s echo 12 --type int64");
    cr_assert_eq(strncmp(play.out, "{\"outcome\":\"OK\",\"type\":\"int64\",\"value\":\"12\",", 44),
                 0);
    cr_assert_not_null(strstr(play.out, "\"took_us\":"));
}

Test(req, another_outcome_is_an_error_in_the_handlers_words)
{
    struct play play;
    play_run(&play, "-s $S req --wait 5s echo/below x");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_str_eq(play.out, "");
    cr_assert_str_eq(play.err, "weftctl: REJECTED: not today\n");
    play_run(&play, "-s $S -o json req --wait 5s echo/below x");
    cJSON *document = cJSON_Parse(play.out);
    cr_assert_str_eq(cJSON_GetObjectItem(document, "outcome")->valuestring, "REJECTED");
    cr_assert_str_eq(cJSON_GetObjectItem(document, "message")->valuestring, "not today");
    cr_assert_null(cJSON_GetObjectItem(document, "value"));
    cJSON_Delete(document);
}

Test(req, nobody_is_told_at_once_or_after_the_wait)
{
    struct play play;
    play_run(&play, "-s $S req nobody x");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: NO_HANDLER: ", 21), 0);
    int before = straw.requests;
    play_run(&play, "-s $S req --wait 1s nobody x");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_gt(straw.requests, before + 1, "it was tried again");
}

Test(req, silence_ends_with_the_time_to_wait)
{
    struct play play;
    play_run(&play, "-s $S -t 2s req silent");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: TIMEOUT: ", 18), 0);
}

Test(req, a_path_that_is_none_is_refused_here)
{
    struct play play;
    play_run(&play, "-s $S req a//b");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_eq(strncmp(play.err, "weftctl: INVALID_PATH: that is no path", 38), 0);
}

Test(req, a_minus_is_standard_input)
{
    struct play play;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "piped\n", 6), 6);
    (void)close(ends[1]);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    (void)close(ends[0]);
    play_run(&play, "-s $S req --wait 5s echo -");
    cr_assert_eq(play.code, EXIT_COMPLETE);
    cr_assert_str_eq(play.out, "piped\n\n");
}

Test(req, an_empty_filter_is_no_filter)
{
    struct play play;
    static const char said[] = "weftctl: INVALID_FILTER: a filter has 1 byte to 16 KiB; "
                               "`all` means every session\n";
    play_run(&play, "-s $S req --filter= echo");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_str_eq(play.err, said);
    play_run(&play, "-s $S session close --filter=");
    cr_assert_eq(play.code, EXIT_ERROR);
    cr_assert_str_eq(play.err, said);
}
