/* test_ownership.c - the directory of a few nodes, over a network that may be bad. */
#include <criterion/criterion.h>

#include "proto/kinds.h"
#include "proto/ownership.h"
#include "tests/unit/mesh/ownership/lab.h"

#include <stdio.h>

static struct lab *lab;

static void set_up(void)
{
    lab = lab_new(1);
}

static void tear_down(void)
{
    lab_destroy(&lab);
}

TestSuite(ownership, .init = set_up, .fini = tear_down);

/* So many nodes that know each other and have synchronised. */
static void mesh_of(uint32_t nodes)
{
    for (uint32_t i = 0; i < nodes; i++)
        lab_meet(lab, lab_add(lab));
    lab_run(lab, 20);
    for (uint32_t i = 0; i < nodes; i++)
        cr_assert(ownership_is_synced(lab->nodes[i].ownership));
}

static struct ownership *at(uint32_t node)
{
    return lab->nodes[node].ownership;
}

static uint64_t instance_of(uint32_t node)
{
    return lab->nodes[node].context.instance;
}

static uint64_t find(uint32_t node, struct session_id id)
{
    bool is_shaded;
    uint64_t found = ownership_find_session(at(node), id, &is_shaded);
    return is_shaded ? 0 : found;
}

Test(ownership, of_a_session_is_known_here_at_once_and_everywhere_soon)
{
    mesh_of(3);
    struct session_id id = lab_open(lab, 1);
    cr_assert_eq(find(1, id), instance_of(1));
    cr_assert_eq(find(0, id), 0);
    lab_run(lab, 5);
    cr_assert_eq(find(0, id), instance_of(1));
    cr_assert_eq(find(2, id), instance_of(1));
    lab_close(lab, 1, 0);
    cr_assert_eq(find(1, id), 0);
    lab_run(lab, 5);
    cr_assert_eq(find(0, id), 0);
    lab_check_all(lab);
}

Test(ownership, of_an_unknown_session_is_nobodys)
{
    mesh_of(2);
    bool is_shaded = true;
    struct session_id id = {.instance = instance_of(1), .serial = 5};
    cr_assert_eq(ownership_find_session(at(0), id, &is_shaded), 0);
    cr_assert(!is_shaded);
}

/* One call, as routing makes it. */
static size_t handlers(uint32_t node, const char *path, struct handler_entry *entries, size_t most)
{
    return ownership_find_handlers(at(node), HANDLER_REQUEST, span_text(path), entries, most);
}

Test(ownership, says_how_many_entries_it_has_heard_of_and_lacks)
{
    mesh_of(3);
    cr_assert_eq(ownership_behind(at(1)), 0);
    lab->loss_percent = 100;
    for (int i = 0; i < 7; i++)
        lab_open(lab, 0);
    lab_run(lab, 500); /* what was pushed is lost */
    ownership_log_head(at(1), instance_of(0), ownership_log_version(at(0)));
    cr_assert_eq(ownership_behind(at(1)), 7);
    cr_assert_eq(ownership_behind(at(0)), 0, "its own log is never behind");
    lab_kill(lab, 0);
    cr_assert_eq(ownership_behind(at(1)), 0, "of a dead node nothing is awaited");
}

Test(ownership, finds_the_most_specific_handlers_at_or_above_a_path)
{
    mesh_of(2);
    lab_open(lab, 0);
    lab_open(lab, 1);
    lab_register(lab, 0, 0, HANDLER_REQUEST, "a");
    lab_register(lab, 1, 0, HANDLER_REQUEST, "a/b");
    lab_register(lab, 1, 0, HANDLER_MISSING_TOPIC, "a/b/c");
    lab_run(lab, 5);
    struct handler_entry entries[4];
    cr_assert_eq(handlers(0, "a/b/c", entries, 4), 1);
    cr_assert(span_equal(entries[0].path, span_text("a/b")));
    cr_assert_eq(entries[0].instance, instance_of(1));
    cr_assert_eq(handlers(0, "a/bc", entries, 4), 1);
    cr_assert(span_equal(entries[0].path, span_text("a")));
    cr_assert_eq(handlers(0, "b", entries, 4), 0);
    lab_unregister(lab, 1, 0);
    lab_run(lab, 60);
    cr_assert_eq(handlers(0, "a/b/c", entries, 4), 1);
    cr_assert_eq(entries[0].instance, instance_of(0));
}

Test(ownership, offers_active_handlers_first_and_of_those_the_ones_here)
{
    mesh_of(3);
    for (uint32_t i = 0; i < 3; i++) {
        lab_open(lab, i);
        lab_register(lab, i, 0, HANDLER_REQUEST, "a");
    }
    lab_run(lab, 5);
    struct handler_entry entries[4];
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(handlers(i, "a", entries, 4), 3);
        cr_assert_eq(entries[0].instance, instance_of(i));
    }
    cr_assert_eq(handlers(1, "a", entries, 1), 1);
    cr_assert_eq(entries[0].instance, instance_of(1));
    lab_change(lab, 1, 0, SESSION_DISCONNECTED);
    lab_run(lab, 60);
    cr_assert_eq(handlers(1, "a", entries, 4), 3);
    cr_assert_neq(entries[0].instance, instance_of(1));
    cr_assert_eq(entries[2].instance, instance_of(1));
    cr_assert_eq(entries[2].state, SESSION_DISCONNECTED);
}

Test(ownership, knows_whether_a_session_here_serves_a_path)
{
    mesh_of(2);
    struct session_id here = lab_open(lab, 0);
    struct session_id there = lab_open(lab, 1);
    lab_register(lab, 0, 0, HANDLER_REQUEST, "a/b");
    lab_register(lab, 1, 0, HANDLER_REQUEST, "a/b");
    lab_run(lab, 10);
    cr_assert(ownership_session_serves(at(0), HANDLER_REQUEST, span_text("a/b/c"), here));
    cr_assert(ownership_session_serves(at(0), HANDLER_REQUEST, span_text("a/b"), here));
    cr_assert(!ownership_session_serves(at(0), HANDLER_REQUEST, span_text("a"), here));
    cr_assert(!ownership_session_serves(at(0), HANDLER_MISSING_TOPIC, span_text("a/b"), here));
    cr_assert(!ownership_session_serves(at(0), HANDLER_REQUEST, span_text("a/b"), there));
}

Test(ownership, gives_each_of_many_handlers_its_share)
{
    enum { WORKERS = 300, MOST = 16, TURNS = 3000 };
    static uint32_t chosen[WORKERS];
    mesh_of(3);
    for (size_t i = 0; i < WORKERS; i++) {
        lab_open(lab, (uint32_t)(i % 2));
        lab_register(lab, (uint32_t)(i % 2), i / 2, HANDLER_REQUEST, "work");
    }
    lab_run(lab, 100);
    struct handler_entry entries[MOST];
    for (uint32_t node = 0; node < 3; node += 2) { /* one that has some, one that has none */
        memset(chosen, 0, sizeof chosen);
        for (int turn = 0; turn < TURNS; turn++) {
            cr_assert_eq(handlers(node, "work", entries, MOST), MOST);
            for (size_t i = 0; i < MOST; i++) {
                uint32_t owner = entries[i].instance == instance_of(0) ? 0 : 1;
                cr_assert(node != 0 || owner == 0, "those here first");
                size_t at = 0;
                while (!session_id_equal(lab->nodes[owner].truth.sessions[at], entries[i].session))
                    at++;
                chosen[at * 2 + owner]++;
            }
        }
        for (size_t i = 0; i < WORKERS; i++)
            cr_assert(node == 0 && i % 2 == 1 ? chosen[i] == 0 : chosen[i] > TURNS / 40);
    }
    ownership_check(at(2));
}

Test(ownership, refuses_a_second_handler_of_the_same_session_and_path)
{
    mesh_of(1);
    struct session_id id = lab_open(lab, 0);
    lab_register(lab, 0, 0, HANDLER_REQUEST, "a");
    cr_assert_eq(
        ownership_handler_registered(at(0), HANDLER_REQUEST, span_text("a"), id, (struct span){0}),
        ERROR_HANDLER_CONFLICT);
    struct session_id other = {.instance = instance_of(0), .serial = 1};
    cr_assert_eq(ownership_handler_registered(at(0), HANDLER_REQUEST, span_text("a"), other,
                                              (struct span){0}),
                 ERROR_NO_SUCH_SESSION);
    cr_assert_eq(ownership_handler_unregistered(at(0), HANDLER_REQUEST, span_text("b"), id),
                 ERROR_NO_HANDLER);
}

Test(ownership, gives_one_session_a_bounded_number_of_handlers)
{
    mesh_of(1);
    struct session_id id = lab_open(lab, 0);
    enum error error = ERROR_OK;
    char path[16];
    int registered = 0;
    while (registered < 5000 && error == ERROR_OK) {
        snprintf(path, sizeof path, "p%d", registered);
        error = ownership_handler_registered(at(0), HANDLER_REQUEST, span_text(path), id,
                                             (struct span){0});
        registered += error == ERROR_OK ? 1 : 0;
    }
    cr_assert_eq(error, ERROR_LIMIT_REACHED);
    cr_assert_eq(registered, 1024);
    ownership_check(at(0));
}

Test(ownership, of_a_lost_node_is_in_the_shade_and_back_without_a_transfer)
{
    mesh_of(3);
    struct session_id id = lab_open(lab, 2);
    lab_register(lab, 2, 0, HANDLER_REQUEST, "a");
    lab_run(lab, 100);
    uint64_t before = ownership_hash(at(0));
    uint64_t entries_in = lab_counter(lab, 0, COUNTER_log_entries_in);
    ownership_member_failed(at(0), instance_of(2));
    bool is_shaded = false;
    cr_assert_eq(ownership_find_session(at(0), id, &is_shaded), instance_of(2));
    cr_assert(is_shaded);
    struct handler_entry entry;
    cr_assert_eq(handlers(0, "a", &entry, 1), 0);
    cr_assert_eq(ownership_sessions(at(0)), 0);
    ownership_check(at(0));
    lab_run(lab, 1000);
    ownership_member_joined(at(0), instance_of(2));
    cr_assert_eq(find(0, id), instance_of(2));
    cr_assert_eq(handlers(0, "a", &entry, 1), 1);
    cr_assert_eq(ownership_hash(at(0)), before);
    lab_run(lab, 1000);
    cr_assert_eq(lab_counter(lab, 0, COUNTER_log_entries_in), entries_in);
    cr_assert_eq(lab_counter(lab, 0, COUNTER_log_snapshots_in), 0);
    lab_check_all(lab);
}

Test(ownership, of_a_refuted_node_misses_nothing_that_happened_meanwhile)
{
    mesh_of(2);
    lab_open(lab, 1);
    lab_run(lab, 100);
    ownership_member_failed(at(0), instance_of(1));
    for (int i = 0; i < 50; i++)
        lab_open(lab, 1);
    lab_close(lab, 1, 0);
    lab_run(lab, 1000);
    cr_assert_eq(ownership_sessions(at(0)), 0);
    ownership_member_joined(at(0), instance_of(1));
    lab_run(lab, 100);
    cr_assert_eq(lab_counter(lab, 0, COUNTER_log_snapshots_in), 0);
    lab_check_all(lab);
}

Test(ownership, of_a_lost_node_is_dropped_after_ten_minutes)
{
    mesh_of(2);
    lab->gossip_ms = 0;
    struct session_id id = lab_open(lab, 1);
    lab_run(lab, 10);
    ownership_member_failed(at(0), instance_of(1));
    bool is_shaded;
    lab_run(lab, 599000);
    cr_assert_eq(ownership_find_session(at(0), id, &is_shaded), instance_of(1));
    lab_run(lab, 2000);
    cr_assert_eq(ownership_find_session(at(0), id, &is_shaded), 0);
    cr_assert(!is_shaded);
}

Test(ownership, of_an_old_instance_is_never_mixed_with_the_new_ones)
{
    mesh_of(3);
    struct session_id old = lab_open(lab, 2);
    lab_run(lab, 10);
    lab_restart(lab, 2);
    bool is_shaded;
    cr_assert_eq(ownership_find_session(at(0), old, &is_shaded), 0);
    lab_meet(lab, 2);
    lab_open(lab, 2);
    lab_run(lab, 100);
    cr_assert_eq(ownership_find_session(at(0), old, &is_shaded), 0);
    lab_check_all(lab);
}

Test(ownership, reaches_a_joiner_completely)
{
    mesh_of(3);
    for (int i = 0; i < 3000; i++)
        lab_act(lab);
    lab_run(lab, 100);
    uint32_t joiner = lab_add(lab);
    cr_assert(ownership_is_synced(at(joiner)), "it knows nobody yet");
    lab_meet(lab, joiner);
    cr_assert(!ownership_is_synced(at(joiner)));
    lab_run(lab, 50);
    cr_assert(ownership_is_synced(at(joiner)));
    lab_check_all(lab);
}

/* More than the ring of a log holds: 64 blocks of 16 KiB, 12 bytes an entry. */
enum { PAST_THE_FLOOR = 100000 };

Test(ownership, below_the_floor_comes_as_a_snapshot_also_while_it_changes)
{
    mesh_of(2);
    for (int i = 0; i < PAST_THE_FLOOR; i++) {
        lab_open(lab, 0);
        if (i % 64 == 0)
            lab_run(lab, 1);
    }
    lab_register(lab, 0, 5, HANDLER_REQUEST, "a/b");
    uint32_t joiner = lab_add(lab);
    lab_meet(lab, joiner);
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 20; k++) {
            lab_open(lab, 0);
            lab_close(lab, 0, (size_t)random_below(&lab->random, PAST_THE_FLOOR / 2));
        }
        lab_run(lab, 1);
    }
    lab_run(lab, 100);
    cr_assert(ownership_is_synced(at(joiner)));
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), 1);
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_rejected), 0);
    lab_check_all(lab);
}

/* A joiner that can talk to node 1 only, while node 0 has done so much. */
static uint32_t join_through_another(int sessions)
{
    mesh_of(2);
    for (int i = 0; i < sessions; i++)
        lab_open(lab, 0);
    lab_register(lab, 0, 3, HANDLER_REQUEST, "a");
    lab_run(lab, 100);
    uint32_t joiner = lab_add(lab);
    lab->cut[joiner][0] = lab->cut[0][joiner] = true;
    lab_meet(lab, joiner);
    lab_run(lab, 1000);
    cr_assert(ownership_is_synced(at(joiner)));
    lab_check_all(lab);
    return joiner;
}

Test(ownership, of_a_node_that_can_not_be_reached_comes_through_others)
{
    uint32_t joiner = join_through_another(500);
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), 0, "from a replica's ring");
}

Test(ownership, of_a_node_that_can_not_be_reached_comes_through_others_as_a_snapshot_too)
{
    uint32_t joiner = join_through_another(20000);
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), 1);
}

Test(ownership, of_a_node_that_can_not_be_reached_is_kept_up_to_date_by_comparing_heads)
{
    uint32_t joiner = join_through_another(20000);
    for (int i = 0; i < 5; i++) {
        lab_open(lab, 0);
        lab_close(lab, 0, 0);
        lab_run(lab, 7000); /* each asks one of two peers every two seconds or so */
        lab_check(lab, joiner);
    }
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), 1, "only ranges since");
}

Test(ownership, of_many_nodes_comes_through_the_only_one_that_can_be_reached)
{
    enum { WRITERS = 24 };
    mesh_of(WRITERS);
    for (uint32_t i = 0; i < WRITERS; i++) {
        for (int k = 0; k < 4000; k++)
            lab_open(lab, i);
    }
    lab_run(lab, 500);
    uint32_t joiner = lab_add(lab);
    for (uint32_t i = 1; i < WRITERS; i++)
        lab->cut[joiner][i] = lab->cut[i][joiner] = true;
    lab_meet(lab, joiner);
    lab_run(lab, 1500);
    cr_assert(ownership_is_synced(at(joiner)), "no pull waits for its time-out");
    lab_check(lab, joiner);
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), WRITERS - 1);
}

Test(ownership, a_snapshot_goes_on_elsewhere_when_its_server_dies)
{
    mesh_of(3);
    for (int i = 0; i < PAST_THE_FLOOR; i++) {
        lab_open(lab, 0);
        if (i % 64 == 0)
            lab_run(lab, 1);
    }
    lab_run(lab, 1000);
    lab_check(lab, 1);
    /* The joiner reaches 1 and 2, not the writer; 1 falls silent in the middle of the snapshot. */
    uint32_t joiner = lab_add(lab);
    lab->cut[joiner][0] = lab->cut[0][joiner] = true;
    lab->delay_ms_min = lab->delay_ms_max = 20;
    lab_introduce(lab, joiner, 1);
    lab_introduce(lab, 1, joiner);
    lab_introduce(lab, joiner, 0);
    for (int i = 0; i < 300; i++)
        lab_run(lab, 1);
    uint64_t asked = lab->nodes[joiner].context.counters[COUNTER_log_snapshots_in];
    cr_assert_eq(asked, 0, "the test needs a snapshot that is under way");
    lab->cut[joiner][1] = lab->cut[1][joiner] = true;
    lab_introduce(lab, joiner, 2);
    lab_introduce(lab, 2, joiner);
    lab_run(lab, 10000);
    cr_assert_eq(lab_counter(lab, joiner, COUNTER_log_snapshots_in), 1);
    lab_check(lab, joiner);
}

Test(ownership, of_anothers_log_can_not_be_written)
{
    mesh_of(3);
    lab_open(lab, 1);
    lab_run(lab, 10);
    uint8_t entry[32];
    struct writer writer;
    struct ownership_entry forged = {.type = OWNERSHIP_SESSION_OPENED,
                                     .session = {.instance = instance_of(1), .serial = 99},
                                     .state = SESSION_ACTIVE};
    size_t bytes = ownership_entry_measure(&forged, instance_of(1));
    writer_init(&writer, entry, bytes);
    ownership_entry_encode(&forged, instance_of(1), &writer);
    struct log_entries fields = {
        .writer = instance_of(1), .stream = LOG_OWNERSHIP, .first = 2, .last = 2, .head = 2};
    uint8_t encoded[128];
    size_t fields_bytes = schema_measure(&log_entries_schema, &fields);
    writer_init(&writer, encoded, fields_bytes);
    schema_encode(&log_entries_schema, &fields, &writer);
    struct message message = {.kind = KIND_LOG_ENTRIES,
                              .fields = span_of(encoded, fields_bytes),
                              .body = span_of(entry, bytes)};
    uint64_t before = ownership_hash(at(0));
    cr_assert_eq(ownership_receive(at(0), instance_of(2), &message), ERROR_INVALID_MESSAGE);
    message.correlation = 12345;
    cr_assert_eq(ownership_receive(at(0), instance_of(2), &message), ERROR_OK, "perhaps late");
    cr_assert_eq(ownership_receive(at(1), instance_of(2), &message), ERROR_OK);
    message.correlation = 0;
    cr_assert_eq(ownership_receive(at(1), instance_of(2), &message), ERROR_INVALID_MESSAGE);
    cr_assert_eq(ownership_hash(at(0)), before);
    cr_assert_eq(ownership_sessions(at(1)), 1);
    cr_assert_eq(lab_counter(lab, 0, COUNTER_log_rejected), 1);
}

Test(ownership, messages_that_make_no_sense_change_nothing)
{
    mesh_of(2);
    lab_open(lab, 1);
    lab_run(lab, 10);
    uint64_t before = ownership_hash(at(0));
    uint8_t noise[64];
    for (int i = 0; i < 20000; i++) {
        random_bytes(&lab->random, noise, sizeof noise);
        size_t fields = (size_t)random_below(&lab->random, 32);
        size_t body = (size_t)random_below(&lab->random, 32);
        struct message message = {.kind = (uint8_t)(KIND_LOG_ENTRIES + noise[63] % 4),
                                  .correlation = noise[62] % 4,
                                  .fields = span_of(noise, fields),
                                  .body = span_of(noise + 32, body)};
        (void)ownership_receive(at(0), instance_of(1), &message);
    }
    cr_assert_eq(ownership_hash(at(0)), before);
    ownership_check(at(0));
}

Test(ownership, of_a_session_goes_to_the_highest_claim_and_the_loser_is_told)
{
    mesh_of(3);
    struct session_id id = lab_open(lab, 0);
    struct session_id other = lab_open(lab, 0);
    lab_run(lab, 100);
    /* Node 0 is lost to 1 and 2; both go on with its session, neither knows of the other. */
    ownership_member_failed(at(1), instance_of(0));
    ownership_member_failed(at(2), instance_of(0));
    lab->cut[1][2] = lab->cut[2][1] = true;
    cr_assert_eq(ownership_session_claimed(at(1), id, SESSION_ACTIVE), ERROR_OK);
    cr_assert_eq(ownership_session_claimed(at(2), id, SESSION_DISCONNECTED), ERROR_OK);
    cr_assert_eq(find(1, id), instance_of(1));
    cr_assert_eq(find(2, id), instance_of(2));
    struct session_id lost;
    uint64_t winner;
    cr_assert(!ownership_next_lost(at(1), &lost, &winner));
    /* It heals. */
    lab->cut[1][2] = lab->cut[2][1] = false;
    ownership_member_joined(at(1), instance_of(0));
    ownership_member_joined(at(2), instance_of(0));
    lab_run(lab, 5000);
    uint32_t wins = instance_of(1) > instance_of(2) ? 1 : 2;
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(find(i, id), instance_of(wins), "equal claims: the higher instance");
        cr_assert_eq(find(i, other), instance_of(0));
        bool is_told = ownership_next_lost(at(i), &lost, &winner);
        cr_assert_eq(is_told, i != wins);
        if (is_told) {
            cr_assert(session_id_equal(lost, id));
            cr_assert_eq(winner, instance_of(wins));
            ownership_session_closed(at(i), lost);
        }
        cr_assert(!ownership_next_lost(at(i), &lost, &winner), "once");
    }
    lab_run(lab, 1000);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(find(i, id), instance_of(wins));
        cr_assert_eq(ownership_sessions(at(i)), 2);
        cr_assert_eq(ownership_hash(at(i)), ownership_hash(at(0)));
        ownership_check(at(i));
    }
    /* Back at home it has a claim above all. */
    cr_assert_eq(ownership_session_claimed(at(0), id, SESSION_ACTIVE), ERROR_OK);
    lab_run(lab, 1000);
    cr_assert_eq(find(wins, id), instance_of(0));
    cr_assert(ownership_next_lost(at(wins), &lost, &winner));
    cr_assert_eq(winner, instance_of(0));
}

Test(ownership, tells_all_of_many_lost_sessions_also_when_they_came_in_a_snapshot)
{
    mesh_of(2);
    enum { SESSIONS = 3000 };
    for (int i = 0; i < SESSIONS; i++)
        lab_open(lab, 0);
    lab_run(lab, 500);
    ownership_member_failed(at(1), instance_of(0));
    ownership_member_failed(at(0), instance_of(1));
    for (int i = 0; i < SESSIONS; i += 3)
        ownership_session_claimed(at(1), lab->nodes[0].truth.sessions[i], SESSION_ACTIVE);
    ownership_member_gone(at(0), instance_of(1));
    lab_run(lab, 500);
    ownership_member_joined(at(1), instance_of(0));
    ownership_member_joined(at(0), instance_of(1));
    lab_run(lab, 5000);
    struct session_id lost;
    uint64_t winner;
    int told = 0;
    while (ownership_next_lost(at(0), &lost, &winner)) {
        cr_assert_eq(winner, instance_of(1));
        ownership_session_closed(at(0), lost);
        told++;
    }
    cr_assert_eq(told, SESSIONS / 3);
    lab_run(lab, 1000);
    cr_assert_eq(ownership_sessions(at(1)), SESSIONS);
    cr_assert_eq(ownership_hash(at(1)), ownership_hash(at(0)));
}

static void random_history(uint64_t seed, uint32_t nodes, int acts)
{
    lab = lab_new(seed);
    mesh_of(nodes);
    lab->loss_percent = (uint32_t)random_below(&lab->random, 30);
    lab->repeat_percent = (uint32_t)random_below(&lab->random, 30);
    lab->delay_ms_max = 1 + (uint32_t)random_below(&lab->random, 100);
    lab->gossip_ms = 100;
    for (int i = 0; i < acts; i++) {
        lab_act(lab);
        if (random_below(&lab->random, 4) == 0)
            lab_run(lab, random_below(&lab->random, 20));
        if (random_below(&lab->random, 400) == 0) {
            uint32_t node = (uint32_t)random_below(&lab->random, nodes);
            lab_restart(lab, node);
            lab_meet(lab, node);
        }
    }
    lab->loss_percent = lab->repeat_percent = 0;
    lab_run(lab, 6000);
    lab_check_all(lab);
    for (uint32_t i = 0; i < nodes; i++)
        cr_assert(ownership_is_synced(at(i)));
    lab_destroy(&lab);
}

Test(ownership_property, whatever_is_lost_or_repeated_all_replicas_end_as_the_union_of_the_truth)
{
    for (uint64_t seed = 1; seed <= 12; seed++)
        random_history(seed, 2 + (uint32_t)(seed % 4), 1500);
}
