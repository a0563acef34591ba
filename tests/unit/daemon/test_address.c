#include "daemon/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <unistd.h>

static void expect(const char *text, const char *host, unsigned port)
{
    struct address address;
    cr_assert(address_parse(text, 7311, &address), "%s", text);
    cr_assert_str_eq(address.host, host);
    cr_assert_eq(address.port, port);
}

Test(address, what_is_left_out_has_a_default)
{
    expect("10.0.0.1:99", "10.0.0.1", 99);
    expect("10.0.0.1", "10.0.0.1", 7311);
    expect(":99", "127.0.0.1", 99);
    expect("eu-a.example:99", "eu-a.example", 99);
    expect("localhost", "localhost", 7311);
}

Test(address, v6_stands_in_brackets_when_a_port_follows)
{
    expect("[::1]:99", "::1", 99);
    expect("[::1]", "::1", 7311);
    expect("::1", "::1", 7311);
    expect("fe80::1", "fe80::1", 7311);
}

Test(address, nonsense_is_refused)
{
    const char *bad[] = {"",
                         ":",
                         ":0",
                         ":65536",
                         "a:b",
                         "a:1:2",
                         "[::1",
                         "[::1]x",
                         "[::1]:",
                         "[a]:1",
                         "a b:1",
                         "a;b:1",
                         "a/b:1",
                         "a:-1",
                         "a:1 ",
                         "tcp://a:1",
                         "a:99999999999999999999",
                         "\x01:1"};
    struct address address = {.port = 7};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(address_parse(bad[i], 1, &address), "%s", bad[i]);
    cr_assert_eq(address.port, 7, "a refused text changes nothing");
}

Test(address, an_overlong_host_is_refused)
{
    char text[400];
    struct address address;
    memset(text, 'a', sizeof(text));
    text[253] = '\0';
    cr_assert(address_parse(text, 1, &address));
    text[253] = 'a';
    text[254] = '\0';
    cr_assert_not(address_parse(text, 1, &address));
}

Test(address, text_goes_there_and_back)
{
    const char *texts[] = {"127.0.0.1:7311", "[::1]:80", "[2001:db8::5]:65535"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address, again;
        union socket_address socket_address;
        char text[ADDRESS_TEXT_BYTES];
        cr_assert(address_parse(texts[i], 1, &address));
        cr_assert_gt(address_to_socket(&address, &socket_address), 0);
        address_of_socket(&socket_address, &again);
        address_format(&again, text);
        cr_assert_str_eq(text, texts[i]);
        cr_assert(address_socket_equal(&socket_address, &socket_address));
    }
}

Test(address, only_loopback_is_loopback)
{
    cr_assert(address_is_loopback("127.0.0.1"));
    cr_assert(address_is_loopback("127.9.9.9"));
    cr_assert(address_is_loopback("::1"));
    cr_assert(address_is_loopback("localhost"));
    cr_assert_not(address_is_loopback("0.0.0.0"));
    cr_assert_not(address_is_loopback("::"));
    cr_assert_not(address_is_loopback("*"));
    cr_assert_not(address_is_loopback("10.0.0.1"));
    cr_assert_not(address_is_loopback("128.0.0.1"));
    cr_assert_not(address_is_loopback("localhost.example"));
}

Test(address, names_are_not_numeric)
{
    struct address address = {.host = "localhost", .port = 1};
    union socket_address socket_address;
    cr_assert_not(address_is_numeric("localhost"));
    cr_assert_eq(address_to_socket(&address, &socket_address), 0);
    cr_assert(address_is_numeric("1.2.3.4"));
    cr_assert_not(address_is_numeric("1.2.3"));
}

Test(address, resolving_localhost_gives_loopback_with_the_port)
{
    struct address name = {.host = "localhost", .port = 99}, found[4];
    const char *reason = NULL;
    size_t count = address_resolve(&name, found, 4, &reason);
    cr_assert_geq(count, 1);
    cr_assert(address_is_loopback(found[0].host));
    cr_assert_eq(found[0].port, 99);
}

/* A node on :: hears of IPv4 clients by these; counted by their first 64 bits they would all be one
 * and the same, and one that misbehaves would shut the door for all. */
Test(address, of_both_families_is_ipv4_where_it_is)
{
    const char *const texts[][2] = {{"[::ffff:10.0.0.7]:5", "10.0.0.7:5"},
                                    {"[::ffff:127.0.0.1]:6", "127.0.0.1:6"},
                                    {"[2001:db8::7]:7", "[2001:db8::7]:7"},
                                    {"[::1]:8", "[::1]:8"},
                                    {"10.0.0.7:9", "10.0.0.7:9"}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address;
        union socket_address socket_address;
        char text[ADDRESS_TEXT_BYTES];
        cr_assert(address_parse(texts[i][0], 1, &address));
        cr_assert_gt(address_to_socket(&address, &socket_address), 0);
        address_unmap(&socket_address);
        address_of_socket(&socket_address, &address);
        address_format(&address, text);
        cr_assert_str_eq(text, texts[i][1]);
    }
}

Test(address, of_the_other_end_is_known_while_there_is_one)
{
    struct address address;
    union socket_address peer, own = {.v4 = {.sin_family = AF_INET}};
    socklen_t bytes = sizeof(own.v4);
    int listening = socket(AF_INET, SOCK_STREAM, 0), ours = socket(AF_INET, SOCK_STREAM, 0);
    own.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(bind(listening, &own.any, bytes), 0);
    cr_assert_eq(listen(listening, 1), 0);
    cr_assert_eq(getsockname(listening, &own.any, &bytes), 0);
    cr_assert_not(address_of_peer(ours, &peer));
    cr_assert_eq(connect(ours, &own.any, bytes), 0);
    cr_assert(address_of_peer(ours, &peer));
    cr_assert(address_socket_equal(&peer, &own));
    address_of_socket(&peer, &address);
    cr_assert_str_eq(address.host, "127.0.0.1");
    (void)close(ours);
    (void)close(listening);
}
