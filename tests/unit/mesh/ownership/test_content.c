/* test_content.c - entries add up to the same whatever way they came, also without memory. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/base/random.h"
#include "mesh/ownership/content.h"
#include "mesh/ownership/snapshot.h"
#include "proto/command.h"
#include "proto/log.h"

enum { WRITER = 7, OTHER = 9 };

static struct memory memory;
static struct directory directory;
static struct content *content;
static struct random dice;

static void set_up(void)
{
    memory = (struct memory){0};
    memory.limit[MEMORY_DIRECTORY] = UINT64_MAX;
    directory_init(&directory, &memory, 3);
    content = content_new(&directory, WRITER);
    cr_assert_not_null(content);
    content_show(content, CONTENT_LIVE);
    random_init(&dice, (const uint8_t[32]){4}, 0);
}

static void tear_down(void)
{
    content_destroy(&content);
    directory_clear(&directory);
    cr_assert_eq(memory.used[MEMORY_DIRECTORY], 0);
}

TestSuite(content, .init = set_up, .fini = tear_down);
TestSuite(snapshot, .init = set_up, .fini = tear_down);

static struct session_id id(uint64_t instance, uint64_t serial)
{
    return (struct session_id){.instance = instance, .serial = serial};
}

static enum error apply(enum ownership_entry_type type, struct session_id session, uint8_t value,
                        const char *path)
{
    struct ownership_entry entry = {.type = type,
                                    .session = session,
                                    .state = value,
                                    .handler_kind = value,
                                    .path = span_text(path)};
    return content_apply(content, &entry);
}

/* What a later version registers. */
static void register_later(struct session_id session, const char *path, const char *options)
{
    struct ownership_entry entry = {.type = OWNERSHIP_HANDLER_REGISTERED,
                                    .session = session,
                                    .handler_kind = 200,
                                    .path = span_text(path),
                                    .value = span_text(options)};
    cr_assert_eq(content_apply(content, &entry), ERROR_OK);
}

static void claim(struct session_id session, uint32_t version)
{
    struct ownership_entry entry = {.type = OWNERSHIP_SESSION_CLAIMED,
                                    .session = session,
                                    .state = SESSION_ACTIVE,
                                    .claim = version};
    cr_assert_eq(content_apply(content, &entry), ERROR_OK);
}

static void fill(uint32_t entries)
{
    char path[32];
    for (uint32_t i = 0; i < entries; i++) {
        struct session_id session = id(i % 10 == 0 ? OTHER + i % 40 : WRITER, random_u64(&dice));
        apply(OWNERSHIP_SESSION_OPENED, session, SESSION_ACTIVE, NULL);
        snprintf(path, sizeof path, "some/path/%u", (unsigned)(i % 97));
        if (i % 5 == 0)
            apply(OWNERSHIP_HANDLER_REGISTERED, session, (uint8_t)(1 + i % 3), path);
        if (i % 7 == 0)
            register_later(session, path, i % 2 == 0 ? "" : "some options");
        if (i % 11 == 0)
            claim(session, i);
    }
    content_check(content);
}

Test(content, is_the_same_when_an_entry_comes_twice)
{
    apply(OWNERSHIP_SESSION_OPENED, id(WRITER, 1), SESSION_ACTIVE, NULL);
    apply(OWNERSHIP_HANDLER_REGISTERED, id(WRITER, 1), HANDLER_REQUEST, "a");
    uint64_t hash = content->totals.hash;
    apply(OWNERSHIP_SESSION_OPENED, id(WRITER, 1), SESSION_ACTIVE, NULL);
    apply(OWNERSHIP_HANDLER_REGISTERED, id(WRITER, 1), HANDLER_REQUEST, "a");
    cr_assert_eq(content->totals.hash, hash);
    cr_assert_eq(content->totals.sessions, 1);
    cr_assert_eq(content->totals.handlers, 1);
    apply(OWNERSHIP_SESSION_CLOSED, id(WRITER, 1), 0, NULL);
    apply(OWNERSHIP_SESSION_CLOSED, id(WRITER, 1), 0, NULL);
    apply(OWNERSHIP_HANDLER_REMOVED, id(WRITER, 1), HANDLER_REQUEST, "a");
    cr_assert_eq(content->totals.hash, 0);
    cr_assert_eq(directory.live.sessions, 0);
    cr_assert_eq(directory.live.handlers, 0);
}

Test(content, keeps_what_a_later_version_registers_and_its_newest_value)
{
    apply(OWNERSHIP_SESSION_OPENED, id(WRITER, 1), SESSION_ACTIVE, NULL);
    uint64_t before = content->totals.hash;
    register_later(id(WRITER, 1), "a", "old");
    uint64_t old = content->totals.hash;
    register_later(id(WRITER, 1), "a", "new");
    cr_assert_neq(content->totals.hash, old);
    cr_assert_eq(content->registrations, 1);
    cr_assert_eq(content->totals.handlers, 0, "it is not a handler");
    content_check(content);
    apply(OWNERSHIP_HANDLER_REMOVED, id(WRITER, 1), 200, "a");
    cr_assert_eq(content->totals.hash, before);
    register_later(id(WRITER, 1), "a", "again");
    apply(OWNERSHIP_SESSION_CLOSED, id(WRITER, 1), 0, NULL);
    cr_assert_eq(content->registrations, 0);
}

Test(content, keeps_a_claim_while_the_state_changes)
{
    claim(id(OTHER, 1), 5);
    apply(OWNERSHIP_SESSION_STATE, id(OTHER, 1), SESSION_DISCONNECTED, NULL);
    cr_assert_eq(content_session(content, id(OTHER, 1)).claim, 5);
    cr_assert_eq(content_session(content, id(OTHER, 1)).state, SESSION_DISCONNECTED);
    apply(OWNERSHIP_SESSION_OPENED, id(OTHER, 1), SESSION_ACTIVE, NULL);
    cr_assert_eq(content_session(content, id(OTHER, 1)).claim, 0);
}

Test(content, has_a_hash_that_does_not_depend_on_the_order)
{
    for (uint64_t i = 0; i < 100; i++)
        apply(OWNERSHIP_SESSION_OPENED, id(WRITER, i * i * i << 40), SESSION_ACTIVE, NULL);
    uint64_t hash = content->totals.hash;
    content_destroy(&content);
    content = content_new(&directory, WRITER);
    content_show(content, CONTENT_LIVE);
    for (uint64_t i = 100; i-- > 0;)
        apply(OWNERSHIP_SESSION_OPENED, id(WRITER, i * i * i << 40), SESSION_ACTIVE, NULL);
    cr_assert_eq(content->totals.hash, hash);
    apply(OWNERSHIP_SESSION_STATE, id(WRITER, 0), SESSION_DISCONNECTED, NULL);
    cr_assert_neq(content->totals.hash, hash);
}

Test(content, in_the_shade_counts_nothing_and_keeps_everything)
{
    fill(1000);
    struct directory_totals live = directory.live;
    content_show(content, CONTENT_SHADED);
    cr_assert_eq(directory.live.sessions, 0);
    cr_assert_eq(directory.live.hash, 0);
    content_show(content, CONTENT_LIVE);
    cr_assert_eq(directory.live.hash, live.hash);
    cr_assert_eq(directory.live.handlers, live.handlers);
}

Test(content, of_one_node_has_a_limit_and_what_is_there_still_changes)
{
    for (uint64_t i = 0; i < CONTENT_SESSIONS_MAX; i++) {
        struct ownership_entry entry = {.type = OWNERSHIP_SESSION_OPENED,
                                        .session = id(WRITER, i * UINT64_C(0x9e3779b97f4a7c15)),
                                        .state = SESSION_ACTIVE};
        cr_assert_eq(content_apply(content, &entry), ERROR_OK);
    }
    cr_assert_eq(apply(OWNERSHIP_SESSION_OPENED, id(WRITER, 1), SESSION_ACTIVE, NULL),
                 ERROR_LIMIT_REACHED);
    cr_assert_eq(apply(OWNERSHIP_SESSION_OPENED, id(OTHER, 1), SESSION_ACTIVE, NULL),
                 ERROR_LIMIT_REACHED);
    cr_assert_eq(apply(OWNERSHIP_SESSION_STATE, id(WRITER, 0), SESSION_DISCONNECTED, NULL),
                 ERROR_OK);
    apply(OWNERSHIP_SESSION_CLOSED, id(WRITER, 0), 0, NULL);
    cr_assert_eq(apply(OWNERSHIP_SESSION_OPENED, id(OTHER, 1), SESSION_ACTIVE, NULL), ERROR_OK);
}

Test(content, refuses_entries_for_which_there_is_no_memory_and_stays_sound)
{
    fill(200);
    memory.limit[MEMORY_DIRECTORY] = memory.used[MEMORY_DIRECTORY] + 2000;
    int refused = 0;
    char path[32];
    for (uint32_t i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "new/%u", (unsigned)i);
        struct session_id session = id(i % 3 == 0 ? 1000 + i : WRITER, random_u64(&dice));
        if (apply(OWNERSHIP_SESSION_OPENED, session, SESSION_ACTIVE, NULL) != ERROR_OK ||
            apply(OWNERSHIP_HANDLER_REGISTERED, session, HANDLER_REQUEST, path) != ERROR_OK)
            refused++;
    }
    cr_assert_gt(refused, 0);
    content_check(content);
}

/* Cuts the content into chunks of that size and puts them together at another writer-less place. */
static struct content *copy_in_chunks(size_t most)
{
    struct content *copy = content_new(&directory, WRITER);
    uint8_t *chunk = memory_new(&memory, MEMORY_DIRECTORY, most);
    uint8_t kept[LOG_CURSOR_BYTES_MAX];
    struct ownership_entry cursor;
    bool has_cursor = false;
    bool is_last = false;
    while (!is_last) {
        size_t bytes = snapshot_write(content, has_cursor ? &cursor : NULL, chunk, most, &is_last);
        struct span last;
        cr_assert_eq(snapshot_read(copy, span_of(chunk, bytes), has_cursor ? &cursor : NULL, &last),
                     ERROR_OK);
        cr_assert(is_last || last.bytes > 0, "a chunk that is not the last gets on");
        has_cursor = last.bytes > 0;
        if (has_cursor)
            memcpy(kept, last.data, last.bytes);
        if (has_cursor)
            cr_assert(snapshot_cursor(span_of(kept, last.bytes), WRITER, &cursor));
    }
    memory_free(&memory, MEMORY_DIRECTORY, chunk, most);
    cr_assert(content_settle(copy));
    return copy;
}

Test(snapshot, of_any_chunk_size_is_the_same_content)
{
    fill(1500);
    for (size_t most = 64; most < 100000; most = most * 3 + 1) {
        struct content *copy = copy_in_chunks(most);
        content_show(copy, CONTENT_SHADED);
        content_check(copy);
        cr_assert_eq(copy->totals.hash, content->totals.hash);
        cr_assert_eq(copy->totals.sessions, content->totals.sessions);
        content_destroy(&copy);
    }
}

Test(snapshot, of_nothing_is_one_empty_chunk)
{
    struct content *copy = copy_in_chunks(100);
    cr_assert_eq(copy->totals.sessions, 0);
    content_destroy(&copy);
}

Test(snapshot, whose_entries_do_not_ascend_or_are_no_state_is_refused)
{
    struct ownership_entry entries[] = {
        {.type = OWNERSHIP_SESSION_OPENED, .session = {WRITER, 5}, .state = SESSION_ACTIVE},
        {.type = OWNERSHIP_SESSION_OPENED, .session = {WRITER, 5}, .state = SESSION_ACTIVE},
        {.type = OWNERSHIP_SESSION_OPENED, .session = {WRITER, 4}, .state = SESSION_ACTIVE},
        {.type = OWNERSHIP_SESSION_CLOSED, .session = {WRITER, 9}},
    };
    uint8_t run[64];
    for (size_t second = 1; second < 4; second++) {
        struct writer writer;
        writer_init(&writer, run, sizeof run);
        ownership_entry_encode(&entries[0], WRITER, &writer);
        ownership_entry_encode(&entries[second], WRITER, &writer);
        struct content *copy = content_new(&directory, WRITER);
        struct span last;
        cr_assert_eq(snapshot_read(copy, span_of(run, sizeof run - writer.left), NULL, &last),
                     ERROR_INVALID_MESSAGE);
        content_destroy(&copy);
    }
}
