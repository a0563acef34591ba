/* market.c - see market.h. */
#include "tests/unit/mesh/topics/market.h"

#include <criterion/criterion.h>
#include <stdio.h>

static uint64_t correlation = 100000;

void market_open(void)
{
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        town_start(i);
    town_wait_ms(5000);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert(town_heard(i, NOTICE_READY), "node %u", i);
}

static struct topic_result result_of(uint32_t client)
{
    struct topic_result result = {.code = UINT16_MAX};
    if (town_find(client, KIND_TOPIC, correlation) == NULL)
        town_wait_ms(5); /* a large value leaves with the next pull */
    const struct message *message = town_find(client, KIND_TOPIC, correlation);
    if (message != NULL)
        cr_assert_eq(schema_decode(&topic_result_schema, message->fields, &result), ERROR_OK);
    return result;
}

struct topic_result market_set_as(uint32_t client, const struct topic_set *set, const char *value)
{
    town_say(client, KIND_SET, ++correlation, &topic_set_schema, set, span_text(value));
    return result_of(client);
}

struct topic_result market_set(uint32_t client, const char *path, const char *value)
{
    struct topic_set set = {.path = span_text(path), .type = VALUE_STRING};
    return market_set_as(client, &set, value);
}

struct topic_result market_remove(uint32_t client, const char *selector)
{
    struct topic_remove remove = {.selector = span_text(selector)};
    town_say(client, KIND_REMOVE, ++correlation, &topic_remove_schema, &remove, (struct span){0});
    return result_of(client);
}

static enum error done_or_error(uint32_t client)
{
    const struct message *message = town_find(client, KIND_ERROR, correlation);
    struct client_error error;
    if (message == NULL) {
        cr_assert_not_null(town_find(client, KIND_DONE, correlation));
        return ERROR_OK;
    }
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &error), ERROR_OK);
    return (enum error)error.code;
}

enum error market_subscribe(uint32_t client, const char *selector)
{
    struct subscription subscription = {.selector = span_text(selector)};
    town_say(client, KIND_SUBSCRIBE, ++correlation, &subscription_schema, &subscription,
             (struct span){0});
    return done_or_error(client);
}

size_t market_subscribe_late(uint32_t client, const char *selector)
{
    struct subscription subscription = {.selector = span_text(selector)};
    town_say(client, KIND_SUBSCRIBE, ++correlation, &subscription_schema, &subscription,
             (struct span){0});
    return market_news_count(client);
}

enum error market_unsubscribe(uint32_t client, const char *selector)
{
    struct subscription subscription = {.selector = span_text(selector)};
    town_say(client, KIND_UNSUBSCRIBE, ++correlation, &subscription_schema, &subscription,
             (struct span){0});
    return done_or_error(client);
}

static void text_copy(char text[64], struct span span)
{
    size_t bytes = span.bytes < 63 ? span.bytes : 63;
    memset(text, 0, 64);
    if (bytes > 0)
        memcpy(text, span.data, bytes);
}

static bool is_news(const struct message *message)
{
    return message->kind == KIND_UPDATE || message->kind == KIND_UNSUBSCRIBED;
}

bool market_news(uint32_t client, size_t index, struct market_news *news)
{
    const struct town_client *self = &town_clients[client];
    memset(news, 0, sizeof *news);
    for (size_t i = 0; i < self->letters_count; i++) {
        const struct message *message = &self->letters[i].message;
        if (!is_news(message) || index-- > 0)
            continue;
        news->is_end = message->kind == KIND_UNSUBSCRIBED;
        if (news->is_end)
            cr_assert_eq(schema_decode(&unsubscribed_schema, message->fields, &news->ended),
                         ERROR_OK);
        else
            cr_assert_eq(schema_decode(&topic_update_schema, message->fields, &news->update),
                         ERROR_OK);
        text_copy(news->path, news->is_end ? news->ended.path : news->update.path);
        text_copy(news->value, message->body);
        return true;
    }
    return false;
}

size_t market_news_count(uint32_t client)
{
    return town_letters(client, KIND_UPDATE) + town_letters(client, KIND_UNSUBSCRIBED);
}

uint32_t market_fetch(uint32_t client, const char *selector, char value[64])
{
    struct topic_fetch fetch = {.selector = span_text(selector)};
    struct topic_rows rows;
    struct topic_row row;
    enum error error;
    town_say(client, KIND_FETCH, ++correlation, &topic_fetch_schema, &fetch, (struct span){0});
    if (town_find(client, KIND_TOPICS, correlation) == NULL)
        town_wait_ms(50); /* many topics are walked along in slices */
    const struct message *message = town_find(client, KIND_TOPICS, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&topic_rows_schema, message->fields, &rows), ERROR_OK);
    cr_assert_eq(rows.code, ERROR_OK);
    struct span body = message->body;
    text_copy(value, (struct span){0});
    if (group_next(&topic_row_schema, &body, &row, &error))
        text_copy(value, row.value);
    return rows.total;
}

const char *market_path_of(uint32_t node, unsigned alive, unsigned n)
{
    static char path[32];
    for (unsigned i = 0;; i++) {
        uint32_t best = TOWN_NODES;
        snprintf(path, sizeof path, "path/%u", i);
        uint64_t hash = topic_path_hash(span_text(path));
        for (uint32_t m = 0; m < TOWN_NODES; m++) {
            if ((alive & 1U << m) != 0 &&
                (best == TOWN_NODES ||
                 topic_weight(hash, mesh_instance(town_nodes[m].mesh)) >
                     topic_weight(hash, mesh_instance(town_nodes[best].mesh))))
                best = m;
        }
        if (best == node && n-- == 0)
            return path;
    }
}

bool market_is_same(uint32_t client, unsigned nodes)
{
    struct command command = {.verb = COMMAND_STATUS};
    struct node_answer answers[TOWN_NODES];
    struct status_row row;
    enum error error;
    uint64_t hash = 0;
    (void)town_command(client, &command, ++correlation);
    size_t count = town_answers(client, correlation, answers, TOWN_NODES);
    cr_assert_eq(count, (size_t)__builtin_popcount(nodes));
    for (size_t i = 0; i < count; i++) {
        cr_assert(group_next(&status_row_schema, &answers[i].rows, &row, &error));
        if (i > 0 && row.topics_hash != hash)
            return false;
        hash = row.topics_hash;
    }
    return true;
}
