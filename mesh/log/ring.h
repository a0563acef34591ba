/* ring.h - keeps a writer's newest entries, encoded, for those who missed some; says where its
 * floor is: the newest version that is not kept any more.
 * Memory: up to `blocks_max` blocks of 16 KiB of MEMORY_DIRECTORY, taken as they are needed, freed
 * by ring_clear. An entry takes its bytes and two more; one that no block holds has a block of its
 * own. Thread: one owner. */
#ifndef WEFT_MESH_LOG_RING_H
#define WEFT_MESH_LOG_RING_H

#include "mesh/base/memory.h"

enum {
    RING_BLOCK_BYTES = 16 * 1024,
    RING_BLOCK_BYTES_MAX = 64 * 1024, /* two bytes say where an entry ends */
    RING_BLOCKS_MAX = 64,
    RING_ENTRY_BYTES_MAX = 2 * 1024 * 1024
};

struct ring_block;

struct ring {
    struct memory *memory;
    struct ring_block *blocks[RING_BLOCKS_MAX]; /* oldest at `first`, wrapping at blocks_max */
    uint32_t blocks_max;
    uint32_t block_bytes;
    size_t bytes, bytes_max; /* of all blocks */
    uint32_t first, count;
    uint64_t head; /* version of the newest entry; 0: none yet */
};

/* blocks_max: 1..RING_BLOCKS_MAX. */
void ring_init(struct ring *ring, struct memory *memory, uint32_t blocks_max);
void ring_clear(struct ring *ring);

/* Of an empty ring: blocks of so many bytes (RING_BLOCK_BYTES_MAX at most), bytes_max together
 * before the oldest go. */
void ring_enlarge(struct ring *ring, uint32_t block_bytes, size_t bytes_max);

/* Keeps the entry as version head + 1; the oldest block goes when all are full. entry: 1 to
 * RING_ENTRY_BYTES_MAX bytes. Returns false when no memory is to be had: unchanged then. */
bool ring_append(struct ring *ring, struct span entry);

/* Counts an entry that is not kept: the ring is then empty, its floor at the new head. */
void ring_skip(struct ring *ring);

/* Forgets all entries; the next one will be head + 1. */
void ring_restart(struct ring *ring, uint64_t head);

/* The ring holds the versions floor + 1 .. head. */
uint64_t ring_floor(const struct ring *ring);

/* How many bytes the entries after `after` take, as many whole ones as fit into `most` bytes;
 * *last is the version of the last of them (`after` when there is none). after: floor..head.
 * O(blocks + log entries). */
size_t ring_measure(const struct ring *ring, uint64_t after, size_t most, uint64_t *last);

/* Bytes of one entry. version: floor + 1 .. head. */
size_t ring_entry_bytes(const struct ring *ring, uint64_t version);

/* Copies what ring_measure counted: the entries after+1..last, one behind the other. */
void ring_copy(const struct ring *ring, uint64_t after, uint64_t last, uint8_t *out);

#endif
