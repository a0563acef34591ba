/* run.h - one simulated run: what is asked, and how it ended.
 *
 *     [boot] -> agree -> ( [storm] -> [heal] -> agree -> [calm] )* -> over
 *
 * Thread: one. */
#ifndef WEFT_TESTS_SIM_RUN_H
#define WEFT_TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/faults.h"
#include "tests/sim/tally.h"

struct run_options {
    uint64_t seed;
    uint32_t nodes;
    uint64_t ms;       /* virtual */
    uint32_t asks;     /* requests in a row, where a person asks a path */
    uint32_t faults;   /* a bit for each kind that may be on */
    bool is_swarm;     /* the seed draws which are */
    bool ignores_wall; /* wall clocks never jump: for the comparison with a run in which they do */
    const char *trace; /* a file to write, or NULL */
};

struct run_result {
    char failed_check[WORLD_CHECK_BYTES]; /* empty: passed */
    double failed_at_s;                   /* virtual */
    uint64_t events, hash;
    double virtual_s, wall_s, cpu_s;
    uint64_t gossip_bytes, forward_bytes, false_deaths;
    struct tally tally;
};

/* Runs one world to its end. Deterministic but for wall_s. */
void run_world(const struct run_options *options, struct run_result *result);

#endif
