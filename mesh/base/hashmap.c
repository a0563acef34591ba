/* hashmap.c - see hashmap.h. Linear probing over cells of 24 bytes: a look-up is one hash and, as a
 * rule, one cache line. Removing shifts the cells behind back into the gap, so there are no
 * tombstones and a map that lives long stays as fast as a new one.
 *
 * Strangers choose some keys, so the hash is keyed: SipHash-1-3 (Aumasson and Bernstein 2012, in
 * the strength that Rust and Python use for their tables). It is a chain of some 100 instructions
 * in front of each look-up's first load; keys that nobody chooses need to be spread, no more, and
 * one wide multiplication of the salted halves does that (as in wyhash, Wang Yi 2019).
 *
 * (H1) a cell is empty when its hash is 0; no key hashes to 0
 * (H2) between a cell and its home (hash & mask) no cell is empty
 * (H3) count <= 3/4 of capacity */
#include "mesh/base/hashmap.h"

#include "proto/reader.h"

enum { CAPACITY_MIN = 16 };

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate_left(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate_left(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate_left(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate_left(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate_left(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate_left(sip->v2, 32);
}

/* The salt is half of the key; the other half only has to differ from it. */
static inline struct sip sip_start(uint64_t salt)
{
    uint64_t other = ~rotate_left(salt, 29);
    return (struct sip){
        salt ^ UINT64_C(0x736f6d6570736575),
        other ^ UINT64_C(0x646f72616e646f6d),
        salt ^ UINT64_C(0x6c7967656e657261),
        other ^ UINT64_C(0x7465646279746573),
    };
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *sip, uint64_t mark)
{
    sip->v2 ^= mark;
    sip_round(sip);
    sip_round(sip);
    sip_round(sip);
    return sip->v0 ^ sip->v1 ^ sip->v2 ^ sip->v3;
}

uint32_t hashmap_sip(uint64_t salt, struct hashmap_key key)
{
    struct sip sip = sip_start(salt);
    sip_word(&sip, key.high);
    sip_word(&sip, key.low);
    return (uint32_t)sip_end(&sip, 0xff);
}

void hashmap_init(struct hashmap *map, struct memory *memory, enum memory_kind kind, uint64_t salt)
{
    *map = (struct hashmap){.memory = memory, .kind = kind, .salt = salt};
}

void hashmap_init_dealt(struct hashmap *map, struct memory *memory, enum memory_kind kind,
                        uint64_t salt)
{
    hashmap_init(map, memory, kind, salt);
    map->is_dealt = true;
}

void hashmap_clear(struct hashmap *map)
{
    memory_free(map->memory, map->kind, map->cells, map->capacity * sizeof *map->cells);
    map->cells = NULL;
    map->capacity = map->count = 0;
}

uint32_t *hashmap_slot(struct hashmap *map, struct hashmap_key key)
{
    if (map->count == 0)
        return NULL;
    struct hashmap_cell *cell = hashmap_cell_of(map, key, hashmap_hash(map, key));
    return cell->hash == 0 ? NULL : &cell->slot;
}

static bool map_rebuild(struct hashmap *map, uint32_t capacity)
{
    struct hashmap larger = *map;
    larger.capacity = capacity;
    larger.cells = memory_new(map->memory, map->kind, capacity * sizeof *map->cells);
    if (larger.cells == NULL)
        return false;
    for (uint32_t i = 0; i < map->capacity; i++) {
        const struct hashmap_cell *cell = &map->cells[i];
        if (cell->hash != 0)
            *hashmap_cell_of(&larger, cell->key, cell->hash) = *cell;
    }
    memory_free(map->memory, map->kind, map->cells, map->capacity * sizeof *map->cells);
    *map = larger;
    return true;
}

bool hashmap_grow(struct hashmap *map, uint32_t count)
{
    uint64_t capacity = map->capacity == 0 ? CAPACITY_MIN : map->capacity;
    while (count > capacity / 4 * 3)
        capacity *= 2;
    return capacity <= UINT32_MAX && map_rebuild(map, (uint32_t)capacity);
}

bool hashmap_put(struct hashmap *map, struct hashmap_key key, uint32_t slot)
{
    return hashmap_put_hashed(map, key, hashmap_hash(map, key), slot);
}

bool hashmap_put_hashed(struct hashmap *map, struct hashmap_key key, uint32_t hash, uint32_t slot)
{
    if (map->capacity == 0 && !hashmap_reserve(map, 1))
        return false;
    struct hashmap_cell *cell = hashmap_cell_of(map, key, hash);
    bool is_new = cell->hash == 0;
    if (is_new && map->count >= map->capacity / 4 * 3) {
        if (!hashmap_reserve(map, map->count + 1))
            return false;
        cell = hashmap_cell_of(map, key, hash);
    }
    map->count += is_new;
    *cell = (struct hashmap_cell){.key = key, .slot = slot, .hash = hash};
    return true;
}

bool hashmap_remove(struct hashmap *map, struct hashmap_key key)
{
    return map->count > 0 && hashmap_remove_hashed(map, key, hashmap_hash(map, key));
}

bool hashmap_remove_hashed(struct hashmap *map, struct hashmap_key key, uint32_t hash)
{
    if (map->count == 0)
        return false;
    struct hashmap_cell *gap = hashmap_cell_of(map, key, hash);
    if (gap->hash == 0)
        return false;
    uint32_t mask = map->capacity - 1;
    uint32_t hole = (uint32_t)(gap - map->cells);
    for (uint32_t at = (hole + 1) & mask; map->cells[at].hash != 0; at = (at + 1) & mask) {
        /* A cell may move back into the hole unless its home lies behind the hole. */
        uint32_t from_home = (at - map->cells[at].hash) & mask;
        if (from_home >= ((at - hole) & mask)) {
            map->cells[hole] = map->cells[at];
            hole = at;
        }
    }
    map->cells[hole] = (struct hashmap_cell){0};
    map->count--;
    return true;
}

struct hashmap_key hashmap_key_of_bytes(const struct hashmap *map, struct span bytes)
{
    struct sip sip = sip_start(map->salt);
    struct reader reader;
    reader_init(&reader, bytes);
    while (reader.left >= sizeof(uint64_t))
        sip_word(&sip, reader_u64(&reader));
    uint64_t last = (uint64_t)bytes.bytes << 56;
    for (unsigned bits = 0; reader.left > 0; bits += 8)
        last |= (uint64_t)reader_u8(&reader) << bits;
    sip_word(&sip, last);
    struct hashmap_key key;
    key.high = sip_end(&sip, 0xee);
    sip.v1 ^= 0xdd;
    key.low = sip_end(&sip, 0);
    return key;
}
