/* removals.h - carries out a REMOVE by selector: what this node sequences at once, the rest in
 * rounds, each asked of one other sequencer, in the order of paths.
 * Memory: see pending.h. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_REMOVALS_H
#define WEFT_MESH_TOPICS_REMOVALS_H

#include "mesh/topics/pending.h"

/* REMOVE of a session here. ERROR_OK: it has or will have its TOPIC. */
enum error removals_from_session(struct topics *topics, struct session *session,
                                 const struct message *message);

/* The next round, or the end. */
void removals_go_on(struct topics *topics, struct operation *operation);

/* The node asked has answered. If not with OK, the operation is over. */
void removals_answered(struct topics *topics, struct operation *operation,
                       const struct topic_result *result);

#endif
