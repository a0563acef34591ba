/* tally.h - what came of many requests, counted; and what their handlers saw, held against it.
 * Memory: plain structs; the marks are the caller's array. Thread: one owner; add up with
 * tally_add. */
#ifndef WEFT_BENCH_TALLY_H
#define WEFT_BENCH_TALLY_H

#include "bench/bench.h"

struct bench_checks {
    uint64_t lost, duplicate, reordered, corrupt, no_outcome;
};

/* What was measured; checks also count what came before, while warming up. */
struct tally {
    uint64_t sent;
    uint64_t outcomes[BENCH_OUTCOMES];  /* by number; the last one: all beyond */
    uint64_t answered[BENCH_NODES_MAX]; /* OK, by the server whose handler was asked */
    struct histogram latency;           /* of what ended OK */
    struct bench_checks checks;
};

/* Adds all of `from`. */
void tally_add(struct tally *tally, const struct tally *from);

void tally_outcome(struct tally *tally, uint32_t outcome);

/* Whether nothing that must hold was broken, and there was something to hold. */
bool tally_has_held(const struct tally *tally);

/* ---- what a handler saw of one caller --------------------------------------------------------*/

/* The last 64 sequences: as many as one caller's requests are likely to be out of order by. */
struct tally_window {
    uint64_t highest, seen; /* bit 0: the highest one */
};

enum tally_verdict { TALLY_FRESH, TALLY_DUPLICATE, TALLY_REORDERED };

/* Judges and records one sequence (from 1). One that is older than the window is out of order. */
enum tally_verdict tally_window_admit(struct tally_window *window, uint64_t sequence);

/* ---- lost ------------------------------------------------------------------------------------*/

/* For each caller and each server: requests that were answered OK, and that its handlers saw. A
 * process fills in what it knows; `cells` of each. */
struct tally_marks {
    uint64_t *answered, *seen;
};

/* Requests answered that no handler saw. */
uint64_t tally_lost(const struct tally_marks *marks, size_t cells);

#endif
