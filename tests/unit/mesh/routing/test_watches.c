/* test_watches.c - what a session that listens to sessions is told, over the whole mesh: each event
 * once. */
#include <criterion/criterion.h>

#include "mesh/core.h"
#include "mesh/routing/watches.h"
#include "tests/unit/mesh/routing/news.h"

TestSuite(watches, .init = news_trio, .fini = town_end);

enum { ANY = TOWN_CLIENTS };

Test(watches, begin_with_all_that_match_on_every_node)
{
    uint32_t clients[TOWN_NODES];
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        clients[i] = town_open(i, "tier", "gold");
        town_open(i, "tier", "none");
    }
    uint32_t listener = news_listen(1, "tier is 'gold'", "tier");
    cr_assert_eq(news_take(listener), TOWN_NODES);
    for (uint32_t i = 0; i < TOWN_NODES; i++)
        cr_assert_eq(news_of(clients[i], SESSION_NEWS_OPENED), 1);
    for (size_t i = 0; i < news_count; i++) {
        cr_assert_str_eq(news[i].value, "gold");
        cr_assert_eq(news[i].properties, 1);
        cr_assert_eq(news[i].state, SESSION_ACTIVE);
        cr_assert_not(news[i].is_resync);
    }
}

Test(watches, hear_of_opening_and_closing_anywhere_once)
{
    uint32_t listener = news_listen(0, "has tier", "tier");
    cr_assert_eq(news_take(listener), 0);
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        uint32_t client = town_open(i, "tier", "gold");
        town_open(i, "other", "x");
        cr_assert_eq(news_take(listener), 1);
        cr_assert_eq(news_of(client, SESSION_NEWS_OPENED), 1);
        cr_assert_eq(news[0].node, (char)('a' + i));
        struct command close = {.verb = COMMAND_CLOSE, .session = town_clients[client].session};
        town_command(listener, &close, 100 + i);
        cr_assert_eq(news_take(listener), 1);
        cr_assert_eq(news_of(client, SESSION_NEWS_CLOSED), 1);
        cr_assert_eq(news[0].reason, CLOSE_REASON_CLOSED_BY_CONTROLLER);
        cr_assert_eq(news[0].state, SESSION_CLOSED);
        cr_assert_eq(news[0].properties, 0);
    }
}

Test(watches, hear_what_changes_and_who_enters_and_leaves)
{
    uint32_t here = town_open(0, "tier", "gold");
    uint32_t there = town_open(2, "tier", "none");
    uint32_t listener = news_listen(0, "tier is 'gold' or tier is 'best'", "tier");
    cr_assert_eq(news_take(listener), 1);
    news_change(here, "tier", "best");
    news_change(there, "tier", "gold");
    cr_assert_eq(news_take(listener), 2);
    cr_assert_eq(news_of(here, SESSION_NEWS_UPDATED), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_ENTERED), 1);
    news_change(there, "colour", "red"); /* not asked for */
    news_change(here, "tier", "none");
    news_change(there, "tier", "none");
    cr_assert_eq(news_take(listener), 2);
    cr_assert_eq(news_of(here, SESSION_NEWS_LEFT), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_LEFT), 1);
    cr_assert_eq(news[0].state, SESSION_ACTIVE);
    news_change(there, "tier", "never");
    town_disconnect(there);
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 0, "who left is not told of");
}

Test(watches, tell_each_of_many_changes_in_order)
{
    static const char *const values[] = {"1", "2", "3", "4", "5"};
    uint32_t there = town_open(1, "n", "0");
    uint32_t listener = news_listen(0, "has n", "n");
    news_take(listener);
    for (size_t i = 0; i < 5; i++)
        news_change(there, "n", values[i]);
    cr_assert_eq(news_take(listener), 5);
    for (size_t i = 0; i < 5; i++)
        cr_assert_str_eq(news[i].value, values[i]);
}

Test(watches, are_told_that_a_lost_nodes_sessions_are_unreachable_and_then_gone)
{
    uint32_t there = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "");
    news_take(listener);
    cr_assert_gt(news[0].properties, 5, "no keys: all");
    town_crash(2);
    town_wait_ms(10000);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_UNREACHABLE), 1);
    town_wait_ms(70000);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_GONE), 1);
    cr_assert_eq(news[0].node, 'c');
    town_wait_ms(700000);
    cr_assert_eq(news_take(listener), 0);
}

Test(watches, are_told_once_that_sessions_are_lost_also_when_the_name_lives_anew)
{
    uint32_t there = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "");
    news_take(listener);
    town_crash(2);
    town_wait_ms(80000);
    cr_assert_eq(news_take(listener), 2);
    cr_assert_eq(news_of(there, SESSION_NEWS_GONE), 1);
    town_nodes[2].config.random_seed[0] ^= 1; /* another life */
    town_start(2);
    town_wait_ms(30000);
    cr_assert_eq(news_take(listener), 0);
}

/* As when a newcomer takes its name while it is held dead, and has to give it back. */
Test(watches, hear_again_of_a_node_that_was_thought_replaced_and_is_back)
{
    uint32_t there = town_open(2, "tier", "gold"), later = town_open(2, "other", "x");
    uint32_t listener = news_listen(0, "has tier", "tier");
    struct routing *routing = town_nodes[0].mesh->routing;
    uint64_t instance = mesh_instance(town_nodes[2].mesh);
    cr_assert_eq(news_take(listener), 1);
    watches_node_gone(routing, instance, true);
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 2);
    cr_assert_eq(news_of(there, SESSION_NEWS_GONE), 1);
    watches_node_joined(routing, instance);
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_OPENED), 1);
    news_change(later, "tier", "best");
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(later, SESSION_NEWS_ENTERED), 1);
}

Test(watches, hear_again_of_a_node_that_comes_back_when_it_is_long_forgotten)
{
    uint32_t there = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "tier");
    uint64_t instance = mesh_instance(town_nodes[2].mesh);
    watches_node_gone(town_nodes[0].mesh->routing, instance, false);
    for (int i = 0; i < 20; i++) {
        town_wait_ms(40000);
        town_say(there, KIND_PING, 0, NULL, NULL, (struct span){0});
        town_say(listener, KIND_PING, 0, NULL, NULL, (struct span){0});
    }
    news_take(listener);
    news_change(there, "tier", "best");
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_OPENED), 1);
}

Test(watches, are_told_that_sessions_of_a_node_that_is_back_are_reachable_or_closed)
{
    uint32_t stays = town_open(2, "tier", "gold");
    uint32_t goes = town_open(2, "tier", "gold");
    uint32_t changes = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "tier");
    cr_assert_eq(news_take(listener), 3);
    town_cut_off(2);
    town_wait_ms(30000);
    cr_assert_eq(news_take(listener), 3);
    cr_assert_eq(news_of(ANY, SESSION_NEWS_UNREACHABLE), 3);
    town_disconnect(goes);
    news_change(changes, "tier", "best");
    uint32_t comes = town_open(2, "tier", "gold");
    town_wait_ms(1000);
    cr_assert_eq(news_take(listener), 0);
    town_heal(2);
    town_wait_ms(30000);
    news_take(listener);
    cr_assert_eq(news_of(stays, SESSION_NEWS_REACHABLE), 1);
    cr_assert_eq(news_of(changes, SESSION_NEWS_REACHABLE), 1);
    cr_assert_eq(news_of(changes, SESSION_NEWS_UPDATED), 1);
    cr_assert_eq(news_of(goes, SESSION_NEWS_CLOSED), 1);
    cr_assert_eq(news_of(comes, SESSION_NEWS_OPENED), 1);
    cr_assert_eq(news_count, 5);
    for (size_t i = 0; i < news_count; i++) {
        if (news[i].event == SESSION_NEWS_CLOSED)
            cr_assert_eq(news[i].reason, CLOSE_REASON_CONNECTION_LOST, "the owner's word");
    }
    town_wait_ms(10000);
    cr_assert_eq(news_take(listener), 0);
}

Test(watches, survive_a_link_that_breaks_without_loss_or_double)
{
    uint32_t first = town_open(2, "tier", "gold");
    uint32_t listener = news_listen(0, "has tier", "tier");
    news_take(listener);
    town_break_forward(2, 0);
    uint32_t second = town_open(2, "tier", "gold");
    news_change(first, "tier", "best");
    town_mend_forward(2, 0);
    town_wait_ms(10000);
    news_take(listener);
    cr_assert_eq(news_of(second, SESSION_NEWS_OPENED), 1);
    cr_assert_eq(news_of(first, SESSION_NEWS_UPDATED), 1);
    cr_assert_eq(news_count, 2);
    cr_assert_gt(town_count(0, COUNTER_session_event_resyncs), 0);
    town_disconnect(second);
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 1);
}

Test(watches, hear_of_a_node_that_joins_later)
{
    town_end();
    town_begin();
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
    uint32_t listener = news_listen(0, "has tier", "tier");
    news_take(listener);
    town_start(2);
    town_wait_ms(5000);
    uint32_t there = town_open(2, "tier", "gold");
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_OPENED), 1);
}

Test(watches, hear_nothing_behind_unlisten_and_are_gone_with_their_session)
{
    struct listen listen = {.what = LISTEN_SESSION};
    uint32_t listener = news_listen(0, "has tier", "tier");
    uint32_t other = news_listen(0, "has tier", "tier");
    town_say(listener, KIND_UNLISTEN, 8, &listen_schema, &listen, (struct span){0});
    cr_assert_not_null(town_find(listener, KIND_DONE, 8));
    town_say(listener, KIND_UNLISTEN, 9, &listen_schema, &listen, (struct span){0});
    cr_assert_not_null(town_find(listener, KIND_DONE, 9), "also without a LISTEN");
    town_open(1, "tier", "gold");
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 0);
    cr_assert_eq(news_take(other), 1);
    town_disconnect(other);
    town_wait_ms(500);
    town_open(1, "tier", "gold");
    town_wait_ms(500);
}

Test(watches, whose_patterns_find_no_steps_left_hear_of_it_later)
{
    uint32_t baited = town_open(0, "tier", NEWS_BAIT), changed = town_open(0, "tier", "b");
    uint32_t listener = news_listen(1, "tier matches '(ab)+'", "tier");
    cr_assert_eq(news_take(listener), 0);
    struct command bomb = {.verb = COMMAND_LIST_SESSIONS, .filter = span_text(news_bomb())};
    town_command(baited, &bomb, 50);
    news_change(changed, "tier", "ab");
    town_wait_ms(3000);
    cr_assert_null(town_find(listener, KIND_ERROR, 7));
    cr_assert_eq(news_take(listener), 1);
    cr_assert(news_of(changed, SESSION_NEWS_OPENED) + news_of(changed, SESSION_NEWS_ENTERED) == 1);
}

Test(watches, begin_anew_with_a_second_listen)
{
    uint32_t listener = news_listen(0, "tier is 'gold'", "tier");
    town_open(1, "tier", "gold");
    uint32_t other = town_open(2, "tier", "best");
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 1);
    struct listen listen = {.what = LISTEN_SESSION, .filter = span_text("tier is 'best'")};
    town_say(listener, KIND_LISTEN, 8, &listen_schema, &listen, (struct span){0});
    cr_assert_not_null(town_find(listener, KIND_DONE, 8));
    town_wait_ms(500);
    const struct message *message = town_find(listener, KIND_EVENT, 0);
    struct event event;
    cr_assert_not_null(message);
    cr_assert_eq(message->correlation, 8);
    cr_assert_eq(schema_decode(&event_schema, message->fields, &event), ERROR_OK);
    cr_assert_eq(event.sequence, 1);
    cr_assert(session_id_equal(event.session, town_clients[other].session));
    cr_assert_eq(town_letters(listener, KIND_EVENT), 1);
}

/* HELLO of a session that outlives its connection; or back to it, with its token. */
static struct client_welcome hello(uint32_t client, struct session_id session, struct span token)
{
    struct client_welcome welcome;
    struct client_hello said = {
        .version_min = 1,
        .version_max = 1,
        .reconnect_ms = 60000,
        .session = session,
        .token = token,
    };
    town_say(client, KIND_HELLO, 1, &client_hello_schema, &said, (struct span){0});
    const struct message *message = town_find(client, KIND_WELCOME, 1);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_welcome_schema, message->fields, &welcome), ERROR_OK);
    return welcome;
}

Test(watches, hear_of_clients_that_go_away_and_come_back)
{
    uint32_t there = town_connect(2);
    struct client_welcome welcome = hello(there, (struct session_id){0}, (struct span){0});
    town_clients[there].session = welcome.session;
    uint32_t listener = news_listen(0, "$ClientType is 'other'", "$ServerName");
    cr_assert_eq(news_take(listener), 1);
    town_disconnect(there);
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_DISCONNECTED), 1);
    cr_assert_eq(news[0].state, SESSION_DISCONNECTED);
    cr_assert_str_eq(news[0].value, "c");
    uint32_t late = news_listen(1, "$ClientType is 'other'", "");
    cr_assert_eq(news_take(late), 1);
    cr_assert_eq(news[0].event, SESSION_NEWS_OPENED);
    cr_assert_eq(news[0].state, SESSION_DISCONNECTED, "it matches like any other");
    hello(town_connect(2), welcome.session, welcome.token);
    town_wait_ms(500);
    cr_assert_eq(news_take(listener), 1);
    cr_assert_eq(news_of(there, SESSION_NEWS_RECONNECTED), 1);
    cr_assert_eq(news[0].state, SESSION_ACTIVE);
}

/* What a LISTEN is refused with. */
static struct client_error refusal(uint32_t client, uint64_t correlation, struct span filter,
                                   struct span keys)
{
    struct client_error said;
    struct listen listen = {.what = LISTEN_SESSION, .filter = filter, .keys = keys};
    town_say(client, KIND_LISTEN, correlation, &listen_schema, &listen, (struct span){0});
    const struct message *message = town_find(client, KIND_ERROR, correlation);
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&client_error_schema, message->fields, &said), ERROR_OK);
    return said;
}

Test(watches, with_a_bad_filter_or_keys_are_refused_before_a_peer_hears_of_it)
{
    char keys[3 * 200]; /* two characters and a comma each */
    uint32_t client = town_open(0, NULL, NULL);
    town_wait_ms(500);
    uint64_t entries = town_count(0, COUNTER_log_entries_out);
    struct client_error said = refusal(client, 2, span_text("tier is\n gold"), (struct span){0});
    cr_assert_eq(said.code, ERROR_INVALID_FILTER);
    cr_assert_eq(said.line, 2);
    cr_assert_eq(said.column, 2);
    said = refusal(client, 3, (struct span){0}, (struct span){0});
    cr_assert_eq(said.code, ERROR_INVALID_FILTER);
    for (size_t i = 0; i < sizeof keys; i += 3) {
        keys[i] = (char)('a' + i / 3 / 20);
        keys[i + 1] = (char)('a' + i / 3 % 20);
        keys[i + 2] = ',';
    }
    said = refusal(client, 4, span_text("all"), span_of(keys, sizeof keys));
    cr_assert_eq(said.code, ERROR_INVALID_ARGUMENT);
    town_wait_ms(500);
    cr_assert_eq(town_count(0, COUNTER_log_entries_out), entries);
}

Test(watches, of_a_slow_client_wait_for_it_and_lose_nothing)
{
    enum { SESSIONS = 40 };
    uint32_t clients[SESSIONS];
    town_end();
    town_begin();
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        town_nodes[i].config.sessions_max = 64;
        town_nodes[i].config.session_queue_messages = 16;
        town_start(i);
    }
    town_wait_ms(5000);
    uint32_t listener = news_listen(0, "has n", "n");
    news_take(listener);
    struct client_grant nothing = {.received_seq = 0, .messages_limit = 0, .bytes_limit = 0};
    town_say(listener, KIND_GRANT, 0, &client_grant_schema, &nothing, (struct span){0});
    for (uint32_t i = 0; i < SESSIONS; i++)
        clients[i] = town_open(i % TOWN_NODES, "n", "0");
    town_wait_ms(5000);
    cr_assert_eq(town_letters(listener, KIND_EVENT), 0);
    cr_assert_not(town_clients[listener].is_cut, "its queue is not full");
    cr_assert_eq(news_take(listener), SESSIONS);
    for (uint32_t i = 0; i < SESSIONS; i++)
        cr_assert_eq(news_of(clients[i], SESSION_NEWS_OPENED), 1);
    for (uint32_t i = 0; i < SESSIONS; i++)
        town_disconnect(clients[i]);
    town_wait_ms(5000);
    cr_assert_eq(news_take(listener), SESSIONS);
    cr_assert_eq(news_of(ANY, SESSION_NEWS_CLOSED), SESSIONS);
}
