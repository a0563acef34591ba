/* context.h - what all rooms of one mesh share: configuration, time, randomness, memory, deadlines,
 * the outbox, counters and links. Owned by mesh.c, handed to each room at its birth.
 * Thread: one owner. */
#ifndef WEFT_MESH_BASE_CONTEXT_H
#define WEFT_MESH_BASE_CONTEXT_H

#include "mesh/base/deadlines.h"
#include "mesh/base/links.h"
#include "mesh/base/memory.h"
#include "mesh/base/outbox.h"
#include "mesh/base/permutation.h"
#include "mesh/base/random.h"
#include "mesh/base/require.h"
#include "mesh/base/scratch.h"
#include "mesh/config.h"
#include "mesh/counters.h"

struct context {
    const struct mesh_config *config;
    uint64_t instance;  /* this node's */
    uint64_t mesh_hash; /* mesh_name_hash of the cluster */
    uint64_t now_ns;    /* of the input being worked on; monotonic */
    uint64_t wall_ms;   /* since 1970; decides nothing */
    struct memory memory;
    struct scratch scratch; /* until the current pull ends; mesh.c clears it */
    struct random random;
    struct deadlines *deadlines;
    struct outbox *outbox;
    struct links *links;
    uint64_t counters[COUNTERS];
};

/* Fills a zeroed context from the configuration: randomness, instance, limits of memory, deadlines,
 * outbox, links. False when memory is not to be had: the context is as after context_clear. */
bool context_init(struct context *context, const struct mesh_config *config);

/* Frees what context_init made; owners of queues have cleared them. */
void context_clear(struct context *context);

/* A random stream of its own for each concern, so that a new draw in one does not shift the
 * others. Numbers are only added. */
enum context_stream {
    CONTEXT_STREAM_ROOMS = 0,
    CONTEXT_STREAM_INSTANCE = 1,
    CONTEXT_STREAM_MEMBERSHIP = 2,
};

static inline void count(struct context *context, enum counter counter)
{
    context->counters[counter]++;
}

#endif
