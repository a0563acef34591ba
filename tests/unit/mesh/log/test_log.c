/* test_log.c - pushes are paced and batched, and passed over where they would pile up. */
#include <criterion/criterion.h>

#include "mesh/base/context.h"
#include "mesh/log/log.h"
#include "proto/kinds.h"

enum { PEERS = 9 };

static struct mesh_config config;
static struct context context;
static struct log own;
static uint32_t frames, messages;

static void set_up(void)
{
    mesh_config_defaults(&config);
    config.cluster = "test";
    config.gossip.members_max = 16;
    context = (struct context){0};
    cr_assert(context_init(&context, &config));
    context.now_ns = UINT64_C(1) << 40;
    deadlines_init(context.deadlines, context.now_ns);
    log_init(&own, &context, LOG_OWNERSHIP, DEADLINE_OWNERSHIP, 4);
    for (uint64_t i = 1; i <= PEERS; i++) {
        char address[] = "peer0:1";
        address[4] = (char)('0' + i);
        struct link *link = links_open(context.links, span_text(address));
        links_open_forward(context.links, link, span_text(address));
        links_bind(context.links, link, i);
        cr_assert(links_up(context.links, link->number, CHANNEL_FORWARD));
    }
}

static void tear_down(void)
{
    log_clear(&own);
    context_clear(&context);
}

TestSuite(log, .init = set_up, .fini = tear_down);

/* Pulls; counts forward frames and the messages in them. */
static void pull(void)
{
    static uint8_t frame[1 << 20];
    struct mesh_output output;
    frames = messages = 0;
    while (outbox_next(context.outbox, &output)) {
        if (output.order != MESH_SEND)
            continue;
        cr_assert_leq(output.bytes, sizeof frame);
        outbox_write(context.outbox, frame);
        frames++;
        struct reader reader;
        reader_init(&reader, span_of(frame, output.bytes));
        struct envelope envelope;
        cr_assert_eq(envelope_decode(&reader, CHANNEL_FORWARD, &envelope), ERROR_OK);
        struct message message;
        enum error error;
        while (message_next(&reader, &message, &error))
            messages++;
    }
    scratch_clear(&context.scratch);
}

static void after_ms(uint64_t ms)
{
    context.now_ns += ms * 1000000;
    struct deadline *due;
    while ((due = deadlines_next_due(context.deadlines, context.now_ns)) != NULL) {
        if (due->purpose == LOG_PURPOSE_PUSH)
            log_push(&own);
    }
    pull();
}

Test(log, pushes_the_first_entry_at_once_to_everybody)
{
    pull();
    log_append(&own, span_text("entry"));
    pull();
    cr_assert_eq(frames, PEERS);
    cr_assert_eq(messages, PEERS);
    cr_assert_eq(context.counters[COUNTER_log_entries_out], PEERS);
}

Test(log, pushes_what_follows_together_half_a_millisecond_a_node_later)
{
    pull();
    log_append(&own, span_text("entry"));
    after_ms(2);
    for (int i = 0; i < 100; i++)
        log_append(&own, span_text("entry"));
    after_ms(2);
    cr_assert_eq(frames, 0);
    after_ms(5);
    cr_assert_eq(messages, PEERS);
    cr_assert_eq(log_head(&own), 101);
    after_ms(1000);
    cr_assert_eq(frames, 0);
}

Test(log, passes_over_a_link_that_is_down_or_backed_up)
{
    pull();
    struct link *link = links_of_instance(context.links, 1);
    cr_assert(links_lost(context.links, link->number, CHANNEL_FORWARD));
    static uint8_t bulk[LOG_BACKLOG_BYTES_MAX + 1];
    link = links_of_instance(context.links, 2);
    cr_assert(links_full(context.links, link->number, CHANNEL_FORWARD));
    struct outgoing message = {.kind = KIND_RESPONSE, .body = span_of(bulk, sizeof bulk)};
    cr_assert_eq(outbound_send(&link->forward, &message), ERROR_OK);
    pull();
    log_append(&own, span_text("entry"));
    after_ms(2);
    cr_assert_eq(frames, PEERS - 2);
    cr_assert(!log_can_answer(&own, 1));
    cr_assert(!log_can_answer(&own, 2));
    cr_assert(!log_can_answer(&own, 12345));
    cr_assert(log_can_answer(&own, 3));
}

Test(log, answers_a_pull_from_the_ring_or_says_that_nothing_is_missing)
{
    pull();
    for (int i = 0; i < 20000; i++)
        log_append(&own, span_text("entry"));
    after_ms(1000);
    struct log_pull ask = {.writer = context.instance, .stream = LOG_OWNERSHIP, .have = 19990};
    cr_assert(log_answer(&own, &own.ring, 3, 1, &ask));
    pull();
    cr_assert_eq(messages, 1);
    ask.have = 20000;
    cr_assert(log_answer(&own, &own.ring, 3, 1, &ask));
    pull();
    cr_assert_eq(messages, 1);
    ask.have = 10;
    cr_assert(!log_answer(&own, &own.ring, 3, 1, &ask), "below the floor");
    ask.have = 19990;
    ask.cursor = span_text("x");
    cr_assert(!log_answer(&own, &own.ring, 3, 1, &ask), "in the middle of a snapshot");
}

Test(log, goes_on_without_memory_for_its_ring)
{
    context.memory.limit[MEMORY_DIRECTORY] = 0;
    log_append(&own, span_text("entry"));
    cr_assert_eq(log_head(&own), 1);
    struct log_pull ask = {.writer = context.instance, .stream = LOG_OWNERSHIP};
    cr_assert(!log_answer(&own, &own.ring, 3, 1, &ask));
    after_ms(10);
    cr_assert_eq(context.counters[COUNTER_log_entries_out], 0);
}

Test(log, compares_often_after_a_change_and_seldom_in_quiet)
{
    for (uint64_t hash = 7; hash < 10; hash++) {
        uint32_t often = 0, seldom = 0;
        for (int i = 0; i < 4; i++)
            often += log_shall_compare(&own, hash);
        for (int i = 0; i < 40; i++)
            seldom += log_shall_compare(&own, hash);
        cr_assert_eq(often, 4);
        cr_assert_eq(seldom, 10);
    }
}

TestSuite(log_of_topics, .init = set_up, .fini = tear_down);

/* The same log, of topics: nothing is pushed before the room says so, and then at once. */
Test(log_of_topics, pushes_when_the_room_says_so)
{
    own.stream = LOG_TOPICS;
    own.is_paced = false;
    pull();
    for (int i = 0; i < 5; i++)
        log_append(&own, span_text("entry"));
    after_ms(100);
    cr_assert_eq(frames, 0);
    log_flush(&own);
    pull();
    cr_assert_eq(frames, PEERS);
    cr_assert_eq(messages, PEERS, "five entries are one message");
    log_flush(&own);
    pull();
    cr_assert_eq(frames, 0);
}

Test(log_of_topics, tells_where_it_stands_to_whom_a_push_passed_over)
{
    own.stream = LOG_TOPICS;
    own.is_paced = false;
    pull();
    static uint8_t large[LOG_BACKLOG_BYTES_MAX * 3 / 4]; /* topics stop at half */
    struct link *full = links_of_instance(context.links, 3);
    cr_assert(links_full(context.links, full->number, CHANNEL_FORWARD));
    struct outgoing other = {.kind = KIND_REQUEST, .body = span_of(large, sizeof large)};
    cr_assert_eq(outbound_send(&full->forward, &other), ERROR_OK);
    log_append(&own, span_text("entry"));
    log_flush(&own);
    pull();
    cr_assert_eq(frames, PEERS - 1);
    cr_assert(links_writable(context.links, full->number, CHANNEL_FORWARD));
    pull();
    cr_assert_eq(messages, 1, "only what another sent");
    after_ms(150);
    cr_assert_eq(frames, PEERS, "now it sees that it lacks one");
    after_ms(1000);
    cr_assert_eq(frames, 0);
}
