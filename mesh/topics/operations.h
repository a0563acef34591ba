/* operations.h - decides what becomes of a SET or REMOVE: done here, asked of the sequencer, kept
 * until this node may sequence, or given up; each has one true outcome.
 *
 *     session's SET -> this node's -> [sequence_set] -> answered
 *                  \-> it must collect first -> PARKED -> [operations_unpark] -> done, answered
 *                  \-> another's -> ASKED -> TOPIC: OK -> AWAITS_LOG -> its log came -> answered
 *                                        \-> TOPIC: not OK -> answered
 *                                        \-> lost, 10 s -> OUTCOME_UNKNOWN
 *     node's SET -> the same, without the third line
 *
 * A REMOVE is asked of one sequencer after the other, in rounds.
 * Memory: a fixed table, MEMORY_TABLES; what is kept of messages in MEMORY_QUEUES.
 * Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_OPERATIONS_H
#define WEFT_MESH_TOPICS_OPERATIONS_H

#include "mesh/topics/room.h"

#define OPERATION_NONE UINT32_MAX

bool operations_init(struct topics *topics);
void operations_clear(struct topics *topics);

/* SET of a session here. ERROR_OK: it has or will have its TOPIC. */
enum error operations_set_from_session(struct topics *topics, struct session *session,
                                       const struct message *message);

/* SET, REMOVE and TOPIC of another node. An error is a strike. */
enum error operations_from_node(struct topics *topics, struct author *author,
                                const struct message *message);

/* The collecting is over. */
void operations_unpark(struct topics *topics);

/* The author's log has grown here: who waited for that is answered. */
void operations_log_advanced(struct topics *topics, struct author *author);

/* The node is lost; or only our link to it, before anything is taken out of its queue. */
void operations_node_lost(struct topics *topics, uint64_t instance);
void operations_link_lost(struct topics *topics, uint64_t instance);

void operations_session_ended(struct topics *topics, const struct session *session);
void operations_due(struct topics *topics, uint32_t slot);
void operations_check(const struct topics *topics);

#endif
