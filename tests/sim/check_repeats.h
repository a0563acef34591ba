/* check_repeats.h - judges whether a node applies a command once and answers a repeat as the first
 * time (I13). Knows what nodes say to each other: commands with their ids, and results.
 * Memory: check_repeats_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_REPEATS_H
#define WEFT_TESTS_SIM_CHECK_REPEATS_H

#include "tests/sim/faults.h"
#include "tests/sim/world.h"

struct repeat; /* one command at one node */

struct check_repeats {
    const struct faults *faults;
    struct repeat *commands; /* a hash table by asker, node and correlation */
    uint32_t count, capacity;
    uint64_t repeated; /* answers */
};

void check_repeats_init(struct check_repeats *check, struct world *world,
                        const struct faults *faults);
void check_repeats_clear(struct check_repeats *check);

#endif
