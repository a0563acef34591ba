#include "daemon/sources.h"

#include "daemon/clock.h"

#include <criterion/criterion.h>

static struct sources sources;

/* Under TSan all tests run in one process. */
static void begin(void)
{
    memset(&sources, 0, sizeof sources);
}

TestSuite(sources, .init = begin);

static struct source *find(const char *host, uint64_t now_ns)
{
    struct address address = {.port = 5};
    union socket_address socket_address;
    strncpy(address.host, host, sizeof(address.host) - 1);
    cr_assert_gt(address_to_socket(&address, &socket_address), 0);
    return sources_find(&sources, &socket_address, now_ns);
}

Test(sources, loopback_is_not_limited)
{
    cr_assert_null(find("127.0.0.1", 1));
    cr_assert_null(find("127.3.2.1", 1));
    cr_assert_null(find("::1", 1));
    cr_assert(sources_admits(NULL));
    sources_accepted(NULL);
    sources_closed(NULL, SOURCES_BARREN);
}

Test(sources, an_address_has_one_place_whatever_its_port)
{
    cr_assert_eq(find("10.0.0.1", 1), find("10.0.0.1", 2));
    cr_assert_neq(find("10.0.0.1", 1), find("10.0.0.2", 1));
    cr_assert_eq(find("2001:db8::1", 1), find("2001:db8::ffff", 1));
    cr_assert_neq(find("2001:db8::1", 1), find("2001:db8:0:1::1", 1));
}

Test(sources, the_silent_are_limited_until_they_speak_or_go)
{
    struct source *source = find("10.0.0.1", 1);
    for (int i = 0; i < SOURCES_SILENT_MAX; i++) {
        cr_assert(sources_admits(source));
        sources_accepted(source);
    }
    cr_assert_not(sources_admits(source));
    sources_spoke(source);
    cr_assert(sources_admits(source));
    sources_accepted(source);
    sources_closed(source, SOURCES_FORGOTTEN);
    cr_assert(sources_admits(source));
}

Test(sources, too_many_failed_handshakes_close_the_door_for_a_minute)
{
    struct source *source = find("10.0.0.1", 1);
    for (int i = 0; i < SOURCES_FAILED_MAX; i++) {
        cr_assert(sources_admits(source));
        sources_accepted(source);
        sources_closed(source, SOURCES_FAILED);
    }
    cr_assert_not(sources_admits(find("10.0.0.1", 59 * CLOCK_S_NS)));
    cr_assert(sources_admits(find("10.0.0.2", 59 * CLOCK_S_NS)));
    cr_assert(sources_admits(find("10.0.0.1", 61 * CLOCK_S_NS)));
}

Test(sources, too_many_that_never_spoke_close_the_door_for_a_minute)
{
    struct source *source = find("10.0.0.1", 1);
    for (int i = 0; i < SOURCES_BARREN_MAX; i++) {
        cr_assert(sources_admits(source));
        sources_accepted(source);
        sources_closed(source, SOURCES_BARREN);
    }
    cr_assert_not(sources_admits(find("10.0.0.1", 59 * CLOCK_S_NS)));
    cr_assert(sources_admits(find("10.0.0.2", 59 * CLOCK_S_NS)));
    cr_assert(sources_admits(find("10.0.0.1", 61 * CLOCK_S_NS)));
}

Test(sources, an_address_has_only_so_many_clients_at_a_time)
{
    sources.clients_max = 3;
    struct source *source = find("10.0.0.1", 1);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(sources_client_accepted(&sources, source, 1), MESH_EXCESS_NONE);
    cr_assert_eq(sources_client_accepted(&sources, source, 1), MESH_EXCESS_CLIENTS);
    sources_client_closed(source); /* the refused one */
    cr_assert_eq(sources_client_accepted(&sources, find("10.0.0.2", 1), 1), MESH_EXCESS_NONE);
    sources_client_closed(source);
    cr_assert_eq(sources_client_accepted(&sources, source, 2), MESH_EXCESS_NONE);
    cr_assert_eq(sources_client_accepted(&sources, NULL, 2), MESH_EXCESS_NONE, "loopback");
    sources_client_closed(NULL);
    cr_assert_eq(find("10.0.0.1", 1000 * CLOCK_S_NS), source, "a place in use stays");
    cr_assert_eq(source->clients, 3);
}

Test(sources, an_address_connects_only_so_fast)
{
    sources.connects_per_s = 5;
    struct source *source = find("10.0.0.1", 1);
    for (int i = 0; i < 5 * SOURCES_BURST_S; i++)
        cr_assert_eq(sources_client_accepted(&sources, source, CLOCK_S_NS), MESH_EXCESS_NONE);
    cr_assert_eq(sources_client_accepted(&sources, source, CLOCK_S_NS), MESH_EXCESS_CONNECTS);
    for (int i = 0; i < 5; i++) /* a second later a second's worth */
        cr_assert_eq(sources_client_accepted(&sources, source, 2 * CLOCK_S_NS), MESH_EXCESS_NONE);
    cr_assert_eq(sources_client_accepted(&sources, source, 2 * CLOCK_S_NS), MESH_EXCESS_CONNECTS);
    sources.connects_per_s = 0;
    cr_assert_eq(sources_client_accepted(&sources, source, 2 * CLOCK_S_NS), MESH_EXCESS_NONE);
}

Test(sources, failed_logins_that_take_their_time_are_no_more_than_others)
{
    sources.failures_per_min = 2;
    struct source *source = find("10.0.0.1", CLOCK_S_NS);
    sources_login_failed(&sources, source, CLOCK_S_NS);
    cr_assert_not(sources_has_failed_much(&sources, source, 2 * CLOCK_S_NS));
    sources_login_failed(&sources, source, 2 * CLOCK_S_NS);
    cr_assert(sources_has_failed_much(&sources, source, 3 * CLOCK_S_NS));
    cr_assert_not(sources_has_failed_much(&sources, source, 31 * CLOCK_S_NS), "one in 30 s");
    sources.failures_per_min = 0;
}

Test(sources, failed_logins_of_an_address_are_limited_and_forgiven_one_by_one)
{
    sources.failures_per_min = 60;
    struct source *source = find("10.0.0.1", CLOCK_S_NS);
    for (int i = 0; i < 60; i++) {
        cr_assert_not(sources_has_failed_much(&sources, source, CLOCK_S_NS));
        sources_login_failed(&sources, source, CLOCK_S_NS);
    }
    cr_assert(sources_has_failed_much(&sources, source, CLOCK_S_NS));
    cr_assert_not(sources_has_failed_much(&sources, find("10.0.0.2", CLOCK_S_NS), CLOCK_S_NS));
    uint64_t later_ns = 2 * CLOCK_S_NS;
    cr_assert_not(sources_has_failed_much(&sources, source, later_ns), "one a second");
    sources_login_failed(&sources, source, later_ns);
    cr_assert(sources_has_failed_much(&sources, source, later_ns));
    sources.failures_per_min = 0;
    cr_assert_not(sources_has_failed_much(&sources, source, later_ns));
    sources_login_failed(&sources, NULL, later_ns);
    cr_assert_not(sources_has_failed_much(&sources, NULL, later_ns));
}
