/* sync.h - brings two tables together: a joiner gets all of one; equals compare hashes now and then
 * and exchange only what differs.
 * Memory: a part of the room. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_SYNC_H
#define WEFT_MESH_MEMBERSHIP_SYNC_H

#include "mesh/base/deadlines.h"
#include "proto/gossip.h"

struct membership;

struct sync {
    struct deadline deadline;
};

void sync_start(struct membership *room);

/* Sends all live members; to a mesh (that may hold some of them dead, or the other way round) all
 * dead ones, too, and asks for its table. */
void sync_send_table(struct membership *room, uint32_t who, bool to_mesh);

/* Asks a few random members for what differs. */
void sync_pull(struct membership *room);

/* A SYNC came in from a member; its news was applied already. */
void sync_received(struct membership *room, uint32_t who, const struct gossip_swim *swim);

/* A ping or an ack of a member said what its view hashes to. */
void sync_heard(struct membership *room, uint32_t who, uint64_t view_hash);

void sync_due(struct membership *room);

#endif
