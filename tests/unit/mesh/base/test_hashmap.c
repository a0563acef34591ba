/* test_hashmap.c - the map against a plain array, and at the end of its memory. */
#include <criterion/criterion.h>

#include "mesh/base/hashmap.h"
#include "mesh/base/random.h"

enum { KEYS = 300 };

static struct hashmap_key key_of(uint64_t number)
{
    return (struct hashmap_key){.high = number % 3, .low = number};
}

Test(hashmap, gives_what_was_put_last)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 1 << 20}};
    struct hashmap map;
    hashmap_init(&map, &memory, MEMORY_TABLES, 1);
    cr_assert_eq(hashmap_get(&map, key_of(1)), HASHMAP_NONE);
    cr_assert(!hashmap_remove(&map, key_of(1)));
    cr_assert(hashmap_put(&map, key_of(1), 10));
    cr_assert(hashmap_put(&map, key_of(1), 11));
    cr_assert_eq(hashmap_get(&map, key_of(1)), 11);
    cr_assert_eq(map.count, 1);
    cr_assert(hashmap_remove(&map, key_of(1)));
    cr_assert_eq(hashmap_get(&map, key_of(1)), HASHMAP_NONE);
    cr_assert_eq(map.count, 0);
    hashmap_clear(&map);
    cr_assert_eq(memory.used[MEMORY_TABLES], 0);
}

Test(hashmap, behaves_like_an_array_under_any_sequence_of_calls)
{
    for (uint8_t round = 0; round < 20; round++) {
        struct memory memory = {.limit = {[MEMORY_TABLES] = 1 << 20}};
        struct hashmap map;
        struct random random;
        const uint8_t seed[32] = {round};
        uint32_t model[KEYS];
        uint32_t count = 0;
        memset(model, 0xff, sizeof model);
        random_init(&random, seed, 0);
        if (round % 2 == 0)
            hashmap_init(&map, &memory, MEMORY_TABLES, random_u64(&random));
        else
            hashmap_init_dealt(&map, &memory, MEMORY_TABLES, random_u64(&random));
        for (int step = 0; step < 5000; step++) {
            uint64_t number = random_below(&random, KEYS);
            if (random_below(&random, 2) == 0) {
                count += model[number] == HASHMAP_NONE;
                model[number] = (uint32_t)step;
                cr_assert(hashmap_put(&map, key_of(number), model[number]));
            } else {
                bool was_there = model[number] != HASHMAP_NONE;
                count -= was_there;
                model[number] = HASHMAP_NONE;
                cr_assert_eq(hashmap_remove(&map, key_of(number)), was_there);
            }
            cr_assert_eq(map.count, count);
            uint64_t asked = random_below(&random, KEYS);
            cr_assert_eq(hashmap_get(&map, key_of(asked)), model[asked]);
        }
        for (uint64_t number = 0; number < KEYS; number++)
            cr_assert_eq(hashmap_get(&map, key_of(number)), model[number]);
        hashmap_clear(&map);
        cr_assert_eq(memory.used[MEMORY_TABLES], 0);
    }
}

Test(hashmap, a_slot_is_read_and_changed_where_it_is)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 1 << 20}};
    struct hashmap map;
    hashmap_init_dealt(&map, &memory, MEMORY_TABLES, 1);
    cr_assert_null(hashmap_slot(&map, key_of(7)));
    cr_assert(hashmap_put(&map, key_of(7), 70));
    cr_assert_null(hashmap_slot(&map, key_of(8)));
    cr_assert_eq(*hashmap_slot(&map, key_of(7)), 70);
    ++*hashmap_slot(&map, key_of(7));
    cr_assert_eq(hashmap_get(&map, key_of(7)), 71);
    hashmap_clear(&map);
    cr_assert(hashmap_put(&map, key_of(7), 1) && hashmap_remove(&map, key_of(7)),
              "cleared, it is usable");
    hashmap_clear(&map);
}

Test(hashmap, a_hash_taken_before_serves_as_well)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 1 << 20}};
    struct hashmap map;
    hashmap_init(&map, &memory, MEMORY_TABLES, 1);
    uint32_t hash = hashmap_hash(&map, key_of(7));
    cr_assert_eq(hashmap_get_hashed(&map, key_of(7), hash), HASHMAP_NONE);
    cr_assert(!hashmap_remove_hashed(&map, key_of(7), hash));
    cr_assert(hashmap_put_hashed(&map, key_of(7), hash, 70));
    for (uint64_t number = 100; number < 200; number++)
        cr_assert(hashmap_put(&map, key_of(number), 1));
    cr_assert_eq(hashmap_get(&map, key_of(7)), 70);
    cr_assert_eq(hashmap_get_hashed(&map, key_of(7), hash), 70, "however the map has grown");
    cr_assert(hashmap_remove_hashed(&map, key_of(7), hash));
    cr_assert_eq(hashmap_get(&map, key_of(7)), HASHMAP_NONE);
    hashmap_clear(&map);
}

/* A cell's hash as hashmap.c lays it out; 0: the cell is empty. */
static uint32_t hash_at(const struct hashmap *map, uint32_t at)
{
    const void *cells = map->cells;
    const uint32_t *words = cells;
    return words[at * 6 + 5];
}

/* How many cells in a row are taken, at most, when `count` keys of a kind are in the map. */
static uint32_t longest_run(uint64_t salt, struct hashmap_key first, struct hashmap_key step,
                            uint32_t count)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 1 << 22}};
    struct hashmap map;
    uint32_t longest = 0, run = 0;
    hashmap_init_dealt(&map, &memory, MEMORY_TABLES, salt);
    cr_assert(hashmap_reserve(&map, 2 * count)); /* at most 3/8 full */
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(hashmap_put(&map, first, i));
        first.high += step.high;
        first.low += step.low;
    }
    for (uint32_t at = 0; at < map.capacity; at++) {
        run = hash_at(&map, at) != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    hashmap_clear(&map);
    return longest;
}

Test(hashmap, keys_that_are_dealt_out_in_turn_are_spread)
{
    static const struct hashmap_key steps[] = {
        {0, 1},          {0, 1 << 8},     {0, UINT64_C(1) << 32}, {0, UINT64_C(1) << 48},
        {1, 0},          {1, 1},          {UINT64_C(1) << 40, 0}, {UINT64_C(1) << 32, 1},
        {UINT64_MAX, 1}, {0, UINT32_MAX},
    };
    struct random random;
    const uint8_t seed[32] = {1};
    random_init(&random, seed, 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (int round = 0; round < 20; round++) {
            struct hashmap_key first = {random_u64(&random), random_u64(&random)};
            uint32_t longest = longest_run(random_u64(&random), first, steps[i], 4096);
            cr_assert_lt(longest, 256, "%u in a row with steps %zu", longest, i);
        }
    }
}

Test(hashmap, without_memory_refuses_and_stays_as_it_was)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 24 * 16}};
    struct hashmap map;
    hashmap_init(&map, &memory, MEMORY_TABLES, 1);
    for (uint64_t number = 0; number < 12; number++)
        cr_assert(hashmap_put(&map, key_of(number), (uint32_t)number));
    cr_assert(!hashmap_put(&map, key_of(12), 12), "growing needs more than the limit");
    cr_assert(hashmap_put(&map, key_of(11), 111), "changing does not");
    cr_assert_eq(map.count, 12);
    cr_assert_eq(hashmap_get(&map, key_of(12)), HASHMAP_NONE);
    cr_assert_eq(hashmap_get(&map, key_of(3)), 3);
    hashmap_clear(&map);
}

Test(hashmap, with_room_reserved_puts_without_memory)
{
    struct memory memory = {.limit = {[MEMORY_TABLES] = 1 << 20}};
    struct hashmap map;
    hashmap_init(&map, &memory, MEMORY_TABLES, 1);
    cr_assert(hashmap_reserve(&map, 1000));
    memory.limit[MEMORY_TABLES] = 0;
    for (uint64_t number = 0; number < 1000; number++)
        cr_assert(hashmap_put(&map, key_of(number), (uint32_t)number));
    cr_assert(!hashmap_reserve(&map, UINT32_MAX));
    hashmap_clear(&map);
}

Test(hashmap, keys_of_bytes_differ_with_every_byte_the_length_and_the_salt)
{
    struct hashmap map;
    struct hashmap other;
    hashmap_init(&map, NULL, MEMORY_TABLES, 1);
    hashmap_init(&other, NULL, MEMORY_TABLES, 2);
    uint8_t bytes[24] = {0};
    struct hashmap_key previous = hashmap_key_of_bytes(&map, span_of(bytes, 0));
    for (size_t length = 1; length <= sizeof bytes; length++) {
        struct span span = span_of(bytes, length);
        struct hashmap_key key = hashmap_key_of_bytes(&map, span);
        cr_assert(key.high != previous.high && key.low != previous.low);
        cr_assert_neq(hashmap_key_of_bytes(&other, span).high, key.high);
        cr_assert_eq(hashmap_key_of_bytes(&map, span).low, key.low);
        for (size_t i = 0; i < length; i++) {
            bytes[i] ^= 0x80;
            cr_assert_neq(hashmap_key_of_bytes(&map, span).low, key.low);
            bytes[i] ^= 0x80;
        }
        previous = key;
    }
}
