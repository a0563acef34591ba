/* unmet.h - keeps the selectors that were found to mean no topic, until mesh.c hands them on:
 * whoever makes missing topics is told of them.
 * Memory: scratch, so until the pull ends. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_UNMET_H
#define WEFT_MESH_TOPICS_UNMET_H

#include "mesh/topics/room.h"

/* Without memory it is not kept: a notice may be lost. */
void unmet_note(struct topics *topics, const struct session *session, struct span selector);

/* The next one; false: no more. */
bool unmet_next(struct topics *topics, struct topics_missing *missing);

#endif
