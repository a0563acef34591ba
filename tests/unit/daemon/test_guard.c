#include "daemon/guard.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* -- decisions -- */

Test(guard_decisions, the_last_tenth_of_descriptors_is_given_to_nobody)
{
    cr_assert(guard_admits(0, 1000));
    cr_assert(guard_admits(899, 1000));
    cr_assert_not(guard_admits(900, 1000));
    cr_assert_not(guard_admits(5, 0));
}

Test(guard_decisions, a_silent_client_has_five_seconds)
{
    cr_assert_not(guard_is_silent(CHANNEL_CLIENT, GUARD_SILENT_NS - 1, false));
    cr_assert(guard_is_silent(CHANNEL_CLIENT, GUARD_SILENT_NS, false));
}

Test(guard_decisions, a_peers_idle_link_is_cut_only_when_descriptors_run_out)
{
    cr_assert_not(guard_is_silent(CHANNEL_FORWARD, 1000 * CLOCK_S_NS, false));
    cr_assert(guard_is_silent(CHANNEL_FORWARD, GUARD_SILENT_NS, true));
    cr_assert_not(guard_is_silent(CHANNEL_GOSSIP, GUARD_SILENT_NS - 1, true));
}

Test(guard_decisions, four_frames_without_one_delivered_are_endless)
{
    cr_assert_not(guard_is_endless(CHANNEL_CLIENT, 4 * CLIENT_FRAME_BYTES_MAX));
    cr_assert(guard_is_endless(CHANNEL_CLIENT, 4 * CLIENT_FRAME_BYTES_MAX + 1));
    cr_assert(guard_is_endless(CHANNEL_GOSSIP, 4 * GOSSIP_FRAME_BYTES_MAX + 1));
    cr_assert_not(guard_is_endless(CHANNEL_FORWARD, 4 * GOSSIP_FRAME_BYTES_MAX + 1));
}

Test(guard_decisions, a_number_is_dealt_only_after_the_first_and_once_a_connection)
{
    cr_assert_not(guard_is_dealt(100, 100, 5), "the first is our own");
    cr_assert(guard_is_dealt(101, 100, 5));
    cr_assert(guard_is_dealt(105, 100, 5));
    cr_assert_not(guard_is_dealt(106, 100, 5));
    cr_assert_not(guard_is_dealt(99, 100, 5));
    cr_assert(guard_is_dealt(2, UINT32_MAX - 1, 5), "it wraps");
    cr_assert_not(guard_is_dealt(101, 100, 0));
}

/* -- at work -- */

TestSuite(guard, .init = world_open, .fini = world_close);

static bool is_closed_by_peer(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

/* Five seconds later, without waiting for them. */
static void let_silence_pass(void)
{
    cr_assert(world_until_counted(COUNTER_connections_accepted, 1));
    cr_assert_not_null(world.guard.connections.first_silent);
    world.guard.connections.first_silent->accepted_ns -= GUARD_SILENT_NS;
}

/* Reads what the server says, until it hangs up. */
static bool until_closed(int fd)
{
    char bytes[256];
    uint64_t until_ns = 0;
    while (!world_patience_is_over(&until_ns)) {
        world_turn();
        ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return true;
    }
    return false;
}

Test(guard, a_connection_that_says_nothing_is_closed)
{
    int fd = world_connect(CHANNEL_CLIENT);
    let_silence_pass();
    cr_assert(until_closed(fd));
    close(fd);
}

Test(guard, a_handshake_without_a_frame_is_cut)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    let_silence_pass();
    cr_assert(world_until_counted(COUNTER_connections_silent, 1));
    cr_assert(world_until_counted(COUNTER_connections_closed, 1));
    cr_assert_eq(fake_core_told(MESH_CONNECTION_LOST), 0, "the core never heard of it");
    world_hang_up(&client);
}

Test(guard, garbage_is_counted_and_nothing_is_told)
{
    int fd = world_connect(CHANNEL_GOSSIP);
    char garbage[80] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    memset(garbage + 10, 'x', sizeof(garbage) - 10);
    cr_assert_gt(send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL), 0);
    cr_assert(world_until_counted(COUNTER_connections_failed, 1));
    cr_assert(until_closed(fd));
    cr_assert_eq(fake_core_told(MESH_FRAME), 0);
    close(fd);
}

/* ZMTP 3.0 by hand: greeting, READY of a DEALER. */
static void shake_hands(int fd)
{
    char greeting[64] = {0}, answer[256];
    memcpy(greeting, "\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL", 16);
    const char ready[] = "\x04\x1c\5READY\x0bSocket-Type\0\0\0\6DEALER";
    cr_assert_eq(send(fd, greeting, sizeof(greeting), 0), 64);
    cr_assert_eq(send(fd, ready, sizeof(ready) - 1, 0), (ssize_t)sizeof(ready) - 1);
    uint64_t until_ns = 0;
    ssize_t got = 0; /* its greeting, and behind it its READY */
    while (got <= 64 && !world_patience_is_over(&until_ns)) {
        world_turn();
        got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT | MSG_PEEK);
    }
    cr_assert_gt(recv(fd, answer, sizeof(answer), MSG_DONTWAIT), 64);
}

#define ENDLESS_BYTES (UINT64_C(400) << 20)

/* Parts of one message that never ends, 250 bytes each: what the socket takes of them. */
static uint64_t send_parts(int fd, uint64_t sent_before)
{
    static char parts[252 * 4096];
    for (size_t i = 0; i < sizeof(parts); i += 252) {
        parts[i] = 1; /* short frame, more follow */
        parts[i + 1] = (char)250;
    }
    size_t offset = sent_before % 252;
    ssize_t sent = send(fd, parts + offset, sizeof(parts) - offset, MSG_NOSIGNAL);
    return sent > 0 ? (uint64_t)sent : 0;
}

Test(guard, an_endless_multipart_message_is_cut_and_other_clients_stay)
{
    void *honest = world_dial(CHANNEL_CLIENT, NULL);
    world_send(honest, "x", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    int fd = world_connect(CHANNEL_CLIENT);
    shake_hands(fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    uint64_t sent = 0;
    while (sent < ENDLESS_BYTES && !is_closed_by_peer(fd)) {
        sent += send_parts(fd, sent);
        world_turn();
    }
    cr_assert_lt(sent, ENDLESS_BYTES);
    cr_assert_eq(fake_core_counted(COUNTER_connections_cut), 1);
    cr_assert_eq(fake_core_counted(COUNTER_frames_multipart), 1);
    world_send(honest, "still here", 0);
    cr_assert(world_until_told(MESH_FRAME, 2));
    close(fd);
    world_hang_up(&honest);
}

Test(guard, past_nine_tenths_of_the_descriptors_newcomers_are_shut)
{
    world.guard.fds_max = 10; /* all in use by now */
    int fd = world_connect(CHANNEL_CLIENT);
    cr_assert(until_closed(fd));
    cr_assert_geq(fake_core_counted(COUNTER_connections_cut), 1);
    cr_assert_geq(world.guard.turned_away, 1);
    cr_assert_eq(world.guard.connections.open, 0);
    world.guard.fds_max = 1024;
    close(fd);
}

Test(guard, who_is_told_to_go_may_hang_up_itself_unless_descriptors_are_few)
{
    cr_assert_not(guard_is_cut_due(GUARD_CUT_LAST_NS - 1, true, false));
    cr_assert(guard_is_cut_due(GUARD_CUT_LAST_NS, false, false));
    cr_assert_not(guard_is_cut_due(GUARD_CUT_NS - 1, true, true));
    cr_assert(guard_is_cut_due(GUARD_CUT_NS, true, true));
    cr_assert_not(guard_is_cut_due(GUARD_CUT_NS, false, true), "the last words are still here");
    cr_assert(guard_is_cut_due(GUARD_CUT_LAST_NS, false, true));
}

Test(guard, a_cut_lets_out_what_was_sent_before)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    world_send(client, "x", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    uint32_t number = fake_core_last(MESH_FRAME)->input.connection;
    struct connection *connection =
        connections_find(&world.guard.connections, CHANNEL_CLIENT, number);
    fake_core_writes("goodbye", 7);
    struct mesh_output output = {
        .order = MESH_REPLY, .channel = CHANNEL_CLIENT, .connection = number, .bytes = 7};
    inbox_reply(&world.inboxes[CHANNEL_CLIENT], &world.guard, &world.facts, &output);
    guard_shut_soon(&world.guard, connection, world.facts.now_ns);
    world_send(client, "not heard any more", 0);
    cr_assert_str_eq(world_receive(client), "goodbye");
    cr_assert(world_until_told(MESH_CONNECTION_LOST, 1));
    cr_assert_eq(fake_core_told(MESH_FRAME), 1);
    world_hang_up(&client);
}
