/* views.h - what nodes last said of each other in their notices, and whether all of them are right:
 * the judge of "all agree who is in" (I20). Knows outputs only.
 * Memory: one table of nodes x nodes. Thread: one. */
#ifndef WEFT_TESTS_SIM_VIEWS_H
#define WEFT_TESTS_SIM_VIEWS_H

#include "mesh/mesh.h"

struct world;

enum view_state { VIEW_UNKNOWN, VIEW_ALIVE, VIEW_SUSPECT, VIEW_DEAD, VIEW_LEFT };

struct view {
    uint64_t instance;
    uint64_t since_ns : 61; /* 73 years */
    uint64_t state : 3;     /* enum view_state */
};

struct views {
    uint32_t nodes;
    uint64_t wrong; /* how many of them are */
    struct view *table;
};

struct views *views_new(uint32_t nodes);
void views_destroy(struct views **views);

const struct view *views_at(const struct views *views, uint32_t node, uint32_t of);

/* A node gave a NOTICE_MEMBER about another (of). */
void views_note(struct world *world, uint32_t node, uint32_t of, const struct mesh_notice *notice);

/* Around every change of whether a node runs, where it belongs, or its instance. */
void views_before(struct world *world, uint32_t node);
void views_after(struct world *world, uint32_t node);

/* A node's name was altered on its way to somebody: views of this life of it, and by it, are not
 * judged. */
void views_renamed(struct world *world, uint32_t node);

/* A node starts: it knows itself alone. Between before and after. */
void views_start(struct world *world, uint32_t node);

/* All run, and each knows all: nothing is wrong. */
void views_start_all(struct world *world);

/* Whether a node's view of another is as it should be. */
bool views_is_right(const struct world *world, uint32_t node, uint32_t of);

/* Says on stderr what differs, the first few lines of it. */
void views_tell(const struct world *world);

const char *views_word(enum view_state state);

/* The state that a notice's word means; VIEW_UNKNOWN: none. */
enum view_state views_state(struct span word);

#endif
