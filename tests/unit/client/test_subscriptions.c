/* test_subscriptions.c - what a client that subscribed is told, and in which sessions. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "client/weft_topics.h"
#include "tests/unit/client/node.h"

enum { HEARD_MAX = 16 };

/* What one client heard. */
struct heard {
    int values, removed, unsubscribed, answers;
    char paths[HEARD_MAX][32], texts[HEARD_MAX][32];
    bool is_snapshot[HEARD_MAX], is_resync[HEARD_MAX];
    struct weft_version versions[HEARD_MAX];
    char removed_path[32], ended_path[32], ended_selector[32], answered[32];
    enum weft_unsubscribed_reason reason;
    enum weft_error error;
};

static void copy(char to[32], struct weft_text text)
{
    cr_assert_lt(text.bytes, 32);
    memset(to, 0, 32);
    if (text.bytes > 0)
        memcpy(to, text.data, text.bytes);
}

static void on_value(struct weft_client *client, const struct weft_topic_value *topic, void *user)
{
    struct heard *heard = user;
    (void)client;
    cr_assert_lt(heard->values, HEARD_MAX);
    copy(heard->paths[heard->values], topic->path);
    copy(heard->texts[heard->values],
         (struct weft_text){.data = topic->value.data, .bytes = topic->value.bytes});
    heard->is_snapshot[heard->values] = topic->is_snapshot;
    heard->is_resync[heard->values] = topic->is_resync;
    heard->versions[heard->values] = topic->version;
    heard->values++;
}

static void on_removed(struct weft_client *client, const struct weft_topic_removed *topic,
                       void *user)
{
    struct heard *heard = user;
    (void)client;
    heard->removed++;
    copy(heard->removed_path, topic->path);
}

static void on_unsubscribed(struct weft_client *client, const struct weft_topic_unsubscribed *topic,
                            void *user)
{
    struct heard *heard = user;
    (void)client;
    heard->unsubscribed++;
    copy(heard->ended_path, topic->path);
    copy(heard->ended_selector, topic->selector);
    heard->reason = topic->reason;
}

static void on_subscribed(struct weft_client *client, struct weft_text selector,
                          enum weft_error error, struct weft_text text, void *user)
{
    struct heard *heard = user;
    (void)client;
    (void)text;
    heard->answers++;
    heard->error = error;
    copy(heard->answered, selector);
}

/* A node stepped by the test, and a client of it that watches. */
struct stage {
    struct node node;
    char address[64];
    struct weft_client *client;
    struct weft_context *context;
    struct heard heard;
};

static void raise_curtain(struct stage *stage)
{
    node_start(&stage->node);
    memcpy(stage->address, stage->node.address, sizeof stage->address);
    const struct weft_options options = {.servers = stage->address};
    const struct weft_watcher watcher = {on_value, on_removed, on_unsubscribed, &stage->heard};
    stage->client = weft_new(&options);
    stage->context = weft_context_of(stage->client);
    weft_watch(stage->client, &watcher);
    node_until(&stage->node, stage->context, weft_is_open(stage->client));
}

static void drop_curtain(struct stage *stage)
{
    weft_destroy(&stage->client);
    node_stop(&stage->node);
}

#define stage_until(stage, condition) node_until(&(stage).node, (stage).context, condition)

/* Lets both do what they have to; a subscription said too often would show by now. */
static void settle(struct stage *stage)
{
    for (int i = 0; i < 20; i++)
        node_turn(&stage->node, stage->context);
}

static enum weft_error subscribe(struct stage *stage, const char *selector)
{
    return weft_subscribe(stage->client, selector, on_subscribed, &stage->heard);
}

Test(subscriptions, bring_the_snapshot_and_then_the_stream)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    node_topics_put(&stage.node, "prices/tea", "1", false);
    cr_assert_eq(subscribe(&stage, "/prices/**"), WEFT_OK);
    stage_until(stage, stage.heard.values == 1);
    cr_assert_eq(stage.heard.answers, 1);
    cr_assert_str_eq(stage.heard.answered, "prices/**");
    cr_assert_eq(stage.heard.error, WEFT_OK);
    cr_assert(stage.heard.is_snapshot[0]);
    cr_assert_str_eq(stage.heard.paths[0], "prices/tea");
    cr_assert_str_eq(stage.heard.texts[0], "1");
    node_topics_put(&stage.node, "prices/tea", "2", false);
    node_topics_put(&stage.node, "other", "x", false);
    node_topics_put(&stage.node, "prices/rice", "3", true);
    stage_until(stage, stage.heard.values == 3);
    cr_assert_str_eq(stage.heard.texts[1], "2");
    cr_assert_not(stage.heard.is_snapshot[1]);
    cr_assert_gt(weft_version_order(stage.heard.versions[1], stage.heard.versions[0]), 0);
    cr_assert_str_eq(stage.heard.paths[2], "prices/rice");
    cr_assert(stage.heard.is_resync[2]);
    drop_curtain(&stage);
}

Test(subscriptions, said_again_bring_the_snapshots_again)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    node_topics_put(&stage.node, "a", "1", false);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    stage_until(stage, stage.heard.values == 2 && stage.heard.answers == 2);
    cr_assert(stage.heard.is_snapshot[1]);
    cr_assert_eq(weft_unsubscribe(stage.client, "a"), WEFT_OK);
    cr_assert_eq(weft_unsubscribe(stage.client, "a"), WEFT_INVALID_ARGUMENT, "it was one");
    drop_curtain(&stage);
}

Test(subscriptions, that_are_ended_bring_nothing)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    cr_assert_eq(subscribe(&stage, "b"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 2);
    cr_assert_eq(weft_unsubscribe(stage.client, "a/"), WEFT_OK);
    stage_until(stage, stage.node.topics.unsubscribes == 1);
    node_topics_put(&stage.node, "a", "1", false);
    node_topics_put(&stage.node, "b", "1", false);
    stage_until(stage, stage.heard.values == 1);
    cr_assert_str_eq(stage.heard.paths[0], "b");
    drop_curtain(&stage);
}

Test(subscriptions, stand_over_a_resume)
{
    struct stage stage = {.node = {.can_resume = true}};
    raise_curtain(&stage);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 1);
    node_stop(&stage.node);
    stage_until(stage, !weft_is_open(stage.client));
    node_start_at(&stage.node, stage.address);
    stage_until(stage, weft_is_open(stage.client));
    settle(&stage);
    cr_assert_eq(stage.node.topics.subscribes, 1, "the node has it still");
    drop_curtain(&stage);
}

Test(subscriptions, are_said_again_where_messages_were_lost)
{
    struct stage stage = {.node = {.can_resume = true, .has_lost_messages = true}};
    raise_curtain(&stage);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 1);
    node_stop(&stage.node);
    stage_until(stage, !weft_is_open(stage.client));
    node_start_at(&stage.node, stage.address);
    node_topics_put(&stage.node, "a", "1", false);
    stage_until(stage, stage.heard.answers == 2 && stage.heard.values == 1);
    cr_assert(stage.heard.is_snapshot[0]);
    drop_curtain(&stage);
}

Test(subscriptions, are_said_again_in_the_next_session_with_those_made_meanwhile)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    cr_assert_eq(subscribe(&stage, "c"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 2);
    node_stop(&stage.node);
    stage_until(stage, !weft_is_open(stage.client));
    cr_assert_eq(subscribe(&stage, "b"), WEFT_OK);
    cr_assert_eq(weft_unsubscribe(stage.client, "c"), WEFT_OK);
    node_start_at(&stage.node, stage.address);
    node_topics_put(&stage.node, "a", "1", false);
    node_topics_put(&stage.node, "b", "1", false);
    node_topics_put(&stage.node, "c", "1", false);
    stage_until(stage, stage.heard.values == 2 && stage.heard.answers == 4);
    settle(&stage);
    cr_assert_eq(stage.heard.values, 2, "c is not among them");
    cr_assert_eq(stage.node.topics.subscribes, 4);
    drop_curtain(&stage);
}

Test(subscriptions, that_a_controller_ends_are_not_said_again)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    cr_assert_eq(subscribe(&stage, "a"), WEFT_OK);
    cr_assert_eq(subscribe(&stage, "b"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 2);
    node_topics_end(&stage.node, 0, NULL, "a", UNSUBSCRIBED_REQUESTED);
    stage_until(stage, stage.heard.unsubscribed == 1);
    cr_assert_str_eq(stage.heard.ended_selector, "a");
    cr_assert_str_eq(stage.heard.ended_path, "");
    cr_assert_eq(stage.heard.reason, WEFT_UNSUBSCRIBED_REQUESTED);
    cr_assert_eq(weft_unsubscribe(stage.client, "a"), WEFT_INVALID_ARGUMENT);
    node_stop(&stage.node);
    stage_until(stage, !weft_is_open(stage.client));
    node_start_at(&stage.node, stage.address);
    stage_until(stage, stage.heard.answers == 3);
    settle(&stage);
    cr_assert_eq(stage.node.topics.subscribes, 3, "a, b, and then b alone");
    drop_curtain(&stage);
}

Test(subscriptions, of_topics_tell_why_they_end_and_that_topics_are_removed)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    cr_assert_eq(subscribe(&stage, "a/**"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 1);
    node_topics_end(&stage.node, 0, "a/1", NULL, UNSUBSCRIBED_BACK_PRESSURE);
    stage_until(stage, stage.heard.unsubscribed == 1);
    cr_assert_str_eq(stage.heard.ended_path, "a/1");
    cr_assert_eq(stage.heard.reason, WEFT_UNSUBSCRIBED_BACK_PRESSURE);
    node_topics_end(&stage.node, 0, "a/2", NULL, UNSUBSCRIBED_REMOVED);
    stage_until(stage, stage.heard.removed == 1);
    cr_assert_str_eq(stage.heard.removed_path, "a/2");
    cr_assert_eq(stage.heard.unsubscribed, 1);
    cr_assert_eq(weft_unsubscribe(stage.client, "a/**"), WEFT_OK, "the selection stood");
    drop_curtain(&stage);
}

Test(subscriptions, that_are_refused_say_so)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    cr_assert_eq(weft_subscribe(stage.client, "a//b", NULL, NULL), WEFT_INVALID_PATH);
    cr_assert_eq(weft_unsubscribe(stage.client, ""), WEFT_INVALID_PATH);
    cr_assert_eq(subscribe(&stage, "forbidden"), WEFT_OK);
    stage_until(stage, stage.heard.answers == 1);
    cr_assert_eq(stage.heard.error, WEFT_ACCESS_DENIED);
    weft_close(stage.client);
    cr_assert_eq(subscribe(&stage, "b"), WEFT_SESSION_CLOSED);
    drop_curtain(&stage);
}

static void end_it(struct weft_client *client, struct weft_text selector, enum weft_error error,
                   struct weft_text text, void *user)
{
    struct heard *heard = user;
    (void)error;
    (void)text;
    cr_assert_eq(weft_unsubscribe(client, "a"), WEFT_OK);
    copy(heard->answered, selector);
    heard->answers++;
}

Test(subscriptions, may_be_ended_in_the_callback)
{
    struct stage stage = {0};
    raise_curtain(&stage);
    cr_assert_eq(weft_subscribe(stage.client, "a", end_it, &stage.heard), WEFT_OK);
    stage_until(stage, stage.heard.answers == 1);
    cr_assert_str_eq(stage.heard.answered, "a");
    stage_until(stage, stage.node.topics.unsubscribes == 1);
    drop_curtain(&stage);
}

Test(subscriptions, have_a_limit)
{
    struct stage stage = {0};
    char selector[16];
    const struct weft_options options = {.servers = "127.0.0.1:1"};
    stage.client = weft_new(&options);
    for (int i = 0; i < 4096; i++) {
        (void)snprintf(selector, sizeof selector, "t/%d", i);
        cr_assert_eq(weft_subscribe(stage.client, selector, NULL, NULL), WEFT_OK);
    }
    cr_assert_eq(weft_subscribe(stage.client, "one/more", NULL, NULL), WEFT_LIMIT_REACHED);
    cr_assert_eq(weft_unsubscribe(stage.client, "t/7"), WEFT_OK);
    cr_assert_eq(weft_subscribe(stage.client, "one/more", NULL, NULL), WEFT_OK);
    weft_destroy(&stage.client);
}

/* ---- waiting ---- */

TestSuite(subscribing, .init = node_straw_up, .fini = node_straw_down);

Test(subscribing, waits_for_the_answer)
{
    struct weft_client *client = node_straw_session();
    cr_assert_eq(weft_subscribe_wait(client, "a"), WEFT_OK);
    cr_assert_eq(weft_subscribe_wait(client, "forbidden"), WEFT_ACCESS_DENIED);
    cr_assert_eq(weft_unsubscribe(client, "forbidden"), WEFT_INVALID_ARGUMENT,
                 "after an error there is no subscription");
    cr_assert_eq(weft_unsubscribe(client, "a"), WEFT_OK);
    weft_destroy(&client);
}
