/* req_worker.h - a client process of the verb `req`: which callers and handlers are its own, and
 * what it tells.
 *
 * One process does both. Of several the first half (rounded up) call and the others answer, so that
 * a request crosses processes as it does in life.
 * Thread: one. */
#ifndef WEFT_BENCH_REQ_WORKER_H
#define WEFT_BENCH_REQ_WORKER_H

#include "bench/worker.h"

/* Client processes that call: the first ones. */
uint32_t req_worker_calling(uint32_t procs);

/* Opens, waits for the start, measures, says DONE and goes on answering until `commands` is closed.
 * Tells a struct worker_report; when it is over, and the payloads are checked, with a tail:
 * answered, then seen of struct tally_marks, a u64 for each caller and server.
 * job: a struct worker_job (procs.h). */
int req_worker_run(const void *job, uint32_t number, int commands, int reports);

#endif
