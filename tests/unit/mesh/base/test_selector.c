/* test_selector.c - which paths a selector means. */
#include <criterion/criterion.h>

#include "mesh/base/path.h"
#include "mesh/base/selector.h"

static bool matches(const char *selector, const char *path)
{
    struct span wanted, found;
    cr_assert_eq(selector_parse(span_text(selector), &wanted), ERROR_OK, "%s", selector);
    cr_assert_eq(path_parse(span_text(path), &found), ERROR_OK, "%s", path);
    return selector_matches(wanted, found);
}

Test(selector, without_wildcards_means_one_path)
{
    cr_assert(matches("a/b", "a/b"));
    cr_assert(matches("/a/b/", "a/b"));
    cr_assert_not(matches("a/b", "a"));
    cr_assert_not(matches("a/b", "a/b/c"));
    cr_assert_not(matches("a/b", "a/bc"));
    cr_assert_not(matches("a/b", "A/b"));
}

Test(selector, plus_is_exactly_one_segment)
{
    cr_assert(matches("a/+/c", "a/b/c"));
    cr_assert(matches("+", "a"));
    cr_assert(matches("a/+", "a/+"));
    cr_assert_not(matches("a/+/c", "a/c"));
    cr_assert_not(matches("a/+/c", "a/b/b/c"));
    cr_assert_not(matches("a/+", "a"));
    cr_assert_not(matches("a/+", "a/b/c"));
}

Test(selector, plus_inside_a_segment_is_itself)
{
    cr_assert(matches("c++/x", "c++/x"));
    cr_assert_not(matches("c+/x", "cc/x"));
}

Test(selector, two_stars_mean_everything_at_and_below)
{
    cr_assert(matches("a/**", "a"));
    cr_assert(matches("a/**", "a/b"));
    cr_assert(matches("a/**", "a/b/c"));
    cr_assert(matches("**", "a/b/c"));
    cr_assert(matches("+/b/**", "x/b/c"));
    cr_assert_not(matches("a/**", "ab"));
    cr_assert_not(matches("a/**", "b/a"));
    cr_assert_not(matches("+/b/**", "x"));
}

Test(selector, that_is_no_path_or_has_other_stars_is_refused)
{
    static const char *const bad[] = {"",    "/",      "a//b", "*",     "a/*",  "a*",
                                      "***", "a/**/c", "**/a", "a**/b", "a/b**"};
    struct span selector = span_text("kept");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(selector_parse(span_text(bad[i]), &selector), ERROR_INVALID_PATH, "%s",
                     bad[i]);
    cr_assert(span_equal(selector, span_text("kept")));
}

Test(selector, is_a_path_when_it_means_nothing_else)
{
    const char *const paths[] = {"a", "/a/b/", "c++", "a/+b"};
    const char *const others[] = {"+",   "a/+", "a/+/c",  "**", "a/**",
                                  "a/*", "a*",  "a/**/b", "",   "a//b"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        cr_assert(selector_is_path(span_text(paths[i])), "%s", paths[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert_not(selector_is_path(span_text(others[i])), "%s", others[i]);
}
