/* check_resumes.h - judges sessions that outlive their lines: who comes back to his node in time
 * has his session, with nothing lost and nothing twice, else he is told that something is (I10);
 * who comes too late has it no more. Knows what persons said and heard, what nodes sent, and when
 * they learnt of the end of lines.
 * Memory: check_resumes_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_RESUMES_H
#define WEFT_TESTS_SIM_CHECK_RESUMES_H

#include "tests/sim/workload.h"

struct check_resumes_of; /* one person */

struct check_resumes {
    struct people *people;
    const struct workload *workload; /* explains ends */
    const struct faults *faults;
    struct check_resumes_of *persons;
    uint64_t expired; /* who came back too late */
};

void check_resumes_init(struct check_resumes *check, struct world *world,
                        const struct faults *faults, struct workload *workload);
void check_resumes_clear(struct check_resumes *check);

#endif
