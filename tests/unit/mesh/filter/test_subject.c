/* test_subject.c - a session's properties as filters read them. */
#include "mesh/filter/subject.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct property property(const char *key, const char *value)
{
    return (struct property){.key = span_text(key), .value = span_text(value)};
}

static struct subject *written(const struct property *properties, size_t count)
{
    size_t bytes = subject_measure(properties, count);
    cr_assert_neq(bytes, 0);
    struct subject *subject = malloc(bytes); /* ASan sees a byte too far */
    subject_write(subject, properties, count);
    cr_assert_eq(subject->bytes, bytes);
    return subject;
}

static void expect_value(const struct subject *subject, const char *key, const char *value)
{
    struct span found = {0};
    bool is_there = subject_get(subject, span_text(key), &found);
    cr_expect_eq(is_there, value != NULL, "%s", key);
    cr_expect(value == NULL || span_equal(found, span_text(value)), "%s", key);
}

Test(subject, gives_back_what_was_put_in)
{
    struct property properties[] = {property("b", "2"), property("$Transport", "zmq"),
                                    property("", ""), property("$ClientIP", ""), property("a", "")};
    properties[2] = property("$Unknown", "x");
    struct subject *subject = written(properties, 5);
    expect_value(subject, "a", "");
    expect_value(subject, "b", "2");
    expect_value(subject, "c", NULL);
    expect_value(subject, "$Transport", "zmq");
    expect_value(subject, "$ClientIP", "");
    expect_value(subject, "$Principal", NULL);
    expect_value(subject, "$Unknown", NULL);
    cr_assert_eq(subject->count, 4);
    free(subject);
}

Test(subject, lists_fixed_keys_first_and_the_others_as_they_came)
{
    const struct property properties[] = {property("!", "1"), property("$Roles", ""),
                                          property("$ClientIP", "x"), property("b", "2"),
                                          property("a", "3")};
    static const char *const order[] = {"$ClientIP", "$Roles", "!", "b", "a"};
    struct subject *subject = written(properties, 5);
    struct property next;
    unsigned at = 0;
    for (size_t i = 0; i < 5; i++) {
        cr_assert(subject_next(subject, &at, &next));
        cr_assert(span_equal(next.key, span_text(order[i])), "%zu", i);
    }
    cr_assert_not(subject_next(subject, &at, &next));
    free(subject);
}

Test(subject, finds_each_of_128_keys_and_no_other)
{
    static struct property properties[PROPERTIES_MAX + 1];
    static char keys[PROPERTIES_MAX + 1][16];
    for (size_t i = 0; i <= PROPERTIES_MAX; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "key-%zu", i);
        properties[i] = property(keys[i], keys[i]);
    }
    struct subject *subject = written(properties, PROPERTIES_MAX);
    for (size_t i = 0; i <= PROPERTIES_MAX; i++)
        expect_value(subject, keys[i], i < PROPERTIES_MAX ? keys[i] : NULL);
    cr_assert_eq(subject_measure(properties, PROPERTIES_MAX + 1), 0);
    free(subject);
}

Test(subject, beyond_its_limits_is_none)
{
    static char text[PROPERTY_VALUE_BYTES_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    struct property properties[] = {property("k", ""), property("$Principal", "")};
    properties[0].value = span_of(text, PROPERTY_VALUE_BYTES_MAX + 1);
    cr_assert_eq(subject_measure(properties, 2), 0);
    properties[0].value.bytes--;
    properties[0].key = span_of(text, PROPERTY_KEY_BYTES_MAX + 1);
    cr_assert_eq(subject_measure(properties, 2), 0);
    properties[0].key.bytes--;
    struct subject *subject = written(properties, 2);
    struct span value;
    cr_assert(subject_get(subject, properties[0].key, &value));
    cr_assert(span_equal(value, properties[0].value));
    free(subject);
    properties[0].key.bytes = 0;
    cr_assert_eq(subject_measure(properties, 2), 0);
}

Test(subject, writes_roles_in_their_canonical_form)
{
    struct property properties[] = {property("$Roles", "x \"b\" , \"a\",\"b\"")};
    struct subject *subject = written(properties, 1);
    expect_value(subject, "$Roles", "\"a\",\"b\"");
    cr_assert_eq(subject->roles,
                 subject_role_bit(span_text("a")) | subject_role_bit(span_text("b")));
    free(subject);
}

Test(subject, knows_each_fixed_key_by_its_text)
{
    for (unsigned i = 0; i < KEYS; i++) {
        cr_assert_eq(key_of(key_text((enum key)i)), i);
        cr_assert(i == 0 || span_order(key_text((enum key)(i - 1)), key_text((enum key)i)) < 0);
    }
    cr_assert_eq(key_of(span_text("$clientip")), KEY_USER);
    cr_assert_eq(key_of(span_text("")), KEY_USER);
}
