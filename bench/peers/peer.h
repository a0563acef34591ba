/* peer.h - what the programs that stand for weft's peers share: client processes that end with the
 * one that measures, CPU of the nodes, latencies, one line of result.
 * Memory: plain. Thread: any, but one at a time. */
#ifndef WEFT_BENCH_PEERS_PEER_H
#define WEFT_BENCH_PEERS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PEER_NODES_MAX = 4 };

/* One run. The times are those of weftbench: what the warm-up saw is not counted. */
struct peer_run {
    uint32_t size_bytes, outstanding;
    uint64_t warmup_ns, duration_ns;
    pid_t nodes[PEER_NODES_MAX]; /* whose CPU is the nodes' */
    uint32_t nodes_count;
};

/* Forks a process that does `role` and never returns; it ends with this one. Exits when that is not
 * possible. */
pid_t peer_fork(void (*role)(const struct peer_run *run), const struct peer_run *run);

/* ---- fan-out: one publishes, PEER_SUBSCRIBERS are told ----------------------------------------*/

enum { PEER_SUBSCRIBERS = 100 };

/* One more update has come to one subscriber, to each in the order of publishing. Returns how many
 * updates have now come to all of them for the first time: so many more may be published. */
uint32_t peer_fan_received(uint32_t subscriber);

/* ---- one measurement -------------------------------------------------------------------------*/

/* Where a request carries the time of its sending: its first bytes. */
void peer_stamp(void *payload);

/* One answer is back. Counts it once measuring has begun; true: measuring is over. */
bool peer_answered(const struct peer_run *run, const void *payload);

/* Prints {"rate","p50_us","p99_us","nodes_cpu_us"} a request, and ends the program and whatever it
 * forked: 0, or 1 when no request was answered. To be called once peer_answered said that it is
 * over. */
_Noreturn void peer_finish(const struct peer_run *run);

/* Says what went wrong, with errno's words, and ends the program and whatever it forked. */
_Noreturn void peer_fail(const char *what);

/* Numbers from the command line: BYTES OUTSTANDING SECONDS. false: one of them is none. */
bool peer_parse(struct peer_run *run, char **words);

#endif
