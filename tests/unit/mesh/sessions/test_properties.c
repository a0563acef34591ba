/* test_properties.c - which properties a session may have, and how they are asked for. */
#include "mesh/sessions/properties.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct memory memory;
static struct property_set set;
static struct span culprit;

static void set_up(void)
{
    memory = (struct memory){.limit = {[MEMORY_PROPERTIES] = 1 << 20}};
    set = (struct property_set){.count = 0};
}

TestSuite(properties, .init = set_up);

static enum error offer(const char *key, const char *value)
{
    struct property property = {.key = span_text(key), .value = span_text(value)};
    static uint8_t groups[8][8192];
    static size_t used;
    struct writer writer;
    uint8_t *bytes = groups[used++ % 8];
    writer_init(&writer, bytes, sizeof groups[0]);
    group_encode(&property_schema, &property, &writer);
    cr_assert_not(writer.is_bad);
    return property_set_offer(&set, span_of(bytes, sizeof groups[0] - writer.left), &culprit);
}

Test(properties, keys_with_separators_are_refused_by_name)
{
    static const char *const bad[] = {"a b", "a\tb", "a\rb", "a\nb", "a\"b", "a'b",
                                      "a(b", "a)b",  "a[b",  "a]b",  "a,b"};
    cr_assert_eq(offer("fine-key:1", ""), ERROR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(offer(bad[i], "x"), ERROR_INVALID_ARGUMENT);
        cr_assert(span_equal(culprit, span_text(bad[i])));
    }
}

Test(properties, with_a_dollar_are_ignored_whoever_offers_them)
{
    cr_assert_eq(offer("$Principal", "root"), ERROR_OK);
    cr_assert_eq(offer("$Whatever", "x"), ERROR_OK);
    cr_assert_eq(set.count, 0);
}

Test(properties, twice_under_one_key_are_refused)
{
    cr_assert_eq(offer("a", "1"), ERROR_OK);
    cr_assert_eq(offer("a", "2"), ERROR_INVALID_ARGUMENT);
}

Test(properties, are_at_most_128_of_ones_own)
{
    static uint8_t groups[PROPERTIES_MAX + 1][16];
    for (size_t i = 0; i <= PROPERTIES_MAX; i++) {
        char key[] = {(char)('A' + i / 16), (char)('a' + i % 16), '\0'};
        struct property property = {.key = span_text(key)};
        struct writer writer;
        writer_init(&writer, groups[i], sizeof groups[i]);
        group_encode(&property_schema, &property, &writer);
        struct span group = span_of(groups[i], sizeof groups[i] - writer.left);
        cr_assert_eq(property_set_offer(&set, group, &culprit),
                     i < PROPERTIES_MAX ? ERROR_OK : ERROR_INVALID_ARGUMENT);
    }
    cr_assert_eq(set.user_count, PROPERTIES_MAX);
}

Test(properties, malformed_groups_are_refused)
{
    cr_assert_eq(property_set_offer(&set, span_text("\x09garbage"), &culprit),
                 ERROR_INVALID_MESSAGE);
}

static size_t picked(const struct properties *properties, const char *asked, struct property *out,
                     size_t most)
{
    static uint8_t bytes[4096];
    struct property_keys keys;
    struct writer writer;
    enum error error;
    cr_assert_eq(property_keys_parse(&keys, span_text(asked)), ERROR_OK);
    size_t measured = properties_measure(properties, &keys);
    writer_init(&writer, bytes, measured);
    properties_encode(properties, &keys, &writer);
    cr_assert(!writer.is_bad && writer.left == 0);
    struct span rest = span_of(bytes, measured);
    size_t found = 0;
    while (found < most && group_next(&property_schema, &rest, &out[found], &error))
        found++;
    cr_assert_eq(rest.bytes, 0);
    return found;
}

Test(properties, are_kept_sorted_and_picked_by_key)
{
    struct properties properties = {0};
    struct property out[8];
    property_set_put(&set, "$SessionId", span_text("id"));
    cr_assert_eq(offer("b", "2"), ERROR_OK);
    cr_assert_eq(offer("a", "1"), ERROR_OK);
    property_set_put(&set, "$Principal", (struct span){0});
    cr_assert_eq(properties_store(&properties, &memory, &set), ERROR_OK);
    cr_assert_eq(picked(&properties, "", out, 8), 4);
    cr_assert(span_equal(out[0].key, span_text("$Principal")));
    cr_assert(span_equal(out[3].key, span_text("b")));
    cr_assert_eq(picked(&properties, "*U", out, 8), 2);
    cr_assert(span_equal(out[0].value, span_text("1")));
    cr_assert_eq(picked(&properties, "*F,b,nothing,b,", out, 8), 3);
    cr_assert_eq(picked(&properties, "zzz", out, 8), 0);
    struct span value;
    cr_assert(properties_find(&properties, span_text("b"), &value));
    cr_assert(span_equal(value, span_text("2")));
    cr_assert_not(properties_find(&properties, span_text("c"), &value));
    properties_clear(&properties, &memory);
    cr_assert_eq(memory.used[MEMORY_PROPERTIES], 0);
}

Test(properties, beyond_the_nodes_memory_are_refused)
{
    struct properties properties = {0};
    memory.limit[MEMORY_PROPERTIES] = 4;
    cr_assert_eq(offer("a", "1"), ERROR_OK);
    cr_assert_eq(properties_store(&properties, &memory, &set), ERROR_LIMIT_REACHED);
    cr_assert_null(properties.subject);
}
