/* check_missing.h - judges who is told that somebody has subscribed where there is no topic:
 * whoever asked to be, of what was subscribed, each subscription once or as one of a count, the
 * same selector not more than once a second at a handler's node; in quiet exactly one handler of
 * the mesh at the longest path, and one on the subscriber's node before others (I25). Knows what
 * persons subscribed, what they were told to serve, and what they heard.
 * Memory: check_missing_clear. Thread: one. */
#ifndef WEFT_TESTS_SIM_CHECK_MISSING_H
#define WEFT_TESTS_SIM_CHECK_MISSING_H

#include "tests/sim/faults.h"
#include "tests/sim/people.h"

enum { CHECK_MISSING_SELECTORS = 6, CHECK_MISSING_TEXT_BYTES = 32 };

/* What was told of one selector at one node, in one of its lives. */
struct missing_told {
    uint32_t life;
    uint64_t since_ns; /* by its clock: before that nobody missed it */
    uint64_t heard;
};

/* Of a probe: a selector of its own, and who heard of it. */
struct missing_probe {
    char selector[CHECK_MISSING_TEXT_BYTES];
    uint32_t subscriber, heard, handler;
};

struct check_missing {
    const struct faults *faults;
    struct people *people;
    uint64_t said[CHECK_MISSING_SELECTORS], heard[CHECK_MISSING_SELECTORS];
    struct missing_told *told; /* [node * CHECK_MISSING_SELECTORS + selector] */
    uint32_t *asked;           /* of each person: paths it asked for in its visit, a bit each */
    uint32_t *visits;          /* in which */
    struct missing_probe *probes;
    uint32_t probes_count, probes_made, registrations;
    uint64_t notices, coalesced;
};

void check_missing_init(struct check_missing *check, struct world *world,
                        const struct faults *faults, struct people *people);
void check_missing_clear(struct check_missing *check);

/* Makes a person ask to be told what is missed at a path, by its number. */
void check_missing_register(struct check_missing *check, struct world *world, uint32_t who,
                            uint32_t path);

/* Makes a person subscribe where no topic is. */
void check_missing_subscribe(struct check_missing *check, struct world *world, uint32_t who,
                             uint32_t selector);

/* In quiet: each observer misses something; lets the world run for a while. */
void check_missing_probe(struct check_missing *check, struct world *world);

#endif
