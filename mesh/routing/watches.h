/* watches.h - decides which sessions here are told what happens to sessions of the whole mesh. A
 * watch is one LISTEN to sessions; it is a registration in this node's ownership log, so that every
 * node that hosts sessions knows of it and asks for its filter (streams.h).
 * Memory: WATCHES_MAX records; filters and what was told in MEMORY_TABLES. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_WATCHES_H
#define WEFT_MESH_ROUTING_WATCHES_H

#include "mesh/routing/feeds.h"

enum {
    WATCHES_MAX = 256, /* on a node; a session has one */
    /* In the mesh: each change of a session is looked at by each of them, some 100 us at 1,024. */
    WATCHES_MESH_MAX = 1024,
    WATCHES_TOLD_MAX = 1 << 20, /* sessions remembered for all watches of a node: 100 MiB */
};

struct watch {
    bool is_used;
    bool is_over;     /* its client was told so; it goes at the next look */
    uint32_t session; /* slot */
    struct session_id listener;
    uint64_t correlation; /* LISTEN's */
    uint64_t number;      /* among all LISTENs of this node */
    uint64_t sequence;    /* events told */
    uint8_t *text;        /* filter, then keys */
    uint32_t filter_bytes, keys_bytes;
    struct told told;
    struct feed *feeds;
};

struct watches {
    struct watch slots[WATCHES_MAX];
    uint32_t count;
    uint32_t told;    /* sessions remembered, of all watches */
    uint64_t numbers; /* given so far */
};

bool watches_init(struct routing *routing); /* false: no memory */
void watches_clear(struct routing *routing);

/* LISTEN to sessions, answered by DONE or ERROR; one that stands already is replaced. */
void watches_listen(struct routing *routing, struct session *session, uint64_t correlation,
                    const struct listen *listen);

/* UNLISTEN, or the session has ended. Fine for one that does not listen. */
void watches_forget(struct routing *routing, const struct session *session);

/* The watch of that session; NULL: it does not listen. */
struct watch *watches_find(const struct routing *routing, const struct session *session);

/* The watch cannot go on: its client gets ERROR, and nothing after it. */
void watches_fail(struct routing *routing, struct watch *watch, enum error code, const char *text);

/* EVENT of a node that hosts sessions, also of this one. ERROR_INVALID_MESSAGE is a strike. */
enum error watches_event(struct routing *routing, uint64_t instance, const struct event *event,
                         struct span items);

/* Between two facts: watches that failed go. */
void watches_look(struct routing *routing);

/* Facts about members; is_over: the node will not be back. */
void watches_node_joined(struct routing *routing, uint64_t instance);
void watches_node_gone(struct routing *routing, uint64_t instance, bool is_over);

void watches_due(struct routing *routing, const struct deadline *due);
void watches_check(const struct routing *routing);

#endif
