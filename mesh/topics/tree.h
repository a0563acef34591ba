/* tree.h - decides where a topic is found: all topics of the mesh, in the order of their paths, and
 * what a selector means among them.
 * Memory: one block a topic of MEMORY_TOPICS, its path behind it. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_TREE_H
#define WEFT_MESH_TOPICS_TREE_H

#include "mesh/base/slots.h"
#include "proto/topic_entry.h"

enum {
    TREE_LEVELS = 10,    /* of which each holds a quarter of the one below: for a million topics */
    TREE_SLOT_BITS = 20, /* so many topics at most */
};

struct author;
struct creator;

/* One entry that is not superseded: a topic, a topic that was removed, or what a later version of
 * this program writes. */
struct topic {
    struct topic_version version;
    uint8_t type; /* enum topic_entry_type, or a later one */
    uint8_t value_type, policy;
    uint8_t levels;
    uint16_t path_bytes;
    uint16_t value_at; /* in rest */
    uint32_t rest_bytes;
    uint8_t *rest;      /* as the entry has it; values.h */
    uint64_t path_hash; /* topic_path_hash */
    uint32_t slot;      /* in tree.slots */
    uint32_t key;       /* in queues: another one each time it is created, or has another policy */
    /* In the log that its entry is in. */
    struct author *author;
    uint64_t position;
    struct topic *older, *newer;
    struct creator *creator; /* SET: it goes with that session; NULL: it stays */
    struct topic *removed_before, *removed_after; /* REMOVED */
    uint64_t removed_ns;
    struct topic *next[]; /* by level; behind them the path */
};

struct tree {
    struct memory *memory;
    struct topic *first[TREE_LEVELS];
    uint32_t count;
    uint64_t salt; /* heights must not be guessed by who chooses paths */
    struct slots slots;
    uint32_t keys; /* given so far */
};

void tree_init(struct tree *tree, struct memory *memory, uint64_t salt);

/* The path; of what has a later type: the key. */
struct span tree_path(const struct topic *topic);

/* The value of a topic that is there (SET). */
struct span tree_value(const struct topic *topic);

static inline bool tree_is_there(const struct topic *topic)
{
    return topic != NULL && topic->type == TOPIC_ENTRY_SET;
}

/* Below 0, 0 or above 0: segment by segment, a path before those below it. */
int tree_order(struct span a, struct span b);

/* What has that path: topics, removed or not (type SET or REMOVED), or entries of a later type.
 * NULL: none. O(log topics). */
struct topic *tree_find(const struct tree *tree, uint8_t type, struct span path);

/* Adds it; only path, hash and number are filled in. There is none. NULL: no memory. */
struct topic *tree_add(struct tree *tree, uint8_t type, struct span path);

/* Gives the topic a key that it did not have before. */
void tree_rekey(struct tree *tree, struct topic *topic);

/* The topic that has this key now; NULL: none. O(1). */
struct topic *tree_of_key(const struct tree *tree, uint32_t key);

/* No topic is left. */
void tree_clear(struct tree *tree);

/* Takes it out and frees it; its rest is the caller's matter. */
void tree_remove(struct tree *tree, struct topic *topic);

/* The first topic (removed ones too, later types not) behind `after` in order that the selector
 * means; `after` empty: the first of all. What it does not mean is skipped subtree by subtree:
 * O((log topics) x (children that `+` stands for)). NULL: the end. */
struct topic *tree_next_selected(const struct tree *tree, struct span selector, struct span after);

/* The same behind a topic that is at hand: O(1) where the selector means the one behind it, as in a
 * walk along all that is below a path. */
struct topic *tree_next_selected_behind(const struct tree *tree, struct span selector,
                                        const struct topic *topic);

/* One step of such a walk, for who can't do it in one go: whether the selector means this topic, or
 * whatever tree_next_behind has found. *next: where to look on; NULL: the end. O(log topics), O(1)
 * if it means it. */
bool tree_is_selected(const struct tree *tree, struct span selector, const struct topic *topic,
                      struct topic **next);

/* The first entry behind that one in order, of whatever type; an empty path: the first of all.
 * O(log topics). */
struct topic *tree_next_behind(const struct tree *tree, uint8_t type, struct span path);

/* Walks everything there is; NULL starts, NULL ends. */
struct topic *tree_next(const struct tree *tree, const struct topic *topic);

void tree_check(const struct tree *tree);

#endif
