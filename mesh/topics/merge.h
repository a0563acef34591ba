/* merge.h - decides whether an entry of somebody's log is what a topic is now: the one with the
 * highest version over all logs is, whoever wrote it and in whatever order entries come.
 * Memory: MEMORY_TOPICS. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_MERGE_H
#define WEFT_MESH_TOPICS_MERGE_H

#include "mesh/topics/room.h"

enum {
    TOPICS_MAX = 1 << 20, /* entries of all sorts; past it LIMIT_REACHED */
    /* Removals that are remembered: by them a node that missed one unlearns the topic. */
    TOPICS_REMOVED_MAX = 100000,
    TOPICS_REMOVED_KEPT_HOURS = 24,
};

/* Terms end here, far from where they could be used up: a peer that names a higher one is wrong. */
#define TOPICS_TERM_MAX (UINT64_MAX / 2)

/* Merges one decoded entry of that author's log, and tells the sessions concerned. ERROR_OK, also
 * when it is superseded already or its writer has said something else of its position (counted);
 * ERROR_LIMIT_REACHED: no memory, or too many: unchanged. */
enum error merge_entry(struct topics *topics, struct author *author,
                       const struct topic_entry *entry);

/* A term above all that were seen. */
uint64_t merge_new_term(struct topics *topics);

/* The version that this node, as its sequencer, gives the topic (NULL: a new one) next: the next of
 * its own term if the last one was its own too, else the first of a new term. */
void merge_next_version(struct topics *topics, const struct topic *topic,
                        struct topic_entry *entry);

/* Removals that are too old or too many are forgotten. */
void merge_forget(struct topics *topics);

/* Frees everything. */
void merge_clear(struct topics *topics);

void merge_check(const struct topics *topics);

#endif
