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

struct ring_block {
    uint64_t before; /* version of the entry before the first one here */
    uint32_t count;
    uint32_t bytes; /* of entries */
    size_t room;    /* of `data` */
    uint8_t data[];
};

void ring_init(struct ring *ring, struct memory *memory, uint32_t blocks_max)
{
    require(blocks_max >= 1 && blocks_max <= RING_BLOCKS_MAX);
    *ring = (struct ring){.memory = memory,
                          .blocks_max = blocks_max,
                          .block_bytes = RING_BLOCK_BYTES,
                          .bytes_max = SIZE_MAX};
}

void ring_enlarge(struct ring *ring, uint32_t block_bytes, size_t bytes_max)
{
    require(ring->count == 0 && block_bytes <= RING_BLOCK_BYTES_MAX);
    ring->block_bytes = block_bytes;
    ring->bytes_max = bytes_max;
}

static struct ring_block *block_at(const struct ring *ring, uint32_t index)
{
    return ring->blocks[(ring->first + index) % ring->blocks_max];
}

static void oldest_drop(struct ring *ring)
{
    struct ring_block *block = ring->blocks[ring->first];
    ring->blocks[ring->first] = NULL;
    ring->bytes -= sizeof *block + block->room;
    memory_free(ring->memory, MEMORY_DIRECTORY, block, sizeof *block + block->room);
    ring->first = (ring->first + 1) % ring->blocks_max;
    ring->count--;
}

void ring_clear(struct ring *ring)
{
    while (ring->count > 0)
        oldest_drop(ring);
    ring->first = 0;
}

static bool block_has_room(const struct ring_block *block, size_t bytes)
{
    return block->bytes + bytes + 2 * ((size_t)block->count + 1) <= block->room;
}

/* The end of entry i; of the last one it is not read, which may lie beyond what two bytes say. */
static uint32_t end_of(const struct ring_block *block, uint64_t index)
{
    uint16_t end;
    if (index + 1 >= block->count)
        return block->bytes;
    memcpy(&end, block->data + block->room - 2 * (index + 1), sizeof end);
    return end;
}

static void end_set(struct ring_block *block)
{
    uint16_t end = (uint16_t)block->bytes;
    memcpy(block->data + block->room - 2 * ((size_t)block->count + 1), &end, sizeof end);
    block->count++;
}

/* A block that takes the entry; the oldest go when there are too many, or too many bytes of
 * them. */
static struct ring_block *block_start(struct ring *ring, size_t entry_bytes)
{
    size_t room = ring->block_bytes - sizeof(struct ring_block);
    if (entry_bytes + 2 > room)
        room = entry_bytes + 2;
    size_t bytes = sizeof(struct ring_block) + room;
    while (ring->count > 0 &&
           (ring->count == ring->blocks_max || ring->bytes + bytes > ring->bytes_max))
        oldest_drop(ring);
    struct ring_block *block = memory_new(ring->memory, MEMORY_DIRECTORY, bytes);
    if (block == NULL)
        return NULL;
    ring->blocks[(ring->first + ring->count) % ring->blocks_max] = block;
    ring->count++;
    ring->bytes += bytes;
    block->room = room;
    block->before = ring->head;
    return block;
}

bool ring_append(struct ring *ring, struct span entry)
{
    require(entry.bytes > 0 && entry.bytes <= RING_ENTRY_BYTES_MAX);
    struct ring_block *block = ring->count == 0 ? NULL : block_at(ring, ring->count - 1);
    if (block == NULL || !block_has_room(block, entry.bytes))
        block = block_start(ring, entry.bytes);
    if (block == NULL)
        return false;
    memcpy(block->data + block->bytes, entry.data, entry.bytes);
    block->bytes += (uint32_t)entry.bytes;
    end_set(block);
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
    return end_of(block, version - block->before - 1);
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

size_t ring_entry_bytes(const struct ring *ring, uint64_t version)
{
    require(version > ring_floor(ring) && version <= ring->head);
    uint32_t i = 0;
    while (block_at(ring, i)->before + block_at(ring, i)->count < version)
        i++;
    return block_end(block_at(ring, i), version) - block_end(block_at(ring, i), version - 1);
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
        memcpy(out, block->data + start, end - start);
        out += end - start;
    }
}
