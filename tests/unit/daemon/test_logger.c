#include "daemon/logger.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct logger logger;
static struct logger_line line;
static int pipe_fds[2];
static char written[70000];

static void open_pipe(void)
{
    cr_assert_eq(pipe(pipe_fds), 0);
    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    logger_open(&logger, pipe_fds[1]);
}

static const char *read_pipe(void)
{
    ssize_t bytes = read(pipe_fds[0], written, sizeof(written) - 1);
    written[bytes > 0 ? bytes : 0] = '\0';
    return written;
}

static void close_pipe(void)
{
    logger_close(&logger);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

TestSuite(logger, .init = open_pipe, .fini = close_pipe);

static const uint64_t at_ms = UINT64_C(1795336801002);

static void write_line(const char *text)
{
    logger_begin(&logger, &line, LOGGER_INFO, "start", at_ms);
    logger_text(&line, "name", text);
    logger_number(&line, "members", 3);
    logger_hex(&line, "instance", 0x6731a0c19e02b7d4);
    logger_end(&line);
}

Test(logger, a_line_is_time_level_event_and_fields)
{
    write_line("eu-b");
    cr_assert_str_eq(read_pipe(), "2026-11-22T08:40:01.002Z info start name=eu-b members=3 "
                                  "instance=6731a0c19e02b7d4\n");
}

Test(logger, as_json_it_is_one_object_a_line)
{
    logger.is_json = true;
    write_line("eu \"b\"");
    cr_assert_str_eq(
        read_pipe(),
        "{\"time\":\"2026-11-22T08:40:01.002Z\",\"level\":\"info\",\"event\":\"start\","
        "\"name\":\"eu \\\"b\\\"\",\"members\":3,\"instance\":\"6731a0c19e02b7d4\"}\n");
}

Test(logger, what_could_mislead_is_quoted_and_escaped)
{
    const char *texts[] = {"", "a b", "a=b", "a\nlevel=error", "\x1b[31m", "\xff\xfe", "\xc3\xa4"};
    const char *shown[] = {"name=\"\"",
                           "name=\"a b\"",
                           "name=\"a=b\"",
                           "name=\"a\\u000alevel=error\"",
                           "name=\"\\u001b[31m\"",
                           "name=\"\\u00ff\\u00fe\"",
                           "name=\xc3\xa4 "};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_line(texts[i]);
        cr_assert_not_null(strstr(read_pipe(), shown[i]), "%s", written);
    }
}

Test(logger, chattier_levels_are_not_written)
{
    logger.level = LOGGER_WARN;
    write_line("x");
    cr_assert_str_eq(read_pipe(), "");
    logger_begin(&logger, &line, LOGGER_ERROR, "refused", at_ms);
    logger_end(&line);
    cr_assert_str_eq(read_pipe(), "2026-11-22T08:40:01.002Z error refused\n");
}

Test(logger, a_field_that_does_not_fit_is_left_out_whole)
{
    static char big[5000];
    memset(big, 'x', sizeof(big) - 1);
    write_line(big);
    cr_assert_str_eq(read_pipe(), "2026-11-22T08:40:01.002Z info start members=3 "
                                  "instance=6731a0c19e02b7d4\n");
    logger.is_json = true;
    write_line(big);
    cr_assert_not_null(strstr(read_pipe(), "\"event\":\"start\",\"members\":3"));
}

Test(logger, a_full_pipe_drops_lines_and_says_so_later)
{
    for (int i = 0; i < 2000; i++)
        write_line("a name that is not so short, to fill the pipe in good time");
    cr_assert_gt(logger.dropped, 0);
    uint64_t dropped = logger.dropped;
    while (read(pipe_fds[0], written, sizeof(written)) > 0)
        continue;
    write_line("x");
    char says[64];
    snprintf(says, sizeof(says), "warn log-dropped lines=%llu\n", (unsigned long long)dropped);
    cr_assert_not_null(strstr(read_pipe(), says), "%s", written);
    cr_assert_eq(logger.unsaid, 0);
}

Test(logger, a_reader_that_is_gone_is_no_end, .init = open_pipe)
{
    signal(SIGPIPE, SIG_IGN);
    close(pipe_fds[0]);
    write_line("x");
    cr_assert_eq(logger.dropped, 1);
    pipe_fds[0] = -1;
    close_pipe();
}

Test(logger, others_who_share_the_pipe_keep_it_blocking)
{
    cr_assert_eq(fcntl(pipe_fds[1], F_GETFL) & O_NONBLOCK, 0);
    cr_assert(logger.owns_fd);
}
