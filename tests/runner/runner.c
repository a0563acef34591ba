/* runner.c - runs the tests that registered themselves, each in a process of its own, and counts.
 *
 *     program [-jN] [--timeout SECONDS] [--filter SUITE/TEST]
 *
 * N tests at a time (default 1), each for so long at most (default 20; a test's own .timeout counts
 * more); the filter is a pattern as of a shell. What a test prints is shown when it fails. It has
 * passed when it came to its end with no check failed, or ended by the signal or with the exit code
 * that it names; who ends early in any other way has failed, also with exit code 0.
 *
 * A failed fatal check leaves its test with longjmp. Output is close to Criterion's, so that a
 * failing line reads the same in all builds. */
#include "tests/runner/criterion/criterion.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, JOBS_MAX = 64, TIMEOUT_DEFAULT_S = 20 };

struct job {
    const struct shim_test *test; /* NULL: free */
    pid_t child;
    int output;
    double end_s;
    bool is_late;
};

static struct shim_test *tests, **tests_end = &tests;
static struct shim_suite *suites;
static atomic_int failed_checks;
static jmp_buf test_end;
static thread_local bool is_main_thread;
static atomic_bool *reports; /* shared with the children, a job each: it came to its end */
static sigset_t news;        /* SIGCHLD: waited for, not handled */

static struct {
    int jobs;
    double timeout_s;
    const char *filter;
} options = {1, TIMEOUT_DEFAULT_S, "*"};

void shim_test_register(struct shim_test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

void shim_suite_register(struct shim_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

/* ---- in the test's process -------------------------------------------------------------------*/

void shim_fail(bool fatal, const char *file, int line, const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    const char *format = va_arg(arguments, const char *);
    (void)fprintf(stderr, "[----] %s:%d: check failed: %s ", file, line, text);
    if (format != NULL)
        (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    atomic_fetch_add(&failed_checks, 1);
    if (fatal && is_main_thread)
        longjmp(test_end, 1);
    if (fatal)
        _exit(EXIT_FAILURE);
}

static const struct shim_options *suite_options(const char *name)
{
    static const struct shim_options none = {.data = NULL};
    for (struct shim_suite *suite = suites; suite != NULL; suite = suite->next)
        if (strcmp(suite->name, name) == 0)
            return &suite->options;
    return &none;
}

static void run_part(void (*part)(void))
{
    if (part != NULL && setjmp(test_end) == 0)
        part();
}

/* Init, body and end; true when no check failed. */
static bool run_all(const struct shim_test *test)
{
    const struct shim_options *suite = suite_options(test->suite);
    run_part(suite->init);
    run_part(test->options.init);
    if (atomic_load(&failed_checks) == 0)
        run_part(test->run);
    run_part(test->options.fini);
    run_part(suite->fini);
    return atomic_load(&failed_checks) == 0;
}

/* A test that is late ends with all that it started; and no test outlives the runner. */
_Noreturn static void be_test(const struct shim_test *test, int output, atomic_bool *report)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigprocmask(SIG_UNBLOCK, &news, NULL);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    is_main_thread = true;
    bool has_passed = run_all(test);
    atomic_store(report, true);
    exit(has_passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* ---- in the runner ---------------------------------------------------------------------------*/

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double limit_s(const struct shim_test *test)
{
    if (test->options.timeout > 0)
        return test->options.timeout;
    double of_suite = suite_options(test->suite)->timeout;
    return of_suite > 0 ? of_suite : options.timeout_s;
}

static void job_begin(struct job *job, const struct shim_test *test, atomic_bool *report)
{
    atomic_store(report, false);
    job->test = test;
    job->is_late = false;
    job->output = memfd_create("output", MFD_CLOEXEC);
    job->end_s = now_s() + limit_s(test);
    (void)fflush(NULL);
    job->child = fork();
    if (job->child == 0)
        be_test(test, job->output, report);
    if (job->child < 0 || job->output < 0) {
        perror("runner");
        exit(EXIT_USAGE);
    }
}

static bool has_passed(const struct job *job, int status, bool has_reported)
{
    const struct shim_options *wanted = &job->test->options;
    if (job->is_late)
        return false;
    if (wanted->signal != 0)
        return !has_reported && WIFSIGNALED(status) && WTERMSIG(status) == wanted->signal;
    if (wanted->exit_code != 0)
        return !has_reported && WIFEXITED(status) && WEXITSTATUS(status) == wanted->exit_code;
    return has_reported && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void show(int output)
{
    char bytes[4096];
    (void)lseek(output, 0, SEEK_SET);
    for (ssize_t count; (count = read(output, bytes, sizeof bytes)) > 0;)
        (void)fwrite(bytes, 1, (size_t)count, stderr);
}

static void tell_failure(const struct job *job, int status)
{
    show(job->output);
    (void)fprintf(stderr, "[FAIL] %s::%s: ", job->test->suite, job->test->name);
    if (job->is_late)
        (void)fprintf(stderr, "not done after %g s\n", limit_s(job->test));
    else if (WIFSIGNALED(status))
        (void)fprintf(stderr, "ended by signal %d, %s\n", WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
    else
        (void)fprintf(stderr, "exit code %d\n", WEXITSTATUS(status));
}

/* Ends the job; returns whether its test has failed. */
static bool job_end(struct job *job, int status, bool has_reported)
{
    bool failed = !has_passed(job, status, has_reported);
    if (failed)
        tell_failure(job, status);
    (void)close(job->output);
    job->test = NULL;
    return failed;
}

/* Waits for a child to end or a test's time to be over. */
static void wait_for_news(const struct job *jobs)
{
    double end_s = now_s() + 60;
    for (int i = 0; i < options.jobs; i++)
        if (jobs[i].test != NULL && !jobs[i].is_late && jobs[i].end_s < end_s)
            end_s = jobs[i].end_s;
    double wait_s = end_s - now_s();
    if (wait_s < 0)
        return;
    const struct timespec wait = {(time_t)wait_s, (long)((wait_s - (double)(time_t)wait_s) * 1e9)};
    (void)sigtimedwait(&news, NULL, &wait);
}

/* Ends those that have come to their end, or are late; returns how many failed. */
static int gather(struct job *jobs)
{
    int failed = 0;
    for (int i = 0; i < options.jobs; i++) {
        struct job *job = &jobs[i];
        int status = 0;
        if (job->test == NULL)
            continue;
        if (waitpid(job->child, &status, WNOHANG) == job->child) {
            failed += job_end(job, status, atomic_load(&reports[i]));
        } else if (!job->is_late && now_s() >= job->end_s) {
            job->is_late = true;
            (void)kill(-job->child, SIGKILL);
            (void)kill(job->child, SIGKILL);
        }
    }
    return failed;
}

static bool is_wanted(const struct shim_test *test)
{
    char name[512];
    (void)snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
    return !test->options.disabled && !suite_options(test->suite)->disabled &&
           fnmatch(options.filter, name, 0) == 0;
}

static const struct shim_test *next_wanted(const struct shim_test *test)
{
    while (test != NULL && !is_wanted(test))
        test = test->next;
    return test;
}

static bool parse(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        bool has_more = i + 1 < count;
        if (strncmp(words[i], "-j", 2) == 0)
            options.jobs = (int)strtol(words[i] + 2, NULL, 10);
        else if (strcmp(words[i], "--timeout") == 0 && has_more)
            options.timeout_s = strtod(words[++i], NULL);
        else if (strcmp(words[i], "--filter") == 0 && has_more)
            options.filter = words[++i];
        else
            return false;
    }
    return options.jobs > 0 && options.jobs <= JOBS_MAX && options.timeout_s > 0;
}

/* Gives free jobs the next tests; returns how many were begun. */
static int fill(struct job *jobs, const struct shim_test **next)
{
    int begun = 0;
    for (int i = 0; i < options.jobs && *next != NULL; i++) {
        if (jobs[i].test != NULL)
            continue;
        job_begin(&jobs[i], *next, &reports[i]);
        *next = next_wanted((*next)->next);
        begun++;
    }
    return begun;
}

static bool is_idle(const struct job *jobs)
{
    for (int i = 0; i < options.jobs; i++)
        if (jobs[i].test != NULL)
            return false;
    return true;
}

int main(int count, char **words)
{
    struct job jobs[JOBS_MAX] = {{.test = NULL}};
    int run_count = 0, failed_count = 0;
    if (!parse(count, words)) {
        (void)fprintf(stderr, "usage: %s [-jN] [--timeout SECONDS] [--filter SUITE/TEST]\n",
                      words[0]);
        return EXIT_USAGE;
    }
    reports = mmap(NULL, sizeof *reports * JOBS_MAX, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reports == MAP_FAILED)
        return EXIT_USAGE;
    (void)sigemptyset(&news);
    (void)sigaddset(&news, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &news, NULL);
    const struct shim_test *next = next_wanted(tests);
    for (;;) {
        run_count += fill(jobs, &next);
        if (is_idle(jobs))
            break;
        wait_for_news(jobs);
        failed_count += gather(jobs);
    }
    printf("[====] Tested: %d | Failing: %d\n", run_count, failed_count);
    if (run_count == 0)
        return EXIT_USAGE;
    return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
