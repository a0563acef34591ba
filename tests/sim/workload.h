/* workload.h - what simulated clients do all day: drawn from the seed, each seed its own mixture.
 * Observers keep a session at each node and otherwise say nothing; visitors act when their alarm
 * rings. What there is to do, concerns say (concern.h): one file each.
 * Memory: workload_destroy. Thread: one. */
#ifndef WEFT_TESTS_SIM_WORKLOAD_H
#define WEFT_TESTS_SIM_WORKLOAD_H

#include "tests/sim/concern.h"

struct workload;

/* Draws how many visitors there are and how they are, and lets them begin. */
struct workload *workload_new(struct world *world, const struct faults *faults);
void workload_destroy(struct workload **workload);

struct people *workload_people(struct workload *workload);

/* In quiet nobody begins anything; observers come back, and handlers answer at once. */
void workload_set_quiet(struct workload *workload, struct world *world, bool is_quiet);

/* What concern.h says of each concern, of all of them in their order. */
void workload_look(struct workload *workload, struct world *world);
void workload_probe(struct workload *workload, struct world *world);
bool workload_explains_end(const struct workload *workload, uint32_t who, enum close_reason reason);
void workload_count(const struct workload *workload, struct tally *tally);

#endif
