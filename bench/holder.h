/* holder.h - a client process that opens sessions and holds them: what it is to do, what it tells.
 * The process that measures has its hands free for commands, and no process needs more descriptors
 * than it may have.
 * Thread: one. */
#ifndef WEFT_BENCH_HOLDER_H
#define WEFT_BENCH_HOLDER_H

#include "bench/bench.h"

enum {
    HOLDER_SESSIONS_MAX = 4000, /* a process: two descriptors each, and room for those that dial */
    HOLDER_REASONS = 16,        /* enum weft_close_reason and room for new ones */
};

/* The same for all processes; of the sessions each has those whose number is its own modulo their
 * count. */
struct holder_job {
    const struct bench_settings *settings;
    uint32_t processes;
    uint64_t start_ns; /* on machine_now_ns */
};

struct holder_node {
    char name[BENCH_NAME_BYTES]; /* empty: unused, and so are all behind */
    uint32_t server;             /* number of the server it was first reached by */
    uint32_t opened;
};

enum holder_stage { HOLDER_OPENING, HOLDER_HOLDING };

/* All so far. Told whenever it has changed, at most five times a second, and at each stage; as
 * holding begins with a tail: the ids of all sessions that stand (struct weft_session_id). */
struct holder_report {
    enum holder_stage stage;
    uint32_t begun;                   /* sessions that were to be opened */
    uint32_t opened;                  /* that were, at least once */
    uint32_t standing;                /* that are open now */
    uint32_t ended;                   /* that were closed by us to make room (--number) */
    uint32_t given_up;                /* refused for good, or no descriptor was left */
    uint32_t reopened;                /* that came back after their connection was lost */
    uint32_t resumed;                 /* and were the same session as before */
    uint32_t unanswered;              /* attempts to open: nothing came back */
    uint32_t refused[BENCH_OUTCOMES]; /* attempts to open, by enum weft_error */
    uint32_t closed[HOLDER_REASONS];  /* sessions that stood, by enum weft_close_reason */
    uint32_t closed_b;                /* of these, sessions of half b */
    uint64_t last_opened_ns;          /* on machine_now_ns */
    struct histogram latency;         /* from dialling (with a rate: from when due) to standing */
    struct holder_node nodes[BENCH_NODES_MAX];
};

/* The property bench_half: `a` for the first half of all sessions, `b` for the second; as servers
 * take turns, every node has half of each. */
const char *holder_half(const struct bench_settings *settings, uint32_t number);

/* A process of the crowd (procs.h): opens, holds until `commands` is closed at its other end, ends
 * the sessions, tells that it is over. job: a struct holder_job. */
int holder_run(const void *job, uint32_t number, int commands, int reports);

#endif
