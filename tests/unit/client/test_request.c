/* test_request.c - requests, handlers, commands and results against a node of straw. */
#include <criterion/criterion.h>

#include "tests/unit/client/node.h"

#include "proto/envelope.h"

#include <inttypes.h>

static struct node node;

static struct weft_client *client_of(const char *servers)
{
    const struct weft_options options = {.servers = servers};
    return weft_new(&options);
}

static void start(void)
{
    node = (struct node){0};
    node_start(&node);
    node_run(&node);
}

static void stop(void)
{
    node_join(&node);
    node_stop(&node);
}

TestSuite(request, .init = start, .fini = stop);
TestSuite(command, .init = start, .fini = stop);

static void echo(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    int *count = user;
    if (count != NULL)
        ++*count;
    cr_assert_eq(weft_respond(client, incoming->responder, &incoming->value), WEFT_OK);
    cr_assert_eq(weft_respond(client, incoming->responder, &incoming->value), WEFT_CANCELLED,
                 "a request is answered once");
}

static void decline(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    (void)user;
    if (incoming->value.type == WEFT_STRING)
        cr_assert_eq(weft_reject(client, incoming->responder, "no strings"), WEFT_OK);
    else
        cr_assert_eq(weft_fail(client, incoming->responder, "broken"), WEFT_OK);
}

Test(request, values_of_every_type_come_back_as_they_went)
{
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "/echo/", echo, NULL), WEFT_OK);
    const struct weft_value values[] = {
        weft_json("{\"a\":[1]}"), weft_string("h\xc3\xa9"), weft_binary("\0\1\2", 3),
        weft_int64(INT64_MIN),    weft_int64(-1),           weft_double(-0.125),
        weft_binary(NULL, 0),
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const struct weft_response *response =
            weft_request_wait(client, "echo/any", &values[i], NULL);
        cr_assert_eq(response->outcome, WEFT_OK);
        cr_assert_eq(response->value.type, values[i].type);
        cr_assert_eq(response->value.int64, values[i].int64);
        cr_assert_float_eq(response->value.number, values[i].number, 0.0);
        if (values[i].type == WEFT_INT64 || values[i].type == WEFT_DOUBLE)
            continue;
        cr_assert_eq(response->value.bytes, values[i].bytes);
        if (values[i].bytes > 0)
            cr_assert_arr_eq(response->value.data, values[i].data, values[i].bytes);
    }
    weft_destroy(&client);
}

Test(request, a_handlers_refusal_and_failure_come_in_its_own_words)
{
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "picky", decline, NULL), WEFT_OK);
    const struct weft_value text = weft_string("x");
    const struct weft_response *response = weft_request_wait(client, "picky", &text, NULL);
    cr_assert_eq(response->outcome, WEFT_REJECTED);
    cr_assert_eq(response->message.bytes, strlen("no strings"));
    cr_assert_arr_eq(response->message.data, "no strings", strlen("no strings"));
    response = weft_request_wait(client, "picky", NULL, NULL);
    cr_assert_eq(response->outcome, WEFT_HANDLER_ERROR);
    weft_destroy(&client);
}

Test(request, the_most_specific_handler_of_the_client_serves)
{
    int wide = 0;
    int narrow = 0;
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "a", echo, &wide), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "a/b", echo, &narrow), WEFT_OK);
    cr_assert_eq(weft_handle(client, "a/b/", echo, NULL, NULL), WEFT_HANDLER_CONFLICT);
    cr_assert_eq(weft_request_wait(client, "a/b/c/d", NULL, NULL)->outcome, WEFT_OK);
    cr_assert_eq(weft_request_wait(client, "a/bc", NULL, NULL)->outcome, WEFT_OK);
    cr_assert_eq(narrow, 1);
    cr_assert_eq(wide, 1);
    cr_assert_eq(weft_unhandle(client, "a"), WEFT_OK);
    cr_assert_eq(weft_unhandle(client, "a"), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_request_wait(client, "a/x", NULL, NULL)->outcome, WEFT_REJECTED);
    weft_destroy(&client);
}

Test(request, a_registration_that_is_denied_leaves_no_handler)
{
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "forbidden", echo, NULL), WEFT_ACCESS_DENIED);
    cr_assert_eq(weft_unhandle(client, "forbidden"), WEFT_INVALID_ARGUMENT);
    weft_destroy(&client);
}

Test(request, what_can_not_be_sent_is_refused_by_the_call)
{
    static const char *const bad_paths[] = {"", "/", "//", "a//b", "\xff"};
    struct weft_client *client = client_of(node.address);
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

Test(request, a_large_value_goes_there_and_back)
{
    enum { BYTES = 1000 * 1000 };
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "echo", echo, NULL), WEFT_OK);
    char *large = malloc(BYTES);
    for (int i = 0; i < BYTES; i++)
        large[i] = (char)(i * 7);
    const struct weft_value value = weft_binary(large, BYTES);
    const struct weft_response *response = weft_request_wait(client, "echo", &value, NULL);
    cr_assert_eq(response->outcome, WEFT_OK);
    cr_assert_eq(response->value.bytes, BYTES);
    cr_assert_arr_eq(response->value.data, large, BYTES);
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

Test(request, thousands_in_a_row_leave_in_few_frames_and_all_come_back)
{
    enum { REQUESTS = 5000 };
    struct burst burst = {0};
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    for (int i = 0; i < REQUESTS; i++)
        cr_assert_eq(weft_request(client, "nobody", NULL, NULL, on_burst, &burst, NULL), WEFT_OK);
    while (burst.responses < REQUESTS)
        (void)weft_run(client, 1000);
    weft_destroy(&client);
    node_join(&node);
    cr_assert_eq(node.requests, REQUESTS);
    cr_assert_lt(node.frames, 100, "%d frames", node.frames);
    cr_assert_gt(node.sessions[0].grants, 5, "credit is given back");
    node_run(&node);
}

Test(request, limits_are_answered_at_once_and_pass)
{
    struct burst burst = {0};
    const struct weft_options options = {
        .servers = node.address,
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

Test(request, a_node_that_does_not_answer_ends_in_a_timeout)
{
    struct weft_client *client = client_of(node.address);
    const struct weft_request_options soon = {.timeout_ms = 20};
    cr_assert_eq(weft_request_wait(client, "silent", NULL, &soon)->outcome, WEFT_TIMEOUT);
    weft_destroy(&client);
}

Test(request, can_be_cancelled_and_still_ends_once)
{
    struct burst burst = {0};
    uint64_t number = 0;
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_request(client, "silent", NULL, NULL, on_burst, &burst, &number), WEFT_OK);
    cr_assert_eq(weft_cancel(client, number), WEFT_OK);
    while (burst.responses < 1)
        (void)weft_run(client, 1000);
    cr_assert_eq(weft_cancel(client, number), WEFT_INVALID_ARGUMENT);
    weft_destroy(&client);
}

struct later {
    struct weft_client *client;
    uint64_t responders[3];
    int count;
};

static void keep_for_later(struct weft_client *client, const struct weft_incoming *incoming,
                           void *user)
{
    struct later *later = user;
    later->client = client;
    later->responders[later->count++] = incoming->responder;
}

static void on_outcome(struct weft_client *client, const struct weft_response *response, void *user)
{
    int64_t *value = user;
    (void)client;
    *value = response->outcome == WEFT_OK ? response->value.int64 : -1;
}

Test(request, answers_may_be_given_later_and_in_any_order)
{
    struct later later = {0};
    int64_t got[3] = {0};
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "later", keep_for_later, &later), WEFT_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(weft_request(client, "later", NULL, NULL, on_outcome, &got[i], NULL), WEFT_OK);
    while (later.count < 3)
        (void)weft_run(client, 1000);
    for (int i = 2; i >= 0; i--) {
        const struct weft_value value = weft_int64(i + 1);
        cr_assert_eq(weft_respond(client, later.responders[i], &value), WEFT_OK);
    }
    while (got[0] == 0 || got[1] == 0 || got[2] == 0)
        (void)weft_run(client, 1000);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(got[i], i + 1);
    cr_assert_eq(weft_respond(client, 12345, NULL), WEFT_CANCELLED);
    weft_destroy(&client);
}

static void wait_inside(struct weft_client *client, const struct weft_incoming *incoming,
                        void *user)
{
    (void)user;
    cr_assert_eq(weft_request_wait(client, "a", NULL, NULL)->outcome, WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_members_wait(client, false, 0)->error, WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_connect(client, 10), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_run(client, 10), 0);
    cr_assert_eq(weft_respond(client, incoming->responder, NULL), WEFT_OK);
}

Test(request, callbacks_can_not_wait)
{
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_connect(client, 5000), WEFT_OK);
    cr_assert_eq(weft_handle_wait(client, "a", wait_inside, NULL), WEFT_OK);
    cr_assert_eq(weft_request_wait(client, "a", NULL, NULL)->outcome, WEFT_OK);
    weft_destroy(&client);
}

Test(command, rows_of_the_asked_node_are_read)
{
    struct weft_member_row row;
    struct weft_client *client = client_of(node.address);
    const struct weft_result *result = weft_members_wait(client, false, 0);
    cr_assert_eq(result->error, WEFT_OK);
    struct weft_rows rows = result->rows;
    cr_assert(weft_next_member(&rows, &row));
    cr_assert_eq(row.name.bytes, 5);
    cr_assert_arr_eq(row.name.data, "straw", 5);
    cr_assert_eq(row.instance, 7);
    cr_assert_eq(row.state, WEFT_MEMBER_ALIVE);
    cr_assert(row.is_self);
    cr_assert_not(weft_next_member(&rows, &row));
    cr_assert_not(weft_next_member(&rows, &row));
    weft_destroy(&client);
}

Test(command, answers_of_every_node_are_read_and_missing_ones_seen)
{
    struct weft_node_answer answer;
    struct weft_status_row row;
    struct weft_client *client = client_of(node.address);
    const struct weft_result *result = weft_status_wait(client, 0);
    cr_assert_eq(result->error, WEFT_OK);
    cr_assert_eq(result->nodes_asked, 2);
    cr_assert_eq(result->nodes_answered, 1);
    cr_assert_not(result->is_complete);
    struct weft_rows nodes = result->nodes;
    cr_assert(weft_next_node(&nodes, &answer));
    cr_assert(weft_next_status(&answer.rows, &row));
    cr_assert(row.is_ready);
    cr_assert_eq(row.members_hash, UINT64_MAX);
    cr_assert(weft_next_node(&nodes, &answer));
    cr_assert_eq(answer.error, WEFT_CLUSTER_ROUTING);
    cr_assert_not(weft_next_node(&nodes, &answer));
    weft_destroy(&client);
}

Test(command, a_session_is_closed_and_its_client_told)
{
    struct weft_client *closer = client_of(node.address);
    struct weft_client *closed = client_of(node.address);
    cr_assert_eq(weft_connect(closed, 5000), WEFT_OK);
    struct weft_session_id id = weft_session(closed);
    const struct weft_result *result = weft_close_session_wait(closer, id, "bye", 0);
    cr_assert_eq(result->error, WEFT_OK);
    cr_assert_eq(result->node.bytes, 5);
    while (!weft_is_closed(closed))
        (void)weft_run(closed, 1000);
    cr_assert_eq(weft_close_session_wait(closer, id, "bye", 0)->error, WEFT_NO_SUCH_SESSION);
    cr_assert_eq(weft_close_session_wait(closer, (struct weft_session_id){0}, NULL, 0)->error,
                 WEFT_INVALID_ARGUMENT);
    weft_destroy(&closed);
    weft_destroy(&closer);
}

Test(command, a_question_that_is_not_answered_ends_in_a_timeout)
{
    struct weft_client *client = client_of(node.address);
    cr_assert_eq(weft_handlers_wait(client, 20)->error, WEFT_TIMEOUT);
    weft_destroy(&client);
}

Test(rows, bytes_that_are_no_rows_end_the_iteration)
{
    struct weft_rows rows = {.data = "\xff\xff\xff\xff garbage", .bytes = 12};
    struct weft_session_row row;
    cr_assert_not(weft_next_session(&rows, &row));
    cr_assert_not(weft_next_session(&rows, &row));
}
