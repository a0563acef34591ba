/* applied.h - remembers which changing commands were applied here and what was answered, so that
 * each is applied at most once: a repeat gets the first answer, byte for byte.
 * Memory: a fixed table; the answers in MEMORY_QUEUES, within a limit. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_APPLIED_H
#define WEFT_MESH_ROUTING_APPLIED_H

#include "mesh/base/context.h"
#include "proto/command.h"

struct applied;

enum applied_verdict {
    APPLIED_FRESH,    /* do it, and say the answer with applied_answer */
    APPLIED_AT_WORK,  /* begun and not answered: the one answer is still to come */
    APPLIED_ANSWERED, /* applied_recall has the answer */
    APPLIED_FULL,     /* more commands within a minute than are remembered: nothing is recorded */
};

struct applied *applied_new(struct context *context);
void applied_destroy(struct applied **applied);

/* Whether the command may be applied now, and records it. `id` has COMMAND_ID_BYTES; the answer
 * will have at most so many bytes, fields and rows. *entry is its number until it is answered.
 * O(1). */
enum applied_verdict applied_begin(struct applied *applied, struct span id, size_t answer_bytes,
                                   uint32_t *entry);

/* The answer to a command that was begun. It is kept for a minute from the command's beginning. */
void applied_answer(struct applied *applied, uint32_t entry, const struct result *result,
                    struct span rows);

/* The first answer, ready to be sent but for kind and correlation; lives until the pull ends. */
void applied_recall(struct applied *applied, uint32_t entry, struct outgoing *message);

/* Every entry in its place, the bytes as counted. */
void applied_check(const struct applied *applied);

#endif
