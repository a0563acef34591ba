/* pubsub.h - the verb `pubsub`: publishers and subscribers of its own, from publish to each
 * receipt. Thread: one. */
#ifndef WEFT_BENCH_PUBSUB_H
#define WEFT_BENCH_PUBSUB_H

#include "bench/bench.h"
#include "bench/spawn.h"

enum bench_exit pubsub_run(const struct bench_settings *settings, struct spawn *spawn);

#endif
