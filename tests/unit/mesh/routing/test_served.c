/* test_served.c - what is known of each registration here. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/routing/served.h"

enum { SESSIONS = 8, MS = 1000000 };

static struct context context;
static struct served_table *table;

static void set_up(void)
{
    context = (struct context){
        .memory = {.limit = {[MEMORY_TABLES] = 16 << 20, [MEMORY_PROPERTIES] = 4 << 20}}};
    static const uint8_t seed[32] = {7};
    random_init(&context.random, seed, 0);
    table = served_new(&context, SESSIONS);
}

static void tear_down(void)
{
    served_check(table);
    served_destroy(&table);
    cr_assert_eq(context.memory.used[MEMORY_PROPERTIES], 0);
    cr_assert_eq(context.memory.used[MEMORY_TABLES], 0);
}

TestSuite(served, .init = set_up, .fini = tear_down);

static struct served *add(uint32_t session, enum handler_kind kind, const char *path)
{
    cr_assert_eq(served_add(table, session, kind, span_text(path), span_text("tier")), ERROR_OK);
    return served_find(table, session, kind, span_text(path));
}

Test(served, is_found_by_session_kind_and_exact_path)
{
    struct served *served = add(3, HANDLER_DIRECT, "a/b");
    cr_assert_not_null(served);
    cr_assert(span_equal(served_path(served), span_text("a/b")));
    cr_assert(span_equal(served_keys(served), span_text("tier")));
    cr_assert_null(served_find(table, 3, HANDLER_REQUEST, span_text("a/b")));
    cr_assert_null(served_find(table, 3, HANDLER_DIRECT, span_text("a")));
    cr_assert_null(served_find(table, 2, HANDLER_DIRECT, span_text("a/b")));
}

Test(served, above_finds_the_most_specific_one)
{
    struct served *upper = add(0, HANDLER_REQUEST, "a");
    struct served *lower = add(0, HANDLER_REQUEST, "a/b");
    cr_assert_eq(served_find_above(table, 0, HANDLER_REQUEST, span_text("a/b/c")), lower);
    cr_assert_eq(served_find_above(table, 0, HANDLER_REQUEST, span_text("a/x")), upper);
    cr_assert_null(served_find_above(table, 0, HANDLER_REQUEST, span_text("ab")));
}

Test(served, once_only_and_again_after_it_was_removed)
{
    struct served *served = add(1, HANDLER_DIRECT, "a");
    uint64_t number = served_number(served);
    cr_assert_eq(served_of_number(table, number), served);
    cr_assert_eq(served_add(table, 1, HANDLER_DIRECT, span_text("a"), span_text("")),
                 ERROR_HANDLER_CONFLICT);
    cr_assert(served_remove(table, 1, HANDLER_DIRECT, span_text("a")));
    cr_assert(!served_remove(table, 1, HANDLER_DIRECT, span_text("a")));
    add(1, HANDLER_DIRECT, "a");
    cr_assert_null(served_of_number(table, number), "a late outcome finds no stranger");
    cr_assert_null(served_of_number(table, SERVED_NONE));
}

Test(served, of_a_session_goes_with_it)
{
    add(1, HANDLER_DIRECT, "a");
    add(1, HANDLER_REQUEST, "a");
    add(2, HANDLER_DIRECT, "a");
    served_session_ended(table, 1);
    cr_assert_eq(served_count(table), 1);
    cr_assert_not_null(served_find(table, 2, HANDLER_DIRECT, span_text("a")));
}

Test(served, counts_what_was_handed_over_and_what_became_of_it)
{
    struct served *served = add(0, HANDLER_REQUEST, "a");
    for (int i = 0; i < 103; i++)
        served_began(served);
    served_withdrawn(served);
    for (int i = 0; i < 99; i++)
        served_ended(table, served, ERROR_OK, span_text(""), 2 * MS);
    served_ended(table, served, ERROR_REJECTED, span_text("out of stock"), 50 * MS);
    cr_assert_eq(served->requests, 102);
    cr_assert_eq(served->in_flight, 2);
    cr_assert_eq(served->errors, 1);
    cr_assert_eq(served_mean_us(served), 2480);
    cr_assert_geq(served_p99_us(served), 2000);
    cr_assert_leq(served_p99_us(served), 2250);
    cr_assert_eq(served->last_error, ERROR_REJECTED);
    cr_assert(
        span_equal(span_of(served->last_words, served->last_bytes), span_text("out of stock")));
}

Test(served, keeps_whole_characters_of_long_words)
{
    struct served *served = add(0, HANDLER_REQUEST, "a");
    char words[SERVED_ERROR_BYTES + 8];
    memset(words, 'x', sizeof words);
    memcpy(words + SERVED_ERROR_BYTES - 1, "\xc3\xa9", 2); /* cut in its middle */
    served_began(served);
    served_ended(table, served, ERROR_HANDLER_ERROR, span_of(words, sizeof words), 0);
    cr_assert_eq(served->last_bytes, SERVED_ERROR_BYTES - 1);
}

Test(served, has_a_limit_for_each_session_and_for_memory)
{
    char path[16];
    enum error error = ERROR_OK;
    uint32_t added = 0;
    for (; error == ERROR_OK; added++) {
        snprintf(path, sizeof path, "p%u", added);
        error = served_add(table, 0, HANDLER_DIRECT, span_text(path), span_text(""));
    }
    cr_assert_eq(error, ERROR_LIMIT_REACHED);
    cr_assert_eq(added - 1, SERVED_OF_ONE_MAX);
    add(1, HANDLER_DIRECT, "another session has its own");
    context.memory.limit[MEMORY_PROPERTIES] = context.memory.used[MEMORY_PROPERTIES];
    cr_assert_eq(served_add(table, 1, HANDLER_DIRECT, span_text("x"), span_text("")),
                 ERROR_LIMIT_REACHED);
}
