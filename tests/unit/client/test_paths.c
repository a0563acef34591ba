/* test_paths.c - what is a path. */
#include <criterion/criterion.h>

#include "client/paths.h"
#include "proto/request.h"

Test(paths, lose_the_slashes_at_their_ends)
{
    static const char *const good[][2] = {
        {"a", "a"}, {"/a", "a"}, {"a/", "a"}, {"//a/b///", "a/b"}, {"a b/\xc3\xa9", "a b/\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct span path;
        cr_assert(paths_normalise(good[i][0], &path), "%s", good[i][0]);
        cr_assert(span_equal(path, span_text(good[i][1])), "%s", good[i][0]);
    }
}

Test(paths, may_be_as_long_as_the_wire_allows_and_no_longer)
{
    char text[PATH_BYTES_MAX + 2];
    struct span path;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 200 == 199 ? '/' : 'x';
    text[PATH_BYTES_MAX] = '\0';
    cr_assert(paths_normalise(text, &path));
    cr_assert_eq(path.bytes, PATH_BYTES_MAX);
    text[PATH_BYTES_MAX] = 'x';
    text[PATH_BYTES_MAX + 1] = '\0';
    cr_assert_not(paths_normalise(text, &path));
    memset(text, 'x', sizeof text);
    text[PATH_SEGMENT_BYTES_MAX] = '\0';
    cr_assert(paths_normalise(text, &path));
    text[PATH_SEGMENT_BYTES_MAX] = 'x';
    text[PATH_SEGMENT_BYTES_MAX + 1] = '\0';
    cr_assert_not(paths_normalise(text, &path));
}

Test(paths, that_are_none_are_refused)
{
    static const char *const bad[] = {"", "/", "///", "a//b", "\xff", "a/\xc0\x80"};
    struct span path;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(paths_normalise(bad[i], &path), "%s", bad[i]);
    cr_assert_not(paths_normalise(NULL, &path));
}

Test(paths, have_parents_up_to_the_first_segment)
{
    struct span path = span_text("a/bc/d");
    path = paths_parent(path);
    cr_assert(span_equal(path, span_text("a/bc")));
    path = paths_parent(path);
    cr_assert(span_equal(path, span_text("a")));
    cr_assert_eq(paths_parent(path).bytes, 0);
    cr_assert_eq(paths_parent(paths_parent(path)).bytes, 0);
}
