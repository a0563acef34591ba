/* links.h - the table of what we dial: for each peer (or seed address) two outbound queues, one for
 * gossip and one for forward, and whether each is up.
 * A link starts as an address; the peer's instance is bound to it when it is known.
 * Memory: fixed table of `capacity` slots, touched as used. Thread: one owner. */
#ifndef WEFT_MESH_BASE_LINKS_H
#define WEFT_MESH_BASE_LINKS_H

#include "mesh/base/outbox.h"
#include "proto/client.h"

enum { LINK_ADDRESS_BYTES = 256 };

struct link {
    uint32_t number;                /* as in MESH_OPEN_LINK; never MESH_LINK_NONE */
    uint64_t instance;              /* 0: not known yet */
    bool gossip_open, forward_open; /* ordered, not necessarily connected */
    bool gossip_up, forward_up;     /* connected, as the daemon said */
    char gossip_address[LINK_ADDRESS_BYTES], forward_address[LINK_ADDRESS_BYTES];
    char name[NAME_BYTES_MAX + 1];       /* of the node; empty: not known yet */
    struct outbound gossip, forward;     /* blocked while down or full */
    uint32_t next_at_address, next_free; /* the table's own: numbers of links */
};

struct links;
struct context;

/* NULL when memory is not to be had. After that the table needs none but for queues. */
struct links *links_new(struct context *context, uint32_t capacity);

/* Drops all queues and orders nothing: the daemon closes its sockets by itself. */
void links_destroy(struct links **links);

/* Opens the gossip channel to an address. NULL when the table is full or the address is empty or
 * longer than LINK_ADDRESS_BYTES - 1. Several links may have the same address. */
struct link *links_open(struct links *links, struct span gossip_address);

/* The same for a node that is known: the daemon dials it under its key, where keys are in use. */
struct link *links_open_to(struct links *links, struct span gossip_address, struct span name);

/* The name of the node that was found there: for channels opened from now on. One that is longer
 * than a name can be is not taken. */
void links_name(struct link *link, struct span name);

/* Opens the forward channel of a link; the first time at news of the member. At another address
 * than before the channel is dialled anew and what was queued is dropped; at the same nothing
 * happens. False when the address is empty or too long: unchanged then. */
bool links_open_forward(struct links *links, struct link *link, struct span forward_address);

/* From now on frames name this receiver (not 0). If another link is bound to that instance it is
 * the caller's mistake: look first. */
void links_bind(struct links *links, struct link *link, uint64_t instance);

/* Hangs up both channels, drops their queues, frees the slot. The number may be used again, after
 * all others that are free. */
void links_close(struct links *links, struct link *link);

struct link *links_find(struct links *links, uint32_t number);          /* NULL: none */
struct link *links_of_instance(struct links *links, uint64_t instance); /* NULL: none. O(1) */

/* The youngest link to that address. NULL: none. O(1). */
struct link *links_at_address(struct links *links, struct span gossip_address);

/* Facts of the daemon; false when the link is not (any more) ours. Counted.
 * Up: frames are numbered from 1 again and leave. Lost: what is queued for gossip is dropped, it
 * would be stale; what is queued for forward waits, until whoever queued it says
 * outbound_drop_all(&link->forward) or the channel comes up again. */
bool links_up(struct links *links, uint32_t number, enum channel channel);
bool links_lost(struct links *links, uint32_t number, enum channel channel);
bool links_full(struct links *links, uint32_t number, enum channel channel);
bool links_writable(struct links *links, uint32_t number, enum channel channel);

/* Walks the open links in order of number: NULL starts, NULL ends. */
struct link *links_next(struct links *links, const struct link *after);

#endif
