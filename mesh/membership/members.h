/* members.h - the table: which instances this node knows, at what incarnation, in what state.
 * It holds facts and decides nothing; evidence.h does. One instance a name: the newest.
 *
 *     entry (16 bytes, one for each known member)    peer (made when somebody looks)
 *     +-------------+------+-------+--------+        +------+-----+----------+-----
 *     | incarnation | peer | state | deaths |        | view | rtt | log head | ...
 *     +-------------+------+-------+--------+        +------+-----+----------+-----
 *
 * Entries are indexed by `who` (descriptors.h). Dead and left members stay as tombstones, oldest
 * out first, so that late news revives nobody.
 * Memory: MEMORY_MEMBERS. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_MEMBERS_H
#define WEFT_MESH_MEMBERSHIP_MEMBERS_H

#include "mesh/base/context.h"
#include "mesh/membership/descriptors.h"
#include "mesh/membership/membership.h"

enum { MEMBER_UNKNOWN = 0 }; /* beside enum member_state */

struct entry {
    uint64_t incarnation;
    uint32_t peer;   /* a peer's number + 1; 0: none */
    uint8_t state;   /* enum member_state, or MEMBER_UNKNOWN */
    uint16_t deaths; /* counts up at each death in this place: an old tombstone is known by it */
};

/* What is known of a member from talking with it. */
struct peer {
    struct member view;
    uint32_t who;                      /* free ones: the next free peer */
    uint32_t position;                 /* in the order of names */
    uint32_t rtt_us, rtt_deviation_us; /* smoothed, RFC 6298; 0: never answered */
    uint32_t sessions, lag_us;
    uint64_t log_head;
    uint64_t lived_ns;         /* when the probe began that it answered last; 0: never */
    uint64_t used_ns;          /* contacts.h's: when its link was last wanted */
    uint64_t differs_since_ns; /* its view hash and ours; 0: equal, or never heard */
    uint8_t health;
    bool forward_up; /* its forward link to us */
    bool is_cut_off; /* our gossip link to it was up and is down */
};

struct tombstone {
    uint64_t at_ns;
    uint32_t who;
    uint16_t deaths;
};

struct members {
    struct context *context;
    struct descriptors *descriptors;
    struct entry *entries;
    uint32_t capacity;
    uint32_t self;
    uint32_t alive, suspect, tombs; /* how many entries are in which state */
    uint64_t hash;
    uint64_t buckets[VIEW_BUCKETS];
    struct peer **peers; /* chunks */
    uint32_t peers_chunks, peers_free;
    struct tombstone *tombstones; /* a ring, oldest first */
    uint32_t tombstones_first, tombstones_count, tombstones_capacity;
    uint64_t changes; /* counts them, from 1 */
};

void members_init(struct members *members, struct context *context,
                  struct descriptors *descriptors);
void members_clear(struct members *members);

/* Puts a member in, in no state yet: members_set must follow. WHO_NONE when there is no room or the
 * record is incomplete. The instance must not be known. */
uint32_t members_add(struct members *members, const struct member_record *record);

/* Moves a member to a state and an incarnation; keeps counts, hashes and tombstones. */
void members_set(struct members *members, uint32_t who, enum member_state state,
                 uint64_t incarnation);

/* Forgets a member. */
void members_remove(struct members *members, uint32_t who);

/* Forgets the tombstones that are too old. */
void members_expire(struct members *members);

/* The known instance, or the one instance known under a name; WHO_NONE: none. */
uint32_t members_find(const struct members *members, uint64_t instance);
uint32_t members_named(const struct members *members, struct span name);

/* A zeroed entry for those not known. */
struct entry members_entry(const struct members *members, uint32_t who);
bool members_is_live(const struct members *members, uint32_t who); /* alive or suspect */
uint32_t members_live(const struct members *members);              /* how many; self too */
const struct descriptor *members_descriptor(const struct members *members, uint32_t who);

/* The next known member behind `after` in the table's own order; WHO_NONE starts and ends. */
uint32_t members_next(const struct members *members, uint32_t after);

/* A random live member that is not this node; WHO_NONE: there is none. */
uint32_t members_random(const struct members *members, struct random *random);

/* A random one of the `newest` newest dead (not left) members; WHO_NONE: there is none. */
uint32_t members_dead(const struct members *members, struct random *random, uint32_t newest);

/* Every bit of the value reaches every bit of the sum; not for secrets. */
uint64_t members_mix(uint64_t value);

/* What is known from talking; made if need be. NULL: no memory. */
struct peer *members_peer(struct members *members, uint32_t who);
struct peer *members_peer_if_any(const struct members *members, uint32_t who);

/* The seam's view of a member, brought up to date. NULL: no memory. */
const struct member *members_view(struct members *members, uint32_t who);

/* Fills a record for the wire but for witnesses. */
void members_describe(const struct members *members, uint32_t who, bool is_full,
                      struct member_record *record);

void members_check(const struct members *members);

#endif
