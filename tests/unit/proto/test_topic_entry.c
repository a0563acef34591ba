/* test_topic_entry.c - the entries of the topics log. */
#include <criterion/criterion.h>

#include "proto/topic_entry.h"

static uint8_t buffer[2048];

static struct span encoded(const struct topic_entry *entry)
{
    struct writer writer;
    size_t bytes = topic_entry_measure(entry);
    writer_init(&writer, buffer, bytes);
    topic_entry_encode(entry, &writer);
    cr_assert(!writer.is_bad);
    cr_assert_eq(writer.left, 0, "measure and encode must agree");
    return span_of(buffer, bytes);
}

static struct topic_entry set(void)
{
    return (struct topic_entry){.type = TOPIC_ENTRY_SET,
                                .position = 9,
                                .term = 4,
                                .instance = 3,
                                .n = 2,
                                .path = span_text("a/b"),
                                .value_type = VALUE_STRING,
                                .policy = TOPIC_POLICY_OFF,
                                .creator = {.instance = 5, .serial = 6},
                                .value = span_text("hello")};
}

Test(topic_entry, comes_back_as_it_was)
{
    struct topic_entry entry = set();
    struct topic_entry back;
    enum error error;
    struct span run = encoded(&entry);
    cr_assert_eq(run.bytes, TOPIC_ENTRY_HEAD_BYTES + 3 + 3 + 16 + 5);
    cr_assert(topic_entry_next(&run, &back, &error));
    cr_assert_eq(run.bytes, 0);
    cr_assert_eq(back.position, 9);
    cr_assert_eq(back.n, 2);
    cr_assert_eq(back.policy, TOPIC_POLICY_OFF);
    cr_assert(session_id_equal(back.creator, entry.creator));
    cr_assert(span_equal(back.value, entry.value));
    cr_assert(!topic_entry_next(&run, &back, &error));
    cr_assert_eq(error, ERROR_OK);
}

Test(topic_entry, is_passed_on_by_its_encoded_rest)
{
    struct topic_entry entry = set();
    struct topic_entry back;
    enum error error;
    uint8_t first[128];
    struct span run = encoded(&entry);
    memcpy(first, run.data, run.bytes);
    struct span rest = span_of(first, run.bytes);
    cr_assert(topic_entry_next(&rest, &back, &error));
    back.value_type = 0; /* what `rest` says counts */
    cr_assert(span_equal(encoded(&back), span_of(first, run.bytes)));
}

Test(topic_entry, of_a_later_type_is_kept)
{
    struct topic_entry entry = {.type = 200,
                                .position = 1,
                                .term = 1,
                                .instance = 1,
                                .n = 1,
                                .path = span_text("\xff"),
                                .rest = span_text("whatever")};
    struct topic_entry back;
    enum error error;
    struct span run = encoded(&entry);
    cr_assert(topic_entry_next(&run, &back, &error));
    cr_assert(span_equal(back.rest, entry.rest));
}

/* Every way to be wrong that a length or a missing part allows. */
Test(topic_entry, that_is_cut_is_refused)
{
    struct topic_entry entry = set();
    struct topic_entry back;
    enum error error;
    struct span whole = encoded(&entry);
    for (size_t bytes = 1; bytes < whole.bytes; bytes++) {
        struct span run = span_of(whole.data, bytes);
        cr_assert(!topic_entry_next(&run, &back, &error));
        cr_assert_eq(error, ERROR_INVALID_MESSAGE, "%zu", bytes);
        cr_assert_eq(run.bytes, bytes, "unchanged");
    }
}

Test(topic_entry, lacks_nothing_that_its_type_needs)
{
    struct topic_entry wrong[] = {set(), set(), set(), set(), set(), set(), set()};
    wrong[0].position = 0;
    wrong[1].term = 0;
    wrong[2].n = 0;
    wrong[3].path = (struct span){0};
    wrong[4].path = span_text("\xff");
    wrong[5].type = 0;
    wrong[6].instance = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct topic_entry back;
        enum error error;
        struct span run = encoded(&wrong[i]);
        cr_assert(!topic_entry_next(&run, &back, &error), "%zu", i);
        cr_assert_eq(error, ERROR_INVALID_MESSAGE, "%zu", i);
    }
}
