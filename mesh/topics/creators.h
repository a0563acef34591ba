/* creators.h - the sessions that topics go with: how many of each, and whether it is over.
 *
 * A session is over when the directory has not had it for a second. While its node is lost it is
 * over only after the longest time that sessions of this node are granted to come back in: until
 * then its node may refute. Whoever sequences a topic removes it then.
 * Memory: MEMORY_TOPICS, one record a session. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_CREATORS_H
#define WEFT_MESH_TOPICS_CREATORS_H

#include "mesh/topics/room.h"

void creators_init(struct topics *topics);
void creators_clear(struct topics *topics);

/* The record of that session, made if need be. NULL: no memory. */
struct creator *creators_get(struct topics *topics, struct session_id session);

/* A topic less goes with it (NULL: fine). */
void creators_release(struct topics *topics, struct creator *creator);

/* It was made for nothing. */
void creators_drop_unused(struct topics *topics, struct creator *creator);

/* The next one, from *cursor = 0 on; NULL: the end. */
struct creator *creators_next(const struct topics *topics, uint32_t *cursor);

struct creator *creators_find(const struct topics *topics, struct session_id session);

/* What the directory says of it. True: it is over now, and was not before. */
bool creators_seen(struct topics *topics, struct creator *creator, enum creator_state state);

void creators_check(const struct topics *topics);

#endif
