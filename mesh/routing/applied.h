/* applied.h - remembers which changing commands of other nodes were applied here, so that each is
 * applied at most once: a repeat gets the first answer.
 * Memory: a fixed table. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_APPLIED_H
#define WEFT_MESH_ROUTING_APPLIED_H

#include "mesh/base/context.h"
#include "proto/command.h"

struct applied;

struct applied *applied_new(struct context *context);
void applied_destroy(struct applied **applied);

/* Whether the command may be applied now, and records it. Returns ERROR_OK: do it, and say the
 * answer with applied_answer; ERROR_LIMIT_REACHED: more commands within a minute than are
 * remembered, nothing is recorded. A repeat: *first is the code it was answered with, and
 * *is_repeat is set. `id` has COMMAND_ID_BYTES. O(1). */
enum error applied_begin(struct applied *applied, struct span id, bool *is_repeat,
                         enum error *first);

/* The answer to the command begun last. */
void applied_answer(struct applied *applied, enum error code);

#endif
