/* req.h - the verb `req`: requests to echo handlers of its own. Thread: one. */
#ifndef WEFT_BENCH_REQ_H
#define WEFT_BENCH_REQ_H

#include "bench/bench.h"

/* Runs it; progress and problems go to stderr. Returns BENCH_HELD when the run took place (see
 * bench_has_held for what came of it), BENCH_NOT_RUN when it could not. */
enum bench_exit req_run(const struct bench_settings *settings, struct bench_report *report);

#endif
