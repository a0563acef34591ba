/* test_wait.c - the calls that wait. */
#include <criterion/criterion.h>

#include "tests/unit/client/node.h"

TestSuite(wait, .init = node_straw_up, .fini = node_straw_down);

static void echo(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    int *count = user;
    if (count != NULL)
        ++*count;
    cr_assert_eq(weft_respond(client, incoming->responder, &incoming->value), WEFT_OK);
    cr_assert_eq(weft_respond(client, incoming->responder, &incoming->value), WEFT_CANCELLED,
                 "a request is answered once");
}

Test(wait, a_large_value_goes_there_and_back)
{
    enum { BYTES = 1000 * 1000 };
    struct weft_client *client = node_straw_session();
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

Test(wait, callbacks_can_not_wait)
{
    struct weft_client *client = node_straw_session();
    cr_assert_eq(weft_handle_wait(client, "a", wait_inside, NULL), WEFT_OK);
    cr_assert_eq(weft_request_wait(client, "a", NULL, NULL)->outcome, WEFT_OK);
    weft_destroy(&client);
}
