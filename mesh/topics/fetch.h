/* fetch.h - answers FETCH: a page of topics as this node has them now.
 * Memory: the answer in scratch memory. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_FETCH_H
#define WEFT_MESH_TOPICS_FETCH_H

#include "mesh/topics/room.h"

/* FETCH of a session here. ERROR_OK: it has its TOPICS. O(topics that match). */
enum error fetch_from_session(struct topics *topics, struct session *session,
                              const struct message *message);

#endif
