/* run.h - one simulated run: what is asked, and how it ended. Thread: one. */
#ifndef WEFT_TESTS_SIM_RUN_H
#define WEFT_TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct run_options {
    uint64_t seed;
    uint32_t nodes;
    uint32_t minutes;  /* virtual */
    const char *trace; /* a file to write, or NULL */
};

struct run_result {
    bool has_passed;
    char failed_check[32];
    double failed_at_s; /* virtual */
    uint64_t events, hash;
    double wall_s;
};

/* Runs one world to its end. Deterministic but for wall_s. */
struct run_result run_world(const struct run_options *options);

#endif
