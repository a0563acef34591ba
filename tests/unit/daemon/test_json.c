#include "daemon/json.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct json_scan scan;
static char text[JSON_BYTES_MAX + 16];

static bool judge(const char *json)
{
    snprintf(text, sizeof(text), "%s", json);
    return json_scan(text, strlen(text), &scan);
}

static void refused_at(const char *json, unsigned line, unsigned column)
{
    cr_assert_not(judge(json), "taken: %s", json);
    cr_assert_eq(scan.place.line, line, "%s: line %u: %s", json, scan.place.line, scan.error);
    cr_assert_eq(scan.place.column, column, "%s: column %u: %s", json, scan.place.column,
                 scan.error);
}

Test(json, strict_json_is_taken)
{
    const char *good[] = {"{}",
                          " [ ] ",
                          "0",
                          "-1.5e+10",
                          "\"a\\n\\u00e4\\\"\"",
                          "{\"a\":{\"a\":[1,2,{\"a\":null}]},\"b\":true}",
                          "[[[[]]],false]",
                          "\"\xc3\xa4\""};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(judge(good[i]), "%s: %s", good[i], scan.error);
}

Test(json, comments_become_blanks)
{
    cr_assert(judge("// first\n{ /* \xff any { byte */ \"a\" : 1 // last\n}\n// end"));
    cr_assert_null(strstr(text, "first"));
    cr_assert_null(strchr(text, '\xff'));
    cr_assert_not_null(strstr(text, "\"a\" : 1"));
    cr_assert_eq(scan.members[0].place.line, 2);
}

Test(json, a_comment_mark_in_a_string_is_text)
{
    cr_assert(judge("\"http://x /* y */\""));
    cr_assert_str_eq(text, "\"http://x /* y */\"");
}

Test(json, names_are_remembered_with_their_places)
{
    cr_assert(judge("{\n  \"a\": 1,\n  \"bc\": {\"d\": 2}\n}"));
    cr_assert_eq(scan.count, 3);
    cr_assert_eq(scan.members[1].place.line, 3);
    cr_assert_eq(scan.members[1].place.column, 3);
    cr_assert_eq(scan.members[1].bytes, 2);
    cr_assert_eq(scan.members[2].place.column, 10);
}

Test(json, a_column_counts_characters_not_bytes)
{
    refused_at("{\"\xc3\xa4\": x}", 1, 7);
}

Test(json, what_is_no_json_is_refused_at_its_place)
{
    refused_at("", 1, 1);
    refused_at("{\"a\": 1,}", 1, 9);
    refused_at("{\"a\" 1}", 1, 6);
    refused_at("{a: 1}", 1, 2);
    refused_at("[1,]", 1, 4);
    refused_at("[1 2]", 1, 4);
    refused_at("{\"a\": 1]", 1, 8);
    refused_at("[1}", 1, 3);
    refused_at("[01]", 1, 2);
    refused_at("[1.]", 1, 2);
    refused_at("[1e]", 1, 2);
    refused_at("[+1]", 1, 2);
    refused_at("[-]", 1, 2);
    refused_at("[NaN]", 1, 2);
    refused_at("[True]", 1, 2);
    refused_at("{}\n  x", 2, 3);
    refused_at("{} {}", 1, 4);
    refused_at("[", 1, 2);
    refused_at("{\"a\":\n\"b", 2, 1);
    refused_at("[\"a\nb\"]", 1, 4);
    refused_at("[\"\\x\"]", 1, 4);
    refused_at("[\"\\u12g4\"]", 1, 7);
    refused_at("[\"\\u0000\"]", 1, 5);
    refused_at("[1, /* never ends", 1, 5);
    refused_at("[\"\xff\"]", 1, 2);
}

Test(json, a_name_twice_in_one_object_is_refused)
{
    refused_at("{\"a\": 1, \"a\": 2}", 1, 10);
    cr_assert(judge("{\"a\": {\"a\": 1}, \"b\": {\"a\": 2}}"));
}

Test(json, a_name_with_escapes_is_refused)
{
    refused_at("{\"\\u0061\": 1}", 1, 2);
}

Test(json, depth_is_limited)
{
    char deep[80] = "";
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        deep[i] = '[';
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        deep[JSON_DEPTH_MAX + i] = ']';
    cr_assert(judge(deep));
    memset(deep, '[', 70);
    refused_at(deep, 1, JSON_DEPTH_MAX + 1);
}

Test(json, names_and_numbers_and_bytes_are_limited)
{
    size_t used = 0;
    static char many[40000];
    for (unsigned i = 0; i <= JSON_MEMBERS_MAX; i++)
        used +=
            (size_t)snprintf(many + used, sizeof(many) - used, "%c\"n%u\":1", i > 0 ? ',' : '{', i);
    snprintf(many + used, sizeof(many) - used, "}");
    cr_assert_not(judge(many));
    cr_assert_not(judge("[123456789012345678901234567890123]"));
    memset(text, ' ', sizeof(text));
    cr_assert_not(json_scan(text, JSON_BYTES_MAX + 1, &scan));
}

Test(json, every_prefix_of_good_json_is_refused_without_reading_past_it)
{
    const char *json = "{\"a\": [1.5e3, \"x\\u0041\", true, null], /* c */ \"b\": {\"c\": {}}}";
    for (size_t bytes = 0; bytes < strlen(json); bytes++) {
        char *prefix = malloc(bytes + 1);
        memcpy(prefix, json, bytes);
        cr_assert_not(json_scan(prefix, bytes, &scan), "%zu", bytes);
        free(prefix);
    }
}
