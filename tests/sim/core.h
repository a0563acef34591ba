/* core.h - decides what a simulated node consists of: the whole mesh, or membership alone, with the
 * names and addresses of all nodes in one store, so that 10,000 fit into a process. The loop drives
 * both with the same facts and orders; without the other rooms what comes on forward is dropped.
 * Memory: core_destroy. Thread: one. */
#ifndef WEFT_TESTS_SIM_CORE_H
#define WEFT_TESTS_SIM_CORE_H

#include "mesh/mesh.h"

struct core;

/* What the nodes of one world share when they are membership alone; outlives all of them. */
struct core_store;

struct core_store *core_store_new(uint64_t salt);
void core_store_destroy(struct core_store **store);

/* A core that has done nothing yet; the first fact starts it. store NULL: the whole mesh. */
struct core *core_new(const struct mesh_config *config, struct core_store *store);
void core_destroy(struct core **core);

/* Both are membership alone, not started: `core` has known `other` for long. */
void core_acquaint(struct core *core, const struct core *other);

/* As in mesh.h. */
uint64_t core_instance(const struct core *core);
void core_receive(struct core *core, const struct mesh_input *input);
bool core_next_output(struct core *core, struct mesh_output *output);
void core_write_output(struct core *core, void *frame);
uint64_t core_deadline_ns(const struct core *core);
void core_check(const struct core *core);
uint64_t core_counter(const struct core *core, enum counter counter);

#endif
