#include "daemon/inbox.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(inbox, .init = world_open, .fini = world_close);

static void reply(uint32_t connection, enum channel channel, const char *text, size_t bytes)
{
    fake_core_writes(text, bytes);
    struct mesh_output output = {
        .order = MESH_REPLY, .channel = channel, .connection = connection, .bytes = bytes};
    cr_assert(inbox_reply(&world.inboxes[channel], &world.guard, &world.facts, &output));
}

Test(inbox, a_frame_is_told_with_channel_connection_and_address)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    world_send(client, "hello", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    const struct fake_fact *fact = fake_core_last(MESH_FRAME);
    cr_assert_str_eq(fact->text, "hello");
    cr_assert_eq(fact->input.channel, CHANNEL_CLIENT);
    cr_assert_eq(strncmp(fact->address, "127.0.0.1:", 10), 0, "%s", fact->address);
    cr_assert_eq(fake_core_counted(COUNTER_connections_accepted), 1);
    world_hang_up(&client);
}

Test(inbox, each_channel_has_its_own_connections)
{
    static const enum channel channels[] = {CHANNEL_CLIENT, CHANNEL_GOSSIP, CHANNEL_FORWARD};
    void *peers[3];
    for (unsigned i = 0; i < 3; i++) {
        peers[i] = world_dial(channels[i], NULL);
        world_send(peers[i], "x", 0);
        cr_assert(world_until_told(MESH_FRAME, i + 1));
        cr_assert_eq(fake_core_last(MESH_FRAME)->input.channel, channels[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        world_hang_up(&peers[i]);
}

Test(inbox, a_reply_reaches_its_connection)
{
    void *one = world_dial(CHANNEL_CLIENT, NULL), *two = world_dial(CHANNEL_CLIENT, NULL);
    world_send(one, "one", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    uint32_t number = fake_core_last(MESH_FRAME)->input.connection;
    world_send(two, "two", 0);
    cr_assert(world_until_told(MESH_FRAME, 2));
    reply(number, CHANNEL_CLIENT, "for one", 7);
    reply(fake_core_last(MESH_FRAME)->input.connection, CHANNEL_CLIENT, "for two", 7);
    cr_assert_str_eq(world_receive(one), "for one");
    cr_assert_str_eq(world_receive(two), "for two");
    world_hang_up(&one);
    world_hang_up(&two);
}

Test(inbox, a_client_that_goes_is_lost_after_its_last_frame)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    int second = 1000;
    zmq_setsockopt(client, ZMQ_LINGER, &second, sizeof(second));
    world_send(client, "first", 0);
    cr_assert(world_until_told(MESH_FRAME, 1)); /* who is gone before that is not heard at all */
    for (int i = 0; i < 39; i++)
        world_send(client, "frame", 0);
    world_send(client, "last", 0);
    world_hang_up(&client);
    cr_assert(world_until_told(MESH_CONNECTION_LOST, 1));
    cr_assert_eq(fake_core_told(MESH_FRAME), 41);
    cr_assert_str_eq(fake_core_last(MESH_FRAME)->text, "last");
    cr_assert_eq(fake_core_facts[fake_core_count - 1].input.fact, MESH_CONNECTION_LOST);
    cr_assert_eq(fake_core_last(MESH_CONNECTION_LOST)->input.connection,
                 fake_core_last(MESH_FRAME)->input.connection);
    cr_assert_eq(world.guard.connections.named, 0);
}

Test(inbox, a_peer_that_goes_is_lost_too)
{
    void *peer = world_dial(CHANNEL_FORWARD, NULL);
    world_send(peer, "x", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    world_hang_up(&peer);
    cr_assert(world_until_told(MESH_CONNECTION_LOST, 1));
    cr_assert_eq(fake_core_last(MESH_CONNECTION_LOST)->input.channel, CHANNEL_FORWARD);
}

Test(inbox, a_client_that_stays_is_not_said_to_be_lost)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    world_send(client, "x", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    world_turn_for(400);
    cr_assert_eq(fake_core_told(MESH_CONNECTION_LOST), 0);
    world_hang_up(&client);
}

Test(inbox, more_than_one_part_is_dropped_counted_and_cut)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    world_send(client, "one", ZMQ_SNDMORE);
    world_send(client, "two", ZMQ_SNDMORE);
    world_send(client, "three", 0);
    cr_assert(world_until_counted(COUNTER_frames_multipart, 1));
    cr_assert(world_until_told(MESH_CONNECTION_LOST, 1));
    cr_assert_eq(fake_core_told(MESH_FRAME), 0);
    cr_assert_eq(fake_core_counted(COUNTER_connections_cut), 1);
    world_hang_up(&client);
}

Test(inbox, a_routing_id_of_ones_own_is_dropped_counted_and_cut)
{
    void *client = world_dial(CHANNEL_CLIENT, "it's me");
    world_send(client, "x", 0);
    cr_assert(world_until_counted(COUNTER_frames_routing_id, 1));
    cr_assert(world_until_counted(COUNTER_connections_closed, 1));
    cr_assert_eq(fake_core_told(MESH_FRAME), 0);
    world_hang_up(&client);
}

Test(inbox, a_routing_id_that_looks_as_if_dealt_is_cut_all_the_same)
{
    void *client = world_socket(ZMQ_DEALER);
    char endpoint[64];
    uint32_t chosen = world.inboxes[CHANNEL_CLIENT].first + 1000;
    uint8_t id[5] = {0, (uint8_t)(chosen >> 24), (uint8_t)(chosen >> 16), (uint8_t)(chosen >> 8),
                     (uint8_t)chosen};
    zmq_setsockopt(client, ZMQ_ROUTING_ID, id, sizeof(id));
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", (unsigned)world.ports.listen.port);
    zmq_connect(client, endpoint);
    world_send(client, "x", 0);
    cr_assert(world_until_counted(COUNTER_frames_routing_id, 1));
    cr_assert(world_until_counted(COUNTER_connections_closed, 1));
    cr_assert_eq(fake_core_told(MESH_FRAME), 0);
    world_hang_up(&client);
}

Test(inbox, a_client_that_does_not_read_fills_up_and_goes_on_later)
{
    int few = 1;
    void *client = world_socket(ZMQ_DEALER);
    char endpoint[64];
    zmq_setsockopt(client, ZMQ_RCVHWM, &few, sizeof(few));
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", (unsigned)world.ports.listen.port);
    zmq_connect(client, endpoint);
    world_send(client, "x", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    uint32_t number = fake_core_last(MESH_FRAME)->input.connection;
    unsigned sent = 0;
    for (unsigned full = 0, turns = 0; turns < 20; turns = full == 0 ? 0 : turns + 1) {
        full = fake_core_told(MESH_CONNECTION_FULL) - fake_core_told(MESH_CONNECTION_WRITABLE);
        cr_assert_leq(full, 1);
        if (full == 0)
            reply(number, CHANNEL_CLIENT, "big", 60000), sent++;
        else
            world_turn(); /* it may be the pipe alone that is full, for a moment */
        cr_assert_lt(sent, 20000);
    }
    unsigned writable = fake_core_told(MESH_CONNECTION_WRITABLE);
    for (unsigned received = 0; received < sent; received++)
        cr_assert_str_eq(world_receive(client), "big", "%u of %u", received, sent);
    cr_assert(world_until_told(MESH_CONNECTION_WRITABLE, writable + 1));
    reply(number, CHANNEL_CLIENT, "again", 6);
    cr_assert_str_eq(world_receive(client), "again");
    world_hang_up(&client);
}

Test(inbox, a_reply_to_nobody_is_counted)
{
    reply(12345, CHANNEL_CLIENT, "x", 1);
    cr_assert_eq(fake_core_counted(COUNTER_sends_refused), 1);
}

Test(inbox, a_flood_takes_turns_of_at_most_the_budget)
{
    void *client = world_dial(CHANNEL_CLIENT, NULL);
    int none = 0;
    zmq_setsockopt(client, ZMQ_SNDHWM, &none, sizeof(none));
    for (int i = 0; i < 2000; i++)
        world_send(client, "x", 0);
    unsigned before = 0;
    while (before < 2000) {
        world_turn();
        unsigned now = fake_core_told(MESH_FRAME);
        cr_assert_leq(now - before, INBOX_BUDGET);
        before = now;
    }
    world_hang_up(&client);
}
