/* loop.h - one step of the simulation, and the daemon's part of it: facts to a core, its orders
 * carried out. Thread: one. */
#ifndef WEFT_TESTS_SIM_LOOP_H
#define WEFT_TESTS_SIM_LOOP_H

#include "mesh/mesh.h"

struct world;

/* Tells a node's core a fact, with the time that the node's clocks show, and carries out what it
 * orders. */
void loop_tell(struct world *world, uint32_t node, struct mesh_input *input);

/* Works on the earliest event; there must be one. */
void loop_step(struct world *world);

#endif
