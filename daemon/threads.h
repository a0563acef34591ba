/* threads.h - decides which of libzmq's threads serves which sockets: clients one, peers another.
 * When thousands of clients are closed at once, theirs is busy for long; pings, requests between
 * nodes and the answers to commands must not wait behind them.
 * Memory: none. Thread: constants. */
#ifndef WEFT_DAEMON_THREADS_H
#define WEFT_DAEMON_THREADS_H

#include <stdint.h>

enum { THREADS_COUNT = 2 }; /* ZMQ_IO_THREADS */

/* Values of ZMQ_AFFINITY: a bit a thread. */
#define THREADS_CLIENTS UINT64_C(1)
#define THREADS_PEERS UINT64_C(2)

#endif
