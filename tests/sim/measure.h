/* measure.h - experiments: how fast what is found out, what it costs, who dies for nothing. Prints
 * a line for each; the parameters are the defaults of the product. Thread: one. */
#ifndef WEFT_TESTS_SIM_MEASURE_H
#define WEFT_TESTS_SIM_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#define MEASURE_NAMES "crash, vanish, split, join, idle, stall, loss or restart"

struct measure_options {
    const char *what;
    uint64_t seed;
    uint32_t nodes, runs; /* 0: the experiment's own choice */
    bool is_alone;        /* membership alone; crash, vanish, split, idle: already acquainted */
};

bool measure_is_known(const char *what);

/* False when an experiment did not come to its end: what was waited for never came. */
bool measure_run(const struct measure_options *options);

#endif
