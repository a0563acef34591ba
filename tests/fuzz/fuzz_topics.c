/* fuzz_topics.c - the room of topics, told things by three peers that may say anything: entries in
 * and out of order, chunks that were asked for, SETs and REMOVEs, questions, raw bytes; while
 * members come and go and time passes. Every invariant is required after each step. */
#include "mesh/topics/topics.h"
#include "proto/kinds.h"
#include "proto/log.h"
#include "proto/reader.h"
#include "proto/topic_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 3, STEPS_MAX = 400, BODY_BYTES = 8192 };

static struct mesh_config config;
static struct context context;
static struct topics *topics;
static uint64_t asked[PEERS]; /* the correlation of the last pull sent to each */
static uint8_t fields[512], body[BODY_BYTES];

static void start(struct sessions **sessions)
{
    mesh_config_defaults(&config);
    config.cluster = config.name = "fuzz";
    config.sessions_max = 2;
    config.gossip.members_max = 8;
    config.topic_memory_max = 64 * 1024;
    context = (struct context){0};
    require(context_init(&context, &config));
    context.now_ns = UINT64_C(1) << 40;
    deadlines_init(context.deadlines, context.now_ns);
    *sessions = sessions_new(&context);
    topics = topics_new(&context, *sessions);
    require(topics != NULL);
    for (uint64_t peer = 1; peer <= PEERS; peer++) {
        struct link *link = links_open(context.links, span_text("peer:1"));
        links_open_forward(context.links, link, span_text("peer:1"));
        links_bind(context.links, link, peer);
        links_up(context.links, link->number, CHANNEL_FORWARD);
        asked[peer - 1] = 0;
    }
    topics_joined(topics);
}

static void look_at(uint64_t peer, struct span frame)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    reader_init(&reader, frame);
    require(envelope_decode(&reader, CHANNEL_FORWARD, &envelope) == ERROR_OK);
    while (message_next(&reader, &message, &error)) {
        if (message.kind == KIND_LOG_PULL)
            asked[peer - 1] = message.correlation;
    }
    require(error == ERROR_OK);
}

static void pull(void)
{
    static uint8_t frame[1 << 22];
    struct mesh_output output;
    topics_flush(topics);
    while (outbox_next(context.outbox, &output)) {
        if (output.order != MESH_SEND || output.bytes > sizeof frame)
            continue;
        const struct link *link = links_find(context.links, output.link);
        outbox_write(context.outbox, frame);
        if (link != NULL && output.channel == CHANNEL_FORWARD)
            look_at(link->instance, span_of(frame, output.bytes));
    }
    topics_pull_ended(topics);
    scratch_clear(&context.scratch);
}

static void say(uint64_t peer, uint8_t kind, uint64_t correlation, const struct schema *schema,
                const void *values, struct span said)
{
    struct writer writer;
    writer_init(&writer, fields, sizeof fields);
    schema_encode(schema, values, &writer);
    struct message message = {.kind = kind,
                              .correlation = correlation,
                              .fields = span_of(fields, sizeof fields - writer.left),
                              .body = said};
    if (!writer.is_bad)
        (void)topics_from_node(topics, peer, &message);
}

/* Up to eight entries from a few bytes each. */
static struct span entries_draw(struct reader *input, uint64_t first, uint64_t *last)
{
    static const char *const paths[] = {"a", "a/b", "b", "a/b/c"};
    struct writer writer;
    uint64_t count = reader_u8(input) % 8;
    writer_init(&writer, body, sizeof body);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t shape = reader_u8(input);
        uint8_t version = reader_u8(input);
        struct topic_entry entry = {.type = shape % 8 == 7   ? 90
                                            : shape % 8 == 6 ? 2
                                                             : 1,
                                    .position = first + i,
                                    .term = 1 + version % 16,
                                    .instance = 1 + shape / 64,
                                    .n = 1 + version / 16,
                                    .path = span_text(paths[shape / 8 % 4]),
                                    .value_type = VALUE_STRING};
        if (entry.type == 1 && shape % 2 == 0)
            entry.creator = (struct session_id){5, 1 + shape % 3};
        if (entry.position == 1)
            entry = (struct topic_entry){.type = TOPIC_ENTRY_SERVING, .position = 1};
        topic_entry_encode(&entry, &writer);
    }
    *last = first + count - 1;
    return span_of(body, sizeof body - writer.left);
}

static void entries_say(struct reader *input, uint64_t peer)
{
    uint64_t first = 1 + reader_u8(input) % 32;
    struct log_entries head = {.writer = peer, .stream = LOG_TOPICS, .first = first};
    struct span said = entries_draw(input, first, &head.last);
    head.head = head.last + reader_u8(input) % 4;
    say(peer, KIND_LOG_ENTRIES, reader_u8(input) % 2 == 0 ? 0 : asked[peer - 1],
        &log_entries_schema, &head, said);
}

static void chunk_say(struct reader *input, uint64_t peer)
{
    uint64_t last;
    uint64_t first = 1 + reader_u8(input) % 32;
    struct span said = entries_draw(input, first, &last);
    struct log_snapshot head = {.writer = 1 + reader_u8(input) % PEERS,
                                .stream = LOG_TOPICS,
                                .head = reader_u8(input) % 48,
                                .is_last = reader_u8(input) % 2 == 0};
    say(peer, KIND_LOG_SNAPSHOT, asked[peer - 1], &log_snapshot_schema, &head, said);
}

static void set_say(struct reader *input, uint64_t peer)
{
    static const char *const paths[] = {"a", "a/b", "c", "a//"};
    uint8_t shape = reader_u8(input);
    struct topic_set set = {.path = span_text(paths[shape % 4]),
                            .type = VALUE_STRING,
                            .policy = shape / 4 % 4,
                            .mode = shape / 16 % 4,
                            .constraint = shape / 64,
                            .rights = 3,
                            .remove_with_session = shape % 3 == 0,
                            .asker = {5, 1 + shape % 3}};
    say(peer, KIND_SET, 1 + reader_u8(input), &topic_set_schema, &set, span_text("value"));
}

static void raw_say(struct reader *input, uint64_t peer)
{
    static const uint8_t kinds[] = {KIND_LOG_ENTRIES, KIND_LOG_PULL,    KIND_LOG_SNAPSHOT,
                                    KIND_LOG_HEADS,   KIND_LOG_COLLECT, KIND_LOG_COLLECTED,
                                    KIND_SET,         KIND_REMOVE,      KIND_TOPIC};
    struct message message = {.kind = kinds[reader_u8(input) % sizeof kinds],
                              .correlation = reader_u8(input)};
    message.fields = reader_span(input, reader_u8(input));
    message.body = reader_span(input, reader_u8(input));
    (void)topics_from_node(topics, peer, &message);
}

static void time_pass(uint8_t amount)
{
    const struct deadline *due;
    struct session_id id;
    uint32_t cursor = 0;
    context.now_ns += amount * UINT64_C(20000000);
    while ((due = deadlines_next_due(context.deadlines, context.now_ns)) != NULL) {
        if (!topics_due(topics, due))
            continue;
        while (topics_next_creator(topics, &cursor, &id))
            topics_creator_seen(topics, id, (enum creator_state)(amount % 3));
    }
}

static void step(struct reader *input)
{
    uint8_t what = reader_u8(input);
    uint64_t peer = 1 + what / 8 % PEERS;
    switch (what % 8) {
    case 0:
        topics_member_joined(topics, peer);
        break;
    case 1:
        topics_member_lost(topics, peer, what >= 128);
        break;
    case 2:
        chunk_say(input, peer);
        break;
    case 3:
        set_say(input, peer);
        break;
    case 4:
        raw_say(input, peer);
        break;
    case 5:
        time_pass(reader_u8(input));
        break;
    default:
        entries_say(input, peer);
        break;
    }
    topics_look(topics);
    pull();
    topics_check(topics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sessions *sessions;
    struct reader input;
    start(&sessions);
    reader_init(&input, span_of(data, size));
    for (int i = 0; i < STEPS_MAX && input.left > 0 && !input.is_bad; i++)
        step(&input);
    topics_destroy(&topics);
    sessions_destroy(&sessions);
    context_clear(&context);
    return 0;
}
