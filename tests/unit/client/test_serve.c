/* test_serve.c - handlers: who is called, and the one answer. */
#include <criterion/criterion.h>

#include "tests/unit/client/node.h"

TestSuite(serve, .init = node_straw_up, .fini = node_straw_down);

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

Test(serve, values_of_every_type_come_back_as_they_went)
{
    struct weft_client *client = node_straw_session();
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

Test(serve, a_handlers_refusal_and_failure_come_in_its_own_words)
{
    struct weft_client *client = node_straw_session();
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

Test(serve, the_most_specific_handler_of_the_client_serves)
{
    int wide = 0;
    int narrow = 0;
    struct weft_client *client = node_straw_session();
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

Test(serve, a_registration_that_is_denied_leaves_no_handler)
{
    struct weft_client *client = node_straw_session();
    cr_assert_eq(weft_handle_wait(client, "forbidden", echo, NULL), WEFT_ACCESS_DENIED);
    cr_assert_eq(weft_unhandle(client, "forbidden"), WEFT_INVALID_ARGUMENT);
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

Test(serve, answers_may_be_given_later_and_in_any_order)
{
    struct later later = {0};
    int64_t got[3] = {0};
    struct weft_client *client = node_straw_session();
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
