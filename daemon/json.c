/* A pushdown machine over a fixed stack: no recursion, whatever the input nests.
 *
 *     VALUE -> { -> NAME_OR_END -> name : -> VALUE      AFTER -> , -> NAME or VALUE
 *           -> [ -> VALUE_OR_END                        AFTER -> } ] -> AFTER of the outer one
 *           -> string, number, word -> AFTER            AFTER at the top -> the end */
#include "daemon/json.h"

#include "proto/span.h"

#include <stdio.h>
#include <string.h>

enum json_state { JSON_VALUE, JSON_VALUE_OR_END, JSON_NAME, JSON_NAME_OR_END, JSON_AFTER };

struct json_reader {
    char *at, *end;
    char *text;
    struct json_place place;
    struct json_scan *scan;
    enum json_state state;
    unsigned depth;
    unsigned objects; /* seen so far */
    bool is_object[JSON_DEPTH_MAX];
    unsigned object[JSON_DEPTH_MAX];
};

static bool json_fail(struct json_reader *reader, const char *expected)
{
    char found[16] = "the end";
    if (reader->at < reader->end) {
        unsigned char c = (unsigned char)*reader->at;
        if (c > ' ' && c < 127)
            snprintf(found, sizeof(found), "%c", c);
        else
            snprintf(found, sizeof(found), "byte 0x%02x", c);
    }
    reader->scan->place = reader->place;
    snprintf(reader->scan->error, sizeof(reader->scan->error), "expected %s, found %s", expected,
             found);
    return false;
}

static bool json_fail_at(struct json_reader *reader, struct json_place place, const char *text)
{
    reader->scan->place = place;
    snprintf(reader->scan->error, sizeof(reader->scan->error), "%s", text);
    return false;
}

static void json_step(struct json_reader *reader)
{
    unsigned char c = (unsigned char)*reader->at++;
    if (c == '\n')
        reader->place = (struct json_place){.line = reader->place.line + 1, .column = 1};
    else if ((c & 0xc0) != 0x80)
        reader->place.column++;
}

static bool json_is_at(const struct json_reader *reader, const char *text)
{
    size_t bytes = strlen(text);
    return (size_t)(reader->end - reader->at) >= bytes && memcmp(reader->at, text, bytes) == 0;
}

static void json_blank(struct json_reader *reader)
{
    char *at = reader->at;
    json_step(reader);
    if (*at != '\n')
        *at = ' ';
}

static bool json_skip_comment(struct json_reader *reader)
{
    struct json_place begin = reader->place;
    bool is_line = json_is_at(reader, "//");
    const char *last = is_line ? "\n" : "*/";
    json_blank(reader);
    json_blank(reader);
    while (reader->at < reader->end && !json_is_at(reader, last))
        json_blank(reader);
    if (is_line)
        return true;
    if (reader->at == reader->end)
        return json_fail_at(reader, begin, "a comment begins here and never ends");
    json_blank(reader);
    json_blank(reader);
    return true;
}

static bool json_skip_blanks(struct json_reader *reader)
{
    while (reader->at < reader->end) {
        if (strchr(" \t\r\n", *reader->at) != NULL && *reader->at != '\0')
            json_step(reader);
        else if (!json_is_at(reader, "//") && !json_is_at(reader, "/*"))
            return true;
        else if (!json_skip_comment(reader))
            return false;
    }
    return true;
}

/* Behind a backslash: steps over the escape. */
static bool json_read_escape(struct json_reader *reader)
{
    json_step(reader);
    if (reader->at == reader->end || *reader->at == '\0' ||
        strchr("\"\\/bfnrtu", *reader->at) == NULL)
        return json_fail(reader, "one of \" \\ / b f n r t u after a backslash");
    bool is_unicode = *reader->at == 'u';
    json_step(reader);
    if (!is_unicode)
        return true;
    if (json_is_at(reader, "0000"))
        return json_fail(reader, "no \\u0000: it would cut the text");
    for (int i = 0; i < 4; i++) {
        if (reader->at == reader->end || *reader->at == '\0' ||
            strchr("0123456789abcdefABCDEF", *reader->at) == NULL)
            return json_fail(reader, "four hexadecimal digits after \\u");
        json_step(reader);
    }
    return true;
}

/* At the opening quote; afterwards behind the closing one. */
static bool json_read_string(struct json_reader *reader, struct span *content)
{
    struct json_place begin = reader->place;
    json_step(reader);
    const char *first = reader->at;
    while (reader->at < reader->end && *reader->at != '"') {
        unsigned char c = (unsigned char)*reader->at;
        if (c < ' ')
            return json_fail(reader, "no control byte in a string (\\n, \\t and so on)");
        if (c != '\\')
            json_step(reader);
        else if (!json_read_escape(reader))
            return false;
    }
    if (reader->at == reader->end)
        return json_fail_at(reader, begin, "a string begins here and never ends");
    *content = span_of(first, (size_t)(reader->at - first));
    if (!span_is_text(*content))
        return json_fail_at(reader, begin, "a string here is not UTF-8");
    json_step(reader);
    return true;
}

static size_t json_digits(const struct json_reader *reader, size_t from)
{
    size_t i = from;
    while (reader->at + i < reader->end && reader->at[i] >= '0' && reader->at[i] <= '9')
        i++;
    return i - from;
}

static bool json_has(const struct json_reader *reader, size_t at, const char *among)
{
    return reader->at + at < reader->end && reader->at[at] != '\0' &&
           strchr(among, reader->at[at]) != NULL;
}

static bool json_read_number(struct json_reader *reader)
{
    size_t i = json_has(reader, 0, "-") ? 1 : 0;
    size_t whole = json_digits(reader, i);
    if (whole == 0)
        return json_fail(reader, "a value");
    if (whole > 1 && reader->at[i] == '0')
        return json_fail_at(reader, reader->place, "a number does not begin with 0");
    i += whole;
    if (json_has(reader, i, ".")) {
        size_t fraction = json_digits(reader, i + 1);
        if (fraction == 0)
            return json_fail_at(reader, reader->place, "a number needs digits after its point");
        i += 1 + fraction;
    }
    if (json_has(reader, i, "eE")) {
        i += json_has(reader, i + 1, "+-") ? 2 : 1;
        size_t exponent = json_digits(reader, i);
        if (exponent == 0)
            return json_fail_at(reader, reader->place, "a number needs digits in its exponent");
        i += exponent;
    }
    if (i > JSON_NUMBER_BYTES_MAX)
        return json_fail_at(reader, reader->place, "a number has at most 32 characters");
    while (i-- > 0)
        json_step(reader);
    return true;
}

static bool json_read_word(struct json_reader *reader)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!json_is_at(reader, words[i]))
            continue;
        for (size_t n = strlen(words[i]); n > 0; n--)
            json_step(reader);
        return true;
    }
    return json_fail(reader, "a value");
}

static bool json_enter(struct json_reader *reader, bool is_object)
{
    if (reader->depth == JSON_DEPTH_MAX)
        return json_fail_at(reader, reader->place, "nested more than 32 deep");
    json_step(reader);
    reader->is_object[reader->depth] = is_object;
    reader->object[reader->depth++] = ++reader->objects;
    reader->state = is_object ? JSON_NAME_OR_END : JSON_VALUE_OR_END;
    return true;
}

static bool json_leave(struct json_reader *reader)
{
    json_step(reader);
    reader->depth--;
    reader->state = JSON_AFTER;
    return true;
}

static bool json_read_value(struct json_reader *reader)
{
    struct span content;
    if (reader->at == reader->end)
        return json_fail(reader, "a value");
    char c = *reader->at;
    if (c == ']' && reader->state == JSON_VALUE_OR_END)
        return json_leave(reader);
    if (c == '{' || c == '[')
        return json_enter(reader, c == '{');
    reader->state = JSON_AFTER;
    if (c == '"')
        return json_read_string(reader, &content);
    if (c == '-' || (c >= '0' && c <= '9'))
        return json_read_number(reader);
    return json_read_word(reader);
}

static bool json_is_duplicate(const struct json_reader *reader, const struct json_member *member)
{
    struct span name = span_of(reader->text + member->offset, member->bytes);
    for (size_t i = 0; i < reader->scan->count; i++) {
        const struct json_member *other = &reader->scan->members[i];
        if (other->object == member->object &&
            span_equal(name, span_of(reader->text + other->offset, other->bytes)))
            return true;
    }
    return false;
}

static bool json_read_name(struct json_reader *reader)
{
    if (json_is_at(reader, "}") && reader->state == JSON_NAME_OR_END)
        return json_leave(reader);
    if (!json_is_at(reader, "\""))
        return json_fail(reader, "a name in double quotes");
    struct json_member member = {.place = reader->place,
                                 .offset = (size_t)(reader->at + 1 - reader->text),
                                 .object = reader->object[reader->depth - 1]};
    struct span name;
    if (!json_read_string(reader, &name))
        return false;
    member.bytes = name.bytes;
    if (memchr(name.data, '\\', name.bytes) != NULL)
        return json_fail_at(reader, member.place, "a name is written without backslashes");
    if (json_is_duplicate(reader, &member))
        return json_fail_at(reader, member.place, "this name stands in the object twice");
    if (reader->scan->count == JSON_MEMBERS_MAX)
        return json_fail_at(reader, member.place, "more than 1024 names");
    reader->scan->members[reader->scan->count++] = member;
    if (!json_skip_blanks(reader))
        return false;
    if (!json_is_at(reader, ":"))
        return json_fail(reader, "a colon");
    json_step(reader);
    reader->state = JSON_VALUE;
    return true;
}

static bool json_read_after(struct json_reader *reader)
{
    bool is_object = reader->is_object[reader->depth - 1];
    if (json_is_at(reader, is_object ? "}" : "]"))
        return json_leave(reader);
    if (!json_is_at(reader, ","))
        return json_fail(reader, is_object ? "a comma or }" : "a comma or ]");
    json_step(reader);
    reader->state = is_object ? JSON_NAME : JSON_VALUE;
    return true;
}

static bool json_read_next(struct json_reader *reader)
{
    switch (reader->state) {
    case JSON_VALUE:
    case JSON_VALUE_OR_END:
        return json_read_value(reader);
    case JSON_NAME:
    case JSON_NAME_OR_END:
        return json_read_name(reader);
    case JSON_AFTER:
        return json_read_after(reader);
    }
    return false;
}

bool json_scan(char *text, size_t bytes, struct json_scan *scan)
{
    struct json_reader reader = {.at = text,
                                 .end = text + bytes,
                                 .text = text,
                                 .place = {.line = 1, .column = 1},
                                 .scan = scan,
                                 .state = JSON_VALUE};
    scan->count = 0;
    if (bytes > JSON_BYTES_MAX)
        return json_fail_at(&reader, reader.place, "more than 1 MiB");
    do {
        if (!json_skip_blanks(&reader) || !json_read_next(&reader))
            return false;
    } while (reader.depth > 0 || reader.state != JSON_AFTER);
    if (!json_skip_blanks(&reader))
        return false;
    return reader.at == reader.end || json_fail(&reader, "nothing after the value");
}
