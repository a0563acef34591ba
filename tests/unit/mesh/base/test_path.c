/* test_path.c - what is a path, and what is above it. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "mesh/base/path.h"

static void parse_expect(const char *text, const char *expected)
{
    struct span path = {0};
    enum error error = path_parse(span_text(text), &path);
    if (expected == NULL) {
        cr_assert_eq(error, ERROR_INVALID_PATH, "'%s' must be refused", text);
        cr_assert_null(path.data, "'%s': nothing is given", text);
        return;
    }
    cr_assert_eq(error, ERROR_OK, "'%s' must be taken", text);
    cr_assert(span_equal(path, span_text(expected)), "'%s'", text);
}

Test(path, is_trimmed_at_both_ends)
{
    parse_expect("a", "a");
    parse_expect("/a/b", "a/b");
    parse_expect("a/b/", "a/b");
    parse_expect("/a b/\xc3\xa4/", "a b/\xc3\xa4");
}

Test(path, has_no_empty_segments)
{
    parse_expect("", NULL);
    parse_expect("/", NULL);
    parse_expect("//", NULL);
    parse_expect("///", NULL);
    parse_expect("a//b", NULL);
    parse_expect("//a", NULL);
    parse_expect("a//", NULL);
}

Test(path, is_utf_8_without_nul)
{
    struct span path;
    parse_expect("a/\xff", NULL);
    parse_expect("a/\xc3", NULL);
    cr_assert_eq(path_parse(span_of("a\0b", 3), &path), ERROR_INVALID_PATH);
}

Test(path, is_limited_in_segments_and_whole)
{
    /* Exactly sized, so that reading past the end is seen. */
    struct span path;
    uint8_t *text = malloc(1026);
    memset(text, 'x', 1026);
    cr_assert_eq(path_parse(span_of(text, 255), &path), ERROR_OK);
    cr_assert_eq(path_parse(span_of(text, 256), &path), ERROR_INVALID_PATH);
    for (size_t i = 200; i < 1026; i += 200)
        text[i] = '/';
    cr_assert_eq(path_parse(span_of(text, 1024), &path), ERROR_OK);
    cr_assert_eq(path_parse(span_of(text, 1025), &path), ERROR_INVALID_PATH);
    text[1024] = '/';
    cr_assert_eq(path_parse(span_of(text, 1025), &path), ERROR_OK, "trimmed before measured");
    free(text);
}

Test(path, leads_up_to_nothing)
{
    struct span path = span_text("a/bc/d");
    path = path_parent(path);
    cr_assert(span_equal(path, span_text("a/bc")));
    path = path_parent(path);
    cr_assert(span_equal(path, span_text("a")));
    path = path_parent(path);
    cr_assert_eq(path.bytes, 0);
    cr_assert_eq(path_parent(path).bytes, 0);
}

Test(path, is_above_at_segment_ends_only)
{
    cr_assert(path_is_at_or_above(span_text("a"), span_text("a")));
    cr_assert(path_is_at_or_above(span_text("a"), span_text("a/b")));
    cr_assert(path_is_at_or_above(span_text("a/b"), span_text("a/b/c")));
    cr_assert(!path_is_at_or_above(span_text("a"), span_text("ab")));
    cr_assert(!path_is_at_or_above(span_text("a/b"), span_text("a")));
    cr_assert(!path_is_at_or_above(span_text("b"), span_text("a/b")));
    cr_assert(path_is_at_or_above(span_text(""), span_text("a")), "the root is above all");
}
