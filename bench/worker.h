/* worker.h - a client process of the verb `req`: which callers and handlers are its own, when it
 * begins, what it tells.
 *
 * One process does both. Of several the first half (rounded up) call and the others answer, so that
 * a request crosses processes as it does in life.
 * Thread: one. */
#ifndef WEFT_BENCH_WORKER_H
#define WEFT_BENCH_WORKER_H

#include "bench/tally.h"

struct worker_job {
    const struct bench_settings *settings;
};

enum worker_stage { WORKER_OPENING, WORKER_READY, WORKER_DONE };

/* Told at each stage, and five times a second meanwhile. When it is over, and the payloads are
 * checked, with a tail: answered, then seen of struct tally_marks, a u64 for each caller and
 * server. */
struct worker_report {
    enum worker_stage stage;
    uint64_t stopped_ns; /* on machine_now_ns: when its callers had sent their last; 0: not yet */
    char nodes[BENCH_NODES_MAX][BENCH_NAME_BYTES]; /* by server; those its handlers are on */
    struct tally tally;
};

/* The one command: measure. */
struct worker_start {
    uint64_t start_ns; /* on machine_now_ns: warming up begins */
};

/* Client processes that call: the first ones. */
uint32_t worker_calling(uint32_t procs);

/* Opens, says READY, waits for the start, measures, says DONE and goes on answering until
 * `commands` is closed. job: a struct worker_job (procs.h). */
int worker_run(const void *job, uint32_t number, int commands, int reports);

#endif
