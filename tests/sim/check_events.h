/* check_events.h - judges what listeners are told: every event of a session once and in an order
 * that can be, `closed` once and last (I9), and in quiet the picture that the events make is the
 * one that a listing with the same filter shows. Knows what listeners asked for and were told.
 * Memory: check_events_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_EVENTS_H
#define WEFT_TESTS_SIM_CHECK_EVENTS_H

#include "proto/event.h"
#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_EVENTS_FILTERS = 5 };

struct seen; /* a session, as one listener was told of it */

struct listener {
    uint32_t visit;  /* of the person, when it began */
    uint32_t number; /* of its LISTEN; 0: it does not listen */
    uint32_t filter;
    bool is_standing; /* DONE was heard */
    uint64_t sequence;
    struct seen *seen;
    uint32_t count, capacity;
};

struct check_events {
    const struct faults *faults;
    struct people *people;
    struct listener *listeners; /* one a person */
    uint32_t numbers;           /* LISTENs */
    uint32_t round;             /* of listings in quiet: the number of the last one */
    bool was_listed;
    char difference[160];
    uint64_t told[16]; /* events, by enum session_news */
    uint64_t resynced; /* of them found by a comparison */
};

void check_events_init(struct check_events *check, struct world *world, const struct faults *faults,
                       struct people *people);
void check_events_clear(struct check_events *check);

/* Makes a person listen to the sessions that match one of the filters, or stop listening. */
void check_events_listen(struct check_events *check, struct world *world, uint32_t who,
                         uint32_t filter);
void check_events_unlisten(struct check_events *check, struct world *world, uint32_t who);

/* In quiet: what each listener was told is what there is. Lets the world run for a while. */
void check_events_probe(struct check_events *check, struct world *world);

#endif
