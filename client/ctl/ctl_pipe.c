/* ctl_pipe.c - see ctl_pipe.h. Both ends are served in one loop, so that a command that writes
 * before it has read everything can't block us, nor we it. */
#include "client/ctl/ctl_pipe.h"

#include "client/ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_BYTES_MAX = 1024 * 1000 };

struct command {
    pid_t pid;
    int in, out; /* our ends; -1: closed */
    const char *input;
    size_t input_left;
    char *output;
    size_t output_bytes;
    bool is_too_long;
};

static void close_end(int *end)
{
    if (*end >= 0)
        (void)close(*end);
    *end = -1;
}

/* Starts the shell between two pipes; false without descriptors or processes. */
static bool start(struct command *command, const char *line)
{
    int in[2];
    int out[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    char shell[] = "sh";
    char flag[] = "-c";
    char *copy = strdup(line);
    char *const arguments[] = {shell, flag, copy, NULL};
    if (copy == NULL || pipe2(in, O_CLOEXEC) != 0) {
        free(copy);
        return false;
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        close_end(&in[0]);
        close_end(&in[1]);
        free(copy);
        return false;
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    (void)posix_spawnattr_init(&attributes);
    (void)sigemptyset(&none); /* we block INT and TERM; the command must not */
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int error = posix_spawn(&command->pid, "/bin/sh", &actions, &attributes, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    free(copy);
    close_end(&in[0]);
    close_end(&out[1]);
    command->in = in[1];
    command->out = out[0];
    (void)fcntl(command->in, F_SETFL, O_NONBLOCK);
    if (error != 0) {
        close_end(&command->in);
        close_end(&command->out);
    }
    return error == 0;
}

static void feed(struct command *command)
{
    ssize_t written = write(command->in, command->input, command->input_left);
    if (written > 0) {
        command->input += written;
        command->input_left -= (size_t)written;
    }
    if (command->input_left == 0 || (written < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&command->in);
}

static void drain(struct command *command)
{
    ssize_t got = read(command->out, command->output + command->output_bytes,
                       OUTPUT_BYTES_MAX - command->output_bytes);
    if (got > 0)
        command->output_bytes += (size_t)got;
    if (command->output_bytes == OUTPUT_BYTES_MAX)
        command->is_too_long = true;
    if (got == 0 || command->is_too_long || (got < 0 && errno != EINTR))
        close_end(&command->out);
}

/* Feeds and drains until the output ends; false when the time is over first. */
static bool converse(struct command *command, uint32_t timeout_ms)
{
    uint64_t end_ms = ctl_now_ms() + timeout_ms;
    if (command->input_left == 0)
        close_end(&command->in);
    while (command->out >= 0) {
        uint64_t now_ms = ctl_now_ms();
        struct pollfd ends[] = {
            {.fd = command->out, .events = POLLIN},
            {.fd = command->in, .events = POLLOUT},
        };
        if (now_ms >= end_ms)
            return false;
        (void)poll(ends, 2, (int)(end_ms - now_ms));
        if (ends[1].revents != 0)
            feed(command);
        if (ends[0].revents != 0)
            drain(command);
    }
    return true;
}

static bool finish(struct command *command, bool is_in_time, char *failure, size_t room)
{
    int status = 0;
    close_end(&command->in);
    close_end(&command->out);
    if (!is_in_time || command->is_too_long)
        (void)kill(command->pid, SIGKILL);
    while (waitpid(command->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!is_in_time)
        (void)snprintf(failure, room, "the command took longer than the request's time");
    else if (command->is_too_long)
        (void)snprintf(failure, room, "the command's output is larger than a message may be");
    else if (WIFSIGNALED(status))
        (void)snprintf(failure, room, "the command was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        (void)snprintf(failure, room, "the command ended with exit code %d", WEXITSTATUS(status));
    else
        return true;
    return false;
}

bool ctl_pipe_run(const char *line, const struct weft_value *value, uint32_t timeout_ms,
                  char **output, size_t *bytes, char *failure, size_t failure_room)
{
    char number[32];
    struct command command = {.input = value->data, .input_left = value->bytes};
    if (value->type == WEFT_INT64 || value->type == WEFT_DOUBLE) {
        int length = value->type == WEFT_INT64
                         ? snprintf(number, sizeof number, "%" PRId64, value->int64)
                         : snprintf(number, sizeof number, "%.17g", value->number);
        command.input = number;
        command.input_left = (size_t)length;
    }
    command.output = malloc(OUTPUT_BYTES_MAX);
    if (command.output == NULL || !start(&command, line)) {
        (void)snprintf(failure, failure_room, "the command could not be started");
        free(command.output);
        return false;
    }
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    bool is_in_time = converse(&command, timeout_ms == 0 ? 10000 : timeout_ms);
    bool is_done = finish(&command, is_in_time, failure, failure_room);
    (void)signal(SIGPIPE, before);
    if (!is_done) {
        free(command.output);
        return false;
    }
    if (command.output_bytes > 0 && command.output[command.output_bytes - 1] == '\n')
        command.output_bytes--;
    *output = command.output;
    *bytes = command.output_bytes;
    return true;
}
