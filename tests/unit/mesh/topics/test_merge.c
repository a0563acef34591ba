/* test_merge.c - whoever has met the same entries has the same topics, in whatever order they came;
 * and what is merged reaches whoever may know the topic: its end, too. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/base/context.h"
#include "mesh/topics/topics.h"
#include "proto/kinds.h"
#include "proto/log.h"
#include "proto/topic_entry.h"
#include "tests/unit/mesh/topics/market.h"

enum { PEERS = 3, ENTRIES = 200, PATHS = 12, ROUNDS = 30 };

struct room {
    struct context context;
    struct sessions *sessions;
    struct topics *topics;
    uint32_t have[PEERS];
};

static struct mesh_config config;
static struct random numbers;
static struct topic_entry logs[PEERS][ENTRIES];

static void room_open(struct room *room)
{
    *room = (struct room){0};
    mesh_config_defaults(&config);
    config.cluster = config.name = "test";
    config.sessions_max = 4;
    config.gossip.members_max = 16;
    cr_assert(context_init(&room->context, &config));
    room->context.now_ns = UINT64_C(1) << 40;
    deadlines_init(room->context.deadlines, room->context.now_ns);
    room->sessions = sessions_new(&room->context);
    room->topics = topics_new(&room->context, room->sessions);
    cr_assert_not_null(room->topics);
    for (uint64_t peer = 1; peer <= PEERS; peer++)
        topics_member_joined(room->topics, peer);
}

static void room_close(struct room *room)
{
    topics_check(room->topics);
    topics_destroy(&room->topics);
    sessions_destroy(&room->sessions);
    context_clear(&room->context);
}

/* What three sequencers that took each other's topics over may have written. */
static void logs_draw(void)
{
    static const char *const paths[PATHS] = {"a",   "a/b", "a/b/c", "b", "b/a", "c",
                                             "c/c", "d",   "d/e/f", "e", "f",   "g/h"};
    for (uint32_t peer = 0; peer < PEERS; peer++) {
        logs[peer][0] = (struct topic_entry){.type = TOPIC_ENTRY_SERVING, .position = 1};
        for (uint32_t i = 1; i < ENTRIES; i++) {
            bool is_removed = random_below(&numbers, 4) == 0;
            struct topic_entry *entry = &logs[peer][i];
            if (peer > 0 && random_below(&numbers, 8) == 0) { /* taken over, as it was */
                *entry =
                    logs[random_below(&numbers, peer)][1 + random_below(&numbers, ENTRIES - 1)];
                entry->position = i + 1;
                continue;
            }
            *entry = (struct topic_entry){
                .type = is_removed ? TOPIC_ENTRY_REMOVED : TOPIC_ENTRY_SET,
                .position = i + 1,
                .term = 1 + i / 20 + random_below(&numbers, 3),
                .instance = peer + 1,
                .n = i,
                .path = span_text(paths[random_below(&numbers, PATHS)]),
            };
            if (is_removed)
                continue;
            entry->value_type = VALUE_STRING;
            entry->value = span_text("value");
            if (random_below(&numbers, 5) == 0)
                entry->creator = (struct session_id){9, 1 + random_below(&numbers, 3)};
        }
    }
}

/* What all entries together come to, looked at one by one. */
static uint32_t count_expected(void)
{
    const struct topic_entry *best[PEERS * ENTRIES];
    uint32_t paths = 0;
    uint32_t there = 0;
    for (uint32_t i = 0; i < PEERS * ENTRIES; i++) {
        const struct topic_entry *entry = &logs[i / ENTRIES][i % ENTRIES];
        struct topic_version version = {entry->term, entry->instance, entry->n};
        uint32_t at = 0;
        if (entry->type == TOPIC_ENTRY_SERVING)
            continue;
        while (at < paths && !span_equal(best[at]->path, entry->path))
            at++;
        if (at == paths)
            best[paths++] = entry;
        struct topic_version found = {best[at]->term, best[at]->instance, best[at]->n};
        if (topic_version_order(&version, &found) > 0)
            best[at] = entry;
    }
    for (uint32_t at = 0; at < paths; at++)
        there += best[at]->type == TOPIC_ENTRY_SET ? 1 : 0;
    return there;
}

/* The next entries of one peer's log. */
static void entries_push(struct room *room, uint32_t peer, uint32_t count)
{
    static uint8_t body[ENTRIES * 128];
    uint8_t fields[64];
    struct writer writer;
    uint32_t have = room->have[peer];
    if (count > ENTRIES - have)
        count = ENTRIES - have;
    if (count == 0)
        return;
    struct log_entries head = {.writer = peer + 1,
                               .stream = LOG_TOPICS,
                               .first = have + 1,
                               .last = have + count,
                               .head = ENTRIES};
    writer_init(&writer, fields, sizeof fields);
    schema_encode(&log_entries_schema, &head, &writer);
    struct message message = {.kind = KIND_LOG_ENTRIES,
                              .fields = span_of(fields, sizeof fields - writer.left)};
    writer_init(&writer, body, sizeof body);
    for (uint32_t i = 0; i < count; i++)
        topic_entry_encode(&logs[peer][have + i], &writer);
    cr_assert(!writer.is_bad);
    message.body = span_of(body, sizeof body - writer.left);
    cr_assert_eq(topics_from_node(room->topics, peer + 1, &message), ERROR_OK);
    room->have[peer] += count;
}

static bool is_complete(const struct room *room)
{
    return room->have[0] == ENTRIES && room->have[1] == ENTRIES && room->have[2] == ENTRIES;
}

Test(merge, in_any_order_ends_in_the_same_topics)
{
    uint8_t seed[32] = {3};
    random_init(&numbers, seed, 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct room in_order;
        struct room mixed;
        logs_draw();
        room_open(&in_order);
        room_open(&mixed);
        for (uint32_t peer = 0; peer < PEERS; peer++)
            entries_push(&in_order, peer, ENTRIES);
        while (!is_complete(&mixed)) {
            entries_push(&mixed, (uint32_t)random_below(&numbers, PEERS),
                         1 + (uint32_t)random_below(&numbers, 20));
            topics_check(mixed.topics);
        }
        cr_assert_eq(topics_behind(in_order.topics), 0);
        cr_assert_eq(topics_behind(mixed.topics), 0);
        cr_assert_eq(topics_count(in_order.topics), count_expected());
        cr_assert_eq(topics_count(mixed.topics), count_expected());
        cr_assert_eq(topics_hash(mixed.topics), topics_hash(in_order.topics));
        cr_assert_gt(topics_count(mixed.topics), 0);
        room_close(&in_order);
        room_close(&mixed);
    }
}

static uint32_t publisher, reader;

static void set_up(void)
{
    town_begin();
    market_open();
    publisher = town_open(0, NULL, NULL);
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
        cr_assert_eq(market_set(publisher, path, large).code, ERROR_OK);
    }
    cr_assert_eq(market_subscribe(reader, "t/**"), ERROR_OK);
    town_wait_ms(100);
    cr_assert_eq(market_news_count(reader), TOPICS);
    town_forget(reader);
    cr_assert_eq(market_subscribe(reader, "t/**"), ERROR_OK);
    cr_assert_lt(market_news_count(reader), TOPICS, "the feed has not come to the last ones");
    cr_assert_eq(market_remove(publisher, "t/5").count, 1);
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
    cr_assert_eq(market_set_as(publisher, &always, "1").code, ERROR_OK);
    cr_assert_eq(market_set_as(publisher, &always, "2").code, ERROR_OK);
    cr_assert_eq(market_remove(publisher, "a").count, 1);
    town_tell(reader, MESH_CONNECTION_WRITABLE);
    town_settle();
    cr_assert_eq(market_news_count(reader), 1);
    cr_assert(market_news(reader, 0, &news) && news.is_end);
}
