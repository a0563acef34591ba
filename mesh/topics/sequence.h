/* sequence.h - decides what a SET or REMOVE does to a topic that this node sequences: whether it
 * may be done, and under which version.
 * Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_SEQUENCE_H
#define WEFT_MESH_TOPICS_SEQUENCE_H

#include "mesh/topics/room.h"

/* What may be wrong with a SET whatever the topic is. NULL: nothing; else a sentence, and *code. */
const char *sequence_fault(const struct topic_set *set, struct span body, enum error *code);

/* Does it. The result's text lives for ever. The path is as path_parse gave it. */
void sequence_set(struct topics *topics, const struct topic_set *set, struct span body,
                  struct topic_result *result);

/* Removes the topic, if it is there and this node sequences it. ERROR_OK: it did;
 * ERROR_NO_SUCH_TOPIC, ERROR_CLUSTER_REPARTITION, ERROR_LIMIT_REACHED: unchanged. */
enum error sequence_remove(struct topics *topics, struct span path);

#endif
