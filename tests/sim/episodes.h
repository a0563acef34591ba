/* episodes.h - one fault from its beginning to its end: what it does to the world. When it happens
 * is faults.c's to say. Memory: plain data. Thread: one. */
#ifndef WEFT_TESTS_SIM_EPISODES_H
#define WEFT_TESTS_SIM_EPISODES_H

#include "tests/sim/faults.h"

struct episode {
    enum fault fault;
    uint64_t from_ns, to_ns;
    uint32_t a, b;     /* nodes; of a pair a comes first */
    uint64_t strength; /* what it means is the kind's matter */
    uint32_t variant;
    bool has_begun, is_on; /* is_on: at present, of one that comes and goes */
    uint32_t life;         /* of node a, where that matters */
};

/* Draws strength and victims; from_ns and to_ns are there and may be changed. */
void episodes_draw(struct episode *episode, struct world *world, struct random *random);

/* Starts it. False when there is nothing to strike: the node is down already, say. */
bool episodes_begin(struct episode *episode, struct world *world);
void episodes_end(struct episode *episode, struct world *world);

/* One that comes and goes: the next turn is so many ns away; 0: there is none. */
uint64_t episodes_turn(struct episode *episode, struct world *world);

/* Whether the node is struck: as one who may be held dead. And whether its links are. */
bool episodes_hits(const struct episode *episode, const struct world *world, uint32_t node);
bool episodes_hits_links(const struct episode *episode, const struct world *world, uint32_t node);

#endif
