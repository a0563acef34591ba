/* test_topics.c - topics are set, removed and fetched, and every call ends once. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/weft_topics.h"
#include "tests/unit/client/node.h"

TestSuite(topics, .init = node_straw_up, .fini = node_straw_down);

static enum weft_error set(struct weft_client *client, const char *path, const char *value,
                           const struct weft_set_options *options)
{
    const struct weft_value string = weft_string(value);
    return weft_set_topic_wait(client, path, &string, options)->error;
}

Test(topics, setting_one_creates_it_and_tells_its_version)
{
    struct weft_client *client = node_straw_session();
    const struct weft_value price = weft_double(101.5);
    const struct weft_set_options always = {.policy = WEFT_POLICY_ALWAYS,
                                            .remove_with_session = true};
    const struct weft_topic_result *result =
        weft_set_topic_wait(client, "/prices/tea/", &price, &always);
    cr_assert_eq(result->error, WEFT_OK);
    cr_assert_eq(result->version.term, 1);
    cr_assert_eq(result->version.instance, NODE_TOPIC_INSTANCE);
    cr_assert_eq(result->version.n, 1);
    cr_assert_eq(straw.topics.set.policy, TOPIC_POLICY_ALWAYS);
    cr_assert(straw.topics.set.remove_with_session);
    cr_assert_str_eq(straw.topics.topics[0].path, "prices/tea", "the outer / are trimmed");
    cr_assert_eq(weft_set_topic_wait(client, "prices/tea", &price, NULL)->version.n, 2);
    cr_assert_not(straw.topics.set.remove_with_session);
    weft_destroy(&client);
}

Test(topics, one_that_is_there_keeps_its_type_and_modes_are_obeyed)
{
    struct weft_client *client = node_straw_session();
    const struct weft_value number = weft_int64(1);
    const struct weft_set_options update = {.mode = WEFT_SET_UPDATE};
    const struct weft_set_options create = {.mode = WEFT_SET_CREATE};
    cr_assert_eq(set(client, "a", "one", &update), WEFT_NO_SUCH_TOPIC);
    cr_assert_eq(set(client, "a", "one", &create), WEFT_OK);
    cr_assert_eq(set(client, "a", "two", &create), WEFT_OK);
    cr_assert_eq(straw.topics.topics[0].n, 1, "what is there stays as it is");
    cr_assert_eq(weft_set_topic_wait(client, "a", &number, NULL)->error,
                 WEFT_TOPIC_EXISTS_MISMATCH);
    cr_assert_eq(set(client, "a", "two", &update), WEFT_OK);
    weft_destroy(&client);
}

Test(topics, constraints_reach_the_node)
{
    struct weft_client *client = node_straw_session();
    const struct weft_value one = weft_string("one"), empty = weft_string("");
    const struct weft_version first = {1, NODE_TOPIC_INSTANCE, 1};
    const struct weft_set_options absent = {.if_absent = true};
    const struct weft_set_options is_one = {.if_value = &one};
    const struct weft_set_options is_empty = {.if_value = &empty};
    const struct weft_set_options is_first = {.if_version = &first};
    cr_assert_eq(set(client, "a", "one", &is_first), WEFT_UNSATISFIED_CONSTRAINT);
    cr_assert_eq(set(client, "a", "one", &absent), WEFT_OK);
    cr_assert_eq(set(client, "a", "two", &absent), WEFT_UNSATISFIED_CONSTRAINT);
    cr_assert_eq(set(client, "a", "", &is_one), WEFT_OK);
    cr_assert_eq(straw.topics.set.expected_bytes, 3);
    cr_assert_eq(straw.topics.topics[0].value_bytes, 0, "the value expected is not the new one");
    cr_assert_eq(set(client, "a", "three", &is_empty), WEFT_OK);
    cr_assert_eq(set(client, "a", "four", &is_first), WEFT_UNSATISFIED_CONSTRAINT);
    const struct weft_value four = weft_string("four");
    const struct weft_topic_result *result = weft_set_topic_wait(client, "a", &four, &is_first);
    cr_assert_eq(result->version.n, 3, "it says which version there is");
    cr_assert_eq(memcmp(straw.topics.topics[0].value, "three", 5), 0);
    weft_destroy(&client);
}

Test(topics, what_can_not_be_asked_is_refused_here)
{
    struct weft_client *client = node_straw_session();
    static char large[1024 * 1024 + 1];
    const struct weft_value one = weft_string("one"), number = weft_int64(1);
    const struct weft_value too_large = weft_binary(large, sizeof large);
    const struct weft_version first = {1, NODE_TOPIC_INSTANCE, 1};
    const struct weft_set_options both = {.if_absent = true, .if_version = &first};
    const struct weft_set_options other_type = {.if_value = &number};
    const struct weft_set_options no_policy = {.policy = (enum weft_policy)4};
    const struct weft_set_options no_mode = {.mode = (enum weft_set_mode)3};
    const struct weft_set_options no_time = {.timeout_ms = 300001};
    cr_assert_eq(set(client, "a//b", "one", NULL), WEFT_INVALID_PATH);
    cr_assert_eq(set(client, "a", "one", &both), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(set(client, "a", "one", &other_type), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(set(client, "a", "one", &no_policy), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(set(client, "a", "one", &no_mode), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(set(client, "a", "one", &no_time), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_set_topic_wait(client, "a", &too_large, NULL)->error, WEFT_LIMIT_REACHED);
    cr_assert_eq(weft_set_topic(client, "a", &one, NULL, NULL, NULL), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(weft_remove_topics_wait(client, "", 0)->error, WEFT_INVALID_PATH);
    cr_assert_eq(weft_fetch_topics_wait(client, NULL, NULL)->error, WEFT_INVALID_PATH);
    cr_assert_eq(weft_fetch_topics(client, "a", NULL, NULL, NULL), WEFT_INVALID_ARGUMENT);
    cr_assert_eq(straw.topics.count, 0);
    weft_destroy(&client);
}

Test(topics, an_error_of_the_node_ends_the_call)
{
    struct weft_client *client = node_straw_session();
    const struct weft_set_options soon = {.timeout_ms = 100};
    cr_assert_eq(set(client, "forbidden", "one", NULL), WEFT_ACCESS_DENIED);
    cr_assert_eq(set(client, "moving", "one", NULL), WEFT_CLUSTER_REPARTITION);
    cr_assert_eq(set(client, "silent", "one", &soon), WEFT_TIMEOUT);
    weft_destroy(&client);
}

Test(topics, fetched_come_sorted_page_by_page)
{
    struct weft_client *client = node_straw_session();
    static const char *const paths[] = {"b/2", "a", "b/1"};
    struct weft_topic_row row;
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(set(client, paths[i], paths[i], NULL), WEFT_OK);
    const struct weft_fetch_options two = {.limit = 2};
    const struct weft_topics *topics = weft_fetch_topics_wait(client, "**", &two);
    cr_assert_eq(topics->error, WEFT_OK);
    cr_assert_eq(topics->total, 3);
    struct weft_rows rows = topics->rows;
    cr_assert(weft_next_topic(&rows, &row));
    cr_assert_eq(memcmp(row.path.data, "a", row.path.bytes), 0);
    cr_assert_eq(row.value.type, WEFT_STRING);
    cr_assert_eq(row.value.bytes, 1);
    cr_assert_eq(row.version.n, 1);
    cr_assert(weft_next_topic(&rows, &row));
    cr_assert_eq(memcmp(row.path.data, "b/1", row.path.bytes), 0);
    cr_assert_not(weft_next_topic(&rows, &row));
    const struct weft_fetch_options rest = {.after = "b/1", .without_values = true};
    topics = weft_fetch_topics_wait(client, "**", &rest);
    cr_assert_eq(topics->total, 1);
    rows = topics->rows;
    cr_assert(weft_next_topic(&rows, &row));
    cr_assert_eq(memcmp(row.path.data, "b/2", row.path.bytes), 0);
    cr_assert_eq(row.value.bytes, 0);
    cr_assert_eq(row.value_bytes, 3);
    weft_destroy(&client);
}

Test(topics, a_number_without_its_value_keeps_its_type)
{
    struct weft_client *client = node_straw_session();
    const struct weft_value number = weft_int64(-5);
    const struct weft_fetch_options bare = {.without_values = true};
    struct weft_topic_row row;
    cr_assert_eq(weft_set_topic_wait(client, "n", &number, NULL)->error, WEFT_OK);
    struct weft_rows rows = weft_fetch_topics_wait(client, "n", &bare)->rows;
    cr_assert(weft_next_topic(&rows, &row));
    cr_assert_eq(row.value.type, WEFT_INT64);
    rows = weft_fetch_topics_wait(client, "n", NULL)->rows;
    cr_assert(weft_next_topic(&rows, &row));
    cr_assert_eq(row.value.int64, -5);
    weft_destroy(&client);
}

Test(topics, removed_ones_are_counted)
{
    struct weft_client *client = node_straw_session();
    cr_assert_eq(set(client, "a/1", "x", NULL), WEFT_OK);
    cr_assert_eq(set(client, "a/2", "x", NULL), WEFT_OK);
    cr_assert_eq(set(client, "b", "x", NULL), WEFT_OK);
    const struct weft_topic_result *result = weft_remove_topics_wait(client, "a/**", 0);
    cr_assert_eq(result->error, WEFT_OK);
    cr_assert_eq(result->removed, 2);
    cr_assert_eq(weft_remove_topics_wait(client, "a/**", 0)->removed, 0, "none is no mistake");
    cr_assert_eq(weft_fetch_topics_wait(client, "**", NULL)->total, 1);
    weft_destroy(&client);
}

/* ---- calls that do not wait ---- */

struct told {
    int results;
    enum weft_error error;
};

static void on_result(struct weft_client *client, const struct weft_topic_result *result,
                      void *user)
{
    struct told *told = user;
    (void)client;
    told->results++;
    told->error = result->error;
}

static void on_topics(struct weft_client *client, const struct weft_topics *topics, void *user)
{
    struct told *told = user;
    (void)client;
    told->results++;
    told->error = topics->error;
}

Test(topics, calls_under_way_end_with_the_session)
{
    struct weft_client *client = node_straw_session();
    struct told told = {0};
    cr_assert_eq(weft_set_topic(client, "silent", NULL, NULL, on_result, &told), WEFT_OK);
    weft_close(client);
    cr_assert_eq(weft_fetch_topics(client, "a", NULL, on_topics, &told), WEFT_SESSION_CLOSED);
    while (!weft_is_closed(client))
        (void)weft_run(client, 10);
    cr_assert_eq(told.results, 1);
    cr_assert_eq(told.error, WEFT_CANCELLED);
    weft_destroy(&client);
}

Test(topics, what_had_not_left_goes_to_the_next_session_and_what_had_is_told)
{
    struct node node = {0};
    struct told gone = {0}, kept = {0};
    char address[64];
    node_start(&node);
    memcpy(address, node.address, sizeof address);
    const struct weft_options options = {.servers = address};
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, weft_is_open(client));
    cr_assert_eq(weft_set_topic(client, "silent", NULL, NULL, on_result, &gone), WEFT_OK);
    node_until(&node, context, node.topics.set.path.bytes > 0);
    node_stop(&node);
    node_until(&node, context, !weft_is_open(client));
    cr_assert_eq(weft_set_topic(client, "a", NULL, NULL, on_result, &kept), WEFT_OK);
    cr_assert_eq(weft_fetch_topics(client, "a", NULL, on_topics, &kept), WEFT_OK);
    cr_assert_eq(weft_remove_topics(client, "a", 0, on_result, &kept), WEFT_OK);
    node_start_at(&node, address);
    node_until(&node, context, kept.results == 3);
    cr_assert_eq(kept.error, WEFT_OK);
    cr_assert_eq(gone.results, 1);
    cr_assert_eq(gone.error, WEFT_SESSION_CLOSED, "perhaps it was set");
    weft_destroy(&client);
    node_stop(&node);
}

Test(topics, names_are_those_people_see)
{
    cr_assert_str_eq(weft_policy_name(WEFT_POLICY_UNSUBSCRIBE), "unsubscribe");
    cr_assert_str_eq(weft_policy_name((enum weft_policy)9), "unknown");
    cr_assert_str_eq(weft_unsubscribed_reason_name(WEFT_UNSUBSCRIBED_BACK_PRESSURE),
                     "back_pressure");
}
