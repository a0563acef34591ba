/* req.h - the verb `req`: requests to echo handlers of its own. Thread: one. */
#ifndef WEFT_BENCH_REQ_H
#define WEFT_BENCH_REQ_H

#include "bench/bench.h"
#include "bench/spawn.h"

/* Runs it and reports; progress and problems go to stderr. */
enum bench_exit req_run(const struct bench_settings *settings, struct spawn *spawn);

#endif
