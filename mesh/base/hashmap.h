/* hashmap.h - finds a 32-bit slot by a key of up to 128 bits; by a string through
 * hashmap_key_of_bytes, with the caller comparing.
 * Memory: one array of 24-byte cells, at most 3/4 full, that doubles (each put O(1) on average).
 * Keys are hashed with a per-map random salt, and so that whoever chooses keys cannot make them
 * collide, unless nobody chooses them (hashmap_init_dealt). Thread: one owner. */
#ifndef WEFT_MESH_BASE_HASHMAP_H
#define WEFT_MESH_BASE_HASHMAP_H

#include "mesh/base/memory.h"

#define HASHMAP_NONE UINT32_MAX /* no enum: its values are ints */

struct hashmap_key {
    uint64_t high, low;
};

/* Linear probing: see hashmap.c. */
struct hashmap_cell {
    struct hashmap_key key;
    uint32_t slot;
    uint32_t hash; /* 0: empty */
};

struct hashmap {
    struct memory *memory;
    enum memory_kind kind;
    struct hashmap_cell *cells;
    uint32_t capacity; /* 0 or a power of two */
    uint32_t count;
    bool is_dealt;
    uint64_t salt;
};

void hashmap_init(struct hashmap *map, struct memory *memory, enum memory_kind kind, uint64_t salt);

/* The same for keys that no stranger chooses: numbers that nodes deal out (instances, sessions,
 * connections, flights), or what hashmap_key_of_bytes made. A look-up costs half. */
void hashmap_init_dealt(struct hashmap *map, struct memory *memory, enum memory_kind kind,
                        uint64_t salt);

void hashmap_clear(struct hashmap *map); /* frees the cells; the map is empty and usable */

/* The slow half of hashmap_reserve. */
bool hashmap_grow(struct hashmap *map, uint32_t count);

/* Makes room for so many keys at once, so that puts up to there cannot fail. False when no memory
 * is to be had: unchanged then. */
static inline bool hashmap_reserve(struct hashmap *map, uint32_t count)
{
    return count <= map->capacity / 4 * 3 || hashmap_grow(map, count);
}

/* SipHash of the key, for keys that strangers choose. */
uint32_t hashmap_sip(uint64_t salt, struct hashmap_key key);

__extension__ typedef unsigned __int128 hashmap_wide; /* gcc's and clang's */

/* For whoever looks a key up more than once: its hash in this map, which does not change; not 0. */
static inline uint32_t hashmap_hash(const struct hashmap *map, struct hashmap_key key)
{
    uint64_t high = key.high ^ ~(map->salt << 29 | map->salt >> 35);
    hashmap_wide product = (hashmap_wide)high * (key.low ^ map->salt);
    uint32_t hash =
        map->is_dealt ? (uint32_t)(product >> 64 ^ product) : hashmap_sip(map->salt, key);
    return hash == 0 ? 1 : hash;
}

/* The cell of the key, or the empty one where it would go. The map must have cells. */
static inline struct hashmap_cell *hashmap_cell_of(const struct hashmap *map,
                                                   struct hashmap_key key, uint32_t hash)
{
    uint32_t mask = map->capacity - 1;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        struct hashmap_cell *cell = &map->cells[at];
        if (cell->hash == 0 ||
            (cell->hash == hash && cell->key.low == key.low && cell->key.high == key.high))
            return cell;
    }
}

static inline uint32_t hashmap_get_hashed(const struct hashmap *map, struct hashmap_key key,
                                          uint32_t hash)
{
    if (map->count == 0)
        return HASHMAP_NONE;
    const struct hashmap_cell *cell = hashmap_cell_of(map, key, hash);
    return cell->hash == 0 ? HASHMAP_NONE : cell->slot;
}

/* The slot under the key, HASHMAP_NONE when there is none. O(1). Here, as a request has a dozen. */
static inline uint32_t hashmap_get(const struct hashmap *map, struct hashmap_key key)
{
    return map->count == 0 ? HASHMAP_NONE : hashmap_get_hashed(map, key, hashmap_hash(map, key));
}

/* Where the slot under the key is kept, to be read or changed in place; NULL when there is none.
 * Valid until a key is put or removed. O(1). */
uint32_t *hashmap_slot(struct hashmap *map, struct hashmap_key key);

/* Sets the slot under the key. Returns false when no memory is to be had: unchanged then. */
bool hashmap_put(struct hashmap *map, struct hashmap_key key, uint32_t slot);

/* Removes the key; false when it was not there. */
bool hashmap_remove(struct hashmap *map, struct hashmap_key key);

/* The same two with the key's hash. */
bool hashmap_put_hashed(struct hashmap *map, struct hashmap_key key, uint32_t hash, uint32_t slot);
bool hashmap_remove_hashed(struct hashmap *map, struct hashmap_key key, uint32_t hash);

/* A salted 128-bit hash of bytes, for keys that are strings: collisions must not be assumed away
 * by whoever stores strings of strangers; compare the string found. */
struct hashmap_key hashmap_key_of_bytes(const struct hashmap *map, struct span bytes);

#endif
