/* test_serials.c - the ordered table against a plain list, and against whoever crowds it. */
#include <criterion/criterion.h>

#include "mesh/base/random.h"
#include "mesh/ownership/serials.h"

static struct memory memory;
static struct serials table;
static struct random dice;

static void set_up(void)
{
    memory = (struct memory){0};
    memory.limit[MEMORY_DIRECTORY] = UINT64_MAX;
    serials_init(&table, &memory);
    random_init(&dice, (const uint8_t[32]){2}, 0);
}

static void tear_down(void)
{
    serials_clear(&table);
    cr_assert_eq(memory.used[MEMORY_DIRECTORY], 0);
}

TestSuite(serials, .init = set_up, .fini = tear_down);

enum { MODEL = 5000 };

static uint64_t keys[MODEL];
static uint8_t states[MODEL]; /* 0: not in the table */

static void check_against_model(void)
{
    uint32_t count = 0;
    for (int i = 0; i < MODEL; i++) {
        cr_assert_eq(serials_get(&table, keys[i]), states[i]);
        count += states[i] != 0 ? 1 : 0;
    }
    cr_assert_eq(table.count, count);
    uint32_t position = 0;
    uint64_t serial;
    uint64_t previous = 0;
    uint8_t state;
    uint32_t seen = 0;
    while (serials_next(&table, &position, &serial, &state)) {
        cr_assert(seen == 0 || serial > previous, "serials must ascend");
        previous = serial;
        seen++;
    }
    cr_assert_eq(seen, count);
}

Test(serials, hold_what_was_put_and_not_removed_in_order)
{
    for (int i = 0; i < MODEL; i++)
        keys[i] = i < 10 ? (uint64_t)i : (i < 20 ? UINT64_MAX - (uint64_t)i : random_u64(&dice));
    for (int round = 0; round < 30; round++) {
        bool mostly_puts = round % 6 < 4;
        for (int i = 0; i < 3000; i++) {
            size_t at = (size_t)random_below(&dice, MODEL);
            uint8_t before;
            if (random_below(&dice, 10) < (mostly_puts ? 8U : 1U)) {
                uint8_t state = (uint8_t)(1 + random_below(&dice, 3));
                cr_assert(serials_put(&table, keys[at], state, &before));
                cr_assert_eq(before, states[at]);
                states[at] = state;
            } else {
                cr_assert_eq(serials_remove(&table, keys[at]), states[at]);
                states[at] = 0;
            }
        }
        check_against_model();
    }
}

Test(serials, can_be_gone_on_with_from_any_serial)
{
    uint8_t before;
    for (int i = 0; i < 3000; i++)
        serials_put(&table, random_u64(&dice), 1, &before);
    for (int i = 0; i < 2000; i++) {
        uint64_t above = random_u64(&dice);
        uint32_t from_start = 0;
        uint32_t position = serials_seek(&table, above);
        uint64_t expected;
        uint64_t found;
        uint8_t state;
        bool is_there = serials_next(&table, &position, &found, &state);
        while (serials_next(&table, &from_start, &expected, &state) && expected <= above)
            continue;
        cr_assert(is_there ? found == expected : expected <= above);
        if (is_there) {
            position = serials_seek(&table, found);
            cr_assert(!serials_next(&table, &position, &expected, &state) || expected > found);
        }
    }
}

Test(serials, take_at_most_eighteen_bytes_each)
{
    uint8_t before;
    for (uint32_t i = 1; i <= 120000; i++) {
        cr_assert(serials_put(&table, random_u64(&dice), 1, &before));
        if (i >= 2000)
            cr_assert_leq(memory.used[MEMORY_DIRECTORY], 20ULL * i + 4096);
    }
}

Test(serials, give_memory_back_when_most_are_gone)
{
    uint8_t before;
    for (int i = 0; i < MODEL; i++) {
        keys[i] = random_u64(&dice);
        serials_put(&table, keys[i], 1, &before);
    }
    uint64_t most = memory.used[MEMORY_DIRECTORY];
    for (int i = 0; i < MODEL - 5; i++)
        cr_assert_eq(serials_remove(&table, keys[i]), 1);
    cr_assert_lt(memory.used[MEMORY_DIRECTORY], most / 50);
    cr_assert_eq(serials_get(&table, keys[MODEL - 1]), 1);
}

Test(serials, that_crowd_on_purpose_are_refused_before_they_cost_much)
{
    uint8_t before;
    uint64_t serial = 1000;
    while (serial < 1000000 && serials_put(&table, serial, 1, &before))
        serial++;
    cr_assert_lt(serial, 3000);
    cr_assert_lt(memory.used[MEMORY_DIRECTORY], 300000);
    cr_assert_eq(serials_get(&table, 1500 < serial ? 1500 : 1000), 1);
    cr_assert_eq(serials_get(&table, serial), 0);
}

Test(serials, that_come_in_order_are_a_row_until_settled)
{
    for (uint64_t i = 0; i < 50000; i++)
        cr_assert(serials_append(&table, i * (UINT64_MAX / 50000), 1));
    cr_assert(serials_settle(&table));
    for (uint64_t i = 0; i < 50000; i++)
        cr_assert_eq(serials_get(&table, i * (UINT64_MAX / 50000)), 1);
    uint8_t before;
    cr_assert(serials_put(&table, 5, 2, &before));
    cr_assert_eq(before, 0);
}

Test(serials, without_memory_stay_as_they_are)
{
    uint8_t before;
    for (int i = 0; i < 1000; i++)
        serials_put(&table, random_u64(&dice), 1, &before);
    memory.limit[MEMORY_DIRECTORY] = memory.used[MEMORY_DIRECTORY];
    uint32_t count = table.count;
    int refused = 0;
    for (int i = 0; i < 2000; i++)
        refused += serials_put(&table, random_u64(&dice), 1, &before) ? 0 : 1;
    cr_assert_gt(refused, 0);
    cr_assert_eq(table.count, count + 2000 - (uint32_t)refused);
}
