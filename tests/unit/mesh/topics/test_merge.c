/* test_merge.c - what is merged into the tree reaches whoever may know the topic: its end, too. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/mesh/topics/market.h"

static uint32_t writer, reader;

static void set_up(void)
{
    market_open();
    writer = town_open(0, NULL, NULL);
    reader = town_open(0, NULL, NULL);
}

TestSuite(topic_ends, .init = set_up, .fini = town_end);

/* How often the client was told that the path is over. */
static uint32_t ends_of(uint32_t client, const char *path)
{
    struct market_news news;
    uint32_t ends = 0;
    for (size_t i = 0; market_news(client, i, &news); i++)
        ends += news.is_end && strcmp(news.path, path) == 0;
    return ends;
}

Test(topic_ends, are_told_while_a_selector_that_was_said_again_is_fed)
{
    enum { TOPICS = 6, LARGE_BYTES = 60000 }; /* more than one turn of a feed */
    static char large[LARGE_BYTES + 1];
    char path[16];
    memset(large, 'v', LARGE_BYTES);
    for (int i = 0; i < TOPICS; i++) {
        (void)snprintf(path, sizeof path, "t/%d", i);
        cr_assert_eq(market_set(writer, path, large).code, ERROR_OK);
    }
    cr_assert_eq(market_subscribe(reader, "t/**"), ERROR_OK);
    town_wait_ms(100);
    cr_assert_eq(market_news_count(reader), TOPICS);
    town_forget(reader);
    cr_assert_eq(market_subscribe(reader, "t/**"), ERROR_OK);
    cr_assert_lt(market_news_count(reader), TOPICS, "the feed has not come to the last ones");
    cr_assert_eq(market_remove(writer, "t/5").count, 1);
    town_wait_ms(100);
    cr_assert_eq(ends_of(reader, "t/5"), 1);
}

Test(topic_ends, take_the_place_of_an_update_under_the_topics_policy)
{
    const struct topic_set always = {
        .path = span_text("a"), .type = VALUE_STRING, .policy = TOPIC_POLICY_ALWAYS};
    struct market_news news;
    cr_assert_eq(market_subscribe(reader, "a"), ERROR_OK);
    town_tell(reader, MESH_CONNECTION_FULL);
    cr_assert_eq(market_set_as(writer, &always, "1").code, ERROR_OK);
    cr_assert_eq(market_set_as(writer, &always, "2").code, ERROR_OK);
    cr_assert_eq(market_remove(writer, "a").count, 1);
    town_tell(reader, MESH_CONNECTION_WRITABLE);
    town_settle();
    cr_assert_eq(market_news_count(reader), 1);
    cr_assert(market_news(reader, 0, &news) && news.is_end);
}
