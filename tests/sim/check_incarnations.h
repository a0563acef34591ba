/* check_incarnations.h - judges whether incarnations only go up, and only by their member's own
 * word (I21); and whether only that word makes somebody alive again (I20). Knows frames as they are
 * sent, and notices.
 * Memory: check_incarnations_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_INCARNATIONS_H
#define WEFT_TESTS_SIM_CHECK_INCARNATIONS_H

#include "tests/sim/faults.h"
#include "tests/sim/world.h"

struct incarnation_told; /* what one said last of another */

struct check_incarnations {
    const struct faults *faults;
    uint64_t *said;    /* [node]: the highest that its present instance said of itself */
    uint64_t *said_by; /* [node]: that instance */
    struct incarnation_told *told; /* [by * nodes + of] */
    uint32_t *lives;               /* [node]: the life in which that was told */
};

void check_incarnations_init(struct check_incarnations *check, struct world *world,
                             const struct faults *faults);
void check_incarnations_clear(struct check_incarnations *check);

#endif
