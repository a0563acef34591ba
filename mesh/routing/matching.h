/* matching.h - decides which sessions here a filter means, at one instant.
 * Memory: the ids in MEMORY_QUEUES; matching_clear frees. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_MATCHING_H
#define WEFT_MESH_ROUTING_MATCHING_H

#include "mesh/routing/answers.h"

struct filter;

struct matching {
    struct session_id *ids; /* of those that match, the oldest session first */
    uint32_t count, room;
};

/* Parses a filter that came from another node, which has parsed it too. False: the answer says why
 * not. */
bool matching_parse(struct routing *routing, struct span text, struct filter **filter,
                    struct answer *answer);

/* Finds those that match, in a zeroed struct. A filter that fixes $SessionId or $Principal is asked
 * about those sessions only, in the order of its values. False: the answer says why not, and
 * nothing is to be applied: the filter's patterns took too many steps, or there is no memory. */
bool matching_find(struct routing *routing, const struct filter *filter, struct matching *matching,
                   struct answer *answer);

/* Keeps of those found before the ones that still match, as matching_find. */
bool matching_keep(struct routing *routing, const struct filter *filter, struct matching *matching,
                   struct answer *answer);

void matching_clear(struct routing *routing, struct matching *matching);

#endif
