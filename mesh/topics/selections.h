/* selections.h - decides which sessions a topic concerns: the selectors of all sessions of this
 * node, in a trie by segments. A topic looks at its own path in the trie, not at the selections:
 * each segment leads to one node, and to one more for each `+` in its place.
 * Memory: MEMORY_TABLES, a node for each segment of a selector that no other begins with, a record
 * for each selection. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_SELECTIONS_H
#define WEFT_MESH_TOPICS_SELECTIONS_H

#include "mesh/base/hashmap.h"
#include "mesh/base/slots.h"

/* Past each of them, LIMIT_REACHED; the last is what all sessions of a node may have together. */
enum {
    SELECTIONS_OF_SESSION_MAX = 10000,
    SELECTIONS_BYTES_OF_SESSION_MAX = 1 << 20, /* of their texts */
    SELECTIONS_MAX = 1 << 20,
};

enum selection_feed {
    SELECTION_WAITS, /* its topics are still to be told: another of the session is at work */
    SELECTION_FED,   /* those up to the session's cursor were told */
    SELECTION_WHOLE, /* all were */
};

struct selection {
    uint32_t number;
    uint32_t session; /* slot */
    struct selection_node *node;
    bool is_rest; /* ends in two stars */
    enum selection_feed feed;
    bool was_whole;                              /* it was, before its client said it again */
    bool has_met;                                /* a topic that is there, in the feed */
    struct selection *next_here, *previous_here; /* of the same selector */
    struct selection *next_of_session, *previous_of_session;
    uint16_t bytes;
    uint8_t text[]; /* the selector */
};

struct selection_node {
    uint32_t number;
    uint32_t children;
    struct selection_node *parent;
    struct selection_node *any; /* the child `+` */
    struct selection *exact;    /* selectors that end here */
    struct selection *rest;     /* that end in two stars behind this */
    /* While a path is looked up: */
    struct selection_node *next_front, *next_found;
    bool is_found, is_exact;
    uint8_t bytes;
    uint8_t segment[];
};

struct selections {
    struct memory *memory;
    struct slots nodes, records;
    struct hashmap by_segment; /* of parent and segment; by_owner: of node and session */
    struct hashmap by_owner;
    struct selection_node *root;
    uint32_t count;
};

bool selections_init(struct selections *selections, struct memory *memory, uint64_t salt);
void selections_clear(struct selections *selections);

/* The session's selection of that selector (as selector_parse gave it). NULL: it has none. */
struct selection *selections_find(const struct selections *selections, uint32_t session,
                                  struct span selector);

/* Adds one that is not there. NULL: too many, or no memory. */
struct selection *selections_add(struct selections *selections, uint32_t session,
                                 struct span selector);

void selections_remove(struct selections *selections, struct selection *selection);

/* The nodes whose selections mean the path, linked by next_found: of each, all in `rest`, and, if
 * is_exact, all in `exact`. Valid until the next look-up. O(segments x branches), whatever the
 * number of selections. */
struct selection_node *selections_of_path(struct selections *selections, struct span path);

/* The session's selection at a node that was found; NULL: none. */
struct selection *selections_at(const struct selections *selections,
                                const struct selection_node *node, bool is_rest, uint32_t session);

struct span selections_text(const struct selection *selection);

void selections_check(const struct selections *selections);

#endif
