/* host.h - what this node knows of one other node's ownership log: how far it has come (replica.h)
 * and what it adds up to (content.h); decides what entries and chunks of that log do to it.
 * Memory: one record a node, MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_HOST_H
#define WEFT_MESH_OWNERSHIP_HOST_H

#include "mesh/log/replicas.h"
#include "mesh/ownership/content.h"

enum {
    HOST_PURPOSE_DROP = LOG_PURPOSES, /* the deadline of a shaded host */
    HOST_RING_BLOCKS =
        2, /* some 2,700 entries: half a minute at 100 changes a second of one node */
};

struct host {
    struct replica replica; /* the first member: see host_of */
    struct content *content;
    struct content *staged; /* only while replica.in_snapshot */
    struct ring ring;       /* the newest entries, for those who can not reach the writer */
    struct deadline drop;
    uint8_t cursor[LOG_CURSOR_BYTES_MAX]; /* the staged snapshot's last entry */
};

/* The host that a replica of the ownership log is part of. */
static inline struct host *host_of(const struct replica *replica)
{
    return (struct host *)(uintptr_t)replica;
}

/* A host of which nothing is known yet, shaded and not followed, among the replicas: its number
 * there is the slot of its deadlines. NULL: no memory. */
struct host *host_new(struct directory *directory, struct replicas *replicas, uint64_t instance);

/* Leaves the replicas and frees all that is known of it. */
void host_destroy(struct host **host, struct replicas *replicas);

/* The node lives: its content is seen, its log followed. O(1). */
void host_joined(struct host *host, struct log *log);

/* The node is lost: its content is in the shade, until the drop deadline. O(1). */
void host_failed(struct host *host, struct log *log);

/* LOG_ENTRIES and LOG_SNAPSHOT of this host's log; host NULL: of none that is known. ERROR_OK, or
 * ERROR_INVALID_MESSAGE: a strike, nothing changed. */
enum error host_entries_received(struct host *host, struct log *log, uint64_t peer,
                                 const struct message *message, const struct log_entries *entries);
enum error host_chunk_received(struct host *host, struct log *log, uint64_t peer,
                               const struct message *message, const struct log_snapshot *snapshot);

#endif
