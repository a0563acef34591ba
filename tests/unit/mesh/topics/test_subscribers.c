/* test_subscribers.c - what sessions hear: within their rights, as their queues take it. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/mesh/topics/market.h"

static const struct mesh_permission rules[] = {
    {"*", "update_topic"}, {"*", "modify_topic"},       {"*", "modify_session"},
    {"*", "view_mesh"},    {"*", "read_topic:open/**"}, {"insider", "read_topic:secret/**"},
};

static uint32_t publisher;

/* Queues of 32 messages: snapshots are fed while fewer than 16 wait. */
static void set_up(void)
{
    town_begin();
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        town_nodes[i].config.session_queue_messages = 32;
    market_open();
    publisher = town_open(0, NULL, NULL);
}

static void set_up_rules(void)
{
    town_begin();
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        town_nodes[i].config.permissions = rules;
        town_nodes[i].config.permissions_count = sizeof rules / sizeof rules[0];
    }
    market_open();
    publisher = town_open(0, NULL, NULL);
}

TestSuite(subscribers, .init = set_up, .fini = town_end);
TestSuite(rights_of_topics, .init = set_up_rules, .fini = town_end);

static void publish(unsigned first, unsigned count, const char *value)
{
    char path[32];
    for (unsigned i = first; i < first + count; i++) {
        snprintf(path, sizeof path, "many/%02u", i);
        cr_assert_eq(market_set(publisher, path, value).code, ERROR_OK);
        town_forget(publisher);
    }
}

static void grant(uint32_t client, uint32_t messages)
{
    static uint64_t received;
    struct client_grant fields = {
        .received_seq = received, .messages_limit = messages, .bytes_limit = UINT32_MAX};
    town_say(client, KIND_GRANT, 0, &client_grant_schema, &fields, (struct span){0});
    received += messages;
}

/* Topics change while the snapshot is half told: those that were told change in the stream, the
 * others are told with the value that they have then. */
Test(subscribers, are_fed_as_they_take_it_and_miss_nothing)
{
    struct market_news news;
    unsigned told[50] = {0};
    publish(0, 50, "old");
    uint32_t client = town_open(1, NULL, NULL);
    grant(client, 0);
    cr_assert_eq(market_subscribe_late(client, "many/+"), 0, "nothing without credit");
    town_wait_ms(200);
    publish(0, 4, "new");
    publish(46, 4, "new");
    for (int i = 0; i < 20; i++) {
        grant(client, 4);
        town_wait_ms(50);
    }
    for (size_t i = 0; market_news(client, i, &news); i++) {
        unsigned number = (unsigned)(news.path[5] - '0') * 10 + (unsigned)(news.path[6] - '0');
        bool is_new = strcmp(news.value, "new") == 0;
        cr_assert_eq(news.update.is_snapshot, told[number] == 0, "%s", news.path);
        cr_assert(told[number] == 0 || is_new, "%s", news.path);
        told[number]++;
    }
    for (unsigned i = 0; i < 50; i++)
        cr_assert_eq(told[i], i < 4 ? 2 : 1, "%u", i);
}

Test(subscribers, of_several_selectors_are_told_once)
{
    market_set(publisher, "a/b", "1");
    uint32_t client = town_open(2, NULL, NULL);
    cr_assert_eq(market_subscribe(client, "a/b"), ERROR_OK);
    cr_assert_eq(market_subscribe(client, "a/+"), ERROR_OK);
    cr_assert_eq(market_subscribe(client, "**"), ERROR_OK);
    cr_assert_eq(market_news_count(client), 1);
    market_set(publisher, "a/b", "2");
    cr_assert_eq(market_news_count(client), 2);
    cr_assert_eq(market_subscribe(client, "a/b"), ERROR_OK);
    cr_assert_eq(market_news_count(client), 2, "the others have told it");
}

Test(subscribers, say_what_is_wrong_with_a_selector)
{
    uint32_t client = town_open(2, NULL, NULL);
    cr_assert_eq(market_subscribe(client, "a/*"), ERROR_INVALID_PATH);
    cr_assert_eq(market_subscribe(client, "**/a"), ERROR_INVALID_PATH);
    cr_assert_eq(market_subscribe(client, ""), ERROR_INVALID_PATH);
    cr_assert_eq(market_unsubscribe(client, "a"), ERROR_NO_SUCH_TOPIC);
}

Test(subscribers, may_be_made_by_somebody_else)
{
    struct market_news news;
    market_set(publisher, "a/b", "1");
    uint32_t client = town_open(2, "tier", "gold");
    uint32_t other = town_open(2, "tier", "tin");
    struct command command = {.verb = COMMAND_SUBSCRIBE,
                              .filter = span_text("tier is 'gold'"),
                              .selector = span_text("a/**")};
    struct result result = town_command(publisher, &command, 40);
    cr_assert_eq(result.applied, 1);
    cr_assert_eq(market_news_count(client), 1);
    cr_assert_eq(market_news_count(other), 0);
    command = (struct command){.verb = COMMAND_UNSUBSCRIBE,
                               .session = town_clients[client].session,
                               .selector = span_text("a/**")};
    cr_assert_eq(town_command(publisher, &command, 41).code, ERROR_OK);
    cr_assert(market_news(client, 1, &news));
    cr_assert(news.is_end);
    cr_assert_eq(news.ended.reason, UNSUBSCRIBED_REQUESTED);
    cr_assert(span_equal(news.ended.selector, span_text("a/**")));
    market_set(publisher, "a/b", "2");
    cr_assert_eq(market_news_count(client), 2);
    command.selector = span_text("a/*");
    cr_assert_eq(town_command(publisher, &command, 42).code, ERROR_INVALID_ARGUMENT);
}

Test(subscribers, end_with_their_session)
{
    uint32_t client = town_open(1, NULL, NULL);
    cr_assert_eq(market_subscribe(client, "**"), ERROR_OK);
    town_disconnect(client);
    uint32_t next = town_open(1, NULL, NULL);
    market_set(publisher, "a", "1");
    cr_assert_eq(market_news_count(next), 0, "the slot's next owner has none");
}

static struct topic_result set_fast(const char *value)
{
    struct topic_set set = {
        .path = span_text("fast"), .type = VALUE_STRING, .policy = TOPIC_POLICY_UNSUBSCRIBE};
    return market_set_as(publisher, &set, value);
}

/* A client that has subscribed by that selector, and lost the topic since: its queue was full. */
static uint32_t lose_fast(const char *selector)
{
    uint32_t client = town_open(0, NULL, NULL);
    struct command command = {.verb = COMMAND_SET_CONFLATED,
                              .session = town_clients[client].session,
                              .is_conflated = true};
    cr_assert_eq(town_command(publisher, &command, 40).code, ERROR_OK);
    cr_assert_eq(market_subscribe(client, selector), ERROR_OK);
    town_tell(client, MESH_CONNECTION_FULL);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(set_fast("x").code, ERROR_OK);
        town_forget(publisher);
    }
    town_tell(client, MESH_CONNECTION_WRITABLE);
    return client;
}

/* The policy `unsubscribe`: a queue that is full loses the topic, and says so. */
Test(subscribers, lose_a_topic_by_back_pressure_if_it_wants_that)
{
    struct market_news news;
    uint32_t client = lose_fast("fast");
    cr_assert_eq(market_news_count(client), 1);
    cr_assert(market_news(client, 0, &news));
    cr_assert(news.is_end);
    cr_assert_eq(news.ended.reason, UNSUBSCRIBED_BACK_PRESSURE);
    set_fast("y");
    cr_assert_eq(market_news_count(client), 1, "nothing more of it");
    cr_assert_eq(market_subscribe(client, "fast"), ERROR_OK);
    set_fast("z");
    cr_assert_eq(market_news_count(client), 3, "until it is subscribed again");
}

Test(subscribers, that_lost_a_topic_begin_anew_with_its_value)
{
    struct market_news news;
    uint32_t client = lose_fast("**");
    cr_assert_eq(market_subscribe(client, "slow"), ERROR_OK);
    set_fast("y");
    cr_assert_eq(market_news_count(client), 1, "another selector is none of its business");
    cr_assert_eq(market_subscribe(client, "+"), ERROR_OK);
    cr_assert(market_news(client, 1, &news), "though the first selector means it, too");
    cr_assert(news.update.is_snapshot);
    cr_assert_str_eq(news.value, "y");
    set_fast("z");
    cr_assert_eq(market_news_count(client), 3);
}

Test(rights_of_topics, are_asked_path_by_path)
{
    struct market_news news;
    char value[64];
    market_set(publisher, "open/a", "1");
    market_set(publisher, "secret/a", "2");
    uint32_t client = town_open(1, NULL, NULL);
    cr_assert_eq(market_subscribe(client, "**"), ERROR_OK);
    cr_assert_eq(market_news_count(client), 1);
    cr_assert_eq(market_fetch(client, "**", value), 1);
    market_set(publisher, "secret/a", "3");
    cr_assert_eq(market_news_count(client), 1);
    uint8_t group[32];
    struct role role = {.name = span_text("insider")};
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    group_encode(&role_schema, &role, &writer);
    struct span roles = span_of(group, sizeof group - writer.left);
    struct command command = {
        .verb = COMMAND_CHANGE_ROLES, .session = town_clients[client].session, .add_roles = roles};
    cr_assert_eq(town_command(publisher, &command, 40).code, ERROR_OK);
    cr_assert(market_news(client, 1, &news), "what it may read now comes");
    cr_assert_str_eq(news.value, "3");
    cr_assert(news.update.is_snapshot);
    command = (struct command){.verb = COMMAND_CHANGE_ROLES,
                               .session = town_clients[client].session,
                               .remove_roles = roles};
    cr_assert_eq(town_command(publisher, &command, 41).code, ERROR_OK);
    cr_assert(market_news(client, 2, &news), "and goes again");
    cr_assert(news.is_end);
    cr_assert_str_eq(news.path, "secret/a");
    cr_assert_eq(news.ended.reason, UNSUBSCRIBED_AUTHORIZATION);
    market_set(publisher, "secret/a", "4");
    market_set(publisher, "open/a", "5");
    cr_assert_eq(market_news_count(client), 4, "only what is open");
}

static const struct mesh_permission readers[] = {{"*", "read_topic"}};

Test(rights_of_topics, are_needed_to_set_and_to_remove)
{
    market_set(publisher, "open/a", "1");
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        town_nodes[i].config.permissions = readers;
        town_nodes[i].config.permissions_count = 1;
    }
    town_tell(publisher, MESH_RECONFIGURED);
    cr_assert_eq(market_set(publisher, "open/a", "2").code, ERROR_ACCESS_DENIED);
    struct topic_result result = market_remove(publisher, "**");
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.count, 0, "what it may not remove stays");
}

Test(subscribers, have_selectors_of_a_mebibyte_at_most)
{
    enum { SELECTOR_BYTES = 1024, SELECTORS = 1024 };
    char selector[SELECTOR_BYTES + 1];
    uint32_t client = town_open(0, NULL, NULL);
    memset(selector, 'x', SELECTOR_BYTES);
    selector[SELECTOR_BYTES] = '\0';
    for (unsigned at = 200; at < SELECTOR_BYTES; at += 200)
        selector[at] = '/';
    for (unsigned i = 0; i < SELECTORS; i++) {
        snprintf(selector, 5, "%04u", i);
        selector[4] = 'x';
        town_forget(client);
        cr_assert_eq(market_subscribe(client, selector), ERROR_OK);
    }
    const struct client_grant grant = {
        .received_seq = SELECTORS, .messages_limit = 100, .bytes_limit = 10000};
    town_say(client, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
    town_forget(client);
    cr_assert_eq(market_subscribe(client, "a"), ERROR_LIMIT_REACHED);
    cr_assert_eq(market_subscribe(client, selector), ERROR_OK, "what it has it may ask for again");
    cr_assert_eq(market_unsubscribe(client, selector), ERROR_OK);
    cr_assert_eq(market_subscribe(client, "a"), ERROR_OK);
}
