/* test_missing.c - who is told that there is no such topic. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/core.h"
#include "mesh/routing/missing.h"
#include "proto/missing.h"
#include "tests/unit/mesh/town.h"

TestSuite(missing, .init = town_begin, .fini = town_end);

static uint32_t handler_at(uint32_t node, const char *path)
{
    uint32_t client = town_open(node, NULL, NULL);
    struct registration registration = {.kind = HANDLER_MISSING_TOPIC, .path = span_text(path)};
    town_say(client, KIND_REGISTER, 9, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(client, KIND_DONE, 9));
    town_wait_ms(500);
    return client;
}

static void subscribe(uint32_t client, const char *selector)
{
    struct mesh *mesh = town_nodes[town_clients[client].node].mesh;
    struct session *session = sessions_find(mesh->sessions, town_clients[client].session);
    town_tell(client, MESH_TICK); /* the core knows what time it is */
    missing_subscribed(mesh->routing, session, span_text(selector));
    town_tell(client, MESH_TICK); /* and is pulled */
}

static struct missing_topic notice(uint32_t handler)
{
    const struct message *message = town_find(handler, KIND_MISSING_TOPIC, 0);
    struct missing_topic said;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&missing_topic_schema, message->fields, &said), ERROR_OK);
    return said;
}

static bool was_shown(uint32_t handler, const char *key, const char *value)
{
    struct span rest = town_find(handler, KIND_MISSING_TOPIC, 0)->body;
    struct property property;
    enum error error;
    while (group_next(&property_schema, &rest, &property, &error)) {
        if (span_equal(property.key, span_text(key)))
            return span_equal(property.value, span_text(value));
    }
    return false;
}

Test(missing, the_longest_path_at_or_above_the_literal_prefix_is_told)
{
    town_start(0);
    town_wait_ms(5000);
    uint32_t above = handler_at(0, "prices"), nearer = handler_at(0, "prices/eu");
    uint32_t subscriber = town_open(0, "tier", "gold");
    subscribe(subscriber, "prices/eu/+/x");
    struct missing_topic said = notice(nearer);
    cr_assert(span_equal(said.selector, span_text("prices/eu/+/x")));
    cr_assert(session_id_equal(said.session, town_clients[subscriber].session));
    cr_assert(span_equal(said.nodes, span_text("a")));
    cr_assert_eq(said.coalesced, 0);
    cr_assert(session_id_is_none(said.handler));
    cr_assert(was_shown(nearer, "tier", "gold"));
    cr_assert(was_shown(nearer, "$ClientType", "c"));
    cr_assert_null(town_find(above, KIND_MISSING_TOPIC, 0));
    subscribe(subscriber, "prices/+/x");
    cr_assert(span_equal(notice(above).selector, span_text("prices/+/x")));
}

Test(missing, a_prefix_that_nobody_serves_is_told_to_nobody)
{
    town_start(0);
    town_wait_ms(5000);
    uint32_t handler = handler_at(0, "prices/eu");
    uint32_t subscriber = town_open(0, NULL, NULL);
    subscribe(subscriber, "prices");
    subscribe(subscriber, "**");
    subscribe(subscriber, "+/eu");
    cr_assert_null(town_find(handler, KIND_MISSING_TOPIC, 0));
    cr_assert_eq(town_count(0, COUNTER_missing_topics_unheard), 3);
}

Test(missing, a_handler_elsewhere_is_told_where_it_came_from)
{
    town_pair();
    uint32_t handler = handler_at(1, "prices");
    uint32_t subscriber = town_open(0, NULL, NULL);
    subscribe(subscriber, "prices/**");
    struct missing_topic said = notice(handler);
    cr_assert(span_equal(said.nodes, span_text("a,b")));
    cr_assert(was_shown(handler, "$ServerName", "a"));
    uint32_t here = handler_at(0, "prices");
    subscribe(subscriber, "prices/x");
    cr_assert(span_equal(notice(here).selector, span_text("prices/x")), "one here comes first");
    cr_assert_eq(town_letters(handler, KIND_MISSING_TOPIC), 1);
}

Test(missing, the_same_selector_within_a_second_is_told_once_and_counted)
{
    town_pair();
    uint32_t handler = handler_at(1, "prices");
    uint32_t a = town_open(0, NULL, NULL), b = town_open(1, NULL, NULL);
    subscribe(a, "prices/x");
    subscribe(b, "prices/x");
    subscribe(a, "prices/x");
    subscribe(a, "prices/y");
    cr_assert_eq(town_letters(handler, KIND_MISSING_TOPIC), 2, "x once, y once");
    town_wait_ms(1100);
    town_forget(handler);
    subscribe(b, "prices/x");
    cr_assert_eq(town_count(1, COUNTER_missing_topics_coalesced), 2);
    cr_assert_eq(town_count(1, COUNTER_missing_topics_told), 3);
    cr_assert_eq(notice(handler).coalesced, 2);
    cr_assert_eq(town_count(1, COUNTER_missing_topics_coalesced), 2);
}

Test(missing, more_selectors_than_are_remembered_are_told_all_the_same)
{
    town_start(0);
    town_wait_ms(5000);
    uint32_t handler = handler_at(0, "prices");
    uint32_t subscriber = town_open(0, NULL, NULL);
    char selector[32];
    for (int i = 0; i < MISSING_MAX + 10; i++) {
        snprintf(selector, sizeof selector, "prices/%d", i);
        subscribe(subscriber, selector);
        town_forget(handler);
    }
    cr_assert_eq(town_count(0, COUNTER_missing_topics_told), MISSING_MAX + 10);
    subscribe(subscriber, "prices/0");
    cr_assert_eq(town_count(0, COUNTER_missing_topics_told), MISSING_MAX + 11, "it was forgotten");
    subscribe(subscriber, "prices/100");
    cr_assert_eq(town_count(0, COUNTER_missing_topics_coalesced), 1, "and this one was not");
}

Test(missing, disconnected_handlers_are_passed_over_when_another_is_there)
{
    town_pair();
    uint32_t gone = town_connect(0);
    struct client_hello hello = {.version_min = 1, .version_max = 1, .reconnect_ms = 60000};
    town_say(gone, KIND_HELLO, 1, &client_hello_schema, &hello, (struct span){0});
    struct registration registration = {.kind = HANDLER_MISSING_TOPIC, .path = span_text("prices")};
    town_say(gone, KIND_REGISTER, 9, &registration_schema, &registration, (struct span){0});
    uint32_t there = handler_at(1, "prices");
    town_disconnect(gone);
    town_wait_ms(500);
    uint32_t subscriber = town_open(0, NULL, NULL);
    subscribe(subscriber, "prices/x");
    (void)notice(there);
}

Test(missing, what_handlers_were_told_is_counted_for_each)
{
    town_pair();
    uint32_t subscriber = town_open(0, NULL, NULL);
    (void)handler_at(1, "prices");
    subscribe(subscriber, "prices/x/y");
    subscribe(subscriber, "prices/x/y");
    subscribe(subscriber, "prices/z");
    struct handler_row row = town_handler_stats(subscriber, 50, "prices");
    cr_assert_eq(row.kind, HANDLER_MISSING_TOPIC);
    cr_assert_eq(row.requests, 2, "the same one at once is not told");
    cr_assert_eq(row.errors, 0);
    cr_assert_eq(row.in_flight, 0);
}
