/* missing.h - somebody subscribes where there is no topic: what the handler that may create it is
 * told, and, between nodes, the node that has this handler.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_MISSING_H
#define WEFT_PROTO_MISSING_H

#include "proto/schema.h"

enum { MISSING_NODES_BYTES_MAX = 512 };

/* KIND_MISSING_TOPIC; not answered. Body: groups of struct property, the subscriber's. */
struct missing_topic {
    struct span selector;
    struct session_id session; /* the subscriber */
    struct span nodes;         /* names of the nodes it passed, joined by ',' */
    uint32_t coalesced;        /* to a handler: notices of this selector that were merged into this
                                  one or, earlier, left out since the one before */
    struct session_id handler; /* between nodes: the session chosen to be told */
};

extern const struct schema missing_topic_schema;

#endif
