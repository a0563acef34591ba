/* pubsub_worker.h - a client process of the verb `pubsub`: which publishers and subscribers are its
 * own, when it begins, what it tells.
 *
 * One process does both. Of several the first publishes and the others subscribe.
 * Thread: one. */
#ifndef WEFT_BENCH_PUBSUB_WORKER_H
#define WEFT_BENCH_PUBSUB_WORKER_H

#include "bench/tally.h"

struct pubsub_job {
    const struct bench_settings *settings;
};

enum pubsub_stage { PUBSUB_OPENING, PUBSUB_READY, PUBSUB_DONE };

/* Told at each stage, and five times a second meanwhile, with a tail: the PUBSUB_MARKS, a u64 for
 * each topic. Who only subscribes is done when time is over. */
struct pubsub_report {
    enum pubsub_stage stage;
    uint64_t stopped_ns;        /* on machine_now_ns: when the last update was sent; 0: not here */
    uint64_t received, resyncs; /* measured receipts; updates that were marked */
    char nodes[BENCH_NODES_MAX][BENCH_NAME_BYTES]; /* by server; those its sessions are on */
    struct tally tally;
};

enum pubsub_marks {
    PUBSUB_CONFIRMED,
    PUBSUB_HIGHEST,
    PUBSUB_RECEIVED,
    PUBSUB_LOWEST,
    PUBSUB_MARKS
};

/* The one command: measure. */
struct pubsub_start {
    uint64_t start_ns; /* on machine_now_ns: warming up begins */
};

/* Opens, says READY, waits for the start, publishes, and goes on hearing until `commands` is
 * closed. job: a struct pubsub_job (procs.h). */
int pubsub_worker_run(const void *job, uint32_t number, int commands, int reports);

#endif
