/* cost.h - shows what a meter read, for each of what was counted: CPU of the nodes, messages a
 * frame.
 * Thread: one. */
#ifndef WEFT_BENCH_COST_H
#define WEFT_BENCH_COST_H

#include <cjson/cJSON.h>

#include "bench/meter.h"

/* The lines of the table. count: of `what`, such as "request". What is not known is left out. */
void cost_print(const struct meter *meter, uint64_t count, const char *what);

/* Adds the object "cost"; CPU is named cpu_us_per_WHAT in it. */
void cost_json(cJSON *to, const struct meter *meter, uint64_t count, const char *what);

#endif
