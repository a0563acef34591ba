/* batch.h - holds what the core's inputs point at until the outputs have been pulled.
 * Memory: a fixed number of ZeroMQ messages, each with its bytes. Thread: one owner. */
#ifndef WEFT_DAEMON_BATCH_H
#define WEFT_DAEMON_BATCH_H

#include "proto/span.h"

#include <zmq.h>

/* Three inboxes' budgets of 256, and room for answers on links and for looked-up names. */
enum { BATCH_FRAMES = 3 * 256 + 256 };

struct batch {
    zmq_msg_t frames[BATCH_FRAMES];
    unsigned count;
    bool is_secret; /* credentials are in it: it is wiped when it is cleared */
};

/* Room for one more; NULL: the batch is full until it is cleared. The message is empty. */
zmq_msg_t *batch_add(struct batch *batch);

/* A copy of the bytes that lives as long as the batch; empty when there is no room or memory. */
struct span batch_copy(struct batch *batch, struct span bytes);

void batch_clear(struct batch *batch);

#endif
