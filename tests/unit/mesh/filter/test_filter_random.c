/* test_filter_random.c - random filters, half of them damaged: what is taken means the same to the
 * evaluator, to a naive one, and after having been printed and parsed again. */
#include "mesh/base/random.h"
#include "mesh/filter/program.h"
#include "tests/unit/mesh/filter/naive.h"
#include "tests/unit/mesh/filter/people.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { FILTERS = 10000, SESSIONS = 24, DRAWN_BYTES_MAX = 8192, TERMS_MAX = 8 };

static const char *const keys[] = {"$Principal", "$Country", "$ServerName", "$SessionId", "tier",
                                   "Tier",       "desk",     "\xc3\xbc",    "is",         "x=1"};
static const char *const values[] = {"",     "gold", "Gold", "O'Neil \\ co", "\xc3\xa9t\xc3\xa9",
                                     "10.0", "a",    "aa",   "say \"no\"",   "x\ny"};
static const char *const roles[] = {"admin", "client", "trader"};
static const char *const role_texts[] = {
    "", "\"admin\"", "\"client\",\"admin\"", " \"admin\" , \"client\"", "admin", "\"trader\""};
static const char *const held_roles[] = {"", "\"admin\"", "\"admin\",\"client\"", "\"trader\""};
static const char *const patterns[] = {
    ".*", "[a-z]+", "(gold|Gold)", "a{1,2}", "\\d+\\.\\d", "(?i)gO.d", ".", "", "(a+)+b", "\\w*"};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PICK(array) ((array)[random_below(&dice, COUNT(array))])

static struct random dice;
static char text[DRAWN_BYTES_MAX];
static size_t text_bytes;
static struct session {
    struct property properties[COUNT(keys) + 1];
    size_t count;
    struct subject *subject;
} sessions[SESSIONS];

static bool toss(uint64_t sides)
{
    return random_below(&dice, sides) == 0;
}

static void sessions_draw(void)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        struct session *session = &sessions[i];
        session->count = 0;
        for (size_t key = 0; key < COUNT(keys); key++) {
            if (!toss(3))
                session->properties[session->count++] = (struct property){
                    .key = span_text(keys[key]), .value = span_text(PICK(values))};
        }
        if (!toss(4))
            session->properties[session->count++] =
                (struct property){.key = span_text("$Roles"), .value = span_text(PICK(held_roles))};
        session->subject = people_subject(session->properties, session->count);
    }
}

static void put(const char *words)
{
    size_t bytes = strlen(words);
    cr_assert_lt(text_bytes + bytes, DRAWN_BYTES_MAX);
    memcpy(text + text_bytes, words, bytes);
    text_bytes += bytes;
}

/* A keyword in any case, with any blanks around it. */
static void put_word(const char *word)
{
    static const char *const blanks[] = {" ", "  ", "\n", "\t", "\r\n"};
    put(PICK(blanks));
    for (; *word != '\0'; word++) {
        char letter[2] = {*word, '\0'};
        if (toss(3) && *word >= 'a' && *word <= 'z')
            letter[0] = (char)(*word - 'a' + 'A');
        put(letter);
    }
    put(PICK(blanks));
}

static void put_string(const char *value)
{
    char quote = toss(2) ? '\'' : '"', mark[3] = {quote, '\0', '\0'};
    put(mark);
    for (; *value != '\0'; value++) {
        bool is_escaped = *value == '\\' || *value == quote || (strchr("'\"", *value) && toss(2));
        char letter[3] = {is_escaped ? '\\' : *value, is_escaped ? *value : '\0', '\0'};
        put(letter);
    }
    put(mark);
}

static void put_list(const char *const *from, size_t count, bool is_loose)
{
    bool has_bracket = !is_loose || toss(2);
    put(has_bracket ? "[" : " ");
    for (uint64_t left = 1 + random_below(&dice, 4); left > 0; left--) {
        put_string(from[random_below(&dice, count)]);
        if (left > 1)
            put(is_loose && toss(2) ? " " : toss(2) ? "," : " , ");
    }
    put(has_bracket ? "]" : "");
}

static void put_comparison(void)
{
    bool is_roles = toss(6);
    put(is_roles ? "$Roles" : PICK(keys));
    switch (random_below(&dice, 5)) {
    case 0:
        put_word("in");
        put_list(is_roles ? role_texts : values, 6, false);
        break;
    case 1:
        put_word("matches");
        put_string(PICK(patterns));
        break;
    default:
        put_word(toss(2) ? "ne" : toss(2) ? "eq" : "is");
        put_string(is_roles ? PICK(role_texts) : PICK(values));
    }
}

static void put_term(void)
{
    switch (random_below(&dice, 8)) {
    case 0:
        put_word("all");
        break;
    case 1:
        put_word("has");
        put(PICK(keys));
        break;
    case 2:
        put_word("hasroles");
        put_list(roles, COUNT(roles), true);
        break;
    default:
        put_comparison();
    }
}

static void filter_draw(void)
{
    uint64_t depth = 0;
    text_bytes = 0;
    for (uint64_t left = 1 + random_below(&dice, TERMS_MAX); left > 0; left--) {
        while (toss(3)) {
            bool is_not = toss(2);
            is_not ? put_word("not") : put("(");
            depth += !is_not;
        }
        put_term();
        for (; depth > 0 && toss(3); depth--)
            put(")");
        if (left > 1)
            put_word(toss(2) ? "and" : "or");
    }
    for (; depth > 0; depth--)
        put(")");
}

/* Takes a byte out, doubles a run, or puts something in that the grammar knows. */
static void filter_damage(void)
{
    static const char *const stuff[] = {"(",   ")",    "[",    "]",    ",",     "'", "\"",
                                        "\\",  " ",    "not ", " or ", " and ", "x", "$",
                                        "is ", "\xc3", "\xff", "\n",   "has "};
    size_t at = random_below(&dice, text_bytes + 1);
    const char *piece = PICK(stuff);
    size_t bytes = strlen(piece);
    if (toss(2) && at < text_bytes) {
        memmove(text + at, text + at + 1, --text_bytes - at);
    } else if (text_bytes + bytes < DRAWN_BYTES_MAX) {
        memmove(text + at + bytes, text + at, text_bytes - at);
        memcpy(text + at, piece, bytes);
        text_bytes += bytes;
    }
}

/* The same tests with the same exits. */
static void expect_same_program(const struct filter *a, const struct filter *b)
{
    cr_assert_eq(a->steps_count, b->steps_count);
    for (uint32_t i = 0; i < a->steps_count; i++) {
        const struct program_step *one = &a->steps[i], *other = &b->steps[i];
        cr_assert(one->test == other->test && one->key == other->key &&
                      one->key_hash == other->key_hash && one->sieve == other->sieve &&
                      one->count == other->count && one->if_true == other->if_true &&
                      one->if_false == other->if_false,
                  "step %u of %.*s", i, (int)a->canonical.bytes, (const char *)a->canonical.data);
    }
}

/* Who matches has one of the values that the filter says it fixes. */
static void expect_pinned(const struct filter *filter, enum key key, const struct subject *subject)
{
    struct filter_pins pins;
    struct span value;
    bool is_among = false;
    if (!filter_pins(filter, key, &pins))
        return;
    bool is_there = subject_get(subject, key_text(key), &value);
    for (uint32_t i = 0; i < pins.count; i++)
        is_among = is_among || (is_there && span_equal(filter_pin(&pins, i), value));
    cr_assert(is_among, "%.*s", (int)filter->canonical.bytes, (const char *)filter->canonical.data);
}

/* Returns how many sessions match. */
static uint32_t expect_same_meaning(const struct filter *filter, struct span source)
{
    struct filter *again;
    struct span canonical = filter_print(filter);
    uint32_t matched = 0;
    cr_assert_eq(filter_parse(people_engine, canonical, &again, &people_complaints), ERROR_OK,
                 "%.*s became %.*s", (int)source.bytes, (const char *)source.data,
                 (int)canonical.bytes, (const char *)canonical.data);
    cr_assert(span_equal(canonical, filter_print(again)));
    expect_same_program(filter, again);
    for (size_t i = 0; i < SESSIONS; i++) {
        const struct session *session = &sessions[i];
        bool matches = people_match(filter, session->subject);
        matched += matches;
        if (matches) {
            expect_pinned(filter, KEY_PRINCIPAL, session->subject);
            expect_pinned(filter, KEY_SESSION_ID, session->subject);
        }
        cr_assert_eq(matches, people_match(again, session->subject));
        cr_assert_eq(matches, naive_match(source, session->properties, session->count),
                     "session %zu, %.*s", i, (int)source.bytes, (const char *)source.data);
    }
    filter_destroy(&again);
    return matched;
}

static void expect_a_place(struct span source)
{
    const struct complaint *complaint = &people_complaints.items[0];
    cr_assert_gt(people_complaints.count, 0);
    cr_assert(complaint->line >= 1 && complaint->column >= 1 &&
              complaint->line + complaint->column <= source.bytes + 2);
    cr_assert_gt(complaint->message.bytes, 0);
}

Test(filter_random, filters_mean_what_a_naive_evaluator_says, .timeout = 60)
{
    static const uint8_t seed[32] = "filters";
    uint32_t taken = 0, refused = 0, matched = 0;
    random_init(&dice, seed, 0);
    people_start();
    sessions_draw();
    for (uint32_t i = 0; i < FILTERS; i++) {
        struct filter *filter;
        filter_draw();
        for (uint64_t left = toss(2) ? 0 : 1 + random_below(&dice, 3); left > 0; left--)
            filter_damage();
        uint8_t *copy = malloc(text_bytes > 0 ? text_bytes : 1); /* ASan sees a byte too far */
        memcpy(copy, text, text_bytes);
        struct span source = span_of(copy, text_bytes);
        if (filter_parse(people_engine, source, &filter, &people_complaints) == ERROR_OK) {
            matched += expect_same_meaning(filter, source);
            taken++;
        } else {
            expect_a_place(source);
            refused++;
        }
        filter_destroy(&filter);
        free(copy);
    }
    for (size_t i = 0; i < SESSIONS; i++)
        free(sessions[i].subject);
    people_end();
    cr_assert(taken > FILTERS / 2 && refused > FILTERS / 10, "%u taken, %u refused", taken,
              refused);
    cr_assert(matched > taken * (SESSIONS / 4) && matched < taken * (SESSIONS / 4 * 3),
              "%u taken, %u matches", taken, matched);
}
