/* check_directory.h - judges from outside whether every node knows the sessions and handlers of all
 * (I17): no ghost, none missing, nothing of an old instance (I18), nothing of a dead node (I19),
 * each session at one node (I6). Asks nodes through their client doors, by the observers, and
 * compares with what persons were told.
 * Memory: check_directory_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_DIRECTORY_H
#define WEFT_TESTS_SIM_CHECK_DIRECTORY_H

#include "tests/sim/faults.h"
#include "tests/sim/people.h"

struct check_directory_view {
    bool was_told_counts, was_told_handlers;
    uint32_t sessions, handlers; /* in its directory */
    uint32_t sessions_here;
    uint64_t hash;
    uint32_t rows_right, rows_wrong; /* of its list of handlers */
};

struct check_directory {
    struct people *people;
    struct check_directory_view *views; /* of each node, the answers of this round */
    struct session_id *over;            /* sessions that ended, in the order of that */
    uint32_t over_count, over_capacity;
    uint64_t round;   /* the correlation of its questions */
    uint64_t lookups; /* by-id questions under way in this round */
    uint32_t wrong;   /* answers to them */
    char difference[160];
};

void check_directory_init(struct check_directory *check, struct world *world,
                          struct people *people);
void check_directory_clear(struct check_directory *check);

/* Once members agree and persons are quiet: runs until every directory is right; fails the world
 * when the bound passed. */
void check_directory_converge(struct check_directory *check, struct world *world);

#endif
