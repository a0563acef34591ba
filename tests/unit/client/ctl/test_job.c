/* test_job.c - commands run beside the loop, whatever they do. */
#include <criterion/criterion.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/ctl/job.h"

enum { PATIENCE_MS = 10000 };

static void run(struct job *job)
{
    struct pollfd polls[JOB_POLLS];
    for (int i = 0; i < 100000; i++) {
        if (job_progress(job))
            return;
        job_polls(job, polls);
        cr_assert_gt(poll(polls, JOB_POLLS, PATIENCE_MS), 0, "something happens");
    }
    cr_assert_fail("the command ends");
}

static void ignore_pipe(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}

TestSuite(job, .init = ignore_pipe);

Test(job, input_comes_out_changed)
{
    struct job job;
    cr_assert_null(job_start(&job, "tr a-z A-Z", "hello", 5));
    run(&job);
    cr_assert_eq(job.status, 0);
    cr_assert_eq(job.output_bytes, 5);
    cr_assert_eq(memcmp(job.output, "HELLO", 5), 0);
    job_clear(&job);
}

Test(job, more_than_a_pipe_holds_passes_both_ways)
{
    static char input[700000];
    struct job job;
    memset(input, 'x', sizeof input);
    cr_assert_null(job_start(&job, "cat", input, sizeof input));
    run(&job);
    cr_assert_eq(job.output_bytes, sizeof input);
    cr_assert_eq(memcmp(job.output, input, sizeof input), 0);
    job_clear(&job);
}

Test(job, one_that_reads_nothing_still_answers)
{
    static char input[700000];
    struct job job;
    cr_assert_null(job_start(&job, "exec <&-; echo done", input, sizeof input));
    run(&job);
    cr_assert_eq(job.status, 0);
    cr_assert_eq(job.output_bytes, 5);
    job_clear(&job);
}

Test(job, its_exit_code_is_known)
{
    struct job job;
    cr_assert_null(job_start(&job, "exit 7", NULL, 0));
    run(&job);
    cr_assert(WIFEXITED(job.status));
    cr_assert_eq(WEXITSTATUS(job.status), 7);
    job_clear(&job);
}

Test(job, a_flood_is_ended_at_the_limit)
{
    struct job job;
    cr_assert_null(job_start(&job, "yes", NULL, 0));
    run(&job);
    cr_assert(job.is_too_long);
    cr_assert_eq(job.output_bytes, JOB_OUTPUT_MAX);
    cr_assert(WIFSIGNALED(job.status));
    job_clear(&job);
}

Test(job, exactly_the_limit_is_allowed)
{
    struct job job;
    cr_assert_null(job_start(&job, "head -c 1048576 /dev/zero", NULL, 0));
    run(&job);
    cr_assert_not(job.is_too_long);
    cr_assert_eq(job.output_bytes, JOB_OUTPUT_MAX);
    job_clear(&job);
}

Test(job, what_it_leaves_in_the_background_is_not_waited_for)
{
    struct job job;
    cr_assert_null(job_start(&job, "echo at once; sleep 60 &", NULL, 0));
    pid_t group = job.pid;
    run(&job);
    cr_assert_eq(job.output_bytes, 8);
    job_clear(&job);
    (void)kill(-group, SIGKILL);
}

Test(job, clearing_kills_it_and_all_it_started)
{
    struct job job;
    cr_assert_null(job_start(&job, "sleep 60 & sleep 60", NULL, 0));
    cr_assert_not(job_progress(&job));
    int out = dup(job.out); /* ends when the last of them has */
    struct pollfd end = {.fd = out, .events = POLLIN};
    job_clear(&job);
    cr_assert_eq(job.pid, 0);
    cr_assert_eq(poll(&end, 1, PATIENCE_MS), 1);
    cr_assert(end.revents & POLLHUP);
    (void)close(out);
}
