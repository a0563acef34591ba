/* world.h - N cores in one process and in virtual time: the same loop as the daemon's, with a
 * simulated network, clock, seed look-up and randomness in place of the real ones.
 *
 * Reads like a play: world_new, world_start, world_run_ms, world_crash, world_cut, world_heal ...
 * Memory: world_destroy frees all. Thread: one. */
#ifndef WEFT_TESTS_SIM_WORLD_H
#define WEFT_TESTS_SIM_WORLD_H

#include "mesh/base/random.h"
#include "mesh/mesh.h"
#include "tests/sim/events.h"
#include "tests/sim/network.h"

enum { WORLD_NODES_MAX = 1024, WORLD_NAME_BYTES = 16, WORLD_ADDRESS_BYTES = 32 };

/* One stream of randomness a concern, so that a new fault does not shift the others. */
enum world_stream { STREAM_NODES = 1, STREAM_NETWORK, STREAM_FAULTS, STREAM_WORKLOAD, STREAMS };

/* What one node last said of another, from its notices alone. */
struct world_view {
    uint64_t instance;
    uint64_t since_ns;
    enum { VIEW_UNKNOWN, VIEW_ALIVE, VIEW_SUSPECT, VIEW_DEAD, VIEW_LEFT } state;
};

struct world_node {
    struct mesh *mesh; /* NULL: not running */
    struct mesh_config config;
    uint32_t life;       /* counts starts */
    uint64_t instance;   /* of this life */
    uint64_t tick_at_ns; /* the planned tick; UINT64_MAX: none */
    uint64_t paused_until_ns;
    uint64_t slow_ns; /* each event reaches it so much later */
    int64_t wall_offset_ms;
    bool has_vanished; /* the host is silent: no refusals, no resets */
    bool is_ready, has_stopped;
    uint32_t address; /* number of its host */
    char name[WORLD_NAME_BYTES];
    char client_address[WORLD_ADDRESS_BYTES];
    char gossip_address[WORLD_ADDRESS_BYTES];
    char forward_address[WORLD_ADDRESS_BYTES];
    uint32_t seeds[MESH_SEEDS_MAX]; /* node numbers */
    struct sim_links links;
    struct world_view *views; /* of all nodes, by number */
};

struct world;

/* Who watches: called for what leaves the cores. A checker keeps its own books from this alone. */
struct world_watcher {
    void *state;
    void (*on_notice)(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice);
    void (*on_client_frame)(void *state, struct world *world, uint32_t node, uint32_t connection,
                            const uint8_t *frame, size_t bytes);
    void (*on_client_lost)(void *state, struct world *world, uint32_t node, uint32_t connection);
    void (*on_event)(void *state, struct world *world, const struct event *event);
};

enum { WORLD_WATCHERS_MAX = 8 };

struct world {
    uint64_t seed, now_ns;
    uint32_t nodes_count;
    struct world_node *nodes;
    uint8_t *is_cut; /* [from * nodes + to]: nothing passes that way */
    struct network_settings network;
    struct events events;
    struct random random[STREAMS];
    uint64_t hash;                        /* of everything that happened, in order */
    uint64_t steps;                       /* events worked on */
    uint64_t gossip_bytes, forward_bytes; /* sent by all nodes */
    uint32_t connections;                 /* the last number given */
    struct world_watcher watchers[WORLD_WATCHERS_MAX];
    uint32_t watchers_count;
    void *trace; /* FILE, or NULL */
};

/* A world of `nodes` stopped nodes, each with every other as possible seed. */
struct world *world_new(uint64_t seed, uint32_t nodes);
void world_destroy(struct world **world);
void world_watch(struct world *world, struct world_watcher watcher);

/* Gives a node its seeds, as node numbers, before it starts. */
void world_set_seeds(struct world *world, uint32_t node, const uint32_t *seeds, uint32_t count);

void world_start(struct world *world, uint32_t node);  /* a new life */
void world_stop(struct world *world, uint32_t node);   /* as by SIGTERM */
void world_crash(struct world *world, uint32_t node);  /* as by SIGKILL: links break at once */
void world_vanish(struct world *world, uint32_t node); /* the host is gone without a word */
void world_pause(struct world *world, uint32_t node, uint64_t ms);
void world_cut(struct world *world, uint32_t from, uint32_t to); /* one way */
void world_mend(struct world *world, uint32_t from, uint32_t to);
void world_heal(struct world *world); /* all cuts mended, network settings calm */

/* Works on events until virtual time has passed. */
void world_run_ms(struct world *world, uint64_t ms);

/* Runs until the condition holds, looking every 10 virtual ms; false when limit_ms passed first.*/
bool world_run_until(struct world *world, bool (*holds)(struct world *), uint64_t limit_ms);

bool world_is_running(const struct world *world, uint32_t node);

/* Every running node sees exactly the running nodes alive, with their present instances. */
bool world_agrees(struct world *world);

/* A frame from a client of that connection to the node; it takes the network's delay. */
void world_client_send(struct world *world, uint32_t node, uint32_t connection,
                       const uint8_t *frame, size_t bytes);
uint32_t world_client_connect(struct world *world, uint32_t node); /* a fresh connection number */
void world_client_hang_up(struct world *world, uint32_t node, uint32_t connection);

/* For network.c and the fault schedule. */
void world_tell(struct world *world, uint32_t node, struct mesh_input *input); /* fills the time */
void world_mix(struct world *world, uint64_t value); /* into the trace hash */
void world_note(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* a line of the trace */

#endif
