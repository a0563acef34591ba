/* publishers.h - the publishers of one client process: set topics in an open or a closed loop, each
 * value with its number and the time it was due, and count what came of it.
 *
 * Each topic has one publisher, so that its numbers have one order. Open loop: update k of all is
 * due at start + k / rate. Closed loop: each publisher keeps `pipeline` updates outstanding.
 * Memory: its own until publishers_clear. Thread: that of the context. */
#ifndef WEFT_BENCH_PUBLISHERS_H
#define WEFT_BENCH_PUBLISHERS_H

#include "bench/tally.h"

enum { PUBLISHERS_PATH_BYTES = 64 };

struct publishers {
    const struct bench_settings *settings;
    struct weft_context *context;
    struct tally *tally;           /* sent, outcomes, checks.no_outcome */
    uint64_t *confirmed, *highest; /* by topic: updates that are OK, and the last one's number */
    struct publisher *all;
    uint64_t *numbers; /* by topic: the last update's */
    uint8_t *buffer;
    struct pending_update *free_pending;
    uint64_t started_ns, measure_ns, end_ns, stopped_ns;
    uint64_t scheduled, in_flight;
    bool is_over;
};

/* The path of a topic; with UINT32_MAX the selector of all of this run's. */
void publishers_path(const struct bench_settings *settings, uint32_t topic,
                     char path[PUBLISHERS_PATH_BYTES]);

/* The server that a publisher's session is opened at: with --route local or remote the first. */
uint32_t publishers_server(const struct bench_settings *settings, uint32_t number);

/* Notes the names of the nodes that the publishers are on, by server. */
void publishers_name_nodes(const struct publishers *publishers,
                           char names[BENCH_NODES_MAX][BENCH_NAME_BYTES]);

/* Sets the rest of `publishers` from what is set: settings to highest. Begins to open the sessions.
 * false: no memory, or a session could not be made. */
bool publishers_open(struct publishers *publishers);

/* All sessions are open; *problem: one that is not, if not. */
bool publishers_are_open(const struct publishers *publishers, const struct weft_client **problem);

/* From here on updates are sent. */
void publishers_begin(struct publishers *publishers, uint64_t start_ns);

/* Sends what is due; returns when to be called again at the latest. */
uint64_t publishers_send(struct publishers *publishers);

/* Whether all that was to be measured has been sent. */
bool publishers_are_done(const struct publishers *publishers);

/* Sends no more, and runs the context until all outcomes are there, or should have been. */
void publishers_stop(struct publishers *publishers);

void publishers_clear(struct publishers *publishers);

#endif
