/* cmd.h - the verb `cmd`: one filter command on many sessions, from the call to the last answer.
 * Thread: one. */
#ifndef WEFT_BENCH_CMD_H
#define WEFT_BENCH_CMD_H

#include "bench/bench.h"
#include "bench/spawn.h"

/* Whether there is a command of that name: close, conflate, roles, set, ls. */
bool cmd_is_known(const char *name);

/* Runs settings->command and reports. BENCH_HELD: each run matched exactly its sessions, and did
 * to them what it says. */
enum bench_exit cmd_run(const struct bench_settings *settings, struct spawn *spawn);

#endif
