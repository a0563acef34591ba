/* memory.h - decides whether the core may have more memory: every byte is counted by its kind and
 * every kind has a limit. The only place in mesh/ that calls malloc and free.
 * Memory: zeroed; large blocks are touched by the kernel only when they are used.
 * Thread: one owner. */
#ifndef WEFT_MESH_BASE_MEMORY_H
#define WEFT_MESH_BASE_MEMORY_H

#include "proto/span.h"

/* Of a large local array on the path of a request that is read only as far as it was filled: the
 * build sets all other locals to zero, which cost a request more than its place in two queues. */
#define MEMORY_UNINITIALIZED __attribute__((uninitialized))

enum memory_kind {
    MEMORY_TABLES,     /* fixed tables made at start, hash maps */
    MEMORY_QUEUES,     /* what waits for clients and links */
    MEMORY_PROPERTIES, /* of sessions hosted here */
    MEMORY_DIRECTORY,  /* replicas of who hosts what */
    MEMORY_MEMBERS,
    MEMORY_TOPICS, /* paths, values */
    MEMORY_KINDS
};

struct memory {
    uint64_t used[MEMORY_KINDS];  /* bytes */
    uint64_t limit[MEMORY_KINDS]; /* bytes */
};

/* Zeroed bytes, or NULL when the limit of the kind would be passed or the system has none. */
void *memory_new(struct memory *memory, enum memory_kind kind, size_t bytes);

/* A block of another size with the same content (new bytes are zero); NULL leaves the old one. */
void *memory_resize(struct memory *memory, enum memory_kind kind, void *block, size_t old_bytes,
                    size_t new_bytes);

/* Sets bytes aside without having them yet, so that a later memory_new of as many bytes (after
 * memory_release) stays within the limit. False when the limit would be passed: unchanged then. */
bool memory_reserve(struct memory *memory, enum memory_kind kind, size_t bytes);

/* Gives up what was set aside. */
void memory_release(struct memory *memory, enum memory_kind kind, size_t bytes);

/* Gives a block back; `bytes` as it was asked for. NULL is fine. */
void memory_free(struct memory *memory, enum memory_kind kind, void *block, size_t bytes);

#endif
