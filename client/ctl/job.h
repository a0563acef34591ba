/* job.h - one shell command at work on one request: given its input, its output collected, without
 * ever blocking. Memory: the job owns what it holds; job_clear frees. Thread: one. */
#ifndef WEFT_CTL_JOB_H
#define WEFT_CTL_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a command may print: as much as a node takes in one value. */
enum { JOB_OUTPUT_MAX = 1 << 20, JOB_POLLS = 3 };

struct job {
    pid_t pid;         /* 0: none is at work */
    int in, out, exit; /* descriptors; -1: closed */
    char *input;
    size_t input_bytes, input_sent;
    char *output;
    size_t output_bytes;
    bool is_too_long; /* it printed more than JOB_OUTPUT_MAX and was killed */
    int status;       /* as waitpid gives it, once it has ended */
};

/* Starts `sh -c command` in a process group of its own, with the input copied. Returns NULL, or
 * what could not be done; the job is then empty. */
const char *job_start(struct job *job, const char *command, const void *input, size_t bytes);

/* Fills in what is to be waited for. */
void job_polls(const struct job *job, struct pollfd polls[JOB_POLLS]);

/* Moves bytes as far as they go, whatever poll said. Returns true when the command has ended; its
 * output and status are then complete. */
bool job_progress(struct job *job);

/* Kills the command and all that it started in its group; it still has to end. */
void job_kill(const struct job *job);

/* Kills it if it is still at work, waits for its end, frees. */
void job_clear(struct job *job);

#endif
