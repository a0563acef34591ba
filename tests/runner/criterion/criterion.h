/* criterion.h - stands in for Criterion in all profiles but dev; tests/README.md says why.
 *
 * The same Test(), TestSuite() and cr_* macros, as far as our tests use them; runner.c runs them.
 * Memory: static. Thread: checks may be made in any thread; a fatal one outside the main thread
 * ends the test. */
#ifndef WEFT_TESTS_RUNNER_CRITERION_H
#define WEFT_TESTS_RUNNER_CRITERION_H

/* As Criterion's own: its macros are exempt from our warnings. */
#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shim_options {
    void (*init)(void);
    void (*fini)(void);
    int signal;
    int exit_code;
    bool disabled;
    const char *description;
    double timeout;
    void *data;
};

struct shim_test {
    const char *suite;
    const char *name;
    void (*run)(void);
    struct shim_options options;
    struct shim_test *next;
};

struct shim_suite {
    const char *name;
    struct shim_options options;
    struct shim_suite *next;
};

void shim_test_register(struct shim_test *test);
void shim_suite_register(struct shim_suite *suite);

/* Counts and prints a check that did not hold; ends the test when fatal. After `text` comes an
 * optional printf format with its arguments, and always a last NULL. */
void shim_fail(bool fatal, const char *file, int line, const char *text, ...);

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_body(void);                                                     \
    static struct shim_test suite_##_##name_##_test = {.suite = #suite_,                           \
                                                       .name = #name_,                             \
                                                       .run = suite_##_##name_##_body,             \
                                                       .options = {.data = NULL, ##__VA_ARGS__}};  \
    __attribute__((constructor)) static void suite_##_##name_##_register(void)                     \
    {                                                                                              \
        shim_test_register(&suite_##_##name_##_test);                                              \
    }                                                                                              \
    static void suite_##_##name_##_body(void)

#define TestSuite(suite_, ...)                                                                     \
    static struct shim_suite suite_##_suite = {.name = #suite_,                                    \
                                               .options = {.data = NULL, ##__VA_ARGS__}};          \
    __attribute__((constructor)) static void suite_##_suite_register(void)                         \
    {                                                                                              \
        shim_suite_register(&suite_##_suite);                                                      \
    }                                                                                              \
    struct shim_suite

/* The message's arguments are looked at only when there is something to say. */
#define SHIM_CHECK(holds, fatal, text, ...)                                                        \
    ((holds) ? (void)0                                                                             \
             : shim_fail(fatal, __FILE__, __LINE__, text, ##__VA_ARGS__, (const char *)NULL))

#define cr_assert(c, ...) SHIM_CHECK((c), true, #c, ##__VA_ARGS__)
#define cr_expect(c, ...) SHIM_CHECK((c), false, #c, ##__VA_ARGS__)
#define cr_assert_not(c, ...) SHIM_CHECK(!(c), true, "not " #c, ##__VA_ARGS__)
#define cr_expect_not(c, ...) SHIM_CHECK(!(c), false, "not " #c, ##__VA_ARGS__)
#define cr_assert_fail(...) SHIM_CHECK(false, true, "fail" __VA_OPT__(, ) __VA_ARGS__)
#define cr_expect_fail(...) SHIM_CHECK(false, false, "fail" __VA_OPT__(, ) __VA_ARGS__)
#define cr_log_info(...) ((void)0)
#define cr_log_warn(...) ((void)0)
#define cr_log_error(...) ((void)(fprintf(stderr, __VA_ARGS__), fputc('\n', stderr)))

#define SHIM_OP(fatal, a, op, b, ...) SHIM_CHECK((a)op(b), fatal, #a " " #op " " #b, ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...) SHIM_OP(true, a, ==, b, ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...) SHIM_OP(false, a, ==, b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...) SHIM_OP(true, a, !=, b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...) SHIM_OP(false, a, !=, b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...) SHIM_OP(true, a, <, b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...) SHIM_OP(false, a, <, b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...) SHIM_OP(true, a, <=, b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...) SHIM_OP(false, a, <=, b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...) SHIM_OP(true, a, >, b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...) SHIM_OP(false, a, >, b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...) SHIM_OP(true, a, >=, b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...) SHIM_OP(false, a, >=, b, ##__VA_ARGS__)
#define cr_assert_null(a, ...) SHIM_OP(true, a, ==, NULL, ##__VA_ARGS__)
#define cr_expect_null(a, ...) SHIM_OP(false, a, ==, NULL, ##__VA_ARGS__)
#define cr_assert_not_null(a, ...) SHIM_OP(true, a, !=, NULL, ##__VA_ARGS__)
#define cr_expect_not_null(a, ...) SHIM_OP(false, a, !=, NULL, ##__VA_ARGS__)

#define SHIM_STR(fatal, a, op, b, ...)                                                             \
    SHIM_CHECK(strcmp((a), (b)) op 0, fatal, #a " " #op " " #b, ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) SHIM_STR(true, a, ==, b, ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) SHIM_STR(false, a, ==, b, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) SHIM_STR(true, a, !=, b, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) SHIM_STR(false, a, !=, b, ##__VA_ARGS__)
#define cr_assert_str_empty(a, ...) SHIM_STR(true, a, ==, "", ##__VA_ARGS__)
#define cr_expect_str_empty(a, ...) SHIM_STR(false, a, ==, "", ##__VA_ARGS__)
#define cr_assert_str_not_empty(a, ...) SHIM_STR(true, a, !=, "", ##__VA_ARGS__)
#define cr_expect_str_not_empty(a, ...) SHIM_STR(false, a, !=, "", ##__VA_ARGS__)

#define SHIM_ARR(fatal, a, op, b, n, ...)                                                          \
    SHIM_CHECK(memcmp((a), (b), (n)) op 0, fatal, #a " " #op " " #b, ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) SHIM_ARR(true, a, ==, b, n, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, n, ...) SHIM_ARR(false, a, ==, b, n, ##__VA_ARGS__)
#define cr_assert_arr_neq(a, b, n, ...) SHIM_ARR(true, a, !=, b, n, ##__VA_ARGS__)
#define cr_expect_arr_neq(a, b, n, ...) SHIM_ARR(false, a, !=, b, n, ##__VA_ARGS__)

#define SHIM_FLOAT(fatal, a, b, e, ...)                                                            \
    SHIM_CHECK((a) - (b) <= (e) && (b) - (a) <= (e), fatal, #a " ~ " #b, ##__VA_ARGS__)
#define cr_assert_float_eq(a, b, e, ...) SHIM_FLOAT(true, a, b, e, ##__VA_ARGS__)
#define cr_expect_float_eq(a, b, e, ...) SHIM_FLOAT(false, a, b, e, ##__VA_ARGS__)

#endif
