/* check_members.h - judges from outside, by what nodes say in their notices, whether all live
 * nodes agree who is in the mesh (I20). Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_MEMBERS_H
#define WEFT_TESTS_SIM_CHECK_MEMBERS_H

#include "tests/sim/world.h"

/* How long after the last fault all may take: 15 s to 100 nodes, 25 s beyond. */
uint64_t check_members_bound_ms(const struct world *world);

/* Runs until all agree; false when the bound passed first (what differs goes to stderr). */
bool check_members_agree(struct world *world);

#endif
