/* topics.c - what topics cost: an update at its sequencer and at a replica, a joiner's snapshot,
 * the search for those whom a topic concerns.
 *
 *     bench_topics [topics [bytes of a value [selections]]]
 *
 * Two real rooms in one process, frames carried from one to the other at once: CPU is measured, and
 * the round trips that a joiner waits for are counted. A bench, not a test: it prints, and judges
 * nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mesh/topics/selections.h"
#include "mesh/topics/topics.h"
#include "proto/kinds.h"
#include "proto/topic.h"

enum { NODES = 2, PUBLISHER = 9, VALUE_BYTES_MAX = 65536, BATCH = 64 };

struct node {
    struct mesh_config config;
    struct context context;
    struct sessions *sessions;
    struct topics *topics;
    uint64_t bytes_in, frames_in;
    double cpu_s;
};

static struct node nodes[NODES];
static uint64_t now_ns = 1000 * UINT64_C(1000000);

static double cpu_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_topics: %s\n", what);
    exit(1);
}

static void node_start(uint32_t number)
{
    struct node *node = &nodes[number];
    mesh_config_defaults(&node->config);
    node->config.cluster = node->config.name = "bench";
    node->config.sessions_max = 16;
    node->config.gossip.members_max = 16;
    node->config.random_seed[0] = (uint8_t)(number + 1);
    if (!context_init(&node->context, &node->config))
        fail("no memory for a context");
    node->context.now_ns = now_ns;
    deadlines_init(node->context.deadlines, now_ns);
    node->sessions = sessions_new(&node->context);
    node->topics = topics_new(&node->context, node->sessions);
    if (node->topics == NULL)
        fail("no memory for a room");
}

static void take(struct node *node, uint64_t sender, struct span frame)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    double start = cpu_now();
    reader_init(&reader, frame);
    if (envelope_decode(&reader, CHANNEL_FORWARD, &envelope) != ERROR_OK)
        fail("a frame was not understood");
    while (message_next(&reader, &message, &error)) {
        if (topics_from_node(node->topics, sender, &message) != ERROR_OK)
            fail("a message was refused");
    }
    topics_look(node->topics);
    node->cpu_s += cpu_now() - start;
    node->bytes_in += frame.bytes;
    node->frames_in++;
}

/* Everything that waits at one node goes to the other; false: nothing did. */
static bool carry(uint32_t from)
{
    static uint8_t frame[4 << 20];
    struct node *node = &nodes[from];
    struct node *other = &nodes[1 - from];
    struct mesh_output output;
    bool is_any = false;
    node->context.now_ns = other->context.now_ns = now_ns;
    double start = cpu_now();
    topics_flush(node->topics);
    while (outbox_next(node->context.outbox, &output)) {
        if (output.order != MESH_SEND)
            continue;
        if (output.bytes > sizeof frame)
            fail("a frame is larger than expected");
        outbox_write(node->context.outbox, frame);
        node->cpu_s += cpu_now() - start;
        take(other, node->context.instance, span_of(frame, output.bytes));
        start = cpu_now();
        is_any = true;
    }
    topics_pull_ended(node->topics);
    scratch_clear(&node->context.scratch);
    node->cpu_s += cpu_now() - start;
    return is_any;
}

static void carry_all(void)
{
    bool is_any = true;
    while (is_any) {
        is_any = carry(0);
        is_any = (nodes[1].topics != NULL && carry(1)) || is_any;
    }
}

static void pass_ms(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        now_ns += 1000000;
        for (uint32_t n = 0; n < NODES && nodes[n].topics != NULL; n++) {
            const struct deadline *due;
            nodes[n].context.now_ns = now_ns;
            while ((due = deadlines_next_due(nodes[n].context.deadlines, now_ns)) != NULL)
                (void)topics_due(nodes[n].topics, due);
            topics_look(nodes[n].topics);
        }
        carry_all();
    }
}

static void introduce(uint32_t from, uint32_t to)
{
    struct context *context = &nodes[from].context;
    char address[] = "0:1";
    address[0] = (char)('0' + to);
    topics_member_joined(nodes[from].topics, nodes[to].context.instance);
    struct link *link = links_open(context->links, span_text(address));
    links_open_forward(context->links, link, span_text(address));
    links_bind(context->links, link, nodes[to].context.instance);
    links_up(context->links, link->number, CHANNEL_FORWARD);
    topics_link_up(nodes[from].topics, nodes[to].context.instance);
}

/* Whether the first node sequences that path. */
static bool is_its(const char *path)
{
    uint64_t hash = topic_path_hash(span_text(path));
    return nodes[1].topics == NULL || topic_weight(hash, nodes[0].context.instance) >
                                          topic_weight(hash, nodes[1].context.instance);
}

/* One SET, as another node would ask for it. */
static void set(uint32_t number, uint32_t value_bytes)
{
    static uint8_t value[VALUE_BYTES_MAX];
    static uint64_t correlation;
    char path[64];
    snprintf(path, sizeof path, "market/%u/price/%u", number % 100, number);
    if (!is_its(path))
        return;
    struct topic_set fields = {.path = span_text(path),
                               .type = VALUE_BINARY,
                               .rights = TOPIC_RIGHT_UPDATE | TOPIC_RIGHT_MODIFY};
    uint8_t encoded[256];
    struct writer writer;
    writer_init(&writer, encoded, sizeof encoded);
    schema_encode(&topic_set_schema, &fields, &writer);
    struct message message = {.kind = KIND_SET,
                              .correlation = ++correlation,
                              .fields = span_of(encoded, sizeof encoded - writer.left),
                              .body = span_of(value, value_bytes)};
    if (topics_from_node(nodes[0].topics, PUBLISHER, &message) != ERROR_OK)
        fail("a SET was refused");
}

static void sets(uint32_t topics, uint32_t value_bytes, const char *what)
{
    nodes[0].cpu_s = nodes[1].cpu_s = 0;
    nodes[1].bytes_in = nodes[1].frames_in = 0;
    uint64_t before = nodes[0].context.counters[COUNTER_topic_updates];
    for (uint32_t i = 0; i < topics; i++) {
        double start = cpu_now();
        set(i, value_bytes);
        nodes[0].cpu_s += cpu_now() - start;
        if (i % BATCH == BATCH - 1)
            carry_all();
    }
    carry_all();
    double done = (double)(nodes[0].context.counters[COUNTER_topic_updates] - before);
    printf("%-28s %8.2f us at the sequencer  %8.2f us at a replica  %6.0f bytes a push\n", what,
           nodes[0].cpu_s * 1e6 / done, nodes[1].cpu_s * 1e6 / done,
           nodes[1].frames_in == 0 ? 0 : (double)nodes[1].bytes_in / (double)nodes[1].frames_in);
}

static void join(uint32_t topics)
{
    node_start(1);
    nodes[0].cpu_s = 0;
    introduce(0, 1);
    introduce(1, 0);
    topics_joined(nodes[1].topics);
    uint64_t start_ns = now_ns;
    while (!topics_are_synced(nodes[1].topics) && now_ns - start_ns < UINT64_C(60000000000))
        pass_ms(1);
    if (topics_count(nodes[1].topics) != topics ||
        topics_hash(nodes[0].topics) != topics_hash(nodes[1].topics))
        fail("the joiner does not have everything");
    printf("%-28s %8.2f ms of CPU here, %.2f ms at the giver, %.1f MB in %llu frames\n",
           "a joiner has everything", nodes[1].cpu_s * 1e3, nodes[0].cpu_s * 1e3,
           (double)nodes[1].bytes_in / 1e6, (unsigned long long)nodes[1].frames_in);
    printf("%-28s %8.1f bytes a topic\n", "memory.topics",
           (double)nodes[1].context.memory.used[MEMORY_TOPICS] / topics);
}

static void selectors(uint32_t selections_count)
{
    static struct selections selections;
    struct memory memory = {
        .limit = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    char text[64];
    double start = cpu_now();
    if (!selections_init(&selections, &memory, 3))
        fail("no memory");
    for (uint32_t i = 0; i < selections_count; i++) {
        if (i % 50 == 0)
            snprintf(text, sizeof text, "market/+/price/%u", i);
        else
            snprintf(text, sizeof text, "market/%u/price/%u", i % 100, i);
        if (selections_add(&selections, i % 1000, span_text(text)) == NULL)
            fail("a selection was refused");
    }
    printf("%-28s %8.2f us each, %.0f bytes\n", "a selection is added",
           (cpu_now() - start) * 1e6 / selections_count,
           (double)memory.used[MEMORY_TABLES] / selections_count);
    start = cpu_now();
    uint32_t found = 0;
    for (uint32_t i = 0; i < selections_count; i++) {
        snprintf(text, sizeof text, "market/%u/price/%u", i % 100, i);
        found += selections_of_path(&selections, span_text(text)) != NULL ? 1 : 0;
    }
    printf("%-28s %8.2f us each, %u of %u selected\n", "a path finds its selections",
           (cpu_now() - start) * 1e6 / selections_count, found, selections_count);
    selections_clear(&selections);
}

int main(int argc, char **argv)
{
    uint32_t topics = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    uint32_t bytes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 200;
    uint32_t selections = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 100000;
    if (topics == 0 || bytes > VALUE_BYTES_MAX || selections == 0)
        fail("topics and selections are at least 1, a value at most 65,536 bytes");
    node_start(0);
    topics_joined(nodes[0].topics);
    pass_ms(1);
    topics_member_joined(nodes[0].topics, PUBLISHER); /* who asks, and sequences nothing */
    printf("%u topics of %u bytes, %u selections\n", topics, bytes, selections);
    sets(topics, bytes, "a topic is created");
    sets(topics, bytes, "a topic is set");
    join(topics);
    sets(topics, bytes, "a topic is set, two nodes");
    selectors(selections);
    for (uint32_t n = 0; n < NODES; n++) {
        topics_destroy(&nodes[n].topics);
        sessions_destroy(&nodes[n].sessions);
        context_clear(&nodes[n].context);
    }
    return 0;
}
