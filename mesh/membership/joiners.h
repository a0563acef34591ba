/* joiners.h - decides who may join: the same mesh, a common version, a name that no live member
 * has, and an address that can be dialled. A stranger costs nothing until it has shown, with a
 * nonce, that it hears our answers.
 * Memory: a bounded list of joiners that are being dialled. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_JOINERS_H
#define WEFT_MESH_MEMBERSHIP_JOINERS_H

#include "mesh/base/deadlines.h"
#include "mesh/base/permutation.h"
#include "mesh/membership/refusal.h"

struct membership;

enum { JOINERS_MAX = 4096 };

struct joiner {
    uint64_t instance, incarnation;
    uint64_t correlation;
    uint64_t ends_ns;
    uint32_t who; /* its descriptor, held */
    uint32_t link, connection;
    uint32_t members;
};

struct joiners {
    struct joiner *list;
    uint32_t count, capacity;
    struct permutation secret; /* of the nonces */
    struct deadline deadline;
};

void joiners_init(struct membership *room);
void joiners_clear(struct membership *room);
bool joiners_has_link(const struct membership *room, uint32_t link);
void joiners_link_up(struct membership *room, uint32_t link);
void joiners_due(struct membership *room);

/* A JOIN came in, from anybody. */
enum error joiners_receive(struct membership *room, const struct envelope *envelope,
                           uint32_t connection, struct span address, const struct message *message);

/* Asks whoever sent this frame to greet anew: it named another receiver (`called`, else 0), or is
 * no member here. */
void joiners_challenge(struct membership *room, const struct envelope *envelope,
                       uint32_t connection, uint64_t called);

#endif
