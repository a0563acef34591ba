/* lab.h - some nodes with nothing but the ownership room, and a network between them: frames are
 * delayed, lost, repeated and overtaken as a test wishes; gossip tells heads. Every node's own
 * truth is written down beside it, to hold a directory against the union of all of them.
 * Memory: lab_new to lab_destroy. Thread: one owner. */
#ifndef WEFT_TESTS_UNIT_MESH_OWNERSHIP_LAB_H
#define WEFT_TESTS_UNIT_MESH_OWNERSHIP_LAB_H

#include "mesh/base/context.h"
#include "mesh/ownership/ownership.h"

enum { LAB_NODES_MAX = 128 };

struct lab_truth {
    struct session_id *sessions;
    uint8_t *states;
    size_t sessions_count, sessions_capacity;
    struct lab_handler {
        struct session_id session;
        enum handler_kind kind;
        char path[32];
    } * handlers;
    size_t handlers_count, handlers_capacity;
};

struct lab_node {
    struct mesh_config config;
    struct context context;
    struct ownership *ownership;
    struct lab_truth truth;
    uint64_t serials;
    bool is_alive;
};

struct lab_frame {
    struct lab_frame *next;
    uint32_t from, to;
    uint64_t at_ns, sender, receiver;
    size_t size;
    uint8_t bytes[];
};

struct lab {
    struct lab_node nodes[LAB_NODES_MAX];
    uint32_t count;
    uint64_t now_ns;
    struct random random;
    struct lab_frame *frames; /* unordered */
    uint64_t frames_sent, bytes_sent;
    /* The network. */
    uint32_t loss_percent, repeat_percent;
    uint32_t delay_ms_min, delay_ms_max;    /* different delays: frames overtake each other */
    uint32_t gossip_ms;                     /* heads are told so often; 0: never */
    bool cut[LAB_NODES_MAX][LAB_NODES_MAX]; /* from, to: nothing arrives */
};

struct lab *lab_new(uint64_t seed);
void lab_destroy(struct lab **lab);

/* A node that knows nobody; its number. */
uint32_t lab_add(struct lab *lab);

/* All living nodes know each other and their links are up. */
void lab_meet(struct lab *lab, uint32_t node);

/* One way: `from` learns of `to` and its link to it comes up (unless cut). */
void lab_introduce(struct lab *lab, uint32_t from, uint32_t to);

/* The node is gone without a word; the others are told that it failed. */
void lab_kill(struct lab *lab, uint32_t node);

/* A new instance in its place, which knows nobody. The others drop the old one. */
void lab_restart(struct lab *lab, uint32_t node);

/* Time passes: deadlines, frames, gossip. */
void lab_run(struct lab *lab, uint64_t ms);

struct session_id lab_open(struct lab *lab, uint32_t node);
void lab_close(struct lab *lab, uint32_t node, size_t session);
void lab_change(struct lab *lab, uint32_t node, size_t session, enum session_state state);
void lab_register(struct lab *lab, uint32_t node, size_t session, enum handler_kind kind,
                  const char *path);
void lab_unregister(struct lab *lab, uint32_t node, size_t handler);

/* One random act of a random living node. */
void lab_act(struct lab *lab);

/* Asserts that the node's directory is the union of the truths of all living nodes. */
void lab_check(struct lab *lab, uint32_t node);

/* The same for all living nodes, and that their hashes agree. */
void lab_check_all(struct lab *lab);

uint64_t lab_counter(const struct lab *lab, uint32_t node, enum counter counter);

#endif
