/* pubsub_worker.h - a client process of the verb `pubsub`: which publishers and subscribers are its
 * own, what it tells.
 *
 * One process does both. Of several the first publishes and the others subscribe.
 * Thread: one. */
#ifndef WEFT_BENCH_PUBSUB_WORKER_H
#define WEFT_BENCH_PUBSUB_WORKER_H

#include "bench/subscribers.h"
#include "bench/worker.h"

/* Told each time with a tail: the PUBSUB_MARKS, a u64 for each topic. Who only subscribes is done
 * when time is over. */
struct pubsub_report {
    struct worker_report common;
    uint64_t received, resyncs;           /* measured receipts; updates that were marked */
    uint32_t closed[SUBSCRIBERS_REASONS]; /* subscribers whose session ended, by reason */
};

enum pubsub_marks {
    PUBSUB_CONFIRMED,
    PUBSUB_HIGHEST,
    PUBSUB_RECEIVED,
    PUBSUB_LOWEST,
    PUBSUB_MARKS
};

/* Opens, waits for the start, publishes, and goes on hearing until `commands` is closed.
 * job: a struct worker_job (procs.h). */
int pubsub_worker_run(const void *job, uint32_t number, int commands, int reports);

#endif
