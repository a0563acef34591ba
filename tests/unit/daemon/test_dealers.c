#include "daemon/dealers.h"

#include "proto/writer.h"
#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(dealers, .init = world_open, .fini = world_close);

static void open_link(uint32_t link, enum channel channel)
{
    struct span address = span_text(world.ports.advertised[channel]);
    cr_assert(dealers_open(&world.dealers, link, channel, address, (struct span){0}));
}

static void send_on(uint32_t link, enum channel channel, const char *text, size_t bytes)
{
    fake_core_writes(text, bytes);
    struct mesh_output output = {.channel = channel, .link = link, .bytes = bytes};
    cr_assert(dealers_send(&world.dealers, &world.facts, &output));
}

Test(dealers, a_link_comes_up_and_carries_frames)
{
    open_link(3, CHANNEL_FORWARD);
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    cr_assert_eq(fake_core_last(MESH_LINK_UP)->input.link, 3);
    cr_assert_eq(fake_core_last(MESH_LINK_UP)->input.channel, CHANNEL_FORWARD);
    send_on(3, CHANNEL_FORWARD, "across", 6);
    cr_assert(world_until_told(MESH_FRAME, 1));
    cr_assert_str_eq(fake_core_last(MESH_FRAME)->text, "across");
    cr_assert_eq(fake_core_last(MESH_FRAME)->input.channel, CHANNEL_FORWARD);
}

Test(dealers, an_answer_on_a_gossip_link_is_told)
{
    open_link(0, CHANNEL_GOSSIP);
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    send_on(0, CHANNEL_GOSSIP, "join", 4);
    cr_assert(world_until_told(MESH_FRAME, 1));
    fake_core_writes("challenge", 9);
    struct mesh_output output = {.channel = CHANNEL_GOSSIP,
                                 .connection = fake_core_last(MESH_FRAME)->input.connection,
                                 .bytes = 9};
    cr_assert(inbox_reply(&world.inboxes[CHANNEL_GOSSIP], &world.guard, &world.facts, &output));
    cr_assert(world_until_told(MESH_ANSWER, 1));
    cr_assert_str_eq(fake_core_last(MESH_ANSWER)->text, "challenge");
    cr_assert_eq(fake_core_last(MESH_ANSWER)->input.link, 0);
}

Test(dealers, a_client_port_that_answers_is_not_taken_for_gossip)
{
    uint8_t frame[ENVELOPE_CLIENT_BYTES + 1] = {0};
    struct writer writer;
    writer_init(&writer, frame, sizeof(frame));
    struct envelope envelope = {.version = WIRE_VERSION_MIN, .channel = CHANNEL_CLIENT};
    envelope_encode(&envelope, &writer);
    cr_assert(dealers_open(&world.dealers, 0, CHANNEL_GOSSIP,
                           span_text(world.ports.advertised[CHANNEL_CLIENT]), (struct span){0}));
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    send_on(0, CHANNEL_GOSSIP, "join", 4);
    cr_assert(world_until_told(MESH_FRAME, 1));
    struct connection *connection = connections_find(&world.guard.connections, CHANNEL_CLIENT,
                                                     fake_core_last(MESH_FRAME)->input.connection);
    zmq_msg_t id, body;
    zmq_msg_init_size(&id, 5);
    uint8_t *bytes = zmq_msg_data(&id);
    bytes[0] = 0;
    for (unsigned i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(connection->number >> (24 - 8 * i));
    zmq_msg_init_size(&body, ENVELOPE_CLIENT_BYTES);
    memcpy(zmq_msg_data(&body), frame, ENVELOPE_CLIENT_BYTES);
    cr_assert_geq(zmq_msg_send(&id, world.inboxes[CHANNEL_CLIENT].socket, ZMQ_SNDMORE), 0);
    cr_assert_geq(zmq_msg_send(&body, world.inboxes[CHANNEL_CLIENT].socket, 0), 0);
    world_turn_for(200);
    cr_assert_eq(fake_core_told(MESH_ANSWER), 0);
}

Test(dealers, a_link_to_nobody_comes_up_when_somebody_listens)
{
    void *late = world_socket(ZMQ_ROUTER);
    char address[64];
    unsigned port = world.ports.listen.port + 3u;
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    cr_assert(
        dealers_open(&world.dealers, 1, CHANNEL_GOSSIP, span_text(address), (struct span){0}));
    world_turn_for(300);
    cr_assert_eq(fake_core_told(MESH_LINK_UP), 0);
    send_on(1, CHANNEL_GOSSIP, "nobody", 6);
    cr_assert_eq(fake_core_counted(COUNTER_sends_refused), 1);
    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", port);
    cr_assert_eq(zmq_bind(late, address), 0);
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    world_hang_up(&late);
    cr_assert(world_until_told(MESH_LINK_LOST, 1));
}

Test(dealers, a_peer_that_stops_reading_is_full_not_lost_and_then_goes_on)
{
    void *slow = world_socket(ZMQ_ROUTER);
    char address[64];
    unsigned port = world.ports.listen.port + 3u;
    zmq_setsockopt(slow, ZMQ_RCVHWM, &(int){1}, sizeof(int));
    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", port);
    cr_assert_eq(zmq_bind(slow, address), 0);
    cr_assert(
        dealers_open(&world.dealers, 2, CHANNEL_FORWARD, span_text(address + 6), (struct span){0}));
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    unsigned sent = 0;
    for (unsigned full = 0, turns = 0; turns < 20; turns = full == 0 ? 0 : turns + 1) {
        full = fake_core_told(MESH_LINK_FULL) - fake_core_told(MESH_LINK_WRITABLE);
        cr_assert_leq(full, 1);
        if (full == 0)
            send_on(2, CHANNEL_FORWARD, "big", 60000), sent++;
        else
            world_turn(); /* it may be the pipe alone that is full, for a moment */
        cr_assert_lt(sent, 20000);
    }
    unsigned writable = fake_core_told(MESH_LINK_WRITABLE);
    cr_assert_eq(fake_core_told(MESH_LINK_LOST), 0);
    for (unsigned received = 0; received < sent; received++) {
        cr_assert_neq(world_receive(slow)[0], 'b', "an id comes first");
        cr_assert_str_eq(world_receive(slow), "big", "%u of %u", received, sent);
    }
    cr_assert(world_until_told(MESH_LINK_WRITABLE, writable + 1));
    world_hang_up(&slow);
    cr_assert(world_until_told(MESH_LINK_LOST, 1));
}

Test(dealers, closing_a_link_ends_the_connection)
{
    open_link(0, CHANNEL_GOSSIP);
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    send_on(0, CHANNEL_GOSSIP, "x", 1);
    cr_assert(world_until_told(MESH_FRAME, 1));
    dealers_close(&world.dealers, 0, CHANNEL_GOSSIP);
    cr_assert(world_until_told(MESH_CONNECTION_LOST, 1));
    cr_assert_eq(fake_core_told(MESH_LINK_LOST), 0, "we hung up ourselves");
}

Test(dealers, a_bad_address_is_never_up_and_no_harm)
{
    const char *bad[] = {"", "x", "example.org:7311", "127.0.0.1", "127.0.0.1:0", "1.2.3.4:99999"};
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert(
            dealers_open(&world.dealers, i, CHANNEL_GOSSIP, span_text(bad[i]), (struct span){0}));
    cr_assert(dealers_open(&world.dealers, DEALERS_LINKS_MAX, CHANNEL_GOSSIP, span_text("x"),
                           (struct span){0}));
    world_turn_for(120);
    cr_assert_eq(fake_core_told(MESH_LINK_UP), 0);
}

Test(dealers, a_link_opened_again_is_dialled_anew)
{
    open_link(0, CHANNEL_GOSSIP);
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    open_link(0, CHANNEL_GOSSIP);
    cr_assert(world_until_told(MESH_LINK_UP, 2));
    dealers_close(&world.dealers, 77, CHANNEL_FORWARD);
}

/* -- with keys -- */

TestSuite(dealers_keys, .init = world_open_keys, .fini = world_close);

static void open_to(uint32_t link, const char *name)
{
    struct span address = span_text(world.ports.advertised[CHANNEL_GOSSIP]);
    cr_assert(dealers_open(&world.dealers, link, CHANNEL_GOSSIP, address, span_text(name)));
}

Test(dealers_keys, a_node_is_found_by_trying_its_keys_in_turn)
{
    open_to(1, ""); /* a seed: anybody's */
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    send_on(1, CHANNEL_GOSSIP, "join", 4);
    cr_assert(world_until_told(MESH_FRAME, 1));
    fake_core_writes("challenge", 9);
    struct mesh_output output = {.channel = CHANNEL_GOSSIP,
                                 .connection = fake_core_last(MESH_FRAME)->input.connection,
                                 .bytes = 9};
    cr_assert(inbox_reply(&world.inboxes[CHANNEL_GOSSIP], &world.guard, &world.facts, &output));
    cr_assert(world_until_told(MESH_ANSWER, 1));
    cr_assert(span_equal(fake_core_last(MESH_ANSWER)->input.owner, span_text("a")));
}

Test(dealers_keys, a_node_with_the_key_of_another_is_not_spoken_to)
{
    open_to(1, "b"); /* where a listens */
    open_to(2, "nobody");
    world_turn_for(300);
    cr_assert_eq(fake_core_told(MESH_LINK_UP), 0);
    open_to(3, "a");
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    cr_assert_eq(fake_core_last(MESH_LINK_UP)->input.link, 3);
}

Test(dealers_keys, a_link_whose_key_is_taken_away_is_lost_and_comes_back_with_it)
{
    open_to(1, "a");
    cr_assert(world_until_told(MESH_LINK_UP, 1));
    struct keyring *without = world_keyring("b", NULL), *with = world_keyring("a", "b", NULL);
    dealers_review(&world.dealers, without, &world.facts);
    cr_assert_eq(fake_core_told(MESH_LINK_LOST), 1);
    world_turn_for(200);
    cr_assert_eq(fake_core_told(MESH_LINK_UP), 1);
    dealers_review(&world.dealers, with, &world.facts);
    cr_assert(world_until_told(MESH_LINK_UP, 2));
    world_take(&without);
    world_take(&with);
}

/* What a closed socket still had to say once stopped libzmq's thread, and all dialling with it. */
Test(dealers_keys, links_hung_up_at_any_moment_leave_others_alone)
{
    for (unsigned i = 0; i < 300; i++) {
        open_to(1, i % 2 == 0 ? "b" : "a");
        world_turn_for(i % 4);
        dealers_close(&world.dealers, 1, CHANNEL_GOSSIP);
    }
    unsigned before = fake_core_told(MESH_LINK_UP);
    open_to(2, "a");
    cr_assert(world_until_told(MESH_LINK_UP, before + 1));
    cr_assert_eq(fake_core_last(MESH_LINK_UP)->input.link, 2);
}
