/* nodes.h - what routing knows of the mesh's members: which are there, and what they are called.
 * mesh.c tells it; a slot is a node's number inside the room.
 * Memory: a fixed table of members_max slots, touched as used. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_NODES_H
#define WEFT_MESH_ROUTING_NODES_H

#include "mesh/base/context.h"
#include "mesh/base/hashmap.h"
#include "proto/client.h"

#define NODE_NONE UINT32_MAX

struct node {
    uint64_t instance; /* 0: the slot is free */
    uint32_t slot;
    uint32_t next_free;
    bool is_in_zone; /* in the zone of this node; a zone without a name is none */
    bool is_suspected;
    uint8_t name_bytes, zone_bytes;
    char name[NAME_BYTES_MAX], zone[NAME_BYTES_MAX];
};

struct nodes {
    struct context *context;
    struct node *slots; /* slot 0 is this node */
    uint32_t capacity, used, first_free, count;
    struct hashmap by_instance;
};

bool nodes_init(struct nodes *nodes, struct context *context);
void nodes_clear(struct nodes *nodes);

/* A member lives. False when the table is full; a node known already is only renamed. */
bool nodes_joined(struct nodes *nodes, uint64_t instance, struct span name, struct span zone);

/* It does not. Fine for one that was never there. */
void nodes_gone(struct nodes *nodes, uint64_t instance);

/* NULL: not a living member. O(1). */
struct node *nodes_find(const struct nodes *nodes, uint64_t instance);
struct node *nodes_named(const struct nodes *nodes, struct span name); /* O(nodes) */

/* Walks the nodes by slot, this one first; NULL starts, NULL ends. */
struct node *nodes_next(const struct nodes *nodes, const struct node *after);

/* The queue to a node; NULL: there is none now, or it is this node. */
struct outbound *nodes_queue(const struct nodes *nodes, const struct node *node);

struct span nodes_name(const struct node *node);
struct span nodes_zone(const struct node *node);

#endif
