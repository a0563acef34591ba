/* directory.c - what the directory of a large mesh costs: bytes a session, a joiner's time, how
 * fast a change is known everywhere, bytes and CPU of many changes, forgetting a dead node.
 *
 *     bench_directory [nodes [sessions in the mesh [changes a second [seconds]]]]
 *
 * The nodes are real ownership rooms in one process; the network between them is modelled: every
 * link takes 1 ms, a joiner's access takes 1 Gb/s. Times of the mesh are virtual, CPU is measured.
 * A bench, not a test: it prints, and judges nothing. */
#include "mesh/base/context.h"
#include "mesh/ownership/ownership.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINK_NS = 1000000, TICK_NS = 1000000, NODES_MAX = 300, SAMPLES_MAX = 100000 };

struct frame {
    struct frame *next;
    uint32_t to;
    uint64_t at_ns, sender;
    size_t bytes;
    uint8_t data[];
};

struct node {
    struct mesh_config config;
    struct context context;
    struct ownership *ownership;
    struct session_id *sessions;
    uint32_t count;
    uint64_t bytes_out, bytes_in, frames_out;
    uint64_t access_free_ns; /* when the modelled access has received all */
    double cpu_s;
};

struct sample {
    struct session_id id;
    uint64_t at_ns, known_ns;
    uint32_t node;
    uint32_t next; /* the first node not known to have it */
};

static struct node nodes[NODES_MAX];
static uint32_t nodes_count;
static struct frame *first_frame, **last_frame = &first_frame;
static struct random dice;
static uint64_t now_ns = 1000 * UINT64_C(1000000);
static uint32_t slow_access = UINT32_MAX; /* the node whose access is 1 Gb/s; others: no limit */
static struct sample samples[SAMPLES_MAX];
static size_t samples_first, samples_count;

static double cpu_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_directory: %s\n", what);
    exit(1);
}

static void node_add(void)
{
    struct node *node = &nodes[nodes_count++];
    mesh_config_defaults(&node->config);
    node->config.cluster = "bench";
    node->config.gossip.members_max = NODES_MAX;
    random_bytes(&dice, node->config.random_seed, sizeof node->config.random_seed);
    if (!context_init(&node->context, &node->config))
        fail("no memory for a context");
    node->context.now_ns = now_ns;
    deadlines_init(node->context.deadlines, now_ns);
    node->ownership = ownership_new(&node->context);
    if (node->ownership == NULL)
        fail("no memory for a directory");
}

static void nodes_free(void)
{
    for (uint32_t i = 0; i < nodes_count; i++) {
        ownership_destroy(&nodes[i].ownership);
        context_clear(&nodes[i].context);
        free(nodes[i].sessions);
        nodes[i] = (struct node){0};
    }
    while (first_frame != NULL) {
        struct frame *frame = first_frame;
        first_frame = frame->next;
        free(frame);
    }
    last_frame = &first_frame;
    nodes_count = 0;
}

static void open_session(uint32_t number)
{
    struct node *node = &nodes[number];
    node->context.now_ns = now_ns;
    node->sessions = realloc(node->sessions, (node->count + 1) * sizeof node->sessions[0]);
    if (node->sessions == NULL)
        fail("no memory for a list of sessions");
    struct session_id id = {.instance = node->context.instance, .serial = random_u64(&dice)};
    if (ownership_session_opened(node->ownership, id) != ERROR_OK)
        fail("a session was refused");
    node->sessions[node->count++] = id;
}

static void close_session(uint32_t number)
{
    struct node *node = &nodes[number];
    node->context.now_ns = now_ns;
    uint32_t at = (uint32_t)random_below(&dice, node->count);
    ownership_session_closed(node->ownership, node->sessions[at]);
    node->sessions[at] = node->sessions[--node->count];
}

/* When a frame that leaves now has arrived whole. */
static uint64_t arrival(uint32_t to, size_t bytes)
{
    uint64_t at_ns = now_ns + LINK_NS;
    if (to != slow_access)
        return at_ns;
    struct node *node = &nodes[to];
    uint64_t start_ns = node->access_free_ns > at_ns ? node->access_free_ns : at_ns;
    node->access_free_ns = start_ns + bytes * 8; /* 1 Gb/s: 8 ns a byte */
    return node->access_free_ns;
}

static void pull(uint32_t number)
{
    struct node *node = &nodes[number];
    struct mesh_output output;
    while (outbox_next(node->context.outbox, &output)) {
        if (output.order != MESH_SEND)
            continue;
        struct frame *frame = malloc(sizeof *frame + output.bytes);
        if (frame == NULL)
            fail("no memory for a frame");
        outbox_write(node->context.outbox, frame->data);
        frame->bytes = output.bytes;
        frame->next = NULL;
        frame->sender = node->context.instance;
        /* The address says which node it is. */
        const struct link *link = links_find(node->context.links, output.link);
        frame->to = (uint32_t)strtoul(link->forward_address, NULL, 10);
        frame->at_ns = arrival(frame->to, frame->bytes);
        node->bytes_out += frame->bytes;
        node->frames_out++;
        *last_frame = frame;
        last_frame = &frame->next;
    }
    scratch_clear(&node->context.scratch);
}

static void introduce(uint32_t from, uint32_t to)
{
    struct node *node = &nodes[from];
    uint64_t instance = nodes[to].context.instance;
    char address[32];
    snprintf(address, sizeof address, "%u:1", (unsigned)to);
    node->context.now_ns = now_ns;
    ownership_member_joined(node->ownership, instance);
    struct link *link = links_open(node->context.links, span_text(address));
    links_open_forward(node->context.links, link, span_text(address));
    links_bind(node->context.links, link, instance);
    links_up(node->context.links, link->number, CHANNEL_FORWARD);
    ownership_link_up(node->ownership, instance);
    pull(from);
}

static void deliver(const struct frame *arrived)
{
    struct node *node = &nodes[arrived->to];
    double start = cpu_now();
    node->context.now_ns = now_ns;
    node->bytes_in += arrived->bytes;
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    reader_init(&reader, span_of(arrived->data, arrived->bytes));
    if (envelope_decode(&reader, CHANNEL_FORWARD, &envelope) != ERROR_OK)
        fail("a frame was not understood");
    while (message_next(&reader, &message, &error)) {
        if (ownership_receive(node->ownership, arrived->sender, &message) != ERROR_OK)
            fail("a message was refused");
    }
    pull(arrived->to);
    node->cpu_s += cpu_now() - start;
}

/* All that has arrived by now; frames to the slow access may wait behind others. */
static void deliver_due(void)
{
    struct frame **at = &first_frame;
    while (*at != NULL) {
        struct frame *frame = *at;
        if (frame->at_ns > now_ns) {
            at = &frame->next;
            continue;
        }
        *at = frame->next;
        if (last_frame == &frame->next)
            last_frame = at;
        deliver(frame);
        free(frame);
    }
}

static void tick(uint32_t number)
{
    struct node *node = &nodes[number];
    double start = cpu_now();
    node->context.now_ns = now_ns;
    struct deadline *due;
    while ((due = deadlines_next_due(node->context.deadlines, now_ns)) != NULL)
        ownership_due(node->ownership, due);
    pull(number);
    node->cpu_s += cpu_now() - start;
}

static void samples_look(void)
{
    for (size_t i = samples_first; i < samples_count; i++) {
        struct sample *sample = &samples[i];
        bool is_shaded;
        while (sample->next < nodes_count &&
               ownership_find_session(nodes[sample->next].ownership, sample->id, &is_shaded) != 0)
            sample->next++;
        if (sample->next == nodes_count && sample->known_ns == 0)
            sample->known_ns = now_ns;
    }
    while (samples_first < samples_count && samples[samples_first].known_ns != 0)
        samples_first++;
}

static void run_ms(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        now_ns += TICK_NS;
        deliver_due();
        for (uint32_t n = 0; n < nodes_count; n++)
            tick(n);
        samples_look();
    }
}

static void counters_reset(void)
{
    for (uint32_t i = 0; i < nodes_count; i++)
        nodes[i].bytes_out = nodes[i].bytes_in = nodes[i].frames_out = 0, nodes[i].cpu_s = 0;
}

/* Changes that are over, more than a ring holds: what is there now comes as a snapshot. */
static void grow_old(uint32_t number)
{
    for (uint32_t i = 0; i < 60000; i++) {
        open_session(number);
        close_session(number);
    }
}

/* All sessions are there; one node joins and pulls the others' logs. */
static void bench_join(uint32_t count, uint32_t sessions, bool is_old)
{
    for (uint32_t i = 0; i < count; i++)
        node_add();
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t s = 0; s < sessions / count; s++)
            open_session(i);
        if (is_old)
            grow_old(i);
    }
    run_ms(100);
    counters_reset();
    uint64_t start_ns = now_ns;
    slow_access = 0;
    for (uint32_t i = 1; i < count; i++) {
        introduce(0, i);
        introduce(i, 0);
    }
    while (!ownership_is_synced(nodes[0].ownership))
        run_ms(1);
    uint32_t known = ownership_sessions(nodes[0].ownership);
    double used = (double)nodes[0].context.memory.used[MEMORY_DIRECTORY];
    printf("joining a mesh that %s:\n", is_old ? "has lived (snapshots)" : "is new (entries)");
    printf("a node's directory       %10.1f bytes a session (%u sessions on %u nodes)\n",
           used / known, (unsigned)known, (unsigned)count);
    printf("a joiner is complete in  %10.0f ms at 1 Gb/s, 1 ms links; %.1f MB, %.0f ms of CPU\n",
           (double)(now_ns - start_ns) / 1e6, (double)nodes[0].bytes_in / 1e6,
           nodes[0].cpu_s * 1e3);
    double before = cpu_now();
    ownership_member_failed(nodes[0].ownership, nodes[1].context.instance);
    double shaded = cpu_now();
    ownership_member_gone(nodes[0].ownership, nodes[1].context.instance);
    double dropped = cpu_now();
    printf("forgetting a dead node   %10.1f us, dropping it for good %.1f us (%u sessions)\n",
           (shaded - before) * 1e6, (dropped - shaded) * 1e6, (unsigned)(sessions / count));
    nodes_free();
    slow_access = UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void latency_print(const char *what)
{
    static uint64_t sorted[SAMPLES_MAX];
    if (samples_first < samples_count)
        fail("a change did not arrive everywhere");
    for (size_t i = 0; i < samples_count; i++)
        sorted[i] = samples[i].known_ns - samples[i].at_ns;
    qsort(sorted, samples_count, sizeof sorted[0], compare);
    printf("%s %10.0f ms p50, %.0f ms p99, %.0f ms at most (%zu samples)\n", what,
           (double)sorted[samples_count / 2] / 1e6, (double)sorted[samples_count * 99 / 100] / 1e6,
           (double)sorted[samples_count - 1] / 1e6, samples_count);
    samples_first = samples_count = 0;
}

static void sample_add(uint32_t node)
{
    if (samples_count == SAMPLES_MAX)
        return;
    samples[samples_count++] = (struct sample){
        .id = nodes[node].sessions[nodes[node].count - 1], .at_ns = now_ns, .node = node};
}

static void mesh_make(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        node_add();
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < count; k++) {
            if (i != k)
                introduce(i, k);
        }
    }
    run_ms(500);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t s = 0; s < 100; s++)
            open_session(i);
    }
    run_ms(500);
}

static void bench_changes(uint32_t count, uint32_t rate, uint32_t seconds)
{
    mesh_make(count);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t node = (uint32_t)random_below(&dice, count);
        open_session(node);
        sample_add(node);
        run_ms(100);
    }
    latency_print("a change, quiet mesh    ");
    counters_reset();
    uint64_t changes = 0;
    for (uint32_t ms = 0; ms < seconds * 1000; ms++) {
        for (; changes < (uint64_t)rate * (ms + 1) / 1000; changes++) {
            uint32_t node = (uint32_t)random_below(&dice, count);
            if (changes % 2 == 0)
                close_session(node);
            else
                open_session(node);
            if (changes % 202 == 1)
                sample_add(node);
        }
        run_ms(1);
    }
    double bytes = 0;
    double frames = 0;
    double cpu = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += (double)nodes[i].bytes_out;
        frames += (double)nodes[i].frames_out;
        cpu += nodes[i].cpu_s;
    }
    run_ms(1000);
    /* A sampled session may have been closed again; then nobody finds it any more. */
    for (size_t i = samples_first; i < samples_count; i++) {
        bool is_shaded;
        if (ownership_find_session(nodes[samples[i].node].ownership, samples[i].id, &is_shaded) ==
            0)
            samples[i] = samples[--samples_count], i--;
    }
    while (samples_first < samples_count && samples[samples_first].known_ns != 0)
        samples_first++;
    printf("%u changes a second in the mesh of %u, %u s:\n", (unsigned)rate, (unsigned)count,
           (unsigned)seconds);
    latency_print("a change, busy mesh     ");
    double node_seconds = (double)count * seconds;
    printf("a node sends             %10.0f KB/s in %.0f frames/s\n", bytes / node_seconds / 1e3,
           frames / node_seconds);
    printf("a node spends            %10.2f %% of a CPU\n", cpu / node_seconds * 100);
    nodes_free();
}

static uint32_t argument(int argc, char **argv, int at, uint32_t otherwise)
{
    return argc > at ? (uint32_t)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    uint8_t seed[32] = {42};
    random_init(&dice, seed, 1);
    uint32_t count = argument(argc, argv, 1, 100);
    uint32_t sessions = argument(argc, argv, 2, 1000000);
    uint32_t rate = argument(argc, argv, 3, 10000);
    uint32_t seconds = argument(argc, argv, 4, 5);
    if (count < 2 || count > NODES_MAX || sessions < count || seconds == 0)
        fail("use: bench_directory [nodes 2..300 [sessions [changes a second [seconds]]]]");
    bench_join(count, sessions, false);
    bench_join(count, sessions, true);
    bench_changes(count, rate, seconds);
    return 0;
}
