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
    bool is_reading; /* a part of the first table is being taken in */
};

void join_start(struct membership *room);
void join_redial_due(struct membership *room);

/* A table was received as a whole, from this instance. */
void join_merged(struct membership *room, uint64_t instance);

/* Around taking in what somebody told; is_welcome: it is a part of the table that was asked for. */
void join_read(struct membership *room, bool is_welcome);

/* Whether what is being taken in is the first table: everybody in it is known to the mesh already,
 * and a joiner that told the mesh of its own members would fill every frame for seconds. */
bool join_is_reading(const struct membership *room);

bool join_has_joined(const struct membership *room);

#endif
