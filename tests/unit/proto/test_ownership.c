/* test_ownership.c - the compact entries of the ownership log. */
#include <criterion/criterion.h>

#include "proto/command.h"
#include "proto/ownership.h"
#include "proto/request.h"
#include "tests/unit/proto/messages.h"

enum { WRITER = 0x77, OTHER = 0x55 };

static uint8_t buffer[1 << 16];

static struct span encoded(const struct ownership_entry *entry)
{
    struct writer writer;
    size_t bytes = ownership_entry_measure(entry, WRITER);
    writer_init(&writer, buffer, bytes);
    ownership_entry_encode(entry, WRITER, &writer);
    cr_assert(!writer.is_bad);
    cr_assert_eq(writer.left, 0, "measure and encode must agree");
    return span_of(buffer, bytes);
}

static enum error decode(struct span run, struct ownership_entry *entry)
{
    enum error error;
    bool is_there = ownership_entry_next(&run, WRITER, entry, &error);
    cr_assert_eq(is_there, error == ERROR_OK && is_there);
    return error;
}

#define RUN(...) span_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

Test(ownership_entry, of_a_session_takes_ten_bytes_and_eighteen_with_a_foreign_instance)
{
    struct ownership_entry entry = {.type = OWNERSHIP_SESSION_OPENED,
                                    .session = {.instance = WRITER, .serial = 0x0102030405060708},
                                    .state = SESSION_ACTIVE};
    cr_assert(span_equal(encoded(&entry), RUN(1, 8, 7, 6, 5, 4, 3, 2, 1, 1)));
    entry.session.instance = OTHER;
    cr_assert(span_equal(encoded(&entry),
                         RUN(0x81, 8, 7, 6, 5, 4, 3, 2, 1, OTHER, 0, 0, 0, 0, 0, 0, 0, 1)));
    cr_assert_eq(ownership_entry_measure(&entry, WRITER), OWNERSHIP_SESSION_ENTRY_BYTES_MAX);
    entry.type = OWNERSHIP_SESSION_CLOSED;
    cr_assert_eq(encoded(&entry).bytes, 17);
}

Test(ownership_entry, of_a_handler_carries_kind_and_path)
{
    struct ownership_entry entry = {.type = OWNERSHIP_HANDLER_REGISTERED,
                                    .session = {.instance = WRITER, .serial = 9},
                                    .handler_kind = HANDLER_REQUEST,
                                    .path = span_text("a/b")};
    cr_assert(
        span_equal(encoded(&entry), RUN(4, 9, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 'a', '/', 'b')));
}

static struct ownership_entry random_entry(uint64_t *seed)
{
    static char path[PATH_BYTES_MAX];
    static char value[OWNERSHIP_VALUE_BYTES_MAX];
    memset(path, 'p', sizeof path);
    memset(value, 'v', sizeof value);
    struct ownership_entry entry = {
        .type = (enum ownership_entry_type)(1 + random_next(seed) % 6),
        .session = {.instance = random_next(seed) % 2 == 0 ? WRITER : OTHER,
                    .serial = random_next(seed)},
    };
    switch (entry.type) {
    case OWNERSHIP_SESSION_OPENED:
    case OWNERSHIP_SESSION_STATE:
        entry.state = (uint8_t)(1 + random_next(seed) % 2);
        break;
    case OWNERSHIP_SESSION_CLOSED:
        break;
    case OWNERSHIP_SESSION_CLAIMED:
        entry.state = (uint8_t)(1 + random_next(seed) % 2);
        entry.claim = (uint32_t)(1 + random_next(seed) % UINT32_MAX);
        break;
    case OWNERSHIP_HANDLER_REGISTERED:
        entry.value = span_of(value, random_next(seed) % (OWNERSHIP_VALUE_BYTES_MAX + 1));
        entry.handler_kind = (uint8_t)(1 + random_next(seed) % 255);
        entry.path = span_of(path, 1 + random_next(seed) % PATH_BYTES_MAX);
        break;
    case OWNERSHIP_HANDLER_REMOVED:
        entry.handler_kind = (uint8_t)(1 + random_next(seed) % 3);
        entry.path = span_of(path, 1 + random_next(seed) % PATH_BYTES_MAX);
        break;
    }
    return entry;
}

static bool entry_equal(const struct ownership_entry *a, const struct ownership_entry *b)
{
    return a->type == b->type && session_id_equal(a->session, b->session) && a->state == b->state &&
           a->claim == b->claim && a->handler_kind == b->handler_kind &&
           span_equal(a->path, b->path) && span_equal(a->value, b->value);
}

Test(ownership_entry_next, random_runs_come_back_as_they_were)
{
    uint64_t seed = 5;
    for (size_t round = 0; round < 200; round++) {
        struct ownership_entry in[16];
        struct ownership_entry out;
        struct writer writer;
        enum error error;
        writer_init(&writer, buffer, sizeof buffer);
        for (size_t i = 0; i < 16; i++) {
            in[i] = random_entry(&seed);
            ownership_entry_encode(&in[i], WRITER, &writer);
        }
        cr_assert(!writer.is_bad);
        struct span rest = span_of(buffer, sizeof buffer - writer.left);
        for (size_t i = 0; i < 16; i++) {
            cr_assert(ownership_entry_next(&rest, WRITER, &out, &error));
            cr_assert(entry_equal(&in[i], &out));
        }
        cr_assert(!ownership_entry_next(&rest, WRITER, &out, &error));
        cr_assert_eq(error, ERROR_OK);
    }
}

Test(ownership_entry_next, cut_entries_are_refused_at_every_byte)
{
    uint64_t seed = 6;
    for (size_t round = 0; round < 50; round++) {
        struct ownership_entry entry = random_entry(&seed);
        size_t bytes = encoded(&entry).bytes;
        for (size_t cut = 1; cut < bytes; cut++) {
            uint8_t *copy = malloc(cut);
            memcpy(copy, buffer, cut);
            enum error error = decode(span_of(copy, cut), &entry);
            free(copy);
            cr_assert_eq(error, ERROR_INVALID_MESSAGE);
        }
    }
}

Test(ownership_entry_next, flipped_bits_do_no_harm)
{
    uint64_t seed = 7;
    for (size_t round = 0; round < 2000; round++) {
        struct ownership_entry entry = random_entry(&seed);
        size_t bytes = encoded(&entry).bytes;
        size_t bit = random_next(&seed) % (bytes * 8);
        buffer[bit / 8] ^= (uint8_t)(1U << bit % 8);
        (void)decode(span_of(buffer, bytes), &entry);
    }
}

Test(ownership_entry_next, an_error_leaves_the_run_where_it_was)
{
    struct ownership_entry entry;
    enum error error;
    struct span rest = RUN(1, 1, 0, 0, 0, 0, 0, 0, 0, 9);
    cr_assert(!ownership_entry_next(&rest, WRITER, &entry, &error));
    cr_assert_eq(error, ERROR_INVALID_MESSAGE);
    cr_assert_eq(rest.bytes, 10);
}

Test(ownership_entry_next, refuses_what_no_session_or_handler_can_be)
{
    struct ownership_entry entry;
    cr_assert_eq(decode(RUN(1, 1, 0, 0, 0, 0, 0, 0, 0, SESSION_ACTIVE), &entry), ERROR_OK);
    cr_assert_eq(decode(RUN(1, 1, 0, 0, 0, 0, 0, 0, 0, 0), &entry), ERROR_INVALID_MESSAGE);
    cr_assert_eq(decode(RUN(2, 1, 0, 0, 0, 0, 0, 0, 0, SESSION_CLOSED), &entry),
                 ERROR_INVALID_MESSAGE, "a closing has its own type");
    cr_assert_eq(decode(RUN(0x83, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), &entry),
                 ERROR_INVALID_MESSAGE, "instance 0 is nobody");
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 'a'), &entry), ERROR_OK);
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'a'), &entry),
                 ERROR_INVALID_MESSAGE);
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0), &entry),
                 ERROR_INVALID_MESSAGE);
    cr_assert_eq(decode(RUN(6, 1, 0, 0, 0, 0, 0, 0, 0, SESSION_ACTIVE, 0, 0, 0, 0), &entry),
                 ERROR_INVALID_MESSAGE, "claims begin at 1");
    cr_assert_eq(decode(RUN(6, 1, 0, 0, 0, 0, 0, 0, 0, SESSION_CLOSED, 1, 0, 0, 0), &entry),
                 ERROR_INVALID_MESSAGE);
}

Test(ownership_entry_next, registrations_of_later_kinds_are_taken_as_they_are)
{
    struct ownership_entry entry;
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 200, 1, 0, 2, 0, 0xFF, 'v', 0), &entry),
                 ERROR_OK);
    cr_assert_eq(entry.handler_kind, 200);
    cr_assert_eq(entry.path.bytes, 1);
    cr_assert_eq(entry.value.bytes, 2);
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0xFF), &entry),
                 ERROR_INVALID_MESSAGE, "of a known kind it is text");
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 2, 'a'), &entry),
                 ERROR_INVALID_MESSAGE, "a value of 513 bytes");
    cr_assert_eq(decode(RUN(4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0xff), &entry),
                 ERROR_INVALID_MESSAGE);
}

Test(ownership_entry_next, a_path_over_the_limit_is_refused)
{
    static uint8_t long_entry[14 + PATH_BYTES_MAX + 1];
    struct ownership_entry entry;
    memset(long_entry, 'p', sizeof long_entry);
    memcpy(long_entry, "\x04\x01\0\0\0\0\0\0\0\x01\x00\x04\0\0", 14);
    cr_assert_eq(decode(span_of(long_entry, sizeof long_entry - 1), &entry), ERROR_OK);
    long_entry[10] = 1;
    cr_assert_eq(decode(span_of(long_entry, sizeof long_entry), &entry), ERROR_INVALID_MESSAGE);
}

Test(ownership_entry_next, a_type_of_a_newer_version_is_a_mismatch)
{
    struct ownership_entry entry;
    cr_assert_eq(decode(RUN(0, 1, 0, 0, 0, 0, 0, 0, 0, 1), &entry), ERROR_VERSION_MISMATCH);
    cr_assert_eq(decode(RUN(7, 1, 0, 0, 0, 0, 0, 0, 0, 1), &entry), ERROR_VERSION_MISMATCH);
}

Test(ownership_entry_encode, a_path_over_the_limit_makes_the_writer_bad)
{
    static char path[PATH_BYTES_MAX + 1];
    struct ownership_entry entry = {.type = OWNERSHIP_HANDLER_REGISTERED,
                                    .session = {.instance = WRITER, .serial = 9},
                                    .handler_kind = HANDLER_REQUEST,
                                    .path = span_of(path, sizeof path)};
    struct writer writer;
    writer_init(&writer, buffer, sizeof buffer);
    ownership_entry_encode(&entry, WRITER, &writer);
    cr_assert(writer.is_bad);
}
