/* job.c - see job.h. That the command has ended is told by a descriptor for its process, not by the
 * end of its output: what it leaves behind in the background may hold that open for ever. */
#include "client/ctl/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_end(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

static bool copy_input(struct job *job, const void *input, size_t bytes)
{
    job->input = malloc(bytes + 1);
    job->output = malloc(JOB_OUTPUT_MAX);
    if (job->input == NULL || job->output == NULL)
        return false;
    if (bytes > 0)
        memcpy(job->input, input, bytes);
    job->input_bytes = bytes;
    return true;
}

/* Its input and output are the pipes, its signals and its group are its own. */
static int spawn(pid_t *pid, const char *command, int in, int out)
{
    char shell[] = "sh", option[] = "-c";
    char *copy = strdup(command);
    char *words[] = {shell, option, copy, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    if (copy == NULL)
        return ENOMEM;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGPIPE);
    (void)posix_spawnattr_setsigdefault(&attributes, &signals);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(pid, "/bin/sh", &actions, &attributes, words, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    free(copy);
    return error;
}

const char *job_start(struct job *job, const char *command, const void *input, size_t bytes)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    int error = 0;
    *job = (struct job){.in = -1, .out = -1, .exit = -1};
    if (!copy_input(job, input, bytes))
        error = ENOMEM;
    else if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        error = errno;
    else
        error = spawn(&job->pid, command, in[0], out[1]);
    close_end(&in[0]);
    close_end(&out[1]);
    job->in = in[1];
    job->out = out[0];
    if (error == 0) {
        job->exit = pidfd_open(job->pid, 0);
        error = job->exit < 0 ? errno : 0;
    } else {
        job->pid = 0;
    }
    if (error != 0) {
        job_clear(job);
        return strerror(error);
    }
    (void)fcntl(job->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(job->out, F_SETFL, O_NONBLOCK);
    return NULL;
}

void job_polls(const struct job *job, struct pollfd polls[JOB_POLLS])
{
    polls[0] = (struct pollfd){.fd = job->in, .events = POLLOUT};
    polls[1] = (struct pollfd){.fd = job->out, .events = POLLIN};
    polls[2] = (struct pollfd){.fd = job->exit, .events = POLLIN};
}

static void give_input(struct job *job)
{
    while (job->in >= 0 && job->input_sent < job->input_bytes) {
        ssize_t sent =
            write(job->in, job->input + job->input_sent, job->input_bytes - job->input_sent);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0)
            break; /* it does not want to read it */
        job->input_sent += (size_t)sent;
    }
    close_end(&job->in);
}

static void take_output(struct job *job)
{
    while (job->out >= 0) {
        char beyond = 0;
        size_t room = JOB_OUTPUT_MAX - job->output_bytes;
        void *to = room > 0 ? (void *)(job->output + job->output_bytes) : &beyond;
        ssize_t taken = read(job->out, to, room > 0 ? room : 1);
        if (taken < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (taken > 0 && room > 0) {
            job->output_bytes += (size_t)taken;
            continue;
        }
        if (taken > 0) {
            job->is_too_long = true;
            job_kill(job);
        }
        close_end(&job->out);
    }
}

bool job_progress(struct job *job)
{
    give_input(job);
    pid_t ended = waitpid(job->pid, &job->status, WNOHANG);
    take_output(job); /* after that look: what it printed before its end is there */
    if (ended == 0)
        return false;
    job->pid = 0;
    return true;
}

void job_kill(const struct job *job)
{
    if (job->pid > 0)
        (void)kill(-job->pid, SIGKILL);
}

void job_clear(struct job *job)
{
    job_kill(job);
    if (job->pid > 0)
        (void)waitpid(job->pid, &job->status, 0);
    close_end(&job->in);
    close_end(&job->out);
    close_end(&job->exit);
    free(job->input);
    free(job->output);
    *job = (struct job){.in = -1, .out = -1, .exit = -1};
}
