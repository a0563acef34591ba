/* workload.h - what simulated clients do all day: drawn from the seed, each seed its own mixture.
 * Observers keep a session at each node and otherwise say nothing; visitors open and close sessions
 * anywhere, serve paths and stop doing so, ask, and answer or do not.
 * Memory: workload_destroy. Thread: one. */
#ifndef WEFT_TESTS_SIM_WORKLOAD_H
#define WEFT_TESTS_SIM_WORKLOAD_H

#include "tests/sim/check_commands.h"
#include "tests/sim/check_outcomes.h"
#include "tests/sim/people.h"

/* X(NAME, what a visitor does) */
#define ACT_LIST(X)                                                                                \
    X(LEAVE, "says goodbye")                                                                       \
    X(VANISH, "is gone without a word")                                                            \
    X(REGISTER, "serves one more path")                                                            \
    X(UNREGISTER, "serves one path less")                                                          \
    X(ASK, "asks a path")                                                                          \
    X(CANCEL, "cancels what it asked last")                                                        \
    X(COMMAND, "commands one session, or a team")                                                  \
    X(BURST, "changes much at once")

enum act {
#define ACT_ENUM(name, what) ACT_##name,
    ACT_LIST(ACT_ENUM)
#undef ACT_ENUM
        ACTS
};

struct workload;

/* Draws how many visitors there are and how they are, and lets them begin. */
struct workload *workload_new(struct world *world, const struct faults *faults);
void workload_destroy(struct workload **workload);

struct people *workload_people(struct workload *workload);
struct check_outcomes *workload_outcomes(struct workload *workload);
struct check_commands *workload_commands(struct workload *workload);

/* In quiet nobody begins anything; observers come back, and handlers answer at once. */
void workload_set_quiet(struct workload *workload, struct world *world, bool is_quiet);

#endif
