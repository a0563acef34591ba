/* join.h - decides how this node finds its mesh: all addresses of all seeds at the start; alone
 * when nobody answers in time; seeds that are not alive are called again for ever.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_JOIN_H
#define WEFT_MESH_MEMBERSHIP_JOIN_H

#include "mesh/base/deadlines.h"
#include "mesh/config.h"

struct membership;

struct seed {
    uint64_t instance; /* who answered there last; 0: nobody yet */
    bool is_self;
};

struct join {
    struct seed seeds[MESH_SEEDS_MAX];
    struct deadline redial;
    uint64_t started_ns;
    uint64_t said_alone_ns;
    uint32_t next_seed;
    bool has_joined; /* or is alone: from then on the node serves */
    bool has_merged; /* somebody answered */
};

void join_start(struct membership *room);
void join_seed_resolved(struct membership *room, uint32_t seed, struct span addresses);
void join_redial_due(struct membership *room);

/* Calls one seed that is not alive; false: there is none. */
bool join_call_lost_seed(struct membership *room);

/* Who was found at a seed's address (CALL_NO_SEED: at another). */
void join_found(struct membership *room, uint32_t seed, uint64_t instance);
void join_found_self(struct membership *room, uint32_t seed);

/* A table was received as a whole, from this instance. */
void join_merged(struct membership *room, uint64_t instance);

bool join_has_joined(const struct membership *room);

#endif
