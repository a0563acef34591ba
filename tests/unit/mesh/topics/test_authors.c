/* test_authors.c - what other nodes may say to the room, right or wrong. */
#include <criterion/criterion.h>

#include "mesh/base/context.h"
#include "mesh/topics/authors.h"
#include "mesh/topics/merge.h"
#include "mesh/topics/sequencers.h"
#include "mesh/topics/topics.h"
#include "proto/kinds.h"
#include "proto/log.h"
#include "proto/topic_entry.h"

enum { PEER = 77, STRANGER = 88 };

static struct mesh_config config;
static struct context context;
static struct sessions *sessions;
static struct topics *topics;
static uint8_t bytes[4096];

static void set_up(void)
{
    mesh_config_defaults(&config);
    config.cluster = config.name = "test";
    config.sessions_max = 4;
    config.gossip.members_max = 16;
    context = (struct context){0};
    cr_assert(context_init(&context, &config));
    context.now_ns = UINT64_C(1) << 40;
    deadlines_init(context.deadlines, context.now_ns);
    sessions = sessions_new(&context);
    topics = topics_new(&context, sessions);
    cr_assert_not_null(topics);
    topics_member_joined(topics, PEER);
}

static void tear_down(void)
{
    topics_check(topics);
    topics_destroy(&topics);
    sessions_destroy(&sessions);
    context_clear(&context);
}

TestSuite(authors, .init = set_up, .fini = tear_down);

static struct topic_entry entry(uint64_t position, const char *path, uint64_t term, uint64_t n)
{
    return (struct topic_entry){.type = position == 1 ? TOPIC_ENTRY_SERVING : TOPIC_ENTRY_SET,
                                .position = position,
                                .term = position == 1 ? 0 : term,
                                .instance = position == 1 ? 0 : PEER,
                                .n = position == 1 ? 0 : n,
                                .path = span_text(position == 1 ? "" : path),
                                .value_type = VALUE_STRING,
                                .value = span_text(position == 1 ? "" : "v")};
}

/* LOG_ENTRIES of that peer with one entry. */
static enum error push(uint64_t peer, uint64_t first, const struct topic_entry *one, size_t cut)
{
    struct log_entries fields = {
        .writer = peer, .stream = LOG_TOPICS, .first = first, .last = first, .head = first};
    static uint8_t head[128];
    struct writer writer;
    writer_init(&writer, head, sizeof head);
    schema_encode(&log_entries_schema, &fields, &writer);
    struct message message = {.kind = KIND_LOG_ENTRIES,
                              .fields = span_of(head, sizeof head - writer.left)};
    writer_init(&writer, bytes, sizeof bytes);
    topic_entry_encode(one, &writer);
    message.body = span_of(bytes, sizeof bytes - writer.left - cut);
    return topics_from_node(topics, peer, &message);
}

static enum error push_entry(uint64_t first, struct topic_entry one)
{
    return push(PEER, first, &one, 0);
}

Test(authors, write_their_own_log_in_order)
{
    cr_assert_eq(push_entry(1, entry(1, "", 0, 0)), ERROR_OK);
    cr_assert_eq(push_entry(2, entry(2, "a", 5, 1)), ERROR_OK);
    cr_assert_eq(push_entry(3, entry(3, "b", 6, 1)), ERROR_OK);
    cr_assert_eq(topics_count(topics), 2);
    cr_assert_eq(push_entry(2, entry(2, "a", 9, 1)), ERROR_OK, "known already: ignored");
    cr_assert_eq(push_entry(9, entry(9, "z", 9, 1)), ERROR_OK, "early: what is between is missing");
    cr_assert_eq(topics_count(topics), 2);
}

Test(authors, that_break_the_rules_change_nothing)
{
    cr_assert_eq(push_entry(1, entry(2, "a", 5, 1)), ERROR_INVALID_MESSAGE, "another place");
    struct topic_entry early = entry(2, "a", 5, 1);
    early.position = 1;
    cr_assert_eq(push_entry(1, early), ERROR_INVALID_MESSAGE, "a log begins with its writer");
    cr_assert_eq(push_entry(1, entry(1, "", 0, 0)), ERROR_OK);
    cr_assert_eq(push_entry(2, entry(1, "", 0, 0)), ERROR_INVALID_MESSAGE, "and only once");
    struct topic_entry last = entry(2, "a", UINT64_MAX, 1);
    cr_assert_eq(push_entry(2, last), ERROR_INVALID_MESSAGE, "no term is left above it");
    struct topic_entry whole = entry(2, "a", 5, 1);
    for (size_t cut = 1; cut < topic_entry_measure(&whole); cut++)
        cr_assert_eq(push(PEER, 2, &whole, cut), ERROR_INVALID_MESSAGE, "%zu", cut);
    cr_assert_eq(topics_count(topics), 0);
}

Test(authors, that_are_no_members_are_not_heard)
{
    struct topic_entry one = entry(1, "", 0, 0);
    cr_assert_eq(push(STRANGER, 1, &one, 0), ERROR_OK);
    struct message message = {.kind = KIND_SET, .correlation = 1};
    cr_assert_eq(topics_from_node(topics, STRANGER, &message), ERROR_OK);
    cr_assert_eq(context.counters[COUNTER_frames_not_ours], 1);
    message.kind = KIND_LOG_COLLECT;
    cr_assert_eq(topics_from_node(topics, STRANGER, &message), ERROR_INVALID_MESSAGE);
}

Test(authors, are_remembered_by_the_highest_version)
{
    cr_assert_eq(push_entry(1, entry(1, "", 0, 0)), ERROR_OK);
    cr_assert_eq(push_entry(2, entry(2, "a", 5, 1)), ERROR_OK);
    uint64_t hash = topics_hash(topics);
    cr_assert_eq(push_entry(3, entry(3, "a", 4, 9)), ERROR_OK, "an older term");
    cr_assert_eq(topics_hash(topics), hash);
    cr_assert_eq(push_entry(4, entry(4, "a", 5, 2)), ERROR_OK);
    cr_assert_neq(topics_hash(topics), hash);
    struct topic_entry removed = {.type = TOPIC_ENTRY_REMOVED,
                                  .position = 5,
                                  .term = 5,
                                  .instance = PEER,
                                  .n = 3,
                                  .path = span_text("a")};
    cr_assert_eq(push_entry(5, removed), ERROR_OK);
    cr_assert_eq(topics_count(topics), 0);
    cr_assert_eq(topics_hash(topics), 0);
    cr_assert_eq(push_entry(6, entry(6, "a", 5, 2)), ERROR_OK);
    cr_assert_eq(topics_count(topics), 0, "what was removed since stays so");
}

/* As pieces of snapshots may, which are merged above what is complete. */
static void merge_one(struct author *author, struct topic_entry one)
{
    cr_assert_eq(merge_entry(topics, author, &one), ERROR_OK);
    topics_check(topics);
}

Test(authors, are_believed_once_about_a_position)
{
    struct author *author = authors_get(topics, PEER);
    merge_one(author, entry(7, "b", 5, 1));
    merge_one(author, entry(5, "a", 5, 1));
    uint64_t hash = topics_hash(topics);
    merge_one(author, entry(5, "c", 5, 1));
    merge_one(author, entry(7, "a", 6, 1));
    cr_assert_eq(topics_hash(topics), hash, "what came first stands");
    cr_assert_eq(context.counters[COUNTER_log_rejected], 2);
    merge_one(author, entry(7, "b", 6, 1));
    cr_assert_eq(topics_count(topics), 2);
    cr_assert_neq(topics_hash(topics), hash, "of its own path more may be said");
}

Test(authors, that_took_over_are_believed_once_about_a_position)
{
    struct author *dead = authors_get(topics, STRANGER);
    struct author *heir = authors_get(topics, PEER);
    merge_one(dead, entry(3, "a", 5, 1));
    merge_one(heir, entry(2, "b", 5, 1));
    merge_one(heir, entry(2, "a", 5, 1));
    cr_assert_eq(dead->count, 1, "its place in the other log is taken");
    merge_one(heir, entry(4, "a", 5, 1));
    cr_assert_eq(dead->count, 0);
    cr_assert_eq(heir->count, 2);
}

static void time_pass_ms(uint64_t ms)
{
    const struct deadline *due;
    for (; ms > 0; ms -= 10) {
        context.now_ns += UINT64_C(10000000);
        while ((due = deadlines_next_due(context.deadlines, context.now_ns)) != NULL)
            (void)topics_due(topics, due);
        topics_look(topics);
        scratch_clear(&context.scratch);
    }
}

/* Its sequencer takes it over at once, but may lack it. */
Test(authors, that_died_are_taken_over_by_whoever_has_what_they_wrote)
{
    char path[] = "a";
    topics_joined(topics);
    cr_assert_eq(push_entry(1, entry(1, "", 0, 0)), ERROR_OK);
    time_pass_ms(15000); /* the peer does not answer, and is not waited for for ever */
    cr_assert(topics_are_synced(topics));
    while (sequencers_find(topics, topic_path_hash(span_text(path))) != PEER)
        path[0]++;
    struct author *dead = authors_get(topics, STRANGER);
    merge_one(dead, entry(2, path, 5, 1));
    time_pass_ms(1500);
    cr_assert_eq(dead->count, 1, "the peer sequences it");
    time_pass_ms(10000);
    cr_assert_eq(topics->own.count, 1, "but has not taken it over");
}

Test(authors, of_later_versions_are_kept)
{
    struct topic_entry later = {.type = 99,
                                .position = 2,
                                .term = 1,
                                .instance = PEER,
                                .n = 1,
                                .path = span_text("\xfe"),
                                .rest = span_text("whatever")};
    cr_assert_eq(push_entry(1, entry(1, "", 0, 0)), ERROR_OK);
    cr_assert_eq(push_entry(2, later), ERROR_OK);
    cr_assert_eq(topics_count(topics), 0, "it is no topic");
    cr_assert_eq(topics_behind(topics), 0, "but it is here");
}

Test(authors, wait_while_memory_is_full)
{
    cr_assert_eq(push_entry(1, entry(1, "", 0, 0)), ERROR_OK);
    context.memory.limit[MEMORY_TOPICS] = 10;
    cr_assert_eq(push_entry(2, entry(2, "a", 5, 1)), ERROR_OK);
    cr_assert_eq(topics_count(topics), 0);
    cr_assert_eq(topics_behind(topics), 1, "it is asked for again");
    context.memory.limit[MEMORY_TOPICS] = 1 << 20;
    cr_assert_eq(push_entry(2, entry(2, "a", 5, 1)), ERROR_OK);
    cr_assert_eq(topics_count(topics), 1);
}
