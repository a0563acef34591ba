/* test_mesh.c - the door: what a core promises whatever is in its rooms. */
#include <criterion/criterion.h>

#include "proto/log.h"
#include "proto/ownership.h"
#include "tests/unit/mesh/town.h"

TestSuite(mesh, .init = town_begin, .fini = town_end);

Test(mesh, alone_without_seeds_becomes_ready_at_once)
{
    town_start(0);
    town_wait_ms(100);
    cr_assert_eq(town_nodes[0].notices_count, 3);
    cr_assert_eq(town_nodes[0].notices[0], NOTICE_ALONE);
    cr_assert_eq(town_nodes[0].notices[1], NOTICE_SYNCED);
    cr_assert_eq(town_nodes[0].notices[2], NOTICE_READY);
}

Test(mesh, waits_for_the_members_it_expects)
{
    town_nodes[0].config.expect = 2;
    town_start(0);
    town_wait_ms(5000);
    cr_assert(town_heard(0, NOTICE_SYNCED));
    cr_assert_not(town_heard(0, NOTICE_READY));
    town_start(1);
    town_wait_ms(5000);
    cr_assert(town_heard(0, NOTICE_READY));
}

Test(mesh, joins_by_its_seed_and_says_so_in_order)
{
    town_pair();
    size_t joined = 99, synced = 99, ready = 99;
    for (size_t i = town_nodes[1].notices_count; i-- > 0;) {
        joined = town_nodes[1].notices[i] == NOTICE_JOINED ? i : joined;
        synced = town_nodes[1].notices[i] == NOTICE_SYNCED ? i : synced;
        ready = town_nodes[1].notices[i] == NOTICE_READY ? i : ready;
    }
    cr_assert_lt(joined, synced);
    cr_assert_lt(synced, ready);
    cr_assert_lt(ready, 99);
}

/* A small life: two nodes, a handler, requests, a close. */
static uint64_t life(uint8_t seed)
{
    town_begin();
    town_nodes[0].config.random_seed[5] = seed;
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
    uint32_t handler = town_open(1, "tier", "gold");
    uint32_t caller = town_open(0, NULL, NULL);
    town_register(handler, "echo");
    town_request(caller, 5, "echo", "hi");
    struct command command = {.verb = COMMAND_CLOSE, .session = town_clients[handler].session};
    town_command(caller, &command, 6);
    town_wait_ms(2000);
    uint64_t hash = town_hash;
    town_end();
    return hash;
}

Test(mesh, same_inputs_and_seed_give_byte_equal_outputs)
{
    uint64_t first = life(1);
    cr_assert_eq(life(1), first);
    cr_assert_neq(life(2), first);
}

Test(mesh, garbage_on_each_port_is_counted_and_changes_nothing)
{
    town_start(0);
    town_wait_ms(100);
    uint32_t client = town_connect(0);
    town_say_bytes(client, "GET / HTTP/1.1\r\n\r\n", 18);
    cr_assert(town_clients[client].is_cut);
    cr_assert_eq(town_count(0, COUNTER_client_frames_bad), 1);
    for (enum channel channel = CHANNEL_GOSSIP; channel <= CHANNEL_FORWARD; channel++) {
        struct mesh_input input = {
            .fact = MESH_FRAME,
            .channel = channel,
            .now_ns = town_now_ns,
            .connection = 77,
            .bytes = span_text("\x01\x02 nonsense"),
            .address = span_text("10.9.8.7"),
        };
        mesh_receive(town_nodes[0].mesh, &input);
    }
    town_wait_ms(10);
    cr_assert_eq(town_count(0, COUNTER_gossip_frames_bad), 1);
    cr_assert_eq(town_count(0, COUNTER_forward_frames_bad), 1);
    town_open(0, NULL, NULL);
}

Test(mesh, stop_tells_clients_and_ends_with_left)
{
    town_pair();
    uint32_t client = town_open(1, NULL, NULL);
    town_say_bytes(client, "", 0);
    client = town_open(1, NULL, NULL);
    struct mesh_input stop = {.fact = MESH_STOP, .now_ns = town_now_ns};
    mesh_receive(town_nodes[1].mesh, &stop);
    town_wait_ms(3000);
    const struct message *goodbye = town_find(client, KIND_GOODBYE, 0);
    struct client_goodbye said;
    cr_assert_not_null(goodbye);
    cr_assert_eq(schema_decode(&client_goodbye_schema, goodbye->fields, &said), ERROR_OK);
    cr_assert_eq(said.reason, CLOSE_REASON_NODE_STOPPING);
    cr_assert(town_nodes[1].is_stopped);
    cr_assert_eq(town_nodes[1].stopped_with, NOTICE_LEFT);
    cr_assert_eq(mesh_deadline_ns(town_nodes[1].mesh), UINT64_MAX);
}

/* Node 1's log, as it would be if it had gone on with the session while the mesh was split. */
static void claim_session_of_node_0(struct session_id session)
{
    uint64_t sender = mesh_instance(town_nodes[1].mesh);
    struct ownership_entry entry = {
        .type = OWNERSHIP_SESSION_CLAIMED, .session = session, .state = SESSION_ACTIVE, .claim = 1};
    uint8_t body[64], frame[256];
    struct writer writer;
    writer_init(&writer, body, sizeof body);
    ownership_entry_encode(&entry, sender, &writer);
    struct span entries = span_of(body, sizeof body - writer.left);
    struct log_entries fields = {
        .writer = sender, .stream = LOG_OWNERSHIP, .first = 1, .last = 1, .head = 1};
    struct envelope envelope = {.version = WIRE_VERSION_MAX,
                                .channel = CHANNEL_FORWARD,
                                .mesh = mesh_name_hash(span_text(town_nodes[0].config.cluster)),
                                .sender = sender,
                                .receiver = mesh_instance(town_nodes[0].mesh),
                                .sequence = 1};
    writer_init(&writer, frame, sizeof frame);
    envelope_encode(&envelope, &writer);
    message_encode(&log_entries_schema, &fields, KIND_LOG_ENTRIES, 0, 0, entries.bytes, &writer);
    writer_span(&writer, entries);
    struct mesh_input input = {.fact = MESH_FRAME,
                               .channel = CHANNEL_FORWARD,
                               .connection = 4711,
                               .now_ns = town_now_ns,
                               .bytes = span_of(frame, sizeof frame - writer.left),
                               .address = span_text("h:21")};
    mesh_receive(town_nodes[0].mesh, &input);
    town_wait_ms(10);
}

Test(mesh, a_session_that_another_node_claims_with_more_right_is_told_that_it_moved)
{
    town_pair();
    uint32_t loser = town_open(0, NULL, NULL), other = town_open(0, NULL, NULL);
    town_wait_ms(100);
    claim_session_of_node_0(town_clients[loser].session);
    const struct message *goodbye = town_find(loser, KIND_GOODBYE, 0);
    cr_assert_not_null(goodbye);
    struct client_goodbye said;
    cr_assert_eq(schema_decode(&client_goodbye_schema, goodbye->fields, &said), ERROR_OK);
    cr_assert_eq(said.reason, CLOSE_REASON_MOVED);
    cr_assert(town_clients[loser].is_cut);
    cr_assert_not(town_clients[other].is_cut, "nobody else");
    cr_assert_eq(town_count(0, COUNTER_sessions_closed), 1);
}
