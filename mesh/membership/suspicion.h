/* suspicion.h - decides how long a suspicion lasts: the Lifeguard rule (arXiv 1707.00788, IV.B),
 * shortened by confirmations.
 * Memory: the struct is the caller's. Thread: pure functions. */
#ifndef WEFT_MESH_MEMBERSHIP_SUSPICION_H
#define WEFT_MESH_MEMBERSHIP_SUSPICION_H

#include "mesh/config.h"
#include "mesh/membership/witnesses.h"

enum { SUSPICION_CONFIRMATIONS = 3 }; /* so many make the timeout its minimum */

struct suspicion {
    uint64_t started_ns;
    uint64_t slept_ns; /* pauses of our own since then: they are no silence of the suspect */
    struct witnesses accusers, refused;
};

/* The shortest suspicion in a mesh of so many live members. */
uint64_t suspicion_min_ns(const struct gossip_config *config, uint32_t members);

/* When the suspect is held dead, as things stand. */
uint64_t suspicion_ends_ns(const struct suspicion *suspicion, const struct gossip_config *config,
                           uint32_t members);

/* 1,000 x log10 of a number, rounded down to within 2; 0 for 0 and 1. O(1). */
uint32_t suspicion_log10_milli(uint32_t number);

#endif
