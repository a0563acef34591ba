/* health.h - decides how much this node should doubt itself: Lifeguard's local health multiplier.
 * A node that runs late sees others late; its score stretches its own periods and timeouts.
 * Memory: the struct is the caller's. Thread: pure functions. */
#ifndef WEFT_MESH_MEMBERSHIP_HEALTH_H
#define WEFT_MESH_MEMBERSHIP_HEALTH_H

#include "proto/span.h"

struct health {
    uint32_t score, max; /* 0 is well */
};

void health_init(struct health *health, uint32_t max);
void health_worsened(struct health *health, uint32_t by); /* failed probe, missed nacks, refutation,
                                                             pause */
void health_improved(struct health *health);              /* a probe was answered */
void health_reset(struct health *health); /* what looked like our fault was a split, now healed */

/* A period or timeout, stretched. */
uint64_t health_stretch_ns(const struct health *health, uint64_t time_ns);

#endif
