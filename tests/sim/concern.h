/* concern.h - one thing that simulated clients do all day, with what judges it. Each is a file of
 * its own, workload_<concern>.c, which exports one `struct concern` and stands in the list of
 * workload.c; its checker is a check_<concern>.c. Everything but the acts may be NULL.
 * Memory: what `create` returns is the workload's until `destroy`. Thread: one. */
#ifndef WEFT_TESTS_SIM_CONCERN_H
#define WEFT_TESTS_SIM_CONCERN_H

#include "tests/sim/faults.h"
#include "tests/sim/people.h"
#include "tests/sim/tally.h"

struct concern_act {
    const char *what;      /* a visitor does: for readers and traces */
    uint32_t weight_least; /* the seed draws a weight from here ... */
    uint32_t weight_most;  /* ... to here */
    void (*act)(void *state, struct world *world, uint32_t who);
};

struct concern {
    const struct concern_act *acts;
    size_t acts_count;
    void *(*create)(struct world *world, const struct faults *faults, struct people *people);
    void (*destroy)(void *state);

    /* A person's alarm rang, of a visitor or an observer, also in quiet (people->is_quiet). */
    void (*alarm)(void *state, struct world *world, uint32_t who);

    /* Once a second: fails the world if something is overdue. */
    void (*look)(void *state, struct world *world);

    /* In quiet, when members agree and directories are right, and no byte was forged: fails the
     * world if what must hold then does not. May let the world run for a while. */
    void (*probe)(void *state, struct world *world);

    /* Whether something it did explains that this person is told this end of its session. */
    bool (*explains_end)(const void *state, uint32_t who, enum close_reason reason);

    /* Adds what it counted, at the end of a run. */
    void (*count)(const void *state, struct tally *tally);
};

/* All there are. */
extern const struct concern workload_visits, workload_requests, workload_commands,
    workload_listeners, workload_direct, workload_logins, workload_missing, workload_topics;

#endif
