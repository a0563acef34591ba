/* planted.h - the bugs that can be planted (mesh/base/bugs.h), as the command line knows them: by
 * number. Thread: one. */
#ifndef WEFT_TESTS_SIM_PLANTED_H
#define WEFT_TESTS_SIM_PLANTED_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this build has them at all. */
bool planted_is_possible(void);

/* Plants one, from 1; false: there is no such bug. */
bool planted_choose(uint32_t number);

/* Prints a line for each: number, invariant, what is wrong. */
void planted_list(void);

#endif
