/* test_role_set.c - $Roles as text and as a set. */
#include "mesh/filter/role_set.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void expect_set(const char *text, const char *canonical)
{
    struct role_set roles;
    uint8_t out[256];
    cr_assert(role_set_parse(&roles, span_text(text)), "%s", text);
    role_set_write(&roles, out);
    struct span written = span_of(out, role_set_measure(&roles));
    cr_expect(span_equal(written, span_text(canonical)), "%s -> %.*s", text, (int)written.bytes,
              (const char *)out);
    cr_expect_leq(written.bytes, strlen(text));
}

Test(role_set, is_sorted_and_holds_each_role_once)
{
    expect_set("", "");
    expect_set("\"a\"", "\"a\"");
    expect_set("\"b\",\"a\",\"b\"", "\"a\",\"b\"");
    expect_set(" \"b\" ,\t\"ab\" , \"a\" ", "\"a\",\"ab\",\"b\"");
    expect_set("\"\"", "\"\"");
}

Test(role_set, consists_of_what_stands_in_quotes)
{
    expect_set("admin", "");
    expect_set("x\"a\"y", "\"a\"");
    expect_set("\"a\" \"b", "\"a\"");
    expect_set("\"a\\\"b\"", "\"a\\\"b\"");
    expect_set("\"a\\", "");
}

Test(role_set, of_too_many_roles_is_none)
{
    struct role_set roles;
    char text[ROLE_SET_MAX * 8 + 8] = "";
    size_t used = 0;
    for (size_t i = 0; i < ROLE_SET_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "\"r%zu\",", i);
    cr_assert(role_set_parse(&roles, span_of(text, used)));
    cr_assert_eq(roles.count, ROLE_SET_MAX);
    used += (size_t)snprintf(text + used, sizeof text - used, "\"one\"");
    cr_assert_not(role_set_parse(&roles, span_of(text, used)));
}

Test(role_set, is_walked_role_by_role)
{
    struct span text = span_text("\"a\",\"b c\""), role;
    cr_assert(role_set_next(&text, &role) && span_equal(role, span_text("a")));
    cr_assert(role_set_next(&text, &role) && span_equal(role, span_text("b c")));
    cr_assert_not(role_set_next(&text, &role));
}
