/* ctl_pipe.h - runs a command of the user's on a value: standard input to standard output.
 * Memory: the output is the caller's. Thread: one. */
#ifndef WEFT_CLIENT_CTL_CTL_PIPE_H
#define WEFT_CLIENT_CTL_CTL_PIPE_H

#include "client/weft.h"

/* Runs `sh -c command` with the value's bytes (numbers as text) as its input. It is killed after
 * timeout_ms. Returns true and its output (to be freed, at most 1 MiB, without its last newline),
 * or false and why in `failure`. */
bool ctl_pipe_run(const char *command, const struct weft_value *value, uint32_t timeout_ms,
                  char **output, size_t *bytes, char *failure, size_t failure_room);

#endif
