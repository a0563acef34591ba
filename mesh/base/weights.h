/* weights.h - decides whose queue is the heaviest when the memory of all queues is used up: of the
 * queues that may be given up one that holds at least half as much as any other.
 * Memory: none; it links queues. Thread: one owner. */
#ifndef WEFT_MESH_BASE_WEIGHTS_H
#define WEFT_MESH_BASE_WEIGHTS_H

#include "mesh/base/outbound.h"

enum {
    WEIGHTS_CLASSES = 32,
    /* What holds less is never the reason: four blocks, as a session with little to say has. */
    WEIGHTS_BYTES_MIN = 4096,
};

/* Queues by the logarithm of the most that they have held since they were last looked at. */
struct weights {
    struct outbound *first[WEIGHTS_CLASSES];
};

/* The queue takes part from now on, until weights_remove. */
void weights_add(struct weights *weights, struct outbound *queue);
void weights_remove(struct weights *weights, struct outbound *queue);

/* What the queue holds has reached queue->weight_limit. O(1), and rare: at every doubling. */
void weights_raise(struct weights *weights, struct outbound *queue);

/* The heaviest; NULL: none holds WEIGHTS_BYTES_MIN. Queues that have become lighter since are
 * put where they belong: O(1) on the average, paid for by the doublings. */
struct outbound *weights_heaviest(struct weights *weights);

#endif
