/* worker.h - what a client process of `req` and one of `pubsub` have in common: it makes room,
 * waits until its sessions stand, says READY, waits for the start, and tells five times a second
 * how far it is. What it measures is its verb's (req_worker, pubsub_worker), which has this as its
 * first member.
 * Memory: context and marks are the worker's. Thread: one. */
#ifndef WEFT_BENCH_WORKER_H
#define WEFT_BENCH_WORKER_H

#include "bench/tally.h"

struct worker_job {
    const struct bench_settings *settings;
};

enum worker_stage { WORKER_OPENING, WORKER_READY, WORKER_DONE };

/* The one command: measure. */
struct worker_start {
    uint64_t start_ns; /* on machine_now_ns: warming up begins */
};

/* The first part of what every such process tells. */
struct worker_report {
    enum worker_stage stage;
    uint64_t stopped_ns; /* on machine_now_ns: when its last was sent; 0: not yet, or not here */
    char nodes[BENCH_NODES_MAX][BENCH_NAME_BYTES]; /* by server; those its sessions are on */
    struct tally tally;
};

struct worker {
    const struct bench_settings *settings;
    struct weft_context *context;
    int commands, reports;
    bool is_ending; /* commands were closed */
    uint64_t told_ns;
    struct worker_report *report; /* and behind it the verb's own: so many bytes in all */
    size_t report_bytes;
    uint64_t *marks; /* the tail; NULL: there is none */
    size_t marks_count;
    bool tells_marks;                       /* each time, and not only when it is over */
    void (*refresh)(struct worker *worker); /* before each telling: brings the report up to date;
                                               NULL: it always is */
};

/* Descriptors for `own` of the run's sessions, a context for all of them, and the marks, all zero.
 * what: whose sessions they are. false: a line on stderr says why not. */
bool worker_prepare(struct worker *worker, uint32_t sessions, uint64_t own, const char *what);

/* Lets the sessions work, at most until then. true: there is a command, or there will be none. */
bool worker_turn(struct worker *worker, uint64_t until_ns);

/* Says how far it is; the other one if it did not within the last 200 ms. is_last: the process is
 * about to end. false: nobody listens. */
bool worker_tell(struct worker *worker, bool is_last);
bool worker_tell_now_and_then(struct worker *worker);

enum worker_opening { WORKER_NOT_YET, WORKER_OPEN, WORKER_REFUSED };

/* Waits until `look` says that all stands, at most so long. *culprit: a session that keeps it
 * waiting; NULL: none does. false: a line on stderr says why not. */
bool worker_open(struct worker *worker, uint64_t limit_ns,
                 enum worker_opening (*look)(const struct worker *worker,
                                             const struct weft_client **culprit));

/* Says READY, and waits for the start and the moment that it names. 0: it will not come. */
uint64_t worker_start_await(struct worker *worker);

/* Goes on until it is told to end, and tells its last. false: nobody listens. */
bool worker_finish(struct worker *worker);

/* After the sessions. */
void worker_clear(struct worker *worker);

#endif
