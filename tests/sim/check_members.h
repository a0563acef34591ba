/* check_members.h - judges from outside, by what nodes say in their notices and by what the fault
 * schedule did, whether all live nodes agree who is in the mesh (I20): after the last fault within
 * the bound, and no node that was left alone is ever declared dead.
 * Memory: the caller's. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_MEMBERS_H
#define WEFT_TESTS_SIM_CHECK_MEMBERS_H

#include "tests/sim/faults.h"
#include "tests/sim/world.h"

struct check_members {
    const struct faults *faults;
    uint64_t false_deaths; /* of nodes that no fault touched */
    uint64_t *suspected;   /* [node]: its present instance, if it was suspected by anybody */
};

void check_members_init(struct check_members *check, struct world *world,
                        const struct faults *faults);
void check_members_clear(struct check_members *check);

/* How long after the last fault all may take: the longest suspicion, 6 log2(N) gossip intervals,
 * and one round of anti-entropy. */
uint64_t check_members_bound_ms(const struct world *world);

/* Runs until all agree and still do so a while later; fails the world when the bound passed. */
void check_members_converge(struct check_members *check, struct world *world);

/* Fails the world if a node that no fault touches is held dead for longer than the bound. */
void check_members_look(struct check_members *check, struct world *world);

#endif
