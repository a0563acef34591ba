/* test_query.c - commands, questions and their results. */
#include <criterion/criterion.h>

#include "tests/unit/client/node.h"

TestSuite(query, .init = node_straw_up, .fini = node_straw_down);

Test(query, rows_of_the_asked_node_are_read)
{
    struct weft_member_row row;
    struct weft_client *client = node_straw_client();
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

Test(query, answers_of_every_node_are_read_and_missing_ones_seen)
{
    struct weft_node_answer answer;
    struct weft_status_row row;
    struct weft_client *client = node_straw_client();
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

Test(query, a_session_is_closed_and_its_client_told)
{
    struct weft_client *closer = node_straw_client();
    struct weft_client *closed = node_straw_client();
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

Test(query, a_question_that_is_not_answered_ends_in_a_timeout)
{
    struct weft_client *client = node_straw_client();
    cr_assert_eq(weft_handlers_wait(client, 20)->error, WEFT_TIMEOUT);
    weft_destroy(&client);
}
