/* witnesses.h - a small set of instances that merges by union: who accuses a member, whose
 * connection it refused. Sets grow and never shrink, so news of them may come twice,
 * late or in any order.
 * Memory: fixed size, the caller's. Thread: pure functions. */
#ifndef WEFT_MESH_MEMBERSHIP_WITNESSES_H
#define WEFT_MESH_MEMBERSHIP_WITNESSES_H

#include "proto/gossip.h"

struct witnesses {
    uint32_t count;
    uint64_t instances[WITNESSES_MAX];
};

bool witnesses_has(const struct witnesses *set, uint64_t instance);

/* Returns whether it is new. A full set takes no more: it says all that a decision needs. */
bool witnesses_add(struct witnesses *set, uint64_t instance);

/* Adds all of an encoded set; returns whether one of them is new. */
bool witnesses_merge(struct witnesses *set, struct span encoded);

/* Encodes into WITNESSES_BYTES_MAX bytes of the caller's, which must outlive the span. */
struct span witnesses_encode(const struct witnesses *set, uint8_t bytes[WITNESSES_BYTES_MAX]);

#endif
