/* test_filter.c - the door: limits, complaints, canonical text, what a filter pins, the budget. */
#include "mesh/filter/filter.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/mesh/filter/people.h"

TestSuite(filter, .init = people_start, .fini = people_end);

static char text[3 * FILTER_BYTES_MAX];

/* `count` times `piece`, then `end`. */
static const char *repeated(const char *piece, size_t count, const char *end)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(text + used, piece, strlen(piece));
        used += strlen(piece);
    }
    memcpy(text + used, end, strlen(end) + 1);
    cr_assert_lt(used + strlen(end), sizeof text);
    return text;
}

static const struct complaint *refused(const char *words)
{
    struct filter *filter;
    cr_assert_eq(filter_parse(people_engine, span_text(words), &filter, &people_complaints),
                 ERROR_INVALID_FILTER, "%.60s", words);
    cr_assert_null(filter);
    cr_assert_gt(people_complaints.count, 0);
    return &people_complaints.items[0];
}

static void expect_refused(const char *words, uint32_t line, uint32_t column, const char *said)
{
    const struct complaint *complaint = refused(words);
    char message[SENTENCE_BYTES + 1];
    memcpy(message, complaint->message.text, complaint->message.bytes);
    message[complaint->message.bytes] = '\0';
    cr_expect(complaint->line == line && complaint->column == column, "%.60s: %u:%u", words,
              complaint->line, complaint->column);
    cr_expect_not_null(strstr(message, said), "%.60s: %s", words, message);
}

static void expect_printed(const char *words, const char *canonical)
{
    struct filter *filter = people_filter(words);
    struct span printed = filter_print(filter);
    cr_expect(span_equal(printed, span_text(canonical)), "%s -> %.*s", words, (int)printed.bytes,
              (const char *)printed.data);
    filter_destroy(&filter);
}

Test(filter, prints_keywords_quotes_lists_and_blanks_in_one_way)
{
    expect_printed("NOT (a EQ \"x\") AND (b In ['1','2'] or ALL)",
                   "not a is 'x' and (b in ['1', '2'] or all)");
    expect_printed("HasRoles'b' \"a\",'b'", "hasRoles ['b', 'a', 'b']");
    expect_printed("a NE \"it's \\\\ \\\"so\\\"\"", "a ne 'it\\'s \\\\ \"so\"'");
    expect_printed("$Roles IS '\"b\" , \"a\"'", "$Roles is '\"b\" , \"a\"'");
    expect_printed("HAS Has\n\tor IS Matches 'x.*'", "has Has or IS matches 'x.*'");
}

Test(filter, prints_only_the_parentheses_that_precedence_needs)
{
    expect_printed("((all))", "all");
    expect_printed("(has a and has b) or has c", "has a and has b or has c");
    expect_printed("(has a or has b) or has c", "has a or has b or has c");
    expect_printed("has a and (has b and has c)", "has a and has b and has c");
    expect_printed("(has a or has b) and has c", "(has a or has b) and has c");
    expect_printed("has c and (has a or has b)", "has c and (has a or has b)");
    expect_printed("has c or (has a or has b) and all", "has c or (has a or has b) and all");
    expect_printed("((has a or has b)) and all", "(has a or has b) and all");
    expect_printed("not (has a)", "not has a");
    expect_printed("not (has a and has b)", "not (has a and has b)");
    expect_printed("not (not (has a or has b))", "not not (has a or has b)");
    expect_printed("not (a ne 'x')", "not a ne 'x'");
    expect_printed("(not has a) and ((has b or has c))", "not has a and (has b or has c)");
}

Test(filter, says_what_it_expected_and_what_it_found)
{
    expect_refused("Tier is Gold", 1, 9, "expected a quoted string, found Gold");
    expect_refused("", 1, 1, "all means every session");
    expect_refused(" \n ", 2, 2, "all means every session");
    expect_refused("x", 1, 2, "found the end of the filter");
    expect_refused("\xc3\xbc is '\xc3\xbc' x", 1, 10, "expected and, or, or the end");
    expect_refused("(all", 1, 5, "expected and, or, or )");
    expect_refused("x is 'y", 1, 6, "has no end");
    expect_refused("x is 'y\\", 1, 6, "has no end");
    expect_refused("x is '\\n'", 1, 7, "no other escapes");
    expect_refused("x in []", 1, 7, "expected a quoted string, found ]");
    expect_refused("hasRoles ['a' all]", 1, 15, "expected a role in quotes, or ]");
    expect_refused("x matches '('", 1, 11, "not a regular expression");
    expect_refused("all or x is '\xff'", 1, 14, "UTF-8");
    expect_refused("has \xe2\x82", 1, 5, "UTF-8");
    expect_refused(repeated("x", 300, ""), 1, 301, "the end");
    expect_refused(repeated("x", 300, " y"), 1, 302, "found y");
    expect_refused("a b\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
                   "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
                   "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
                   1, 3, "...");
    for (uint32_t i = 0; i < people_complaints.count; i++)
        cr_assert(span_is_text(sentence_span(&people_complaints.items[i].message)));
}

Test(filter, tells_bad_patterns_together_and_no_more_than_eight)
{
    (void)refused("a matches '(' and\nb matches '[' and c is 'x' and");
    cr_assert_eq(people_complaints.count, 3);
    cr_assert_eq(people_complaints.items[1].line, 2);
    cr_assert_eq(people_complaints.items[1].column, 11);
    (void)refused(repeated("a matches '(' or ", 20, "x"));
    cr_assert_eq(people_complaints.count, COMPLAINTS_MAX);
}

static char *wrapped(size_t depth, const char *open, const char *close)
{
    static char whole[4096];
    whole[0] = '\0';
    for (size_t i = 0; i < depth; i++)
        strncat(whole, open, sizeof whole - strlen(whole) - 1);
    strncat(whole, "all", sizeof whole - strlen(whole) - 1);
    for (size_t i = 0; i < depth; i++)
        strncat(whole, close, sizeof whole - strlen(whole) - 1);
    return whole;
}

Test(filter, counts_parentheses_and_nots_as_nesting)
{
    struct filter *filter = people_filter(wrapped(32, "not (", ")"));
    filter_destroy(&filter);
    filter = people_filter(wrapped(64, "(", ")"));
    filter_destroy(&filter);
    filter = people_filter(wrapped(64, "not ", ""));
    filter_destroy(&filter);
    filter = people_filter("(all) and (((all))) and not not not (all) and (all)");
    filter_destroy(&filter);
    expect_refused(wrapped(65, "(", ")"), 1, 65, "at most 64 deep");
    expect_refused(wrapped(65, "not ", ""), 1, 257, "at most 64 deep");
    expect_refused(wrapped(33, "not (", ")"), 1, 161, "at most 64 deep");
}

Test(filter, has_at_most_1024_terms)
{
    struct filter *filter = people_filter(repeated("all or ", 1023, "all"));
    filter_destroy(&filter);
    expect_refused(repeated("all or ", 1024, "all"), 1, 1024 * 7 + 1, "at most 1024 terms");
}

Test(filter, has_at_most_16_kib_as_it_is_and_as_it_is_printed)
{
    struct filter *filter = people_filter(repeated(" ", FILTER_BYTES_MAX - 3, "all"));
    filter_destroy(&filter);
    expect_refused(repeated(" ", FILTER_BYTES_MAX - 2, "all"), 1, FILTER_BYTES_MAX + 1,
                   "at most 16384 bytes, and this one has 16385");
    char *fits = strdup(repeated("'", 8000, "\""));
    size_t bytes = strlen(fits);
    memmove(text + 6, fits, bytes + 1);
    memcpy(text, "x is \"", 6);
    filter = people_filter(text);
    cr_assert_eq(filter_print(filter).bytes, 5 + 2 * 8000 + 2);
    filter_destroy(&filter);
    free(fits);
    fits = strdup(repeated("'", 8190, "\""));
    memmove(text + 6, fits, strlen(fits) + 1);
    memcpy(text, "x is \"", 6);
    expect_refused(text, 1, 6 + 8190 + 2, "canonical form");
    free(fits);
}

Test(filter, takes_lists_as_long_as_the_text_allows)
{
    static const char list[] = "hasRoles ";
    struct property admin = {.key = span_text("$Roles"), .value = span_text("\"a\"")};
    struct subject *subject = people_subject(&admin, 1);
    repeated("'a'", 3000, "");
    memmove(text + strlen(list), text, strlen(text) + 1);
    memcpy(text, list, strlen(list));
    struct filter *filter = people_filter(text);
    cr_assert(people_match(filter, subject));
    filter_destroy(&filter);
    free(subject);
}

Test(filter, keeps_compiled_patterns_within_bounds)
{
    const struct complaint *complaint =
        refused(repeated("a matches '((?:xy){99}){9}' or ", 400, "all"));
    struct sentence message = complaint->message;
    sentence_add_span(&message, span_of("", 1));
    cr_assert_not_null(strstr(message.text, "when they are compiled"));
    expect_refused("a matches '((a{999}){999}){999}'", 1, 11, "not a regular expression");
    expect_refused(repeated("", 0, "a matches '\\\\C'"), 1, 11, "not a regular expression");
}

Test(filter, without_memory_is_an_outcome)
{
    struct filter *filter;
    struct memory small = {.limit = {[MEMORY_TABLES] = 1000}};
    cr_assert_null(filter_engine_new(&small));
    cr_assert_eq(small.used[MEMORY_TABLES], 0);
    uint64_t used = people_memory.used[MEMORY_TABLES];
    for (uint64_t room = 0; room < 2000; room += 8) {
        people_memory.limit[MEMORY_TABLES] = used + room;
        enum error error = filter_parse(people_engine, span_text("a matches 'x' or b is 'y'"),
                                        &filter, &people_complaints);
        cr_assert(error == (filter == NULL ? ERROR_LIMIT_REACHED : ERROR_OK));
        cr_assert_eq(people_complaints.count, 0);
        filter_destroy(&filter);
        cr_assert_eq(people_memory.used[MEMORY_TABLES], used);
    }
    cr_assert_eq(filter_parse(people_engine, span_text("all"), &filter, &people_complaints),
                 ERROR_OK);
    filter_destroy(&filter);
}

static void expect_pins(const char *words, enum key key, int count, const char *first)
{
    struct filter *filter = people_filter(words);
    struct filter_pins pins = {.count = 0};
    bool is_pinned = filter_pins(filter, key, &pins);
    cr_expect_eq(is_pinned ? (int)pins.count : -1, count, "%s", words);
    if (is_pinned && count == 1)
        cr_expect(span_equal(filter_pin(&pins, 0), span_text(first)), "%s", words);
    filter_destroy(&filter);
}

Test(filter, that_fixes_a_key_says_so)
{
    expect_pins("$SessionId is 'a'", KEY_SESSION_ID, 1, "a");
    expect_pins("$SessionId is 'a'", KEY_PRINCIPAL, -1, NULL);
    expect_pins("has x and $SessionId is 'a' and has y", KEY_SESSION_ID, 1, "a");
    expect_pins("(has x or has y) and $Principal in ['b', 'c', 'b']", KEY_PRINCIPAL, 2, NULL);
    expect_pins("not not $Principal is 'b'", KEY_PRINCIPAL, 1, "b");
    expect_pins("not ($Principal ne 'b' or has x)", KEY_PRINCIPAL, 1, "b");
    expect_pins("$Principal is ''", KEY_PRINCIPAL, 1, "");
}

Test(filter, that_only_mentions_a_key_fixes_nothing)
{
    expect_pins("$SessionId is 'a' or has x", KEY_SESSION_ID, -1, NULL);
    expect_pins("has x or $SessionId is 'a'", KEY_SESSION_ID, -1, NULL);
    expect_pins("has x and has y or $SessionId is 'a'", KEY_SESSION_ID, -1, NULL);
    expect_pins("not $SessionId is 'a'", KEY_SESSION_ID, -1, NULL);
    expect_pins("$SessionId ne 'a'", KEY_SESSION_ID, -1, NULL);
    expect_pins("$SessionId matches 'a'", KEY_SESSION_ID, -1, NULL);
    expect_pins("has x and ($SessionId is 'a' or has y)", KEY_SESSION_ID, -1, NULL);
    expect_pins("all", KEY_SESSION_ID, -1, NULL);
}

Test(filter, whose_patterns_take_too_long_spends_its_budget_and_stays_spent)
{
    struct property property = {.key = span_text("v"),
                                .value = span_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
    struct subject *subject = people_subject(&property, 1);
    struct filter *bomb = people_filter("not v matches '(a+)+[bc]'");
    struct filter *plain = people_filter("all");
    struct filter_budget budget;
    filter_budget_start(&budget, people_engine);
    uint32_t asked = 0;
    for (; asked < 20000 && !budget.is_spent; asked++)
        (void)filter_matches(bomb, subject, &budget);
    cr_assert(budget.is_spent && asked > 100 && asked < 20000, "%u", asked);
    cr_assert_eq(budget.exceeded, asked - 1, "each match but the last met its own limit");
    cr_assert_not(filter_matches(bomb, subject, &budget));
    cr_assert_not(filter_matches(plain, subject, &budget));
    cr_assert(people_match(bomb, subject), "one that takes too long does not match");
    filter_destroy(&plain);
    filter_destroy(&bomb);
    free(subject);
}

/* How many matches of a bomb it takes until the budget is spent. */
static uint32_t spend(struct filter_budget *budget, const struct filter *bomb,
                      const struct subject *subject)
{
    uint32_t asked = 0;
    for (; asked < 20000 && !budget->is_spent; asked++)
        (void)filter_matches(bomb, subject, budget);
    cr_assert(budget->is_spent);
    return asked;
}

Test(filter, that_shares_a_budget_has_what_others_left_and_a_whole_one_in_a_while)
{
    const uint64_t second = 1000000000;
    struct property property = {.key = span_text("v"),
                                .value = span_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
    struct subject *subject = people_subject(&property, 1);
    struct filter *bomb = people_filter("not v matches '(a+)+[bc]'");
    struct filter *plain = people_filter("v matches 'a+' and v matches '.*a'");
    struct filter_budget budget;
    filter_budget_share(&budget, people_engine, second);
    cr_assert_not(budget.is_short);
    uint32_t whole = spend(&budget, bomb, subject);
    cr_assert_gt(whole, 100);
    filter_budget_share(&budget, people_engine, second);
    cr_assert(budget.is_short);
    cr_assert_eq(spend(&budget, bomb, subject), 1, "nothing is left in the same moment");
    filter_budget_share(&budget, people_engine, second + second / 8);
    uint32_t half = spend(&budget, bomb, subject);
    cr_assert(half > whole / 3 && half < whole * 2 / 3, "half of the time, half of it: %u", half);
    filter_budget_share(&budget, people_engine, 2 * second);
    cr_assert_not(budget.is_short);
    cr_assert(filter_matches(plain, subject, &budget));
    filter_budget_share(&budget, people_engine, 2 * second);
    cr_assert(budget.is_short && filter_matches(plain, subject, &budget), "enough for it is left");
    filter_destroy(&plain);
    filter_destroy(&bomb);
    free(subject);
}

Test(filter, whose_patterns_are_honest_gets_through_100000_sessions)
{
    struct property property = {.key = span_text("v"),
                                .value = span_text("0123456789abcdef-0123456789abcdef")};
    struct subject *subject = people_subject(&property, 1);
    struct filter *filter = people_filter("v matches '.*[abc]7.*'");
    struct filter_budget budget;
    filter_budget_start(&budget, people_engine);
    for (uint32_t i = 0; i < 100000; i++)
        (void)filter_matches(filter, subject, &budget);
    cr_assert(!budget.is_spent && budget.exceeded == 0);
    filter_destroy(&filter);
    free(subject);
}

Test(filter, asked_again_allocates_nothing)
{
    struct property property = {.key = span_text("v"), .value = span_text("some value 17")};
    struct subject *subject = people_subject(&property, 1);
    struct filter *filter =
        people_filter("v matches '(\\\\w+ )*17' and v in ['x', 'some value 17']");
    cr_assert(people_match(filter, subject));
    uint64_t used = people_memory.used[MEMORY_TABLES];
    people_memory.limit[MEMORY_TABLES] = used;
    cr_assert(people_match(filter, subject));
    cr_assert_eq(people_memory.used[MEMORY_TABLES], used);
    filter_destroy(&filter);
    free(subject);
}

Test(filter, patterns_meet_whole_characters_and_whole_values)
{
    struct property property = {.key = span_text("v"), .value = span_text("\xc3\xbc\xc3\xbc")};
    struct property broken = {.key = span_text("v"), .value = span_text("\xff\xfe")};
    struct subject *subject = people_subject(&property, 1), *other = people_subject(&broken, 1);
    struct filter *two = people_filter("v matches '..'"), *one = people_filter("v matches '.'");
    struct filter *any = people_filter("v matches '.*'");
    cr_assert(people_match(two, subject) && !people_match(one, subject));
    cr_assert(people_match(any, subject) && !people_match(any, other));
    filter_destroy(&any);
    filter_destroy(&one);
    filter_destroy(&two);
    free(other);
    free(subject);
}
