/* check_direct.h - judges requests to a session and to a filter: each ends once and in time; a
 * session is asked at most once, and not at all where the outcome says so; each of a filter's
 * sessions is told of at most once, before the end, which counts them rightly; requests of one
 * sender to one session come in order (I1 to I5). Knows what was asked, what sessions were given
 * and what they said, what callers were told.
 * Memory: check_direct_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_DIRECT_H
#define WEFT_TESTS_SIM_CHECK_DIRECT_H

#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_DIRECT_PATHS = 3, CHECK_DIRECT_FILTERS = 4 };

struct direct_part; /* one session that was asked */

struct direct_ask {
    uint32_t caller, visit;
    uint32_t path, timeout_ms;
    uint32_t filter;      /* CHECK_DIRECT_FILTERS: to the session */
    struct session_id to; /* the session */
    uint64_t own_deadline_ns;
    bool is_over, was_spread;
    enum error outcome;
    uint32_t sent, told; /* by SPREAD; PARTs */
    struct direct_part *parts;
    uint32_t parts_count, parts_capacity;
};

struct direct_person {
    uint32_t visit;
    uint32_t wishes, listens; /* paths it has asked to listen on, and does as it was told */
    uint32_t last[64];        /* of each caller, modulo: the last request to its session */
    uint32_t last_caller[64];
};

struct check_direct {
    const struct faults *faults;
    struct people *people;
    struct direct_ask *asks; /* [number - 1] */
    uint32_t count, capacity, settled;
    struct direct_person *persons;
    uint32_t registrations;
    uint64_t spread, parts, unhandled, incomplete; /* how often */
};

void check_direct_init(struct check_direct *check, struct world *world, const struct faults *faults,
                       struct people *people);
void check_direct_clear(struct check_direct *check);

/* Makes a person listen on a path, or not any more. */
void check_direct_listen(struct check_direct *check, struct world *world, uint32_t who,
                         uint32_t path, bool begins);

/* Makes a person ask a session, or (filter below CHECK_DIRECT_FILTERS) those that match. */
void check_direct_ask(struct check_direct *check, struct world *world, uint32_t who, uint32_t path,
                      struct session_id to, uint32_t filter, uint32_t timeout_ms);

/* The number of the request that a session was given; 0: none of these. */
uint32_t check_direct_number(struct span body);

/* Makes a session answer what it was given: OK, REJECTED or HANDLER_ERROR. */
void check_direct_answer(struct check_direct *check, struct world *world, uint32_t who,
                         uint64_t correlation, uint32_t number, enum error answer);

void check_direct_look(struct check_direct *check, struct world *world); /* overdue? */

/* In quiet: who listens answers, who does not is UNHANDLED, and filters find whom they must. */
void check_direct_probe(struct check_direct *check, struct world *world);

#endif
