/* test_servers.c - which node is dialled next, and when. */
#include <criterion/criterion.h>

#include "client/servers.h"

#include <stdio.h>

static const char *next(struct servers *servers, uint32_t *wait_ms)
{
    return servers_next(servers, 12345, wait_ms);
}

Test(servers, have_the_port_and_host_that_were_left_out)
{
    static const char *const lists[][2] = {
        {"a", "a:7310"},
        {":7320", "127.0.0.1:7320"},
        {"10.0.0.1:1", "10.0.0.1:1"},
        {"[::1]", "[::1]:7310"},
        {"[::1]:99", "[::1]:99"},
        {"eu-b.example.org:65535", "eu-b.example.org:65535"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct servers servers;
        uint32_t wait_ms;
        cr_assert(servers_init(&servers, lists[i][0]), "%s", lists[i][0]);
        cr_assert_str_eq(next(&servers, &wait_ms), lists[i][1]);
        servers_clear(&servers);
    }
}

Test(servers, are_tried_in_order_without_waiting_and_then_ever_more_slowly)
{
    struct servers servers;
    uint32_t wait_ms;
    uint32_t most_ms = SERVERS_BACKOFF_MS;
    cr_assert(servers_init(&servers, "a:1,b:2,c:3"));
    cr_assert_str_eq(next(&servers, &wait_ms), "a:1");
    cr_assert_eq(wait_ms, 0);
    cr_assert_str_eq(next(&servers, &wait_ms), "b:2");
    cr_assert_eq(wait_ms, 0);
    cr_assert_str_eq(next(&servers, &wait_ms), "c:3");
    for (int round = 1; round < 20; round++) {
        cr_assert_str_eq(next(&servers, &wait_ms), "a:1");
        cr_assert_geq(wait_ms, most_ms / 2);
        cr_assert_leq(wait_ms, most_ms);
        most_ms = most_ms * 2 > SERVERS_BACKOFF_MAX_MS ? SERVERS_BACKOFF_MAX_MS : most_ms * 2;
        (void)next(&servers, &wait_ms);
        (void)next(&servers, &wait_ms);
        cr_assert_eq(wait_ms, 0, "only between rounds");
    }
    servers_clear(&servers);
}

Test(servers, that_had_the_session_are_asked_first_when_it_is_lost)
{
    struct servers servers;
    uint32_t wait_ms;
    cr_assert(servers_init(&servers, "a:1,b:2,c:3"));
    (void)next(&servers, &wait_ms);
    (void)next(&servers, &wait_ms);
    servers_restart(&servers, false, 99);
    cr_assert_str_eq(next(&servers, &wait_ms), "b:2");
    cr_assert_lt(wait_ms, SERVERS_RETURN_MS);
    servers_clear(&servers);
}

Test(servers, that_are_stopping_are_asked_last)
{
    struct servers servers;
    uint32_t wait_ms;
    cr_assert(servers_init(&servers, "a:1,b:2,c:3"));
    (void)next(&servers, &wait_ms);
    servers_restart(&servers, true, 99);
    cr_assert_str_neq(next(&servers, &wait_ms), "a:1");
    cr_assert_str_neq(next(&servers, &wait_ms), "a:1");
    cr_assert_str_eq(next(&servers, &wait_ms), "a:1");
    servers_clear(&servers);
}

Test(servers, learn_the_mesh_and_forget_what_a_later_node_does_not_name)
{
    struct servers servers;
    uint32_t wait_ms;
    cr_assert(servers_init(&servers, "a:1"));
    (void)next(&servers, &wait_ms);
    servers_learn_begin(&servers);
    servers_learn(&servers, span_text("a:1"));
    servers_learn(&servers, span_text("b:2"));
    servers_learn(&servers, span_text("no address at all"));
    servers_learn(&servers, span_text(""));
    cr_assert_eq(servers.count, 2);
    cr_assert_str_eq(next(&servers, &wait_ms), "b:2");
    servers_learn_begin(&servers);
    servers_learn(&servers, span_text("c:3"));
    cr_assert_eq(servers.count, 3, "given, current and new");
    cr_assert_str_eq(servers_current(&servers), "b:2");
    servers_clear(&servers);
}

Test(servers, end_at_their_limit)
{
    struct servers servers;
    char address[32];
    cr_assert(servers_init(&servers, "a:1"));
    for (int i = 1; i < 2 * SERVERS_MAX; i++) {
        (void)snprintf(address, sizeof address, "host:%d", i);
        servers_learn(&servers, span_text(address));
    }
    cr_assert_eq(servers.count, SERVERS_MAX);
    servers_clear(&servers);
}

Test(servers, are_dialled_with_each_key_in_turn_and_remember_the_one_that_fits)
{
    struct servers servers;
    uint32_t wait_ms;
    cr_assert(servers_init(&servers, "a:1,b:2"));
    servers_set_keys(&servers, 3);
    cr_assert_str_eq(next(&servers, &wait_ms), "a:1");
    cr_assert_eq(servers_key(&servers), 0);
    cr_assert(servers_key_failed(&servers));
    cr_assert_eq(servers_key(&servers), 1);
    cr_assert_str_eq(servers_current(&servers), "a:1");
    cr_assert_str_eq(next(&servers, &wait_ms), "b:2"); /* that one fitted, and was lost later */
    cr_assert_eq(servers_key(&servers), 0);
    cr_assert_str_eq(next(&servers, &wait_ms), "a:1");
    cr_assert_eq(servers_key(&servers), 1);
    servers_clear(&servers);
}

Test(servers, that_have_none_of_the_keys_are_left)
{
    struct servers servers;
    uint32_t wait_ms;
    cr_assert(servers_init(&servers, "a:1"));
    servers_set_keys(&servers, 3);
    for (int round = 0; round < 3; round++) {
        (void)next(&servers, &wait_ms);
        cr_assert(servers_key_failed(&servers));
        cr_assert(servers_key_failed(&servers));
        cr_assert_not(servers_key_failed(&servers));
    }
    servers_set_keys(&servers, 1);
    cr_assert_not(servers_key_failed(&servers), "one key: nothing to guess");
    servers_clear(&servers);
}
