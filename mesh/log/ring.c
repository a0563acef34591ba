/* ring.c - see ring.h.
 *
 * A block is a slotted page: entries grow from its start, their ends (two bytes each) from its end
 * backwards. So a run of entries is one run of bytes, ready for the wire, from any version on.
 *
 *     +---------+---------+------ ... ------+------+------+------+
 *     | entry 0 | entry 1 |      free       | ...  | end1 | end0 |
 *     +---------+---------+------ ... ------+------+------+------+
 *
 * (R1) The versions in the blocks are contiguous and end at `head`. */
#include "mesh/log/ring.h"

#include "mesh/base/require.h"

enum {
    ENDS = (RING_BLOCK_BYTES - 16) / 2,
    DATA_BYTES = RING_BLOCK_BYTES - 16,
};

struct ring_block {
    uint64_t before; /* version of the entry before the first one here */
    uint32_t count;
    uint32_t bytes; /* of entries */
    union {
        uint8_t data[DATA_BYTES];
        uint16_t ends[ENDS]; /* of entry i: ends[ENDS - 1 - i] */
    } page;
};

void ring_init(struct ring *ring, struct memory *memory, uint32_t blocks_max)
{
    require(blocks_max >= 1 && blocks_max <= RING_BLOCKS_MAX);
    *ring = (struct ring){.memory = memory, .blocks_max = blocks_max};
}

void ring_clear(struct ring *ring)
{
    for (uint32_t i = 0; i < RING_BLOCKS_MAX; i++) {
        memory_free(ring->memory, MEMORY_DIRECTORY, ring->blocks[i], sizeof(struct ring_block));
        ring->blocks[i] = NULL;
    }
    ring->first = ring->count = 0;
}

static struct ring_block *block_at(const struct ring *ring, uint32_t index)
{
    return ring->blocks[(ring->first + index) % ring->blocks_max];
}

static bool block_has_room(const struct ring_block *block, size_t bytes)
{
    return block->bytes + bytes + 2 * ((size_t)block->count + 1) <= DATA_BYTES;
}

/* The block that takes the next entries: a new one, or the oldest one emptied. */
static struct ring_block *block_start(struct ring *ring)
{
    require(ring->blocks_max > 0);
    struct ring_block *block;
    if (ring->count < ring->blocks_max) {
        block = memory_new(ring->memory, MEMORY_DIRECTORY, sizeof *block);
        if (block == NULL)
            return NULL;
        ring->blocks[(ring->first + ring->count) % ring->blocks_max] = block;
        ring->count++;
    } else {
        block = ring->blocks[ring->first];
        ring->first = (ring->first + 1) % ring->blocks_max;
    }
    block->before = ring->head;
    block->count = block->bytes = 0;
    return block;
}

bool ring_append(struct ring *ring, struct span entry)
{
    require(entry.bytes > 0 && entry.bytes <= RING_ENTRY_BYTES_MAX);
    struct ring_block *block = ring->count == 0 ? NULL : block_at(ring, ring->count - 1);
    if (block == NULL || !block_has_room(block, entry.bytes))
        block = block_start(ring);
    if (block == NULL)
        return false;
    memcpy(block->page.data + block->bytes, entry.data, entry.bytes);
    block->bytes += (uint32_t)entry.bytes;
    block->page.ends[ENDS - 1 - block->count] = (uint16_t)block->bytes;
    block->count++;
    ring->head++;
    return true;
}

void ring_skip(struct ring *ring)
{
    ring_clear(ring);
    ring->head++;
}

void ring_restart(struct ring *ring, uint64_t head)
{
    ring_clear(ring);
    ring->head = head;
}

uint64_t ring_floor(const struct ring *ring)
{
    return ring->count == 0 ? ring->head : block_at(ring, 0)->before;
}

/* Bytes of the block's entries up to and with `version`. */
static uint32_t block_end(const struct ring_block *block, uint64_t version)
{
    if (version <= block->before)
        return 0;
    uint64_t index = version - block->before - 1;
    return index >= block->count ? block->bytes : block->page.ends[ENDS - 1 - index];
}

/* The newest version in the block whose end is at most `bytes` behind that of `after`. */
static uint64_t block_reach(const struct ring_block *block, uint64_t after, size_t bytes)
{
    uint64_t low = after;
    uint64_t high = block->before + block->count;
    uint32_t start = block_end(block, after);
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (block_end(block, middle) - start <= bytes)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

size_t ring_measure(const struct ring *ring, uint64_t after, size_t most, uint64_t *last)
{
    require(after >= ring_floor(ring) && after <= ring->head);
    size_t bytes = 0;
    *last = after;
    for (uint32_t i = 0; i < ring->count; i++) {
        const struct ring_block *block = block_at(ring, i);
        uint64_t newest = block->before + block->count;
        if (newest <= *last)
            continue;
        uint64_t reach = block_reach(block, *last, most - bytes);
        bytes += block_end(block, reach) - block_end(block, *last);
        *last = reach;
        if (reach < newest)
            break;
    }
    return bytes;
}

void ring_copy(const struct ring *ring, uint64_t after, uint64_t last, uint8_t *out)
{
    require(after >= ring_floor(ring) && after <= last && last <= ring->head);
    for (uint32_t i = 0; i < ring->count; i++) {
        const struct ring_block *block = block_at(ring, i);
        uint32_t start = block_end(block, after);
        uint32_t end = block_end(block, last);
        if (block->before + block->count <= after || end <= start)
            continue;
        memcpy(out, block->page.data + start, end - start);
        out += end - start;
    }
}
