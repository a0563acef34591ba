/* sequencers.h - decides which node sequences a path, and when this node may sequence what another
 * did so far.
 *
 *     joined, all logs here -> [serving] -> COLLECTING -> serving
 *                                             ^  |  every live member has said how far it has come,
 *           a serving member is lost ---------+  |  and this node has come as far; or 1 s is over
 *           one that was lost is back -----------+
 *
 * Memory: MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_SEQUENCERS_H
#define WEFT_MESH_TOPICS_SEQUENCERS_H

#include "mesh/topics/room.h"

/* The contract's: so long an update may have to wait when the mesh has changed. */
enum {
    SEQUENCERS_COLLECT_MS = 1000,
    SEQUENCERS_JOIN_MS = 10000, /* a joiner is not ready before it has everything; but whoever does
                                   not answer it for so long is about to be held dead */
};

void sequencers_init(struct topics *topics);
void sequencers_clear(struct topics *topics);

/* Members came, went, or began to serve. */
void sequencers_members_changed(struct topics *topics);

/* A live member is lost; or one that was known before is back, or this node itself is, from the
 * dead. */
void sequencers_member_lost(struct topics *topics, const struct author *author);
void sequencers_member_back(struct topics *topics);

/* The instance that sequences the path of that hash, as this node sees it; 0: none. O(members). */
uint64_t sequencers_find(const struct topics *topics, uint64_t path_hash);

/* Whether this node, which sequences the path, must wait for the end of the collecting, because it
 * may not have sequenced it before. */
bool sequencers_must_wait(const struct topics *topics, uint64_t path_hash);

/* Between two facts: begins to serve, ends a collecting. */
void sequencers_look(struct topics *topics);

/* The deadline TOPICS_COLLECT is due. */
void sequencers_due(struct topics *topics);

/* LOG_COLLECT and LOG_COLLECTED. An error is a strike. */
enum error sequencers_collect_received(struct topics *topics, uint64_t peer,
                                       const struct message *message);
enum error sequencers_collected_received(struct topics *topics, uint64_t peer,
                                         const struct message *message);

void sequencers_check(const struct topics *topics);

#endif
