/* hosts.h - the other nodes of which this one knows what they host, by instance.
 * Memory: MEMORY_DIRECTORY. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_HOSTS_H
#define WEFT_MESH_OWNERSHIP_HOSTS_H

#include "mesh/ownership/host.h"

struct hosts {
    struct directory *directory;
    struct log *log; /* this node's own */
    struct slots slots;
    struct hashmap by_instance;
};

void hosts_init(struct hosts *hosts, struct directory *directory, struct log *log, uint64_t salt);
void hosts_clear(struct hosts *hosts); /* destroys them all */

/* NULL: not known, or this node itself. O(1). */
struct host *hosts_find(const struct hosts *hosts, uint64_t instance);

/* The host of a deadline's slot; NULL: none. */
struct host *hosts_at(const struct hosts *hosts, uint32_t number);

/* Shaded and not followed yet. NULL: no memory. */
struct host *hosts_add(struct hosts *hosts, uint64_t instance);
void hosts_remove(struct hosts *hosts, struct host *host);

/* Walks all: from *number (0 at first); NULL: the end. The one just given may be removed. */
struct host *hosts_next(const struct hosts *hosts, uint32_t *number);

#endif
