/* sweeps.h - keeps the changing commands by filter that are at work on this node: what matched at
 * one instant is changed in slices, a turn of the loop for each, so that nothing else waits; and
 * what was pinned for a second round.
 *
 *     [sweeps_begin] -> at work -> [sweeps_work] .. -> done
 *     [sweeps_pin] -> pinned -> [sweeps_begin_pinned] -> at work;   5 s later: forgotten
 *
 * Memory: a fixed table; ids and the command's copy in MEMORY_QUEUES. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_SWEEPS_H
#define WEFT_MESH_ROUTING_SWEEPS_H

#include "mesh/routing/answers.h"
#include "mesh/routing/matching.h"

/* At work or pinned at one time: far more than people give commands in 5 s; past it LIMIT_REACHED,
 * with nothing changed. */
enum { SWEEPS_MAX = 256 };

struct sweep {
    bool is_used, is_pinned;
    uint32_t slot;
    struct deadline deadline; /* at work: the next slice; pinned: forgotten */
    uint64_t from;            /* instance that asked; this node's: one of its inquiries */
    uint64_t correlation;     /* its number there */
    struct session_id asker;  /* this node's: the session that asked */
    uint32_t entry;           /* in `applied`, for another node's */
    uint8_t id[COMMAND_ID_BYTES];
    uint8_t *bytes; /* the command's fields, and behind them its body */
    size_t fields_bytes, body_bytes;
    struct matching matching;
    uint32_t at; /* ids before this one are done */
    uint32_t applied, failed, removed;
    bool closes_asker; /* the asker's own session is among them, and is left to its inquiry */
};

/* A command to be carried out: its parts live until the call returns. */
struct sweep_order {
    uint64_t from, correlation;
    struct session_id asker;
    const struct command *command; /* with its id */
    const struct message *message; /* fields and body, as they came */
};

bool sweeps_init(struct routing *routing);
void sweeps_clear(struct routing *routing);

/* Sets to work on what matched, which it takes over, also when it fails; a first slice is done at
 * once. NULL: the answer says why nothing is begun. A sweep may be done already: look at
 * sweeps_is_done. */
struct sweep *sweeps_begin(struct routing *routing, const struct sweep_order *order,
                           struct matching *matching, struct answer *answer);

/* Remembers what matched, which it takes over, for 5 s. False: the answer says why not. */
bool sweeps_pin(struct routing *routing, const struct sweep_order *order, struct matching *matching,
                struct answer *answer);

/* What was pinned under the command's id by that node, and is forgotten here; false: nothing. */
bool sweeps_take_pinned(struct routing *routing, const struct sweep_order *order,
                        struct matching *matching);

/* How many are pinned under it, for a repeat; false: nothing is. */
bool sweeps_count_pinned(const struct routing *routing, const struct sweep_order *order,
                         uint32_t *count);

/* A turn: the next slice, or what was pinned is forgotten. Returns the sweep if it is done now. */
struct sweep *sweeps_due(struct routing *routing, uint32_t slot);

bool sweeps_is_done(const struct sweep *sweep);

/* The answer of one that is done; the sweep is free then. */
void sweeps_finish(struct routing *routing, struct sweep *sweep, struct answer *answer);

void sweeps_check(const struct routing *routing);

#endif
