/* sometimes.h - what must come about in some run of a set: every kind of fault, every rare branch.
 * A branch that no seed reaches is one that no seed tests. Thread: one. */
#ifndef WEFT_TESTS_SIM_SOMETIMES_H
#define WEFT_TESTS_SIM_SOMETIMES_H

#include "tests/sim/run.h"

struct sometimes {
    struct run_tally sum;
    uint32_t runs;
};

void sometimes_add(struct sometimes *sometimes, const struct run_tally *tally);

/* Prints the sums; false when something that should have come about never did. `faults`: the kinds
 * that were allowed. */
bool sometimes_report(const struct sometimes *sometimes, uint32_t faults);

#endif
