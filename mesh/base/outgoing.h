/* outgoing.h - what a message is before it is queued: how long its head is, whether a frame can
 * hold it, and how it is written.
 * Memory: nothing of its own. Thread: pure functions. */
#ifndef WEFT_MESH_BASE_OUTGOING_H
#define WEFT_MESH_BASE_OUTGOING_H

#include "proto/envelope.h"

/* A message to queue. Either schema and fields, or already encoded fields, or neither. */
struct outgoing {
    uint8_t kind; /* enum kind */
    uint8_t flags;
    uint64_t correlation;
    const struct schema *schema;
    const void *fields;
    struct span encoded_fields; /* used when schema is NULL: passed on as they came */
    struct span body;           /* lives at least until the current pull ends */
    bool consumes_credit;       /* waits, with all behind it, for the receiver's grant */
    bool is_urgent;             /* leaves before all others, and without credit */
};

/* Where a frame of the channel is cut off. */
size_t outgoing_frame_aim(enum channel channel);

/* Bytes of header and fields. */
size_t outgoing_measure_head(const struct outgoing *message);

/* Whether a frame of that channel can hold a message of such a head and such a body. */
bool outgoing_fits(enum channel channel, size_t head_bytes, size_t body_bytes);

/* Writes header and fields, exactly head_bytes (outgoing_measure_head). O(fields). */
void outgoing_encode_head(const struct outgoing *message, uint8_t *head, size_t head_bytes);

#endif
