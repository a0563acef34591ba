/* replicas.h - the logs of other nodes that this node has of one stream, by writer; what is asked
 * of all of them, and what peers are told about all of them.
 * Memory: MEMORY_DIRECTORY; the records are the room's. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_LOG_REPLICAS_H
#define WEFT_MESH_LOG_REPLICAS_H

#include "mesh/base/hashmap.h"
#include "mesh/base/slots.h"
#include "mesh/log/heads.h"
#include "mesh/log/replica.h"

struct replicas {
    struct log *log; /* this node's own */
    struct slots slots;
    struct hashmap by_writer;
};

void replicas_init(struct replicas *replicas, struct log *log, uint64_t salt);
void replicas_clear(struct replicas *replicas); /* the room has taken all its records out */

/* A new one, initialised, not followed. False: no memory. */
bool replicas_add(struct replicas *replicas, struct replica *replica, uint64_t writer);

/* Unfollowed first. */
void replicas_remove(struct replicas *replicas, struct replica *replica);

/* NULL: not known, or this node itself. O(1). */
struct replica *replicas_find(const struct replicas *replicas, uint64_t writer);

/* That of a deadline's slot; NULL: none. */
struct replica *replicas_at(const struct replicas *replicas, uint32_t number);

/* Walks all: from *number (0 at first); NULL: the end. The one just given may be removed. */
struct replica *replicas_next(const struct replicas *replicas, uint32_t *number);

/* What the peer was asked for is asked of others. */
void replicas_peer_lost(const struct replicas *replicas, uint64_t peer);

/* True while no live writer's log is awaited: each has been received up to the head it told first.
 * O(writers). */
bool replicas_are_synced(const struct replicas *replicas);

/* Entries of live writers' logs that were heard of and are not here. O(writers). */
uint64_t replicas_behind(const struct replicas *replicas);

/* LOG_HEADS: answered with all heads when it only compares and differs; else what is missing here
 * is noted at the replicas, which pull it. ERROR_OK, or ERROR_INVALID_MESSAGE. */
enum error replicas_heads_received(const struct replicas *replicas, uint64_t peer,
                                   const struct message *message);

/* The deadline LOG_PURPOSE_COMPARE is due: with one peer by chance. */
void replicas_compare(const struct replicas *replicas);

/* The heads of all writers, the dead too if wanted, this node's own first, in scratch memory.
 * Returns how many; 0: no memory. */
uint32_t replicas_heads(const struct replicas *replicas, bool with_dead, struct log_head **heads);

enum pull_verdict {
    PULL_DONE,    /* answered, or there is no way back now */
    PULL_REFUSED, /* a strike */
    PULL_CHUNK,   /* the room answers with a chunk of that writer's state */
};

/* Judges LOG_PULL, and answers it from a ring where it can. *replica: of that writer, NULL: this
 * node's own. */
enum pull_verdict replicas_pull_received(const struct replicas *replicas, uint64_t peer,
                                         const struct message *message, struct log_pull *pull,
                                         struct replica **replica);

#endif
