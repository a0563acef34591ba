/* test_fetch.c - pages of many topics: whole, and at nobody's cost. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/mesh/topics/market.h"

enum { TOPICS = 3000, LONG_MS = 50 };

static uint32_t client, other; /* of one node */

/* By clients that take some hundred answers each, and then nothing more. */
static void topics_make(void)
{
    char path[32];
    uint32_t maker = 0;
    for (unsigned i = 0; i < TOPICS; i++) {
        if (i % 500 == 0)
            maker = town_open(0, NULL, NULL);
        snprintf(path, sizeof path, "many/%04u", i);
        struct topic_set set = {.path = span_text(path), .type = VALUE_STRING};
        town_say(maker, KIND_SET, i + 1, &topic_set_schema, &set, span_text("x"));
        town_forget(maker);
    }
}

static void set_up(void)
{
    town_begin();
    market_open();
    client = town_open(0, NULL, NULL);
    other = town_open(0, NULL, NULL);
    topics_make();
}

TestSuite(fetch, .init = set_up, .fini = town_end);

static void ask(uint64_t correlation, const char *selector, const char *after, uint32_t limit)
{
    struct topic_fetch fetch = {
        .selector = span_text(selector), .after = span_text(after), .limit = limit};
    town_say(client, KIND_FETCH, correlation, &topic_fetch_schema, &fetch, (struct span){0});
}

static bool is_answered(uint64_t correlation)
{
    return town_find(client, KIND_TOPICS, correlation) != NULL;
}

/* The answer's fields; *rows: how many it has, *first: the number in the first one's path. */
static struct topic_rows answer_of(uint64_t correlation, unsigned *count, unsigned *first)
{
    struct topic_rows rows;
    struct topic_row row;
    enum error error;
    char path[16] = "";
    const struct message *message = town_find(client, KIND_TOPICS, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&topic_rows_schema, message->fields, &rows), ERROR_OK);
    struct span body = message->body;
    for (*count = 0; group_next(&topic_row_schema, &body, &row, &error); ++*count) {
        if (*count > 0)
            continue;
        memcpy(path, row.path.data, row.path.bytes);
        cr_assert_eq(sscanf(path, "many/%u", first), 1);
    }
    cr_assert_eq(error, ERROR_OK);
    return rows;
}

Test(fetch, of_more_than_a_slice_lets_others_go_first)
{
    char value[64];
    unsigned count, first;
    ask(1, "**", "", 10);
    cr_assert(!is_answered(1), "a walk along all topics does not end at once");
    cr_assert_eq(market_fetch(other, "many/0007", value), 1, "and nobody waits for it");
    town_wait_ms(LONG_MS);
    cr_assert_eq(answer_of(1, &count, &first).total, TOPICS);
    cr_assert(count == 10 && first == 0);
    cr_assert_eq(town_letters(client, KIND_TOPICS), 1, "answered once");
}

Test(fetch, brings_pages_that_take_several_slices_whole)
{
    unsigned count, first;
    ask(1, "many/+", "many/0099", TOPICS);
    town_wait_ms(LONG_MS);
    cr_assert_eq(answer_of(1, &count, &first).total, TOPICS - 100);
    cr_assert(count == TOPICS - 100 && first == 100);
}

Test(fetch, that_means_nothing_takes_its_turns_too)
{
    unsigned count, first;
    ask(1, "+/+/none", "", 0);
    cr_assert(!is_answered(1));
    town_wait_ms(LONG_MS);
    cr_assert_eq(answer_of(1, &count, &first).total, 0);
    cr_assert_eq(count, 0);
}

Test(fetch, is_refused_when_a_session_has_too_many_at_work)
{
    unsigned count, first, refused = 0;
    char value[64];
    for (uint64_t i = 1; i <= 20; i++)
        ask(i, "**", "", 1);
    cr_assert_eq(market_fetch(other, "many/0007", value), 1, "others are not");
    town_wait_ms(20 * LONG_MS);
    for (uint64_t i = 1; i <= 20; i++) {
        struct topic_rows rows = answer_of(i, &count, &first);
        cr_assert(rows.code == ERROR_OK ? rows.total == TOPICS : rows.text.bytes > 0);
        refused += rows.code == ERROR_LIMIT_REACHED;
    }
    cr_assert_eq(refused, 4);
    cr_assert_eq(mesh_counter(town_nodes[0].mesh, COUNTER_fetches_refused), 4);
    ask(21, "**", "", 1);
    town_wait_ms(LONG_MS);
    cr_assert_eq(answer_of(21, &count, &first).code, ERROR_OK, "later it is taken again");
}

Test(fetch, ends_with_its_session)
{
    struct client_goodbye goodbye = {.reason = CLOSE_REASON_CLOSED_BY_CLIENT};
    for (uint64_t i = 1; i <= 5; i++)
        ask(i, "**", "", 100);
    town_say(client, KIND_GOODBYE, 0, &client_goodbye_schema, &goodbye, (struct span){0});
    town_wait_ms(LONG_MS);
    mesh_check(town_nodes[0].mesh);
    cr_assert_eq(town_letters(client, KIND_TOPICS), 0);
}

/* A subscription's walk is as long, and it finds out whether anything is missing. */
Test(fetch, and_subscriptions_that_mean_nothing_take_their_turns)
{
    char value[64];
    struct registration registration = {.kind = HANDLER_MISSING_TOPIC, .path = span_text("many")};
    town_say(other, KIND_REGISTER, 9, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(other, KIND_DONE, 9));
    town_wait_ms(500);
    cr_assert_eq(market_subscribe(client, "many/+/none"), ERROR_OK);
    cr_assert_null(town_find(other, KIND_MISSING_TOPIC, 0), "nobody knows yet");
    cr_assert_eq(market_fetch(other, "many/0007", value), 1, "and nobody waits for it");
    town_wait_ms(LONG_MS);
    cr_assert_eq(town_letters(other, KIND_MISSING_TOPIC), 1);
    cr_assert_eq(market_subscribe(client, "many/0007"), ERROR_OK);
    town_wait_ms(LONG_MS);
    cr_assert_eq(town_letters(other, KIND_MISSING_TOPIC), 1, "what is there is not missing");
}

static struct topic_result removal_of(uint64_t correlation)
{
    struct topic_result result;
    const struct message *message = town_find(client, KIND_TOPIC, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&topic_result_schema, message->fields, &result), ERROR_OK);
    return result;
}

Test(fetch, and_removals_take_their_turns)
{
    const struct topic_remove none = {.selector = span_text("many/+/none")};
    unsigned refused = 0;
    char value[64];
    for (uint64_t i = 1; i <= 20; i++)
        town_say(client, KIND_REMOVE, i, &topic_remove_schema, &none, (struct span){0});
    cr_assert_null(town_find(client, KIND_TOPIC, 1));
    cr_assert_eq(market_fetch(other, "many/0007", value), 1);
    cr_assert_eq(market_remove(other, "many/0007").count, 1, "others are not refused");
    town_wait_ms(20 * LONG_MS);
    for (uint64_t i = 1; i <= 20; i++) {
        cr_assert_eq(removal_of(i).count, 0);
        refused += removal_of(i).code == ERROR_LIMIT_REACHED;
    }
    cr_assert_eq(refused, 4);
    town_forget(client);
    const struct topic_remove many = {.selector = span_text("many/**")};
    town_say(client, KIND_REMOVE, 21, &topic_remove_schema, &many, (struct span){0});
    town_wait_ms(20 * LONG_MS);
    cr_assert_eq(removal_of(21).code, ERROR_OK);
    cr_assert_eq(removal_of(21).count, TOPICS - 1);
}
