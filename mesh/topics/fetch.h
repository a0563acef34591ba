/* fetch.h - answers FETCH: a page of topics as this node has them, and how many there are in all.
 * However many that are, nothing else waits for it: what is long is done in slices, one of all that
 * are at work each tick.
 * Memory: a fixed table, MEMORY_TABLES, touched as used; pages in MEMORY_QUEUES.
 * Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_FETCH_H
#define WEFT_MESH_TOPICS_FETCH_H

#include "mesh/topics/room.h"

enum {
    FETCHES_MAX = 64,        /* at work at one time; each may hold a page of 1 MiB */
    FETCHES_OF_ONE_MAX = 16, /* of one session: a quarter, so that it can't keep the others out */
};

bool fetch_init(struct topics *topics);
void fetch_clear(struct topics *topics);

/* FETCH of a session here. ERROR_OK: it has its TOPICS, or gets it; past the limits that is
 * LIMIT_REACHED. O(topics of a slice). */
enum error fetch_from_session(struct topics *topics, struct session *session,
                              const struct message *message);

/* The next slice, of the one whose turn it is. */
void fetch_due(struct topics *topics);

void fetch_session_ended(struct topics *topics, const struct session *session);

void fetch_check(const struct topics *topics);

#endif
