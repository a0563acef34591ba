/* happenings.h - what is to happen in a world of tests, in order of time, then of making.
 * Memory: grows as needed; the heap is freed by its owner. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_MEMBERSHIP_HAPPENINGS_H
#define WEFT_TESTS_UNIT_MESH_MEMBERSHIP_HAPPENINGS_H

#include "proto/envelope.h"

enum happening_kind {
    EVENT_FRAME,
    EVENT_ANSWER,
    EVENT_DIAL,
    EVENT_UP,
    EVENT_LOST,
    EVENT_REFUSED,
    EVENT_RESOLVED
};

struct happening {
    uint64_t at_ns, order;
    enum happening_kind kind;
    enum channel channel;
    uint32_t node, life; /* whom it happens to */
    uint32_t link, generation;
    uint32_t connection;
    uint32_t seed;
    uint8_t *bytes;
    size_t bytes_count;
};

struct happenings {
    struct happening *heap; /* the first is the next */
    uint32_t count, capacity;
    uint64_t made;
};

void happenings_push(struct happenings *all, uint64_t now_ns, struct happening happening,
                     uint64_t after_ns);
struct happening happenings_pop(struct happenings *all); /* there must be one */

#endif
