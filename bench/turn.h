/* turn.h - one turn of a client process: it waits for news of its sessions or for a command.
 * Thread: that of the context. */
#ifndef WEFT_BENCH_TURN_H
#define WEFT_BENCH_TURN_H

#include "bench/bench.h"

enum { TURN_REPORT_MS = 200 }; /* a turn lasts no longer, and so often a process tells of itself */

/* Waits at most until then, and then lets the context work. What was said before leaves at once
 * only if the context has worked since. true: there is a command, or there will be no more. */
bool turn_take(struct weft_context *context, int commands, uint64_t until_ns);

#endif
