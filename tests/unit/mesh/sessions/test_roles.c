/* test_roles.c - sets of roles, as they are written and changed. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/sessions/roles.h"

static struct roles roles_of(const char *text)
{
    struct roles roles;
    cr_assert_eq(roles_parse(&roles, span_text(text)), ERROR_OK, "%s", text);
    return roles;
}

static void prints(const struct roles *roles, const char *expected)
{
    char text[ROLES_TEXT_BYTES_MAX];
    struct span printed = roles_print(roles, text);
    cr_assert(span_equal(printed, span_text(expected)), "%.*s is not %s", (int)printed.bytes, text,
              expected);
}

Test(roles, are_written_sorted_and_each_once)
{
    struct roles roles = roles_of("\"b\", \"a\",\"b\"");
    prints(&roles, "\"a\",\"b\"");
    roles = roles_of(" trader , admin ");
    prints(&roles, "\"admin\",\"trader\"");
    roles = roles_of("ab,a,abc");
    prints(&roles, "\"a\",\"ab\",\"abc\"");
    roles = roles_of("  ");
    prints(&roles, "");
}

Test(roles, that_are_no_names_are_refused)
{
    static const char *const bad[] = {"*",   "a b", "a\"b", "\"a",  "a'b",  "a(b",  "a[",
                                      "a\\", "a,",  ",a",   "a,,b", "a\tb", "\x7f", "\xff"};
    struct roles roles;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(roles_parse(&roles, span_text(bad[i])), ERROR_INVALID_ARGUMENT, "%s", bad[i]);
    char name[ROLE_BYTES_MAX + 2];
    memset(name, 'x', sizeof name);
    cr_assert(roles_name_is_good(span_of(name, ROLE_BYTES_MAX)));
    cr_assert_not(roles_name_is_good(span_of(name, ROLE_BYTES_MAX + 1)));
    cr_assert(roles_name_is_good(span_text("händler")));
}

Test(roles, of_one_set_have_a_limit)
{
    struct roles roles = {.count = 0};
    char names[ROLES_MAX + 1][8];
    for (size_t i = 0; i < ROLES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "r%zu", i);
        cr_assert_eq(roles_add(&roles, span_text(names[i])), ERROR_OK);
    }
    cr_assert_eq(roles_add(&roles, span_text("r3")), ERROR_OK, "it is there");
    cr_assert_eq(roles_add(&roles, span_text("more")), ERROR_LIMIT_REACHED);
    cr_assert_eq(roles.count, ROLES_MAX);
}

Test(roles, come_and_go)
{
    struct roles roles = roles_of("b,d");
    cr_assert_eq(roles_add(&roles, span_text("c")), ERROR_OK);
    cr_assert_eq(roles_add(&roles, span_text("c")), ERROR_OK);
    roles_remove(&roles, span_text("b"));
    roles_remove(&roles, span_text("nobody"));
    prints(&roles, "\"c\",\"d\"");
    cr_assert(roles_has(&roles, span_text("c")));
    cr_assert_not(roles_has(&roles, span_text("b")));
}

Test(roles, are_found_in_their_text_whole)
{
    struct span text = span_text("\"admin\",\"b\",\"trader\"");
    cr_assert(roles_text_has(text, span_text("admin")));
    cr_assert(roles_text_has(text, span_text("b")));
    cr_assert(roles_text_has(text, span_text("trader")));
    cr_assert_not(roles_text_has(text, span_text("adm")));
    cr_assert_not(roles_text_has(text, span_text("traders")));
    cr_assert_not(roles_text_has(text, span_text("min")));
    cr_assert_not(roles_text_has(text, span_text(",")));
    cr_assert_not(roles_text_has(span_text(""), span_text("a")));
    cr_assert_not(roles_text_has(span_text("junk"), span_text("junk")));
}

Test(roles, change_needs_something_to_do_and_no_contradiction)
{
    struct roles none = {.count = 0}, a = roles_of("a"), ab = roles_of("a,b"), c = roles_of("c");
    cr_assert_eq(roles_change_judge(&none, &none), ERROR_INVALID_ARGUMENT);
    cr_assert_eq(roles_change_judge(&a, &ab), ERROR_INVALID_ARGUMENT);
    cr_assert_eq(roles_change_judge(&c, &ab), ERROR_OK);
    cr_assert_eq(roles_change_judge(&none, &a), ERROR_OK);
    cr_assert_eq(roles_change_judge(&a, &none), ERROR_OK);
}
