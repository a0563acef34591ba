/* test_replica.c - what is applied, what is asked for again and of whom, what is a strike. */
#include <criterion/criterion.h>

#include "mesh/base/context.h"
#include "mesh/log/replica.h"
#include "proto/kinds.h"

enum { WRITER = 100, OTHER = 200, STRANGER = 300 };

static struct mesh_config config;
static struct context context;
static struct log own;
static struct replica replica;

static struct link *link_to(uint64_t instance, const char *address)
{
    struct link *link = links_open(context.links, span_text(address));
    links_open_forward(context.links, link, span_text(address));
    links_bind(context.links, link, instance);
    cr_assert(links_up(context.links, link->number, CHANNEL_FORWARD));
    return link;
}

static void set_up(void)
{
    mesh_config_defaults(&config);
    config.cluster = "test";
    config.gossip.members_max = 8;
    context = (struct context){0};
    cr_assert(context_init(&context, &config));
    log_init(&own, &context, LOG_OWNERSHIP, DEADLINE_OWNERSHIP, 4);
    replica_init(&replica, &own, WRITER, 0);
}

static void tear_down(void)
{
    replica_unfollow(&replica, &own);
    log_clear(&own);
    context_clear(&context);
}

TestSuite(replica, .init = set_up, .fini = tear_down);

/* Pulls all output; the last LOG_PULL in it and whom it went to. false: none. */
static bool last_pull(struct log_pull *pull, uint64_t *peer)
{
    static uint8_t frame[1 << 16];
    bool is_there = false;
    struct mesh_output output;
    while (outbox_next(context.outbox, &output)) {
        if (output.order != MESH_SEND)
            continue;
        cr_assert_leq(output.bytes, sizeof frame);
        outbox_write(context.outbox, frame);
        struct reader reader;
        reader_init(&reader, span_of(frame, output.bytes));
        struct envelope envelope;
        cr_assert_eq(envelope_decode(&reader, CHANNEL_FORWARD, &envelope), ERROR_OK);
        struct message message;
        enum error error;
        while (message_next(&reader, &message, &error)) {
            if (message.kind != KIND_LOG_PULL)
                continue;
            cr_assert_eq(schema_decode(&log_pull_schema, message.fields, pull), ERROR_OK);
            *peer = envelope.receiver;
            is_there = true;
        }
    }
    scratch_clear(&context.scratch);
    return is_there;
}

static bool no_pull(void)
{
    struct log_pull pull;
    uint64_t peer;
    return !last_pull(&pull, &peer);
}

/* Asserts that one was just made, of this peer, from this version. */
static void expect_pull(uint64_t of, uint64_t have)
{
    struct log_pull pull;
    uint64_t peer;
    cr_assert(last_pull(&pull, &peer));
    cr_assert_eq(peer, of);
    cr_assert_eq(pull.have, have);
    cr_assert_eq(pull.writer, WRITER);
}

static void wait_ms(uint64_t ms)
{
    context.now_ns += ms * 1000000;
    struct deadline *due;
    while ((due = deadlines_next_due(context.deadlines, context.now_ns)) != NULL) {
        if (due->purpose == LOG_PURPOSE_RETRY)
            replica_retry(&replica, &own);
    }
}

static enum replica_verdict entries(uint64_t peer, uint64_t correlation, uint64_t first,
                                    uint64_t last, uint64_t head, uint64_t *skip)
{
    struct log_entries fields = {
        .writer = WRITER, .stream = LOG_OWNERSHIP, .first = first, .last = last, .head = head};
    return replica_judge_entries(&replica, &own, peer, correlation, &fields,
                                 (size_t)(last + 1 - first), skip);
}

static void applied(uint64_t first, uint64_t last)
{
    struct log_entries fields = {.writer = WRITER, .first = first, .last = last, .head = last};
    replica_applied(&replica, &own, &fields);
}

static void follow_and_complete(uint64_t head)
{
    uint64_t skip;
    link_to(WRITER, "writer:1");
    replica_follow(&replica, &own);
    expect_pull(WRITER, 0);
    cr_assert(!replica.is_complete);
    enum replica_verdict verdict = entries(WRITER, replica.correlation, 1, head, head, &skip);
    if (head > 0) {
        cr_assert_eq(verdict, REPLICA_APPLY);
        applied(1, head);
    }
    cr_assert(replica.is_complete);
    cr_assert_eq(replica.have, head);
    cr_assert(no_pull());
}

Test(replica, of_an_empty_log_is_complete_with_the_first_answer)
{
    follow_and_complete(0);
}

Test(replica, applies_what_follows_and_skips_what_it_has)
{
    follow_and_complete(10);
    uint64_t skip = 99;
    cr_assert_eq(entries(WRITER, 0, 11, 12, 12, &skip), REPLICA_APPLY);
    cr_assert_eq(skip, 0);
    applied(11, 12);
    cr_assert_eq(entries(WRITER, 0, 8, 15, 15, &skip), REPLICA_APPLY);
    cr_assert_eq(skip, 5);
    applied(8, 15);
    cr_assert_eq(entries(WRITER, 0, 8, 15, 15, &skip), REPLICA_IGNORE);
    cr_assert_eq(replica.have, 15);
    cr_assert(no_pull());
}

Test(replica, asks_at_once_when_there_is_a_gap_and_only_once)
{
    follow_and_complete(10);
    uint64_t skip;
    cr_assert_eq(entries(WRITER, 0, 13, 14, 14, &skip), REPLICA_IGNORE);
    expect_pull(WRITER, 10);
    cr_assert_eq(entries(WRITER, 0, 15, 16, 16, &skip), REPLICA_IGNORE);
    cr_assert(no_pull());
    cr_assert_eq(entries(WRITER, replica.correlation, 11, 14, 16, &skip), REPLICA_APPLY);
    applied(11, 14);
    expect_pull(WRITER, 14);
}

Test(replica, gives_a_push_time_when_gossip_was_faster)
{
    follow_and_complete(10);
    replica_heard(&replica, &own, 12);
    cr_assert(no_pull());
    wait_ms(50);
    cr_assert(no_pull());
    wait_ms(200);
    expect_pull(WRITER, 10);
}

Test(replica, asks_nobody_when_the_push_came_after_all)
{
    follow_and_complete(10);
    uint64_t skip;
    replica_heard(&replica, &own, 12);
    cr_assert_eq(entries(WRITER, 0, 11, 12, 12, &skip), REPLICA_APPLY);
    applied(11, 12);
    wait_ms(1000);
    cr_assert(no_pull());
}

Test(replica, asks_another_when_the_writer_is_silent_and_then_the_writer_again)
{
    follow_and_complete(10);
    link_to(OTHER, "other:1");
    uint64_t skip;
    entries(WRITER, 0, 13, 14, 14, &skip);
    expect_pull(WRITER, 10);
    wait_ms(1000);
    cr_assert(no_pull());
    wait_ms(1100);
    expect_pull(OTHER, 10);
    wait_ms(2100);
    expect_pull(WRITER, 10);
}

Test(replica, asks_elsewhere_at_once_when_the_one_it_asked_died)
{
    link_to(OTHER, "other:1");
    replica_follow(&replica, &own);
    wait_ms(300);
    expect_pull(OTHER, 0);
    link_to(WRITER, "writer:1");
    replica_peer_lost(&replica, &own, OTHER);
    expect_pull(WRITER, 0);
}

Test(replica, asks_the_writer_once_when_both_links_are_up_whichever_came_first)
{
    uint64_t skip;
    replica_follow(&replica, &own);
    link_to(WRITER, "writer:1");
    replica_link_up(&replica, &own);
    cr_assert(no_pull(), "it could not answer yet");
    cr_assert_eq(entries(WRITER, 0, 6, 5, 5, &skip), REPLICA_IGNORE);
    expect_pull(WRITER, 0);
    replica_unfollow(&replica, &own);
    struct link *link = links_of_instance(context.links, WRITER);
    cr_assert(links_lost(context.links, link->number, CHANNEL_FORWARD));
    replica_follow(&replica, &own);
    cr_assert_eq(entries(WRITER, 0, 6, 5, 5, &skip), REPLICA_IGNORE);
    cr_assert(no_pull(), "it can not be asked yet");
    cr_assert(links_up(context.links, link->number, CHANNEL_FORWARD));
    replica_link_up(&replica, &own);
    expect_pull(WRITER, 0);
}

Test(replica, asks_also_a_writer_of_which_nothing_was_heard)
{
    replica_follow(&replica, &own);
    link_to(WRITER, "writer:1");
    replica_link_up(&replica, &own);
    cr_assert(no_pull());
    wait_ms(400);
    expect_pull(WRITER, 0);
}

Test(replica, asks_first_whoever_is_known_to_have_more)
{
    follow_and_complete(10);
    struct link *link = links_of_instance(context.links, WRITER);
    cr_assert(links_lost(context.links, link->number, CHANNEL_FORWARD));
    link_to(OTHER, "other:1");
    link_to(STRANGER, "stranger:1");
    replica_witnessed(&replica, &own, OTHER, 10);
    cr_assert_eq(replica.witness, 0, "no more than is here");
    replica_witnessed(&replica, &own, OTHER, 12);
    cr_assert(no_pull(), "the push may be on its way");
    wait_ms(300);
    expect_pull(OTHER, 10);
    uint64_t skip;
    cr_assert_eq(entries(OTHER, replica.correlation, 11, 12, 12, &skip), REPLICA_APPLY);
    applied(11, 12);
    cr_assert(no_pull());
    replica_witnessed(&replica, &own, OTHER, UINT64_MAX);
    cr_assert_eq(replica.heard, 12);
}

Test(replica, of_a_stream_that_is_held_asks_for_nothing_until_it_is_not)
{
    log_hold(&own, true);
    link_to(WRITER, "writer:1");
    replica_follow(&replica, &own);
    wait_ms(3000);
    cr_assert(no_pull());
    log_hold(&own, false);
    wait_ms(300);
    expect_pull(WRITER, 0);
}

Test(replica, asks_less_and_less_often_while_answers_do_not_help)
{
    follow_and_complete(10);
    uint64_t skip;
    entries(WRITER, 0, 13, 14, 14, &skip);
    int asked = 0;
    for (int ms = 0; ms < 20000; ms += 50) {
        asked += no_pull() ? 0 : 1;
        if (replica.correlation != 0)
            replica_not_applied(&replica, &own);
        wait_ms(50);
    }
    cr_assert_geq(asked, 5);
    cr_assert_leq(asked, 12);
}

Test(replica, is_not_made_complete_by_one_who_knows_nothing)
{
    link_to(OTHER, "other:1");
    replica_follow(&replica, &own);
    wait_ms(300);
    expect_pull(OTHER, 0);
    uint64_t skip;
    cr_assert_eq(entries(OTHER, replica.correlation, 1, 0, 0, &skip), REPLICA_IGNORE);
    cr_assert(!replica.is_complete);
    wait_ms(500);
    expect_pull(OTHER, 0);
}

Test(replica, refuses_what_nobody_honest_sends)
{
    follow_and_complete(10);
    uint64_t skip;
    cr_assert_eq(entries(STRANGER, 0, 11, 12, 12, &skip), REPLICA_REFUSE);
    cr_assert_eq(entries(WRITER, 0, 0, 12, 12, &skip), REPLICA_REFUSE);
    cr_assert_eq(entries(WRITER, 0, 11, 12, 11, &skip), REPLICA_REFUSE);
    cr_assert_eq(entries(WRITER, 0, 14, 12, 12, &skip), REPLICA_REFUSE);
    cr_assert_eq(entries(WRITER, 0, 11, 12, UINT64_MAX, &skip), REPLICA_REFUSE);
    struct log_entries fields = {
        .writer = WRITER, .stream = LOG_TOPICS, .first = 11, .last = 11, .head = 11};
    cr_assert_eq(replica_judge_entries(&replica, &own, WRITER, 0, &fields, 1, &skip),
                 REPLICA_REFUSE);
    fields.stream = LOG_OWNERSHIP;
    cr_assert_eq(replica_judge_entries(&replica, &own, WRITER, 0, &fields, 0, &skip),
                 REPLICA_REFUSE, "versions without entries");
    struct log_snapshot snapshot = {.writer = WRITER, .stream = LOG_OWNERSHIP, .head = 20};
    cr_assert_eq(replica_judge_chunk(&replica, &own, WRITER, 0, &snapshot, 10), REPLICA_REFUSE);
    cr_assert_eq(replica_judge_chunk(&replica, &own, WRITER, 7, &snapshot, 0), REPLICA_REFUSE);
    cr_assert_eq(replica.have, 10);
    cr_assert_eq(replica.heard, 10);
}

Test(replica, takes_chunks_only_of_the_pull_it_made_and_the_lowest_head_of_all)
{
    follow_and_complete(0);
    uint64_t skip;
    entries(WRITER, 0, 50, 60, 60, &skip);
    expect_pull(WRITER, 0);
    struct log_snapshot snapshot = {.writer = WRITER, .stream = LOG_OWNERSHIP, .head = 60};
    uint64_t correlation = replica.correlation;
    cr_assert_eq(replica_judge_chunk(&replica, &own, OTHER, correlation, &snapshot, 9),
                 REPLICA_IGNORE);
    cr_assert_eq(replica_judge_chunk(&replica, &own, WRITER, correlation, &snapshot, 9),
                 REPLICA_APPLY);
    replica_chunk_applied(&replica, &own, &snapshot, span_text("cursor"));
    struct log_pull pull;
    uint64_t peer;
    cr_assert(last_pull(&pull, &peer));
    cr_assert(span_equal(pull.cursor, span_text("cursor")));
    cr_assert_eq(replica_judge_chunk(&replica, &own, WRITER, correlation, &snapshot, 9),
                 REPLICA_IGNORE, "the first one a second time");
    snapshot.head = 55;
    snapshot.is_last = true;
    correlation = replica.correlation;
    cr_assert_eq(replica_judge_chunk(&replica, &own, WRITER, correlation, &snapshot, 9),
                 REPLICA_APPLY);
    replica_chunk_applied(&replica, &own, &snapshot, (struct span){0});
    cr_assert_eq(replica.have, 55);
    expect_pull(WRITER, 55);
}

Test(replica, of_a_dead_writer_asks_for_nothing)
{
    follow_and_complete(10);
    uint64_t skip;
    entries(WRITER, 0, 13, 14, 14, &skip);
    expect_pull(WRITER, 10);
    replica_unfollow(&replica, &own);
    wait_ms(10000);
    cr_assert(no_pull());
    cr_assert_eq(entries(WRITER, 0, 11, 12, 12, &skip), REPLICA_IGNORE);
    replica_follow(&replica, &own);
    expect_pull(WRITER, 10);
}
