/* test_span.c - spans, ids, and what counts as text. */
#include <criterion/criterion.h>

#include "proto/span.h"

#define TEXT(literal) span_of((literal), sizeof(literal) - 1)

Test(span_is_text, takes_every_length_of_character_at_its_limits)
{
    cr_assert(span_is_text((struct span){0}));
    cr_assert(span_is_text(TEXT("a")));
    cr_assert(span_is_text(TEXT("\x01\x7f")));
    cr_assert(span_is_text(TEXT("\xc2\x80\xdf\xbf")));
    cr_assert(span_is_text(TEXT("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")));
    cr_assert(span_is_text(TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
    cr_assert(span_is_text(TEXT("sixteen ascii..\xc3\xa9 and then some more ascii")));
}

Test(span_is_text, refuses_nul_wherever_it_is)
{
    char text[33];
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'a', sizeof text);
        text[at] = '\0';
        cr_assert(!span_is_text(span_of(text, sizeof text)), "NUL at %zu", at);
    }
}

Test(span_is_text, refuses_overlong_forms_surrogates_and_what_lies_above_unicode)
{
    cr_assert(!span_is_text(TEXT("\xc0\x80")));
    cr_assert(!span_is_text(TEXT("\xc1\xbf")));
    cr_assert(!span_is_text(TEXT("\xe0\x9f\xbf")));
    cr_assert(!span_is_text(TEXT("\xed\xa0\x80")));
    cr_assert(!span_is_text(TEXT("\xf0\x8f\xbf\xbf")));
    cr_assert(!span_is_text(TEXT("\xf4\x90\x80\x80")));
    cr_assert(!span_is_text(TEXT("\xf5\x80\x80\x80")));
    cr_assert(!span_is_text(TEXT("\xff")));
}

Test(span_is_text, refuses_cut_characters_and_stray_continuations)
{
    cr_assert(!span_is_text(TEXT("\x80")));
    cr_assert(!span_is_text(TEXT("\xc3")));
    cr_assert(!span_is_text(TEXT("\xe2\x82")));
    cr_assert(!span_is_text(TEXT("\xf0\x9f\xa7")));
    cr_assert(!span_is_text(TEXT("\xc3(")));
    cr_assert(!span_is_text(TEXT("\xe2\x82(")));
    cr_assert(!span_is_text(TEXT("seven..\xe2\x82")));
}

Test(span_equal, compares_length_and_bytes)
{
    cr_assert(span_equal(span_text("weft"), TEXT("weft")));
    cr_assert(span_equal(span_text(NULL), span_text("")));
    cr_assert(!span_equal(span_text("weft"), span_text("wef")));
    cr_assert(!span_equal(span_text("weft"), span_text("warp")));
}

Test(session_id, is_none_only_when_both_halves_are_zero)
{
    struct session_id none = {0};
    struct session_id a = {.instance = 1};
    struct session_id b = {.serial = 1};
    cr_assert(session_id_is_none(none));
    cr_assert(!session_id_is_none(a));
    cr_assert(!session_id_is_none(b));
    cr_assert(!session_id_equal(a, b));
    cr_assert(session_id_equal(a, a));
}
