/* authors.h - in whose log entries are: what LOG_ENTRIES and LOG_SNAPSHOT of another node's log do
 * here, and how a piece of somebody's log is cut for a peer that is behind.
 *
 * A snapshot is what a log adds up to above a position: all entries of that author that nothing
 * supersedes, in the order of positions. So whoever has missed a little gets a little, and any node
 * can cut one for anybody, the dead included.
 * Memory: one record a node, MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_AUTHORS_H
#define WEFT_MESH_TOPICS_AUTHORS_H

#include "mesh/topics/room.h"

/* The author that a replica is part of. */
static inline struct author *author_of(const struct replica *replica)
{
    return (struct author *)(uintptr_t)replica;
}

/* This node's own, too. NULL: not known. O(1). */
struct author *authors_find(struct topics *topics, uint64_t instance);

/* Found, or made: not live. NULL: no memory. */
struct author *authors_get(struct topics *topics, uint64_t instance);

/* The next of other nodes', from *number = 0 on; NULL: the end. */
struct author *authors_next(const struct topics *topics, uint32_t *number);

/* Those are forgotten that have been dead for ten minutes, or do not come back, are of no use for a
 * collecting, and wrote nothing that stands. */
void authors_tidy(struct topics *topics);

/* All of them, at the end. */
void authors_clear(struct topics *topics);

/* Messages of the log. ERROR_OK, or ERROR_INVALID_MESSAGE: a strike. */
enum error authors_entries_received(struct topics *topics, uint64_t peer,
                                    const struct message *message);
enum error authors_chunk_received(struct topics *topics, uint64_t peer,
                                  const struct message *message);
enum error authors_pull_received(struct topics *topics, uint64_t peer,
                                 const struct message *message);

/* Writes one entry into this node's own log: position, and then it is merged and pushed like any
 * other. The version is the caller's. ERROR_OK, or ERROR_LIMIT_REACHED: nothing was written. */
enum error authors_write(struct topics *topics, struct topic_entry *entry);

#endif
