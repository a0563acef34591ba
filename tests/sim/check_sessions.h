/* check_sessions.h - judges what sessions are told: ids never repeat (I7), and a session ends with
 * a reason that something was (I9). Knows what persons said and heard, and what was done to nodes.
 * Memory: check_sessions_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_SESSIONS_H
#define WEFT_TESTS_SIM_CHECK_SESSIONS_H

#include "tests/sim/workload.h"

struct check_sessions {
    struct people *people;
    const struct workload *workload; /* explains ends */
    struct session_id *ids;          /* every one that was ever given, a hash table */
    uint32_t count, capacity;
    uint64_t told[16]; /* ends that were told, by reason */
};

void check_sessions_init(struct check_sessions *check, struct workload *workload);
void check_sessions_clear(struct check_sessions *check);

#endif
