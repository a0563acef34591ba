/* meter.h - what a run costs the nodes and the client processes: CPU time, and how many messages
 * share a frame.
 *
 * CPU is the kernel's count for a process; a node's process is known if it was started here, or is
 * found by the port that it listens on, if that is on this machine and belongs to us. Messages and
 * frames are the nodes' own counters.
 * Memory: the struct is the caller's; meter_end frees what it holds. Thread: one. */
#ifndef WEFT_BENCH_METER_H
#define WEFT_BENCH_METER_H

#include <sys/types.h>

#include "bench/bench.h"

enum meter_channel { METER_CLIENTS, METER_PEERS, METER_CHANNELS };

struct meter_flow {
    uint64_t messages, frames; /* in and out together */
};

struct meter_node {
    pid_t pid;       /* 0: not known */
    uint64_t cpu_ns; /* between the two readings */
    bool has_ended;  /* between them: what it used is not known, and is 0 here */
    bool has_flows;  /* the node told its counters both times */
    struct meter_flow flows[METER_CHANNELS];
};

struct meter {
    const struct bench_settings *settings;
    char (*names)[BENCH_NAME_BYTES]; /* of the nodes, by server; the caller's */
    struct weft_client *client;
    struct meter_node nodes[BENCH_NODES_MAX]; /* by server */
    uint64_t clients_cpu_ns;                  /* of all client processes */
    uint64_t busiest_cpu_ns;                  /* of the one that used most */
    uint64_t took_ns;                         /* between the two readings */
    struct meter_reading *before;
};

/* Finds the nodes' processes and a way to ask for their counters. pids: of the nodes, by server, as
 * far as known (0). names may be filled in later, before the first reading. What can't be had is
 * left out of the result; nothing fails. */
void meter_begin(struct meter *meter, const struct bench_settings *settings, const pid_t *pids,
                 char names[BENCH_NODES_MAX][BENCH_NAME_BYTES]);

/* Reads all meters, now; the second reading makes differences of them. clients: the pids of the
 * client processes, BENCH_PROCS_MAX at most. Asks the nodes too, which takes some ms. */
void meter_read(struct meter *meter, const pid_t *clients, uint32_t clients_count);

/* Keeps the session that asks alive; to be called now and then. */
void meter_attend(struct meter *meter);

void meter_end(struct meter *meter);

/* Microseconds of CPU a request; 0: not known. */
double meter_us_each(uint64_t cpu_ns, uint64_t requests);

/* Messages a frame; 0: none, or not known. */
double meter_batch(const struct meter_flow *flow);

/* User and system time of a process so far; 0: there is none. */
uint64_t meter_cpu_ns(pid_t pid);

/* The process that listens on this port of this machine; 0: none that can be seen. */
pid_t meter_listener(uint16_t port);

#endif
