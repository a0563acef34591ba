/* test_feeds.c - what nodes say to each other about listeners, when it is late, wrong or
 * hostile. */
#include <criterion/criterion.h>

#include "mesh/core.h"
#include "mesh/routing/listeners.h"
#include "mesh/routing/watches.h"
#include "tests/unit/mesh/routing/news.h"

TestSuite(feeds, .init = news_trio, .fini = town_end);

/* The room as its own files see it: first comes what they share. */
static struct watch *watch_at(uint32_t node)
{
    struct watches *watches = town_nodes[node].mesh->routing->watches;
    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
        if (watches->slots[i].is_used)
            return &watches->slots[i];
    }
    cr_assert(false, "nobody listens");
    return NULL;
}

/* A message with these fields and body, as from node c, to node a. */
static enum error from_c(enum kind kind, const struct schema *schema, const void *fields,
                         struct span body)
{
    static uint8_t encoded[1024];
    size_t bytes = schema_measure(schema, fields);
    struct writer writer;
    cr_assert_leq(bytes, sizeof encoded);
    writer_init(&writer, encoded, bytes);
    schema_encode(schema, fields, &writer);
    struct message message = {
        .kind = (uint8_t)kind, .fields = span_of(encoded, bytes), .body = body};
    uint64_t instance = mesh_instance(town_nodes[2].mesh);
    return listeners_from_node(town_nodes[0].mesh->routing, instance, &message);
}

static enum error event_from_c(const struct event *event, struct span body)
{
    return from_c(KIND_EVENT, &event_schema, event, body);
}

/* The next event of c's stream to the listener on a, whose feed is in that state. */
static struct event next_event_of(enum feed_state state)
{
    const struct watch *watch = watch_at(0);
    const struct feed *feed = feeds_find(watch, mesh_instance(town_nodes[2].mesh));
    cr_assert_not_null(feed);
    cr_assert_eq(feed->state, state);
    return (struct event){
        .what = LISTEN_SESSION,
        .session = watch->listener,
        .number = watch->number,
        .epoch = feed->epoch,
        .sequence = feed->sequence + 1,
    };
}

static struct event next_event(void)
{
    return next_event_of(FEED_LIVE);
}

static struct span item(uint8_t *buffer, size_t room, const struct session_item *value)
{
    struct writer writer;
    writer_init(&writer, buffer, room);
    group_encode(&session_item_schema, value, &writer);
    return span_of(buffer, room - writer.left);
}

Test(feeds, ignore_what_was_under_way_to_a_listener_that_is_over_or_began_anew)
{
    uint8_t buffer[256];
    struct session_item ghost = {
        .id = {1, 2}, .event = SESSION_NEWS_OPENED, .state = SESSION_ACTIVE};
    struct span body = item(buffer, sizeof buffer, &ghost);
    uint32_t listener = news_listen(0, "has tier", "tier");
    news_take(listener);
    uint64_t c = mesh_instance(town_nodes[2].mesh);
    struct event event = next_event();
    event.number++;
    cr_assert_eq(event_from_c(&event, body), ERROR_OK);
    event = next_event();
    event.session.serial++;
    cr_assert_eq(event_from_c(&event, body), ERROR_OK);
    cr_assert_eq(town_count(0, COUNTER_session_event_resyncs), 0);
    feeds_begin(town_nodes[0].mesh->routing, feeds_find(watch_at(0), c));
    event = next_event_of(FEED_ASKED);
    event.epoch--;
    cr_assert_eq(event_from_c(&event, body), ERROR_OK);
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 0);
    cr_assert_eq(town_count(0, COUNTER_session_event_resyncs), 1, "the one that was begun");
}

Test(feeds, begin_anew_when_the_stream_goes_on_in_another_epoch)
{
    uint8_t buffer[256];
    struct session_item ghost = {
        .id = {1, 2}, .event = SESSION_NEWS_OPENED, .state = SESSION_ACTIVE};
    struct span body = item(buffer, sizeof buffer, &ghost);
    uint32_t listener = news_listen(0, "has tier", "tier");
    news_take(listener);
    struct event event = next_event();
    event.epoch++;
    for (int i = 0; i < 10; i++)
        cr_assert_eq(event_from_c(&event, body), ERROR_OK);
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 0, "what was told in it is not");
    cr_assert_eq(town_count(0, COUNTER_session_event_resyncs), 1, "ten cost one picture");
}

/* A link that broke may hand over late what was said on it before the link that came after it. */
Test(feeds, are_not_led_back_by_a_listen_that_a_later_one_has_overtaken)
{
    uint32_t before = town_open(0, "tier", "gold");
    uint32_t listener = news_listen(2, "has tier", "tier");
    struct routing *routing = town_nodes[2].mesh->routing;
    uint64_t instance = mesh_instance(town_nodes[0].mesh);
    const struct watch *watch = watch_at(2);
    struct listen late = {
        .what = LISTEN_SESSION,
        .listener = watch->listener,
        .number = watch->number,
        .epoch = feeds_find(watch, instance)->epoch,
        .filter = span_text("has tier"),
        .keys = span_text("tier"),
    };
    cr_assert_eq(news_take(listener), 1);
    watches_node_gone(routing, instance, false);
    watches_node_joined(routing, instance);
    town_wait_ms(1000);
    cr_assert_gt(feeds_find(watch, instance)->epoch, late.epoch);
    news_take(listener);
    cr_assert_eq(from_c(KIND_LISTEN, &listen_schema, &late, (struct span){0}), ERROR_OK);
    uint32_t after = town_open(0, "tier", "best");
    news_change(before, "tier", "best");
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 2);
    cr_assert_eq(news_of(after, SESSION_NEWS_OPENED), 1);
    cr_assert_eq(news_of(before, SESSION_NEWS_UPDATED), 1);
}

Test(feeds, begin_anew_after_a_gap_and_tell_nothing_twice)
{
    uint32_t there = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "tier");
    cr_assert_eq(news_take(listener), 1);
    struct event event = next_event();
    event.sequence += 5;
    cr_assert_eq(event_from_c(&event, (struct span){0}), ERROR_OK);
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 0);
    cr_assert_eq(town_count(0, COUNTER_session_event_resyncs), 1);
    news_change(there, "tier", "best");
    cr_assert_eq(news_take(listener), 1, "and the stream goes on");
}

Test(feeds, tell_what_a_comparison_finds_as_a_resync)
{
    uint8_t buffer[256];
    struct session_item ghost = {
        .id = {1, 2}, .event = SESSION_NEWS_OPENED, .state = SESSION_ACTIVE};
    uint32_t there = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "tier");
    cr_assert_eq(news_take(listener), 1);
    struct event event = next_event();
    cr_assert_eq(event_from_c(&event, item(buffer, sizeof buffer, &ghost)), ERROR_OK);
    ghost.id = town_clients[there].session;
    ghost.event = SESSION_NEWS_LEFT;
    event = next_event();
    cr_assert_eq(event_from_c(&event, item(buffer, sizeof buffer, &ghost)), ERROR_OK);
    cr_assert_eq(news_take(listener), 2);
    event = next_event();
    event.sequence++;
    cr_assert_eq(event_from_c(&event, (struct span){0}), ERROR_OK);
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 2);
    cr_assert_eq(news_of(there, SESSION_NEWS_OPENED), 1);
    cr_assert_eq(news_of(TOWN_CLIENTS, SESSION_NEWS_CLOSED), 1, "nobody has it");
    for (size_t i = 0; i < 2; i++) {
        cr_assert(news[i].is_resync);
        cr_assert_eq(news[i].reason, CLOSE_REASON_NONE);
    }
}

Test(feeds, of_malformed_items_are_a_strike_and_begin_anew)
{
    static const uint8_t half[] = {9, 0, 0, 0, 1};
    uint32_t listener = news_listen(0, "has tier", "tier");
    struct event event = next_event();
    cr_assert_eq(event_from_c(&event, span_of(half, sizeof half)), ERROR_INVALID_MESSAGE);
    event = (struct event){.what = LISTEN_MEMBER};
    cr_assert_eq(event_from_c(&event, (struct span){0}), ERROR_INVALID_MESSAGE);
    struct listen listen = {.what = LISTEN_SESSION, .listener = {1, 2}};
    cr_assert_eq(from_c(KIND_LISTEN, &listen_schema, &listen, (struct span){0}),
                 ERROR_INVALID_MESSAGE, "an epoch is missing");
    listen.epoch = 1;
    cr_assert_eq(from_c(KIND_LISTEN, &listen_schema, &listen, (struct span){0}), ERROR_OK,
                 "a listener that is not known yet");
    town_wait_ms(1000);
    town_open(2, "tier", "gold");
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 1);
}

Test(feeds, end_with_a_listener_that_a_node_can_not_serve)
{
    uint32_t listener = news_listen(0, "has tier", "tier");
    struct event event = next_event();
    event.code = ERROR_LIMIT_REACHED;
    cr_assert_eq(event_from_c(&event, (struct span){0}), ERROR_OK);
    town_wait_ms(100);
    struct client_error said;
    const struct message *message = town_find(listener, KIND_ERROR, 7);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &said), ERROR_OK);
    cr_assert_eq(said.code, ERROR_LIMIT_REACHED);
    cr_assert_gt(said.text.bytes, 0);
    town_open(1, "tier", "gold");
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 0, "nothing comes after it");
    cr_assert_eq(town_count(0, COUNTER_session_listeners_ended), 1);
    struct listen again = {.what = LISTEN_SESSION, .filter = span_text("has tier")};
    town_say(listener, KIND_LISTEN, 9, &listen_schema, &again, (struct span){0});
    cr_assert_not_null(town_find(listener, KIND_DONE, 9), "it may try again");
}

Test(feeds, have_a_limit_of_listeners_on_a_node_with_an_answer)
{
    town_end();
    town_begin();
    for (uint32_t i = 0; i < 2; i++) {
        town_nodes[i].config.sessions_max = 300;
        town_start(i);
    }
    town_wait_ms(5000);
    struct listen listen = {.what = LISTEN_SESSION, .filter = span_text("has nothing")};
    uint32_t first = 0;
    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
        uint32_t client = town_open(0, NULL, NULL);
        first = i == 0 ? client : first;
        town_say(client, KIND_LISTEN, 7, &listen_schema, &listen, (struct span){0});
        cr_assert_not_null(town_find(client, KIND_DONE, 7));
    }
    uint32_t last = town_open(0, NULL, NULL);
    struct client_error said;
    town_say(last, KIND_LISTEN, 7, &listen_schema, &listen, (struct span){0});
    const struct message *message = town_find(last, KIND_ERROR, 7);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &said), ERROR_OK);
    cr_assert_eq(said.code, ERROR_LIMIT_REACHED);
    town_say(first, KIND_LISTEN, 8, &listen_schema, &listen, (struct span){0});
    cr_assert_not_null(town_find(first, KIND_DONE, 8), "it has a place already");
    town_disconnect(first);
    town_say(last, KIND_LISTEN, 9, &listen_schema, &listen, (struct span){0});
    cr_assert_not_null(town_find(last, KIND_DONE, 9), "a place is free again");
    town_wait_ms(1000);
}
