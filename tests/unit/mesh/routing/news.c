/* news.c - see news.h. */
#include "tests/unit/mesh/routing/news.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/core.h"

struct news news[NEWS_MAX];
size_t news_count;

static uint64_t sequences[TOWN_CLIENTS], received[TOWN_CLIENTS];

void news_trio(void)
{
    town_begin();
    memset(sequences, 0, sizeof sequences);
    memset(received, 0, sizeof received);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        town_nodes[i].config.sessions_max = 64;
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        town_start(i);
    town_wait_ms(5000);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert(town_heard(i, NOTICE_READY));
}

uint32_t news_listen(uint32_t node, const char *filter, const char *keys)
{
    uint32_t client = town_open(node, NULL, NULL);
    struct listen listen = {
        .what = LISTEN_SESSION, .filter = span_text(filter), .keys = span_text(keys)};
    town_say(client, KIND_LISTEN, 7, &listen_schema, &listen, (struct span){0});
    cr_assert_not_null(town_find(client, KIND_DONE, 7));
    town_wait_ms(500);
    return client;
}

static void take(uint32_t client, const struct message *message)
{
    struct event event;
    struct property property;
    enum error error;
    struct span rest = message->body;
    struct news *next = &news[news_count++];
    cr_assert_leq(news_count, NEWS_MAX);
    cr_assert_eq(schema_decode(&event_schema, message->fields, &event), ERROR_OK);
    cr_assert_eq(event.what, LISTEN_SESSION);
    cr_assert_eq(message->correlation, 7);
    cr_assert_eq(event.sequence, ++sequences[client]);
    cr_assert_eq(event.node.bytes, 1);
    *next = (struct news){
        .event = (enum session_news)event.event,
        .session = event.session,
        .state = event.state,
        .reason = event.reason,
        .is_resync = event.is_resync,
        .node = (char)event.node.data[0],
    };
    while (group_next(&property_schema, &rest, &property, &error)) {
        if (next->properties++ == 0)
            memcpy(next->value, property.value.data,
                   property.value.bytes < 63 ? property.value.bytes : 63);
    }
    cr_assert_eq(error, ERROR_OK);
}

size_t news_take(uint32_t client)
{
    news_count = 0;
    for (int idle = 0; idle < 2;) { /* what waits for credit comes behind the first grant */
        size_t before = news_count;
        const struct town_client *self = &town_clients[client];
        for (size_t i = 0; i < self->letters_count; i++) {
            if (self->letters[i].message.kind == KIND_EVENT)
                take(client, &self->letters[i].message);
        }
        received[client] += news_count - before;
        idle = news_count == before ? idle + 1 : 0;
        town_forget(client);
        struct client_grant grant = {
            .received_seq = received[client], .messages_limit = 32, .bytes_limit = 1 << 20};
        town_say(client, KIND_GRANT, 0, &client_grant_schema, &grant, (struct span){0});
        town_wait_ms(300);
    }
    return news_count;
}

size_t news_of(uint32_t client, enum session_news event)
{
    size_t found = 0;
    for (size_t i = 0; i < news_count; i++) {
        bool is_about = client == TOWN_CLIENTS ||
                        session_id_equal(news[i].session, town_clients[client].session);
        found += is_about && news[i].event == event;
    }
    return found;
}

void news_change(uint32_t client, const char *key, const char *value)
{
    struct mesh *mesh = town_nodes[town_clients[client].node].mesh;
    struct session *session = sessions_of_connection(mesh->sessions, client);
    struct property_set set = {.count = 0};
    property_set_put(&set, key, span_text(value));
    cr_assert_eq(sessions_change_properties(mesh->sessions, session, &set), ERROR_OK);
    town_tell(client, MESH_CONNECTION_WRITABLE); /* any fact: what happened is handed on */
}

const char *news_bomb(void)
{
    enum { TERMS = 420 };
    static char bomb[FILTER_BYTES_MAX + 1];
    size_t at = 0;
    for (int i = 0; i < TERMS; i++)
        at += (size_t)snprintf(bomb + at, sizeof bomb - at, "%stier matches '(a+)+[bc]'",
                               i == 0 ? "" : " or ");
    return bomb;
}
