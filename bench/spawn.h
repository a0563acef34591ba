/* spawn.h - nodes of weftbench's own (--spawn): weftd from the folder of this program, on free
 * ports of this machine, in a mesh of their own.
 * Memory: the struct is the caller's. Thread: one. */
#ifndef WEFT_BENCH_SPAWN_H
#define WEFT_BENCH_SPAWN_H

#include <sys/types.h>

#include "bench/bench.h"

struct spawn {
    uint32_t count;
    char folder[64]; /* of their logs; removed at the end */
    struct {
        pid_t pid;
        char address[64], gossip[64];     /* host:port for clients, for peers */
        uint64_t empty_bytes, full_bytes; /* resident, as spawn_weigh found it */
    } nodes[BENCH_NODES_MAX];
};

/* Starts settings->spawn nodes, waits until all are ready and names them as the servers. false: a
 * line on stderr says why not; spawn_end is to be called all the same. */
bool spawn_begin(struct spawn *spawn, struct bench_settings *settings);

/* Notes how much memory each node has now: before there are sessions, or with all of them. */
void spawn_weigh(struct spawn *spawn, bool is_full);

/* Ends the nodes and waits for them. */
void spawn_end(struct spawn *spawn);

#endif
