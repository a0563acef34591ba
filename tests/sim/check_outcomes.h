/* check_outcomes.h - judges what becomes of requests: each has exactly one outcome, in time; a
 * response is the handler's own; a request is handed over at most once, in the order of asking, and
 * not at all where the outcome says so; a lost handler is noticed, one on the caller's own node is
 * always found (I1 to I5). Knows what was asked and when the caller's
 * node had it, what handlers were given and what they answered, what callers were told.
 * Memory: check_outcomes_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_OUTCOMES_H
#define WEFT_TESTS_SIM_CHECK_OUTCOMES_H

#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_OUTCOMES_KINDS = 16, CHECK_OUTCOMES_SUSPECTS = 32 };

struct ask {
    uint32_t caller, caller_visit;
    uint32_t path, timeout_ms;
    bool is_idempotent, is_over; /* told, or its caller is gone */
    bool is_given_up; /* the handler's node has held the caller's dead, or lost its link to it */
    uint64_t own_deadline_ns; /* on the clock of the caller's node; 0: not there yet */
    uint64_t moves;           /* requests routed again, all over, when it was asked */
    uint32_t near;            /* who served it at the caller's own node then; UINT32_MAX: none */
    uint32_t near_visit, near_registrations;
    uint32_t handed; /* how often */
    uint32_t handler, handler_visit, handler_node;
    unsigned answers; /* what handlers said, a bit for each of enum error: one answer,
                                    unless it was idempotent */
    enum error outcome;
};

/* Was told that there is no handler, at that time, though one was near by all he knew. */
struct suspect {
    uint32_t number;
    uint64_t told_ns;
};

struct check_outcomes {
    const struct faults *faults;
    struct people *people;
    struct ask *asks; /* [number - 1] */
    uint32_t count, capacity;
    uint32_t settled;                        /* those below are over */
    uint64_t outcomes[CHECK_OUTCOMES_KINDS]; /* how often each was told; the last: all others */
    struct suspect suspects[CHECK_OUTCOMES_SUSPECTS];
    uint32_t suspects_count;
    uint64_t handed_far; /* over to a handler of another node */
};

void check_outcomes_init(struct check_outcomes *check, struct world *world,
                         const struct faults *faults, struct people *people);
void check_outcomes_clear(struct check_outcomes *check);

/* Makes a person ask; timeout_ms: the request's time. Returns the request's number. */
uint32_t check_outcomes_ask(struct check_outcomes *check, struct world *world, uint32_t who,
                            uint32_t path, uint32_t timeout_ms, bool is_idempotent,
                            uint32_t body_bytes);

/* Makes a handler answer a request that it was given: OK, REJECTED or HANDLER_ERROR. */
void check_outcomes_answer(struct check_outcomes *check, struct world *world, uint32_t who,
                           uint64_t correlation, uint32_t number, enum error answer);

/* The number of the request that a handler was given; 0: none of ours. */
uint32_t check_outcomes_number(struct span body);

/* Fails the world if an outcome is overdue. */
void check_outcomes_look(struct check_outcomes *check, struct world *world);

/* In quiet: whoever waits for a handler that is gone has been told; handlers that are there answer,
 * paths that nobody serves have no handler (I5, I19). Lets the world run for a while. */
void check_outcomes_probe(struct check_outcomes *check, struct world *world);

#endif
