/* test_topics.c - the whole room, in towns of three cores. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/mesh/topics/market.h"

enum { ALL = 7 };

static uint32_t clients[TOWN_NODES]; /* one at each node */

static void set_up(void)
{
    town_begin();
    market_open();
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        clients[i] = town_open(i, NULL, NULL);
}

TestSuite(topics, .init = set_up, .fini = town_end);

Test(topics, set_anywhere_are_told_everywhere)
{
    struct market_news news;
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert_eq(market_subscribe(clients[i], "path/+"), ERROR_OK);
    for (uint32_t at = 0; at < TOWN_NODES; at++) { /* every node is once the sequencer */
        const char *path = market_path_of(at, ALL, 0);
        for (uint32_t from = 0; from < TOWN_NODES; from++) {
            struct topic_result result = market_set(clients[from], path, "value");
            cr_assert_eq(result.code, ERROR_OK, "%s", error_name(result.code));
            cr_assert_eq(result.instance, mesh_instance(town_nodes[at].mesh));
            cr_assert_eq(result.n, from + 1);
        }
        for (uint32_t to = 0; to < TOWN_NODES; to++) {
            cr_assert_eq(market_news_count(clients[to]), 3);
            for (size_t i = 0; market_news(clients[to], i, &news); i++) {
                cr_assert_str_eq(news.path, path);
                cr_assert_str_eq(news.value, "value");
                cr_assert_eq(news.update.n, i + 1);
                cr_assert(!news.update.is_snapshot && !news.update.is_resync);
            }
            town_forget(clients[to]);
        }
    }
    cr_assert(market_is_same(clients[0], ALL));
}

Test(topics, are_read_where_they_were_written)
{
    char value[64];
    const char *path = market_path_of(2, ALL, 0);
    cr_assert_eq(market_set(clients[0], path, "mine").code, ERROR_OK);
    cr_assert_eq(market_fetch(clients[0], path, value), 1);
    cr_assert_str_eq(value, "mine");
}

Test(topics, come_as_a_snapshot_and_then_as_a_stream)
{
    struct market_news news;
    market_set(clients[0], "a/b", "1");
    market_set(clients[0], "a/c", "2");
    market_set(clients[0], "b/c", "3");
    cr_assert_eq(market_subscribe(clients[1], "a/**"), ERROR_OK);
    market_set(clients[2], "a/b", "4");
    cr_assert_eq(market_news_count(clients[1]), 3);
    cr_assert(market_news(clients[1], 0, &news));
    cr_assert_str_eq(news.value, "1");
    cr_assert(news.update.is_snapshot);
    cr_assert(market_news(clients[1], 1, &news));
    cr_assert_str_eq(news.value, "2");
    cr_assert(market_news(clients[1], 2, &news));
    cr_assert_str_eq(news.value, "4");
    cr_assert(!news.update.is_snapshot && !news.update.is_resync);
    town_forget(clients[1]);
    cr_assert_eq(market_subscribe(clients[1], "+/c"), ERROR_OK);
    cr_assert_eq(market_news_count(clients[1]), 1, "what is told already is not told again");
    market_set(clients[0], "a/c", "5");
    cr_assert_eq(market_news_count(clients[1]), 2, "selected twice, told once");
    cr_assert_eq(market_unsubscribe(clients[1], "a/**"), ERROR_OK);
    market_set(clients[0], "a/b", "6");
    cr_assert_eq(market_news_count(clients[1]), 2);
    market_set(clients[0], "a/c", "7");
    cr_assert_eq(market_news_count(clients[1]), 3, "the other selector stands");
    cr_assert_eq(market_unsubscribe(clients[1], "a/**"), ERROR_NO_SUCH_TOPIC);
}

Test(topics, are_removed_everywhere_and_may_come_again)
{
    struct market_news news;
    char value[64];
    for (unsigned i = 0; i < 9; i++)
        market_set(clients[0], market_path_of(i % 3, ALL, i / 3), "x");
    market_set(clients[0], "other", "x");
    cr_assert_eq(market_subscribe(clients[2], "path/0"), ERROR_OK);
    struct topic_result result = market_remove(clients[1], "path/**");
    cr_assert_eq(result.code, ERROR_OK, "%s", error_name(result.code));
    cr_assert_eq(result.count, 9);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert_eq(market_fetch(clients[i], "**", value), 1);
    bool was_there = market_news(clients[2], 0, &news) && !news.is_end;
    if (was_there) {
        cr_assert(market_news(clients[2], 1, &news));
        cr_assert(news.is_end);
        cr_assert_eq(news.ended.reason, UNSUBSCRIBED_REMOVED);
    }
    town_forget(clients[2]);
    result = market_set(clients[1], "path/0", "again");
    cr_assert_eq(result.code, ERROR_OK);
    cr_assert_eq(result.n, 1, "what is created begins a term");
    cr_assert(market_news(clients[2], 0, &news));
    cr_assert_str_eq(news.value, "again");
    cr_assert(!news.update.is_resync);
    cr_assert(market_is_same(clients[0], ALL));
}

Test(topics, keep_their_definition)
{
    struct topic_set set = {.path = span_text("t"), .type = VALUE_STRING, .mode = TOPIC_SET_UPDATE};
    cr_assert_eq(market_set_as(clients[0], &set, "x").code, ERROR_NO_SUCH_TOPIC);
    set.mode = TOPIC_SET_CREATE;
    set.policy = TOPIC_POLICY_OFF;
    cr_assert_eq(market_set_as(clients[0], &set, "first").code, ERROR_OK);
    struct topic_result again = market_set_as(clients[1], &set, "second");
    cr_assert_eq(again.code, ERROR_OK, "the same definition is no mistake");
    cr_assert_eq(again.n, 1, "and changes nothing");
    char value[64];
    cr_assert_eq(market_fetch(clients[2], "t", value), 1);
    cr_assert_str_eq(value, "first");
    set.policy = TOPIC_POLICY_ALWAYS;
    cr_assert_eq(market_set_as(clients[1], &set, "x").code, ERROR_TOPIC_EXISTS_MISMATCH);
    set.mode = TOPIC_SET_ANY;
    set.type = VALUE_BINARY;
    cr_assert_eq(market_set_as(clients[1], &set, "x").code, ERROR_TOPIC_EXISTS_MISMATCH);
    set.type = VALUE_INT64;
    cr_assert_eq(market_set_as(clients[1], &set, "x").code, ERROR_INVALID_ARGUMENT);
    set.path = span_text("a//b");
    cr_assert_eq(market_set_as(clients[1], &set, "x").code, ERROR_INVALID_PATH);
}

Test(topics, have_paths_that_are_no_selectors_of_others)
{
    const char *const others[] = {"a/+", "+", "a/**", "a*", "**"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert_eq(market_set(clients[0], others[i], "x").code, ERROR_INVALID_PATH, "%s",
                     others[i]);
    cr_assert_eq(market_set(clients[0], "c++/a+b", "x").code, ERROR_OK);
}

Test(topics, are_set_under_a_condition)
{
    struct topic_set set = {
        .path = span_text("t"), .type = VALUE_STRING, .constraint = TOPIC_CONSTRAINT_NO_TOPIC};
    struct topic_result first = market_set_as(clients[0], &set, "one");
    cr_assert_eq(first.code, ERROR_OK);
    struct topic_result refused = market_set_as(clients[1], &set, "two");
    cr_assert_eq(refused.code, ERROR_UNSATISFIED_CONSTRAINT);
    cr_assert_eq(refused.n, first.n, "it says which version is there");
    set.constraint = TOPIC_CONSTRAINT_VALUE_IS;
    set.expected_bytes = 3;
    cr_assert_eq(market_set_as(clients[2], &set, "onetwo").code, ERROR_OK);
    cr_assert_eq(market_set_as(clients[2], &set, "onethree").code, ERROR_UNSATISFIED_CONSTRAINT);
    set.constraint = TOPIC_CONSTRAINT_VERSION_IS;
    set.expected_bytes = 0;
    set.term = first.term;
    set.instance = first.instance;
    set.n = first.n;
    cr_assert_eq(market_set_as(clients[1], &set, "x").code, ERROR_UNSATISFIED_CONSTRAINT);
    set.n++;
    cr_assert_eq(market_set_as(clients[1], &set, "x").code, ERROR_OK);
}

Test(topics, of_a_dead_sequencer_are_taken_over_under_a_new_term)
{
    struct market_news news;
    char path[32];
    snprintf(path, sizeof path, "%s", market_path_of(1, ALL, 0));
    struct topic_result before = market_set(clients[0], path, "old");
    cr_assert_eq(before.instance, mesh_instance(town_nodes[1].mesh));
    market_subscribe(clients[2], "**");
    town_forget(clients[2]);
    town_crash(1);
    town_wait_ms(10000);
    cr_assert_eq(town_count(0, COUNTER_topics_adopted) + town_count(2, COUNTER_topics_adopted), 1);
    cr_assert_eq(market_news_count(clients[2]), 0, "nothing has changed yet");
    struct topic_result after = market_set(clients[0], path, "new");
    cr_assert_eq(after.code, ERROR_OK, "%s", error_name(after.code));
    cr_assert_gt(after.term, before.term);
    cr_assert_eq(after.n, 1);
    cr_assert(market_news(clients[2], 0, &news));
    cr_assert_str_eq(news.value, "new");
    cr_assert(news.update.is_resync && !news.update.is_snapshot);
    cr_assert(market_is_same(clients[0], 5));
}

Test(topics, that_were_not_sent_are_not_set_later)
{
    char path[32], value[64];
    snprintf(path, sizeof path, "%s", market_path_of(1, ALL, 0));
    town_clog_forward(0, 1);
    cr_assert_eq(market_set(clients[0], path, "never").code, UINT16_MAX, "it waits");
    town_break_forward(0, 1);
    const struct message *message = town_find(clients[0], KIND_TOPIC, 0);
    struct topic_result result;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&topic_result_schema, message->fields, &result), ERROR_OK);
    cr_assert_eq(result.code, ERROR_CLUSTER_REPARTITION);
    town_mend_forward(0, 1);
    town_wait_ms(1000);
    cr_assert_eq(market_fetch(clients[2], "**", value), 0);
    cr_assert_eq(market_set(clients[0], path, "now").code, ERROR_OK);
}

/* SET, and no time passes: the code of TOPIC, UINT16_MAX while there is none. */
static unsigned code_at_once(uint32_t client, const char *path, uint64_t correlation)
{
    const struct topic_set set = {.path = span_text(path), .type = VALUE_STRING};
    struct topic_result result;
    town_forget(client); /* GRANTs, too */
    town_say(client, KIND_SET, correlation, &topic_set_schema, &set, span_text("x"));
    const struct message *message = town_find(client, KIND_TOPIC, correlation);
    if (message == NULL)
        return UINT16_MAX;
    cr_assert_eq(schema_decode(&topic_result_schema, message->fields, &result), ERROR_OK);
    return result.code;
}

Test(topics, wait_for_their_sequencer_but_one_session_takes_no_more_than_its_share)
{
    enum { SHARE = 4096 };
    char path[32];
    snprintf(path, sizeof path, "%s", market_path_of(1, ALL, 0));
    uint32_t greedy = town_open(0, NULL, NULL);
    town_nodes[1].is_cut_off = true; /* and nobody knows */
    for (uint64_t i = 1; i <= SHARE; i++)
        cr_assert_eq(code_at_once(greedy, path, i), UINT16_MAX);
    cr_assert_eq(code_at_once(greedy, path, SHARE + 1), ERROR_LIMIT_REACHED);
    cr_assert_eq(code_at_once(clients[0], path, 1), UINT16_MAX, "another's waits");
    town_disconnect(greedy);
    uint32_t next = town_open(0, NULL, NULL);
    cr_assert_eq(code_at_once(next, path, 1), UINT16_MAX, "as does that of who comes then");
}

Test(topics, are_all_there_before_a_joiner_is_ready)
{
    char value[64];
    char path[32];
    for (unsigned i = 0; i < 3; i++) { /* taken over as they are, and so they come to the joiner */
        snprintf(path, sizeof path, "%s", market_path_of(1, ALL, i));
        cr_assert_eq(market_set(clients[0], path, "old").code, ERROR_OK);
        town_forget(clients[0]);
    }
    town_crash(1);
    town_wait_ms(10000);
    for (int i = 0; i < 500; i++) {
        snprintf(path, sizeof path, "many/%d", i);
        cr_assert_eq(market_set(clients[0], path, "x").code, ERROR_OK);
        town_forget(clients[0]);
    }
    town_nodes[1].config.random_seed[1] = 9;
    town_nodes[1].notices_count = 0;
    town_start(1);
    while (!town_heard(1, NOTICE_READY))
        town_wait_ms(1);
    uint32_t client = town_open(1, NULL, NULL);
    cr_assert_eq(market_fetch(client, "many/+", value), 500);
    cr_assert(market_is_same(client, ALL));
    for (int i = 0; i < 100; i++) { /* whoever sequences them now */
        snprintf(path, sizeof path, "many/%d", i);
        struct topic_result result = market_set(client, path, "y");
        cr_assert_eq(result.code, ERROR_OK, "%s", error_name(result.code));
        town_forget(client);
    }
    cr_assert(market_is_same(client, ALL));
}

Test(topics, converge_when_a_split_heals)
{
    char path[32];
    char value[64];
    struct topic_result result;
    for (unsigned i = 0; i < 30; i++) {
        snprintf(path, sizeof path, "split/%u", i);
        market_set(clients[0], path, "before");
        town_forget(clients[0]);
    }
    town_cut_off(2);
    town_wait_ms(20000);
    for (unsigned i = 0; i < 30; i++) { /* both sides serve */
        snprintf(path, sizeof path, "split/%u", i);
        result = market_set(clients[0], path, "majority");
        cr_assert_eq(result.code, ERROR_OK, "%s", error_name(result.code));
        if (i % 2 == 0) {
            result = market_set(clients[2], path, "minority");
            cr_assert_eq(result.code, ERROR_OK, "%s", error_name(result.code));
        }
        town_forget(clients[0]);
        town_forget(clients[2]);
    }
    cr_assert_eq(market_remove(clients[0], "split/1").count, 1);
    town_heal(2);
    town_wait_ms(60000);
    cr_assert(market_is_same(clients[0], ALL));
    cr_assert_eq(market_fetch(clients[2], "split/1", value), 0, "removed, and not back");
    cr_assert_eq(market_fetch(clients[2], "split/**", value), 29);
    cr_assert_eq(market_fetch(clients[2], "split/3", value), 1);
    cr_assert_str_eq(value, "majority");
    for (unsigned i = 0; i < 30; i++) { /* and go on */
        snprintf(path, sizeof path, "split/%u", i);
        result = market_set(clients[i % 3], path, "after");
        cr_assert_eq(result.code, ERROR_OK, "%s", error_name(result.code));
        town_forget(clients[i % 3]);
    }
    cr_assert(market_is_same(clients[0], ALL));
}

Test(topics, go_with_their_session_if_so_wished)
{
    char value[64];
    uint32_t creator = town_open(0, NULL, NULL);
    struct topic_set set = {
        .path = span_text("seat/1"), .type = VALUE_STRING, .remove_with_session = true};
    cr_assert_eq(market_set_as(creator, &set, "taken").code, ERROR_OK);
    set.path = span_text("seat/2");
    cr_assert_eq(market_set_as(creator, &set, "taken").code, ERROR_OK);
    market_set(clients[0], "stays", "x");
    town_wait_ms(5000);
    cr_assert_eq(market_fetch(clients[2], "**", value), 3);
    town_disconnect(creator);
    town_wait_ms(3000);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert_eq(market_fetch(clients[i], "**", value), 1);
    cr_assert_str_eq(value, "x");
}

Test(topics, larger_than_a_chunk_travel_whole)
{
    static char large[300001];
    char value[64];
    memset(large, 'x', sizeof large - 1);
    for (uint32_t at = 0; at < TOWN_NODES; at++)
        cr_assert_eq(market_set(clients[0], market_path_of(at, ALL, 0), large).code, ERROR_OK, "%u",
                     at);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert_eq(market_fetch(clients[i], "path/+", value), 3);
    cr_assert(market_is_same(clients[0], ALL));
}
