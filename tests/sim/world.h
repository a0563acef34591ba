/* world.h - N cores in one process and in virtual time: the same loop as the daemon's, with a
 * simulated network, clock, seed look-up and randomness in place of the real ones.
 *
 * Reads like a play: world_new, world_start, world_run_ms, world_crash, world_cut, world_heal ...
 * Memory: world_destroy frees all. Thread: one. */
#ifndef WEFT_TESTS_SIM_WORLD_H
#define WEFT_TESTS_SIM_WORLD_H

#include "mesh/base/random.h"
#include "mesh/mesh.h"
#include "proto/gossip.h"
#include "tests/sim/addresses.h"
#include "tests/sim/agenda.h"
#include "tests/sim/clients.h"
#include "tests/sim/clocks.h"
#include "tests/sim/connections.h"
#include "tests/sim/core.h"
#include "tests/sim/network.h"
#include "tests/sim/views.h"

enum { WORLD_NODES_MAX = 10000, WORLD_WATCHERS_MAX = 16, WORLD_CHECK_BYTES = 32 };

/* Every session holds this role at first; only who holds it may send requests to this path, which
 * nobody serves. */
#define WORLD_ROLE "trusted"
#define WORLD_ROLE_PATH "vault"

/* The authentication handler that nodes may have in their chain. */
#define WORLD_GATE "gate"

/* One stream of randomness a concern, so that a new fault does not shift the others. */
enum world_stream {
    STREAM_NODES = 1,
    STREAM_NETWORK,
    STREAM_PHASES,
    STREAM_CLIENTS,  /* their lines */
    STREAM_PEOPLE,   /* what they do */
    STREAM_CHECKERS, /* what is looked at */
    STREAM_VISITS,   /* how lines break, and who comes back */
    STREAM_ROLES,
    STREAM_LISTENERS,
    STREAM_DIRECT,
    STREAM_LOGINS,
    STREAM_MISSING,
    STREAM_TOPICS,
    STREAM_FAULTS = 16
};
enum { STREAMS = 64 };

struct world_node {
    struct core *core; /* NULL: not running */
    struct mesh_config config;
    uint32_t life;       /* counts starts and ends */
    uint64_t instance;   /* of this life */
    uint64_t tick_at_ns; /* the planned tick, in the world's time; UINT64_MAX: none */
    uint64_t paused_until_ns;
    uint64_t service_ns, busy_until_ns; /* each fact takes it so long */
    uint64_t behind_until_ns;           /* facts wait longer than a ping may */
    uint64_t uplink_bytes_per_s, uplink_free_ns;
    struct sim_clock clock;
    int64_t wall_offset_ms;
    uint64_t slow_until_ns; /* it was, or has to catch up; UINT64_MAX: still is */
    bool has_vanished;      /* the host is silent: no refusals, no resets */
    bool is_apart;          /* not in the part that is healed: nobody expects it */
    bool is_namesake;       /* a newcomer with a live node's name: to be refused */
    uint64_t renamed;       /* the instance of it that somebody knows by an altered name */
    bool was_told_to_stop;
    bool is_ready, has_stopped;
    uint32_t ticks;   /* planned ones; all but the last are void */
    uint32_t address; /* number of its host */
    uint32_t checked; /* facts since the last core_check */
    char name[ADDRESSES_NAME_BYTES];
    char client_address[ADDRESSES_BYTES];
    char gossip_address[ADDRESSES_BYTES];
    char forward_address[ADDRESSES_BYTES];
    uint32_t seeds[MESH_SEEDS_MAX]; /* node numbers */
    struct sim_links links;
};

struct world;

/* Who watches: called for what leaves the cores. A checker keeps its own books from this alone. */
struct world_watcher {
    void *state;
    void (*on_notice)(void *state, struct world *world, uint32_t node,
                      const struct mesh_notice *notice);
    void (*on_gossip)(void *state, struct world *world, uint32_t node,
                      const struct message *message,
                      const struct gossip_swim *swim); /* as it is sent; swim: NULL if it is none */
    void (*on_forward)(void *state, struct world *world, uint32_t node,
                       const struct envelope *envelope,
                       const struct message *message); /* as it is sent */
    void (*on_client)(void *state, struct world *world, uint32_t connection,
                      const struct message *message); /* as it is sent */
    void (*on_link_lost)(void *state, struct world *world, uint32_t node,
                         uint32_t peer); /* its forward link: what was under way may be lost */
    void (*on_stopped)(void *state, struct world *world, uint32_t node,
                       enum mesh_notice_code why); /* a core ended by itself */
};

/* Fault schedule: acts on the world when one of its events is due. */
struct world_faults {
    void *state;
    void (*on_due)(void *state, struct world *world, uint32_t number);
};

struct world {
    uint64_t seed, now_ns;
    uint32_t nodes_count;
    uint32_t spare; /* the slot of a newcomer that takes another's name; UINT32_MAX: none */
    struct world_node *nodes;
    struct core_store *store; /* NULL: nodes are whole */
    struct views *views;
    uint8_t *cuts;  /* [from * nodes + to]: how many faults cut that way */
    uint8_t *holds; /* the same: frames wait, nothing is lost */
    struct network_settings network;
    struct agenda agenda;
    struct random random[STREAMS];
    uint64_t hash;                        /* of everything that happened, in order */
    uint64_t steps;                       /* events worked on */
    uint64_t gossip_bytes, forward_bytes; /* sent by all nodes */
    uint64_t frames_stalled, frames_vanished, frames_repeated, frames_flipped, links_reset;
    uint64_t counters[COUNTERS]; /* of cores that have ended */
    struct connections connections;
    struct world_watcher watchers[WORLD_WATCHERS_MAX];
    uint32_t watchers_count;
    struct world_faults faults;
    struct clients *clients;              /* NULL: none */
    char failed_check[WORLD_CHECK_BYTES]; /* empty: none */
    uint64_t failed_ns;
    void *trace;            /* FILE, or NULL */
    const char *auth_chain; /* of all nodes, and how long a handler may think */
    uint32_t auth_step_ms;  /* 0: the default */
    bool auth_silence_abstains;
    uint32_t asks_in_a_row;  /* of a person that asks a path; 0: one */
    uint32_t queue_messages; /* of each session at most; 0: the default */
    bool ignores_wall;       /* wall clocks never jump, whatever the faults say */
};

/* A world of `nodes` stopped nodes, each with three others as seeds. */
struct world *world_new(uint64_t seed, uint32_t nodes);

/* The same of nodes that are membership alone: up to WORLD_NODES_MAX fit into a few gigabytes. */
struct world *world_new_alone(uint64_t seed, uint32_t nodes);
void world_destroy(struct world **world);
void world_watch(struct world *world, struct world_watcher watcher);

/* Gives a node its seeds, as node numbers, before it starts. */
void world_set_seeds(struct world *world, uint32_t node, const uint32_t *seeds, uint32_t count);

void world_start(struct world *world, uint32_t node); /* a new life */

/* Nodes that are membership alone all start at once, without seeds, and have known each other for
 * long: where the mesh is too large to watch it come together. */
void world_start_acquainted(struct world *world);

void world_move(struct world *world, uint32_t node);   /* its next life has another address */
void world_stop(struct world *world, uint32_t node);   /* as by SIGTERM */
void world_crash(struct world *world, uint32_t node);  /* as by SIGKILL: links break at once */
void world_vanish(struct world *world, uint32_t node); /* the host is gone without a word */

/* Stops a node for a while, as SIGSTOP does. With is_suspended its clock stands still meanwhile. */
void world_pause(struct world *world, uint32_t node, uint64_t ms, bool is_suspended);

/* Each fact takes the node so long; 0: hardly any time, and what waited for its turn comes now. */
void world_slow(struct world *world, uint32_t node, uint64_t service_ns);

/* The node's uplink takes so many bytes a second; 0: as many as it likes. */
void world_narrow(struct world *world, uint32_t node, uint64_t bytes_per_s);

/* From now on the node's monotonic clock runs so much faster or slower. */
void world_drift(struct world *world, uint32_t node, int32_t permille);

/* One way. Cuts and holds are counted: each needs its own end. */
void world_cut(struct world *world, uint32_t from, uint32_t to);
void world_mend(struct world *world, uint32_t from, uint32_t to);
void world_hold(struct world *world, uint32_t from, uint32_t to);
void world_release(struct world *world, uint32_t from, uint32_t to);

/* All cuts mended, all holds released, the network calm, everybody awake, quick and on time. */
void world_heal(struct world *world);

/* A node is no more, or again, one of those whose agreement is looked at. */
void world_set_apart(struct world *world, uint32_t node, bool is_apart);

/* Works on events until virtual time has passed, or a check failed. */
void world_run_ms(struct world *world, uint64_t ms);

/* Runs until the condition holds, looking every 10 virtual ms; false when limit_ms passed first,
 * or a check failed. */
bool world_run_until(struct world *world, bool (*holds)(struct world *), uint64_t limit_ms);

bool world_is_running(const struct world *world, uint32_t node);
bool world_is_paused(const struct world *world, uint32_t node);

/* Every running node sees exactly the running nodes alive, with their present instances. O(1). */
bool world_agrees(struct world *world);

/* A check failed: the first one ends the run. The reason goes to stderr. */
void world_fail(struct world *world, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool world_has_failed(const struct world *world);

/* The sum of a counter over all lives of all nodes. */
uint64_t world_counter(const struct world *world, enum counter counter);

/* For the loop, the network, the fault schedule and the checkers. */
void world_end(struct world *world, uint32_t node, bool says_so); /* the process is gone */
void world_mix(struct world *world, uint64_t value);              /* into the trace hash */
void world_note(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));                              /* a line of the trace */
uint32_t world_node_at(const struct world *world, uint32_t host);       /* UINT32_MAX: none */
uint32_t world_node_named(const struct world *world, struct span name); /* the same */

static inline bool world_is_cut(const struct world *world, uint32_t from, uint32_t to)
{
    return world->cuts[(size_t)from * world->nodes_count + to] != 0;
}

static inline bool world_is_held(const struct world *world, uint32_t from, uint32_t to)
{
    return world->holds[(size_t)from * world->nodes_count + to] != 0;
}

#endif
