/* test_property_changes.c - what may be asked to change, and what becomes of a session's
 * properties. */
#include "mesh/sessions/property_changes.h"

#include <criterion/criterion.h>

static struct memory memory;
static struct properties properties;
static struct property_changes changes;
static struct sentence why;
static uint8_t groups[1 << 20];
static size_t used;

static void set_up(void)
{
    memory = (struct memory){.limit = {[MEMORY_PROPERTIES] = 1 << 22}};
    used = 0;
}

static void tear_down(void)
{
    properties_clear(&properties, &memory);
    cr_assert_eq(memory.used[MEMORY_PROPERTIES], 0);
}

TestSuite(property_changes, .init = set_up, .fini = tear_down);

/* value NULL: to be removed. */
static void ask(const char *key, const char *value)
{
    struct property property = {.key = span_text(key), .is_absent = value == NULL};
    struct writer writer;
    if (value != NULL)
        property.value = span_text(value);
    writer_init(&writer, groups + used, sizeof groups - used);
    group_encode(&property_schema, &property, &writer);
    cr_assert_not(writer.is_bad);
    used = sizeof groups - writer.left;
}

static enum error read(void)
{
    enum error error = property_changes_read(&changes, span_of(groups, used), &why);
    used = 0;
    return error;
}

static void change(void)
{
    cr_assert_eq(read(), ERROR_OK);
    cr_assert_eq(properties_change(&properties, &memory, &changes.set), ERROR_OK);
}

static bool has(const char *key, const char *value)
{
    struct span found;
    return properties_find(&properties, span_text(key), &found) &&
           span_equal(found, span_text(value));
}

static bool lacks(const char *key)
{
    struct span found;
    return !properties_find(&properties, span_text(key), &found);
}

Test(property_changes, set_add_and_remove_and_leave_the_rest)
{
    ask("tier", "trial");
    ask("desk", "7");
    change();
    ask("tier", "gold");
    ask("desk", NULL);
    ask("zone", "");
    ask("never", NULL);
    change();
    cr_assert(has("tier", "gold"));
    cr_assert(has("zone", ""));
    cr_assert(lacks("desk"));
    cr_assert(lacks("never"));
}

Test(property_changes, of_places_are_brought_into_form)
{
    ask("$Country", "ch");
    ask("$Language", "DE");
    ask("$Latitude", "-47.5");
    ask("$Longitude", "8,5");
    change();
    cr_assert(has("$Country", "CH"));
    cr_assert(has("$Language", "de"));
    cr_assert(has("$Latitude", "-47.5"));
    cr_assert(has("$Longitude", "NaN"));
    ask("$Country", NULL);
    change();
    cr_assert(lacks("$Country"));
}

Test(property_changes, of_other_fixed_keys_are_ignored)
{
    ask("$Principal", "root");
    ask("$Roles", "\"admin\"");
    ask("$Anything", NULL);
    cr_assert_eq(read(), ERROR_OK);
    cr_assert_eq(changes.set.count, 0);
}

Test(property_changes, that_are_none_or_named_twice_are_refused)
{
    cr_assert_eq(read(), ERROR_INVALID_ARGUMENT);
    ask("a", "1");
    ask("a", NULL);
    cr_assert_eq(read(), ERROR_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(why.text, "'a'"));
    ask("$Country", "this country has a name that is much longer than sixty-four bytes");
    cr_assert_eq(read(), ERROR_INVALID_ARGUMENT);
}

Test(property_changes, under_keys_against_the_rules_are_refused_by_name)
{
    static const char *const bad[] = {"", "a b", "a'", "a\"", "a,b", "(a", "a]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask(bad[i], "x");
        cr_assert_eq(read(), ERROR_INVALID_ARGUMENT, "%s", bad[i]);
    }
}

Test(property_changes, that_are_malformed_are_no_message)
{
    ask("a", "1");
    groups[0] = 0xff;
    cr_assert_eq(read(), ERROR_INVALID_MESSAGE);
}

static void ask_many(char first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char key[] = {first, (char)('A' + i / 16), (char)('a' + i % 16), '\0'};
        ask(key, "x");
    }
}

Test(property_changes, never_lead_past_128_and_then_change_nothing)
{
    ask_many('k', PROPERTIES_MAX);
    change();
    ask("one-more", "x");
    cr_assert_eq(read(), ERROR_OK);
    cr_assert_eq(properties_change(&properties, &memory, &changes.set), ERROR_LIMIT_REACHED);
    cr_assert(lacks("one-more"));
    ask("one-more", "x");
    ask("kAa", NULL);
    ask("$Country", "CH");
    change();
    cr_assert(has("one-more", "x"));
}

Test(property_changes, without_memory_change_nothing)
{
    ask("a", "1");
    change();
    memory.limit[MEMORY_PROPERTIES] = memory.used[MEMORY_PROPERTIES];
    ask("a", "2");
    cr_assert_eq(read(), ERROR_OK);
    cr_assert_eq(properties_change(&properties, &memory, &changes.set), ERROR_LIMIT_REACHED);
    cr_assert(has("a", "1"));
}

Test(property_changes, tell_the_previous_values_of_what_becomes_different)
{
    static struct property_set previous;
    ask("tier", "trial");
    ask("desk", "7");
    change();
    ask("tier", "gold");
    ask("desk", "7");
    ask("zone", "");
    ask("never", NULL);
    cr_assert_eq(read(), ERROR_OK);
    properties_compare(&properties, &changes.set, &previous);
    cr_assert_eq(previous.count, 2);
    cr_assert(span_equal(previous.items[0].key, span_text("tier")));
    cr_assert(span_equal(previous.items[0].value, span_text("trial")));
    cr_assert(span_equal(previous.items[1].key, span_text("zone")));
    cr_assert(previous.items[1].is_absent);
}
