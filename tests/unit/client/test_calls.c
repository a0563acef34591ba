/* test_calls.c - requests: what is refused, what leaves, and that each ends once. */
#include <criterion/criterion.h>

#include "tests/unit/client/node.h"

#include "proto/envelope.h"

TestSuite(calls, .init = node_straw_up, .fini = node_straw_down);

Test(calls, what_can_not_be_sent_is_refused_by_the_call)
{
    static const char *const bad_paths[] = {"", "/", "//", "a//b", "\xff"};
    struct weft_client *client = node_straw_client();
    for (size_t i = 0; i < sizeof bad_paths / sizeof *bad_paths; i++)
        cr_assert_eq(weft_request_wait(client, bad_paths[i], NULL, NULL)->outcome,
                     WEFT_INVALID_PATH);
    char segment[300];
    memset(segment, 'x', sizeof segment);
    segment[sizeof segment - 1] = '\0';
    cr_assert_eq(weft_request_wait(client, segment, NULL, NULL)->outcome, WEFT_INVALID_PATH);
    const struct weft_request_options late = {.timeout_ms = 300001};
    cr_assert_eq(weft_request_wait(client, "a", NULL, &late)->outcome, WEFT_INVALID_ARGUMENT);
    const struct weft_value odd = {.type = (enum weft_value_type)9};
    cr_assert_eq(weft_request_wait(client, "a", &odd, NULL)->outcome, WEFT_INVALID_ARGUMENT);
    char *large = calloc(1, CLIENT_MESSAGE_BYTES_MAX);
    const struct weft_value value = weft_binary(large, CLIENT_MESSAGE_BYTES_MAX);
    cr_assert_eq(weft_request_wait(client, "a", &value, NULL)->outcome, WEFT_LIMIT_REACHED);
    free(large);
    weft_destroy(&client);
}

struct burst {
    int responses, overloaded, done;
};

static void on_burst(struct weft_client *client, const struct weft_response *response, void *user)
{
    struct burst *burst = user;
    (void)client;
    burst->responses++;
    burst->overloaded += response->outcome == WEFT_OVERLOADED;
}

Test(calls, thousands_in_a_row_leave_in_few_frames_and_all_come_back)
{
    enum { REQUESTS = 5000 };
    struct burst burst = {0};
    struct weft_client *client = node_straw_session();
    for (int i = 0; i < REQUESTS; i++)
        cr_assert_eq(weft_request(client, "nobody", NULL, NULL, on_burst, &burst, NULL), WEFT_OK);
    while (burst.responses < REQUESTS)
        (void)weft_run(client, 1000);
    weft_destroy(&client);
    node_join(&straw);
    cr_assert_eq(straw.requests, REQUESTS);
    cr_assert_lt(straw.frames, 100, "%d frames", straw.frames);
    cr_assert_gt(straw.sessions[0].grants, 5, "credit is given back");
    node_run(&straw);
}

Test(calls, limits_are_answered_at_once_and_pass)
{
    struct burst burst = {0};
    const struct weft_options options = {
        .servers = straw.address,
        .in_flight_max = 10,
        .queue_bytes_max = 2000,
    };
    struct weft_client *client = weft_new(&options);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(weft_request(client, "nobody", NULL, NULL, on_burst, &burst, NULL), WEFT_OK);
    cr_assert_eq(weft_request(client, "nobody", NULL, NULL, on_burst, &burst, NULL),
                 WEFT_OVERLOADED);
    while (burst.responses < 10)
        (void)weft_run(client, 1000);
    char bytes[3000] = {0};
    const struct weft_value value = weft_binary(bytes, sizeof bytes);
    cr_assert_eq(weft_request(client, "nobody", &value, NULL, on_burst, &burst, NULL),
                 WEFT_OVERLOADED);
    cr_assert_eq(weft_request_wait(client, "nobody", NULL, NULL)->outcome, WEFT_NO_HANDLER);
    weft_destroy(&client);
}

Test(calls, a_node_that_does_not_answer_ends_in_a_timeout)
{
    struct weft_client *client = node_straw_client();
    const struct weft_request_options soon = {.timeout_ms = 20};
    cr_assert_eq(weft_request_wait(client, "silent", NULL, &soon)->outcome, WEFT_TIMEOUT);
    weft_destroy(&client);
}

Test(calls, can_be_cancelled_and_still_ends_once)
{
    struct burst burst = {0};
    uint64_t number = 0;
    struct weft_client *client = node_straw_client();
    cr_assert_eq(weft_request(client, "silent", NULL, NULL, on_burst, &burst, &number), WEFT_OK);
    cr_assert_eq(weft_cancel(client, number), WEFT_OK);
    while (burst.responses < 1)
        (void)weft_run(client, 1000);
    cr_assert_eq(weft_cancel(client, number), WEFT_INVALID_ARGUMENT);
    weft_destroy(&client);
}
