/* criterion_main.c - runs the tests that registered themselves, and counts.
 *
 * A failed fatal check leaves its test with longjmp. Output is close to Criterion's, so that a
 * failing line reads the same in both builds. */
#include "tests/tsan/criterion/criterion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

enum { EXIT_NO_TESTS = 2 };

static struct shim_test *tests;
static struct shim_suite *suites;
static atomic_int failed_checks;
static jmp_buf test_end;
static thread_local bool is_main_thread;

void shim_test_register(struct shim_test *test)
{
    test->next = tests;
    tests = test;
}

void shim_suite_register(struct shim_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

void shim_check(bool holds, bool fatal, const char *file, int line, const char *text, ...)
{
    if (holds) {
        return;
    }
    va_list arguments;
    va_start(arguments, text);
    const char *format = va_arg(arguments, const char *);
    (void)fprintf(stderr, "[----] %s:%d: check failed: %s ", file, line, text);
    if (format != NULL) {
        (void)vfprintf(stderr, format, arguments);
    }
    va_end(arguments);
    (void)fputc('\n', stderr);
    atomic_fetch_add(&failed_checks, 1);
    if (fatal && is_main_thread) {
        longjmp(test_end, 1);
    } else if (fatal) {
        _exit(EXIT_FAILURE);
    }
}

static const struct shim_options *suite_options(const char *name)
{
    for (struct shim_suite *suite = suites; suite != NULL; suite = suite->next) {
        if (strcmp(suite->name, name) == 0) {
            return &suite->options;
        }
    }
    static const struct shim_options none = {.data = NULL};
    return &none;
}

static void run_part(void (*part)(void))
{
    if (part != NULL && setjmp(test_end) == 0) {
        part();
    }
}

/* Init, body and end; true when no check failed. */
static bool run_here(const struct shim_test *test)
{
    const struct shim_options *suite = suite_options(test->suite);
    atomic_store(&failed_checks, 0);
    run_part(suite->init);
    run_part(test->options.init);
    if (atomic_load(&failed_checks) == 0) {
        run_part(test->run);
    }
    run_part(test->options.fini);
    run_part(suite->fini);
    return atomic_load(&failed_checks) == 0;
}

/* A test that must end by a signal or with an exit code gets a process of its own. */
static bool run_in_child(const struct shim_test *test)
{
    pid_t child = fork();
    if (child == 0) {
        exit(run_here(test) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return false;
    }
    if (test->options.signal != 0) {
        return WIFSIGNALED(status) && WTERMSIG(status) == test->options.signal;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == test->options.exit_code;
}

int main(void)
{
    int run_count = 0;
    int failed_count = 0;
    is_main_thread = true;
    for (struct shim_test *test = tests; test != NULL; test = test->next) {
        if (test->options.disabled || suite_options(test->suite)->disabled) {
            continue;
        }
        bool is_special = test->options.signal != 0 || test->options.exit_code != 0;
        run_count++;
        if (!(is_special ? run_in_child(test) : run_here(test))) {
            failed_count++;
            (void)fprintf(stderr, "[FAIL] %s::%s\n", test->suite, test->name);
        }
    }
    printf("[====] Tested: %d | Failing: %d\n", run_count, failed_count);
    if (run_count == 0) {
        return EXIT_NO_TESTS;
    }
    return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
