/* bench.h - what a run of weftbench is asked for. Thread: plain data. */
#ifndef WEFT_BENCH_BENCH_H
#define WEFT_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "client/weft.h"

enum {
    BENCH_NODES_MAX = 64,
    BENCH_PROCS_MAX = 64,
    BENCH_OUTCOMES = 64,
    BENCH_NAME_BYTES = 130,
    BENCH_PROPERTIES = 32,
};

enum bench_route {
    ROUTE_LOCAL,
    ROUTE_REMOTE,
    ROUTE_MIXED,
    ROUTE_NOWHERE, /* req: a path that nobody serves; NO_HANDLER is what is wanted */
};

enum bench_exit { BENCH_HELD = 0, BENCH_BROKEN = 1, BENCH_USAGE = 2, BENCH_NOT_RUN = 3 };

struct bench_settings {
    const char *verb;
    const char *servers[BENCH_NODES_MAX]; /* host:port, one a node */
    uint32_t servers_count;
    const char *key_file, *server_keys; /* NULL: nothing is encrypted */
    uint32_t spawn;                     /* nodes of its own to start; 0: none */
    uint32_t clients, handlers;         /* callers in all; handlers a node */
    uint32_t publishers, topics;        /* of pubsub, in all */
    bool conflates;                     /* pubsub: subscribers' queues may merge updates */
    uint32_t procs;                     /* client processes */
    uint32_t pipeline;                  /* closed loop: requests outstanding a caller */
    double rate;                        /* open loop: so many a second in all; 0: closed loop */
    uint32_t size_bytes;
    uint64_t duration_ns, warmup_ns;
    uint64_t opening_ns; /* how long opening sessions may take at most */
    uint64_t number; /* requests to measure, sessions to open; 0: by duration, as many as clients */
    uint64_t hold_ns;    /* how long sessions stay once they stand; UINT64_MAX: until a signal */
    const char *command; /* of the verb cmd */
    uint32_t repeat;     /* how often it is run */
    bool reconnects;     /* a session that lost its connection gets another one */
    struct weft_property properties[BENCH_PROPERTIES]; /* that each session offers */
    uint32_t properties_count;
    enum bench_route route;
    bool checks;
    uint64_t seed;
    uint32_t timeout_ms;
    const char *json_file;
    const char *compare_file; /* an earlier result */
};

const char *bench_route_name(enum bench_route route);

/* The outcome that requests are to have. */
static inline enum weft_error bench_wanted(const struct bench_settings *settings)
{
    return settings->route == ROUTE_NOWHERE ? WEFT_NO_HANDLER : WEFT_OK;
}

#endif
