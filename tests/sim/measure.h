/* measure.h - experiments: how fast what is found out, and what it costs. Prints tables.
 * Thread: one. */
#ifndef WEFT_TESTS_SIM_MEASURE_H
#define WEFT_TESTS_SIM_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#define MEASURE_NAMES "crash, vanish, split, join, idle, stall, loss"

struct measure_options {
    const char *what;
    uint64_t seed;
    uint32_t nodes; /* 0: the experiment's own choice */
    uint32_t runs;
};

bool measure_is_known(const char *what);

/* False when an experiment did not come to its end. */
bool measure_run(const struct measure_options *options);

#endif
