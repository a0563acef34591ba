/* seeds.h - knows who was found at the seeds' addresses, calls where somebody is missing. A seed
 * is a name; it may stand for several addresses, and for others tomorrow.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_SEEDS_H
#define WEFT_MESH_MEMBERSHIP_SEEDS_H

#include "mesh/config.h"

struct membership;

struct seed_place {
    uint64_t address;  /* hash of host:port */
    uint64_t instance; /* who answered there last; this node's own: it is we */
};

struct seed {
    struct seed_place places[MESH_ADDRESSES_PER_SEED_MAX];
    uint32_t places_count;
    bool is_complete; /* a live member, or we, at each of its addresses */
};

struct seeds {
    struct seed list[MESH_SEEDS_MAX];
    uint32_t next; /* whose turn it is */
};

uint32_t seeds_count(const struct membership *room);

/* Looks up, and then calls, all seeds that are not complete; or one of them, in turn: false when
 * there is none. */
void seeds_call_all(struct membership *room);
bool seeds_call_one(struct membership *room);

/* A seed's addresses, one a line: those where nobody is known to live are called. */
void seeds_resolved(struct membership *room, uint32_t seed, struct span addresses);

/* Who answered at a seed's address. Any number that is no seed's is fine. */
void seeds_found(struct membership *room, uint32_t seed, struct span address, uint64_t instance);

/* Somebody is gone: it may have been at a seed's address. */
void seeds_member_lost(struct membership *room);

#endif
