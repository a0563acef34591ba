/* callers.h - the callers of one client process: open their sessions, send requests in an open or a
 * closed loop, judge what comes back.
 *
 * Open loop: request k of all processes is due at start + k / rate whatever became of those before
 * it, and its latency counts from there: a stall shows in every request that it delayed. Closed
 * loop: each caller keeps `pipeline` requests outstanding; its latencies understate stalls.
 * Memory: its own until callers_clear. Thread: that of the context. */
#ifndef WEFT_BENCH_CALLERS_H
#define WEFT_BENCH_CALLERS_H

#include "bench/tally.h"

enum { CALLERS_PATH_BYTES = 64 };

struct callers {
    const struct bench_settings *settings;
    struct weft_context *context;
    struct tally *tally;
    uint64_t *answered;   /* of struct tally_marks; NULL: not wanted */
    uint32_t first, step; /* callers first, first + step, .. of all are these */
    uint32_t count;
    struct caller *all;
    struct pending *free_pending;
    uint8_t *buffer;
    char (*paths)[CALLERS_PATH_BYTES]; /* one for each server */
    uint64_t number;                   /* to measure here; 0: by time */
    uint64_t started_ns, measure_ns, end_ns, stopped_ns;
    uint64_t scheduled, in_flight, dice;
    bool is_over;
};

/* The path that the handlers on a server serve: a route is which path a caller asks. */
void callers_path(const struct bench_settings *settings, uint32_t server,
                  char path[CALLERS_PATH_BYTES]);

/* Sets the rest of `callers` from what is set: settings to answered, first, step. Begins to open
 * the sessions. false: no memory, or a session could not be made. */
bool callers_open(struct callers *callers);

/* All sessions are open; *problem: one that is not, if not. */
bool callers_are_open(const struct callers *callers, const struct weft_client **problem);

/* News of a handler takes a moment to reach every node: asks until each answers, or says who does
 * not. */
bool callers_find_handlers(struct callers *callers);

/* From here on requests are sent. */
void callers_begin(struct callers *callers, uint64_t start_ns);

/* Sends what is due; returns when to be called again at the latest. */
uint64_t callers_send(struct callers *callers);

/* Whether all that was to be measured has been sent. */
bool callers_are_done(const struct callers *callers);

/* Sends no more, and runs the context until all outcomes are there, or should have been. */
void callers_stop(struct callers *callers);

void callers_clear(struct callers *callers);

#endif
