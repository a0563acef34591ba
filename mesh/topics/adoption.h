/* adoption.h - takes into this node's log, as it is, what is in dead nodes' logs only and is this
 * node's to sequence now; and removes the topics of sessions that are over. A walk over all topics
 * in slices, so that nothing else waits.
 * Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_ADOPTION_H
#define WEFT_MESH_TOPICS_ADOPTION_H

#include "mesh/topics/room.h"

/* Begins the walk, or begins it anew. */
void adoption_begin(struct topics *topics);

/* Now and then: begins it if dead nodes' lists are not empty, for whatever reason. O(authors). */
void adoption_look(struct topics *topics);

/* The deadline TOPICS_SWEEP is due: the next slice. */
void adoption_due(struct topics *topics);

#endif
