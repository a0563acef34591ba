/* check_ends.h - judges why processes end by themselves: because they were told to, or because
 * their name is another's (I30). Knows what the cores say when they stop, and who was told to, and
 * who took whose name. Memory: none. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_ENDS_H
#define WEFT_TESTS_SIM_CHECK_ENDS_H

#include "tests/sim/faults.h"
#include "tests/sim/world.h"

void check_ends_init(struct world *world, struct faults *faults);

#endif
