/* receive.h - takes frames apart: judges the envelope, walks the messages, hands each to its room.
 * Memory: the frame is the caller's and lives until the pull ends. Thread: one owner. */
#ifndef WEFT_MESH_RECEIVE_H
#define WEFT_MESH_RECEIVE_H

#include "mesh/core.h"

/* A frame that came in on a connection: MESH_FRAME. */
void receive_frame(struct mesh *mesh, const struct mesh_input *input);

/* A frame that came back on our own gossip link: MESH_ANSWER. */
void receive_answer(struct mesh *mesh, const struct mesh_input *input);

#endif
