/* missing.h - decides who is told that somebody has subscribed where there is no topic: one handler
 * of the mesh, at the longest path that is at or above the selector's literal prefix; one on this
 * node comes first. Notices of the same selector within 1 s are told once, at the handler's node.
 * Memory: a fixed table of MISSING_MAX selectors, touched as used. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_MISSING_H
#define WEFT_MESH_ROUTING_MISSING_H

#include "mesh/routing/room.h"

/* Selectors told last; beyond them the one told longest ago is forgotten: it may be told again
 * within the second, and its count is lost. */
enum { MISSING_MAX = 1024 };

#define MISSING_QUIET_NS (UINT64_C(1000) * 1000000)

struct missing *missing_new(struct context *context); /* NULL: no memory */
void missing_destroy(struct missing **missing);

/* A session here has subscribed to a selector (as selector_parse gave it) that matches no topic.
 * Nothing comes back: a notice may be lost with the handler's node, or find nobody. */
void missing_subscribed(struct routing *routing, const struct session *subscriber,
                        struct span selector);

/* MISSING_TOPIC of the subscriber's node, which chose a handler here. An error is a strike. */
enum error missing_from_node(struct routing *routing, const struct message *message);

#endif
