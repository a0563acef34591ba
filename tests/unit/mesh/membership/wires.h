/* wires.h - the network of a small world: who is connected to whom, what is lost, late, changed on
 * the way. For world.c.
 * Memory: the world's. Thread: one. */
#ifndef WEFT_TESTS_UNIT_MESH_MEMBERSHIP_WIRES_H
#define WEFT_TESTS_UNIT_MESH_MEMBERSHIP_WIRES_H

#include "tests/unit/mesh/membership/world.h"

enum { WIRES_REDIAL_MS = 100 };

/* How long a frame takes, drawn. */
uint64_t wires_delay_ns(struct world *world);

/* A node's link by number, made if need be. */
struct world_link *wires_link(struct world_node *node, enum channel channel, uint32_t number);

/* Who listens at an address: running, or vanished with its host; UINT32_MAX: nobody. */
uint32_t wires_listener(const struct world *world, const char *address);

/* Connects, or tries again later. */
void wires_dial(struct world *world, const struct happening *event);

/* A connection breaks: its dialler is told. */
void wires_break(struct world *world, uint32_t number);

/* Sends a frame (taken over) along a connection, or back on it. */
void wires_send(struct world *world, uint32_t from, uint32_t connection, bool is_answer,
                uint8_t *bytes, size_t count);

#endif
