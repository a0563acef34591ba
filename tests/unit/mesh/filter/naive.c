/* naive.c - see naive.h. Nothing here is shared with mesh/filter. */
#include "tests/unit/mesh/filter/naive.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <criterion/criterion.h>
#include <pcre2.h>
#include <strings.h>

enum { WORDS_MAX = 4096, WORD_BYTES_MAX = 512, ROLES_MAX_HERE = 32 };

/* Words and marks of the text; strings without quotes and escapes, marked by 's'. */
static struct word {
    char kind; /* w, s, or the mark itself */
    char text[WORD_BYTES_MAX];
} words[WORDS_MAX];
static size_t words_count;

static const struct property *having;
static size_t having_count;

static size_t string_read(struct span text, size_t at, struct word *word)
{
    char quote = (char)text.data[at++];
    size_t bytes = 0;
    for (; (char)text.data[at] != quote; at++) {
        if (text.data[at] == '\\')
            at++;
        word->text[bytes++] = (char)text.data[at];
        cr_assert_lt(bytes, WORD_BYTES_MAX);
    }
    word->text[bytes] = '\0';
    return at + 1;
}

static void words_read(struct span text)
{
    size_t at = 0;
    words_count = 0;
    while (at < text.bytes) {
        struct word *word = &words[words_count];
        char first = (char)text.data[at];
        if (strchr(" \t\r\n", first) != NULL) {
            at++;
            continue;
        }
        cr_assert_lt(++words_count, WORDS_MAX);
        word->kind = first;
        if (first == '\'' || first == '"') {
            word->kind = 's';
            at = string_read(text, at, word);
        } else if (strchr("()[],", first) != NULL) {
            at++;
        } else {
            size_t bytes = 0;
            word->kind = 'w';
            while (at < text.bytes && strchr(" \t\r\n()[],'\"", text.data[at]) == NULL)
                word->text[bytes++] = (char)text.data[at++];
            word->text[bytes] = '\0';
        }
    }
    words[words_count].kind = '\0';
}

static const struct property *property_of(const char *key)
{
    for (size_t i = 0; i < having_count; i++) {
        if (span_equal(having[i].key, span_text(key)))
            return &having[i];
    }
    return NULL;
}

/* The quoted parts of a text. */
static size_t roles_of(const char *text, char roles[ROLES_MAX_HERE][WORD_BYTES_MAX])
{
    size_t count = 0;
    for (;;) {
        const char *from = strchr(text, '"');
        if (from == NULL)
            return count;
        size_t bytes = 0;
        for (from++; *from != '\0' && *from != '"'; from++) {
            roles[count][bytes++] = *from;
            if (*from == '\\' && from[1] != '\0')
                roles[count][bytes++] = *++from;
        }
        if (*from == '\0')
            return count;
        roles[count][bytes] = '\0';
        cr_assert_lt(++count, ROLES_MAX_HERE);
        text = from + 1;
    }
}

static bool roles_within(const char *a, const char *b)
{
    static char of_a[ROLES_MAX_HERE][WORD_BYTES_MAX], of_b[ROLES_MAX_HERE][WORD_BYTES_MAX];
    size_t count = roles_of(a, of_a), others = roles_of(b, of_b);
    for (size_t i = 0; i < count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < others; j++)
            is_there = is_there || strcmp(of_a[i], of_b[j]) == 0;
        if (!is_there)
            return false;
    }
    return true;
}

static const char *value_text(const struct property *property)
{
    static char texts[2][8192];
    static size_t turn;
    char *text = texts[turn++ % 2];
    memcpy(text, property->value.data, property->value.bytes);
    text[property->value.bytes] = '\0';
    return text;
}

static bool value_is(const struct property *property, const char *value)
{
    const char *text = value_text(property);
    if (span_equal(property->key, span_text("$Roles")))
        return roles_within(text, value) && roles_within(value, text);
    return strcmp(text, value) == 0;
}

static bool value_matches(const struct property *property, const char *pattern)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &offset, NULL);
    cr_assert_not_null(code, "%s", pattern);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    const char *text = value_text(property);
    int result = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0,
                             PCRE2_ANCHORED | PCRE2_ENDANCHORED, data, NULL);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return result >= 0;
}

static bool is_word(size_t at, const char *keyword)
{
    return words[at].kind == 'w' && strcasecmp(words[at].text, keyword) == 0;
}

/* All strings from *at on, with commas and brackets between: whether one is, or all are held. */
static bool strings_hold(size_t *at, const struct property *property, bool all)
{
    bool any_is = false, all_held = true;
    for (; words[*at].kind != '\0' && strchr("s,[]", words[*at].kind) != NULL; (*at)++) {
        if (words[*at].kind != 's')
            continue;
        char role[2 * WORD_BYTES_MAX] = "\"";
        for (const char *from = words[*at].text; *from != '\0'; from++) {
            if (*from == '"' || *from == '\\')
                strncat(role, "\\", 2);
            strncat(role, from, 1);
        }
        strncat(role, "\"", 2);
        any_is = any_is || (!all && property != NULL && value_is(property, words[*at].text));
        all_held = all_held && property != NULL && roles_within(role, value_text(property));
    }
    return all ? all_held : any_is;
}

/* The term that begins at *at, and past it. */
static bool term_holds(size_t *at)
{
    if (is_word(*at, "all")) {
        (*at)++;
        return true;
    }
    if (is_word(*at, "has")) {
        *at += 2;
        return property_of(words[*at - 1].text) != NULL;
    }
    if (is_word(*at, "hasroles")) {
        (*at)++;
        return strings_hold(at, property_of("$Roles"), true);
    }
    const struct property *property = property_of(words[*at].text);
    bool is_ne = is_word(*at + 1, "ne"), is_matches = is_word(*at + 1, "matches");
    *at += 2;
    if (is_word(*at - 1, "in"))
        return strings_hold(at, property, false);
    const char *value = words[(*at)++].text;
    if (is_matches)
        return property != NULL && value_matches(property, value);
    return is_ne != (property != NULL && value_is(property, value));
}

/* Replaces the first `from` by `to`; false when there is none. */
static bool rewrite(char *text, const char *from, char to)
{
    char *found = strstr(text, from);
    if (found == NULL)
        return false;
    *found = to;
    memmove(found + 1, found + strlen(from), strlen(found + strlen(from)) + 1);
    return true;
}

/* One step; `or` comes last, so that no `and` is left when its turn comes, but in parentheses. */
static bool rewrite_once(char *text)
{
    static const char *const rules[][2] = {
        {"nT", "F"},  {"nF", "T"},  {"(T)", "T"}, {"(F)", "F"}, {"TaT", "T"}, {"TaF", "F"},
        {"FaT", "F"}, {"FaF", "F"}, {"ToT", "T"}, {"ToF", "T"}, {"FoT", "T"}, {"FoF", "F"},
    };
    for (size_t i = 0; i < 8; i++) {
        if (rewrite(text, rules[i][0], rules[i][1][0]))
            return true;
    }
    for (char *at = text; *at != '\0' && at[1] != '\0'; at++) {
        bool has_and = at > text && (at[-1] == 'a' || at[-1] == 'n');
        has_and = has_and || (at[1] == 'o' && at[3] == 'a');
        for (size_t i = 8; i < 12 && !has_and; i++) {
            if (strncmp(at, rules[i][0], 3) == 0)
                return rewrite(at, rules[i][0], rules[i][1][0]);
        }
    }
    return false;
}

bool naive_match(struct span text, const struct property *properties, size_t count)
{
    static char truth[WORDS_MAX + 1];
    size_t used = 0, at = 0;
    having = properties;
    having_count = count;
    words_read(text);
    while (at < words_count) {
        char mark = words[at].kind;
        if (mark == 'w')
            mark = is_word(at, "not")   ? 'n'
                   : is_word(at, "and") ? 'a'
                   : is_word(at, "or")  ? 'o'
                                        : 'w';
        if (mark == 'w')
            truth[used++] = term_holds(&at) ? 'T' : 'F';
        else
            truth[used++] = mark;
        at += mark != 'w';
    }
    truth[used] = '\0';
    while (rewrite_once(truth)) {
    }
    cr_assert(strcmp(truth, "T") == 0 || strcmp(truth, "F") == 0, "left: %s", truth);
    return truth[0] == 'T';
}
