/* join.h - decides how this node finds its mesh: all addresses of all seeds at the start; alone
 * when nobody answers in time; who is missing is called again for ever.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_JOIN_H
#define WEFT_MESH_MEMBERSHIP_JOIN_H

#include "mesh/base/deadlines.h"
#include "proto/span.h"

struct membership;

struct join {
    struct deadline redial;
    uint64_t started_ns;
    uint64_t said_alone_ns;
    bool has_joined; /* or is alone: from then on the node serves */
    bool has_merged; /* somebody answered */
};

void join_start(struct membership *room);
void join_redial_due(struct membership *room);

/* A table was received as a whole, from this instance. */
void join_merged(struct membership *room, uint64_t instance);

bool join_has_joined(const struct membership *room);

#endif
