/* world.h - some nodes with nothing but the ownership room, and a network between them: frames are
 * delayed, lost, repeated and overtaken as a test wishes; gossip tells heads. Every node's own
 * truth is written down beside it, to hold a directory against the union of all of them.
 * Memory: world_new to world_destroy. Thread: one owner. */
#ifndef WEFT_TESTS_UNIT_MESH_OWNERSHIP_WORLD_H
#define WEFT_TESTS_UNIT_MESH_OWNERSHIP_WORLD_H

#include "mesh/base/context.h"
#include "mesh/ownership/ownership.h"

enum { WORLD_NODES_MAX = 128 };

struct world_truth {
    struct session_id *sessions;
    uint8_t *states;
    size_t sessions_count, sessions_capacity;
    struct world_handler {
        struct session_id session;
        enum handler_kind kind;
        char path[32];
    } * handlers;
    size_t handlers_count, handlers_capacity;
};

struct world_node {
    struct mesh_config config;
    struct context context;
    struct ownership *ownership;
    struct world_truth truth;
    uint64_t serials;
    bool is_alive;
};

struct world_frame {
    struct world_frame *next;
    uint32_t from, to;
    uint64_t at_ns, sender, receiver;
    size_t size;
    uint8_t bytes[];
};

struct world {
    struct world_node nodes[WORLD_NODES_MAX];
    uint32_t count;
    uint64_t now_ns;
    struct random random;
    struct world_frame *frames; /* unordered */
    uint64_t frames_sent, bytes_sent;
    /* The network. */
    uint32_t loss_percent, repeat_percent;
    uint32_t delay_ms_min, delay_ms_max;        /* different delays: frames overtake each other */
    uint32_t gossip_ms;                         /* heads are told so often; 0: never */
    bool cut[WORLD_NODES_MAX][WORLD_NODES_MAX]; /* from, to: nothing arrives */
};

struct world *world_new(uint64_t seed);
void world_destroy(struct world **world);

/* A node that knows nobody; its number. */
uint32_t world_add(struct world *world);

/* All living nodes know each other and their links are up. */
void world_meet(struct world *world, uint32_t node);

/* One way: `from` learns of `to` and its link to it comes up (unless cut). */
void world_introduce(struct world *world, uint32_t from, uint32_t to);

/* The node is gone without a word; the others are told that it failed. */
void world_kill(struct world *world, uint32_t node);

/* A new instance in its place, which knows nobody. The others drop the old one. */
void world_restart(struct world *world, uint32_t node);

/* Time passes: deadlines, frames, gossip. */
void world_run(struct world *world, uint64_t ms);

struct session_id world_open(struct world *world, uint32_t node);
void world_close(struct world *world, uint32_t node, size_t session);
void world_change(struct world *world, uint32_t node, size_t session, enum session_state state);
void world_register(struct world *world, uint32_t node, size_t session, enum handler_kind kind,
                    const char *path);
void world_unregister(struct world *world, uint32_t node, size_t handler);

/* One random act of a random living node. */
void world_act(struct world *world);

/* Asserts that the node's directory is the union of the truths of all living nodes. */
void world_check(struct world *world, uint32_t node);

/* The same for all living nodes, and that their hashes agree. */
void world_check_all(struct world *world);

uint64_t world_counter(const struct world *world, uint32_t node, enum counter counter);

#endif
