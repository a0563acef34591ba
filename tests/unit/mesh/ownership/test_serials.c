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

static struct serials_value value(uint8_t state, uint32_t claim)
{
    return (struct serials_value){.state = state, .claim = claim};
}

static bool put(uint64_t serial)
{
    struct serials_value before;
    return serials_put(&table, serial, value(1, 0), &before);
}

static bool is_value(struct serials_value a, struct serials_value b)
{
    return a.state == b.state && a.claim == b.claim;
}

enum { MODEL = 5000 };

static uint64_t keys[MODEL];
static struct serials_value values[MODEL]; /* state 0: not in the table */

static void check_against_model(void)
{
    uint32_t count = 0;
    for (int i = 0; i < MODEL; i++) {
        cr_assert(is_value(serials_get(&table, keys[i]), values[i]));
        count += values[i].state != 0 ? 1 : 0;
    }
    cr_assert_eq(table.count, count);
    uint32_t position = 0;
    uint64_t serial;
    uint64_t previous = 0;
    struct serials_value at;
    uint32_t seen = 0;
    while (serials_next(&table, &position, &serial, &at)) {
        cr_assert(seen == 0 || serial > previous, "serials must ascend");
        previous = serial;
        seen++;
    }
    cr_assert_eq(seen, count);
}

/* Random puts and removals; claims from that round on. */
static void against_model(int rounds, int first_claim)
{
    for (int i = 0; i < MODEL; i++)
        keys[i] = i < 10 ? (uint64_t)i : (i < 20 ? UINT64_MAX - (uint64_t)i : random_u64(&dice));
    for (int round = 0; round < rounds; round++) {
        bool mostly_puts = round % 6 < 4;
        for (int i = 0; i < 3000; i++) {
            size_t at = (size_t)random_below(&dice, MODEL);
            struct serials_value before;
            if (random_below(&dice, 10) < (mostly_puts ? 8U : 1U)) {
                uint64_t claim = round < first_claim ? 0 : random_below(&dice, 5);
                struct serials_value next =
                    value((uint8_t)(1 + random_below(&dice, 3)), (uint32_t)claim);
                cr_assert(serials_put(&table, keys[at], next, &before));
                cr_assert(is_value(before, values[at]));
                values[at] = next;
            } else {
                cr_assert(is_value(serials_remove(&table, keys[at]), values[at]));
                values[at] = value(0, 0);
            }
        }
        check_against_model();
    }
}

Test(serials, hold_what_was_put_and_not_removed_in_order)
{
    against_model(30, 100);
    cr_assert_null(table.claims);
}

Test(serials, hold_claims_from_the_first_one_on)
{
    against_model(24, 7);
    cr_assert_not_null(table.claims);
}

Test(serials, can_be_gone_on_with_from_any_serial)
{
    for (int i = 0; i < 3000; i++)
        put(random_u64(&dice));
    for (int i = 0; i < 2000; i++) {
        uint64_t above = random_u64(&dice);
        uint32_t from_start = 0;
        uint32_t position = serials_seek(&table, above);
        uint64_t expected;
        uint64_t found;
        struct serials_value at;
        bool is_there = serials_next(&table, &position, &found, &at);
        while (serials_next(&table, &from_start, &expected, &at) && expected <= above)
            continue;
        cr_assert(is_there ? found == expected : expected <= above);
        if (is_there) {
            position = serials_seek(&table, found);
            cr_assert(!serials_next(&table, &position, &expected, &at) || expected > found);
        }
    }
}

Test(serials, take_at_most_eighteen_bytes_each)
{
    for (uint32_t i = 1; i <= 120000; i++) {
        cr_assert(put(random_u64(&dice)));
        if (i >= 2000)
            cr_assert_leq(memory.used[MEMORY_DIRECTORY], 20ULL * i + 4096);
    }
}

Test(serials, give_memory_back_when_most_are_gone)
{
    for (int i = 0; i < MODEL; i++) {
        keys[i] = random_u64(&dice);
        put(keys[i]);
    }
    uint64_t most = memory.used[MEMORY_DIRECTORY];
    for (int i = 0; i < MODEL - 5; i++)
        cr_assert_eq(serials_remove(&table, keys[i]).state, 1);
    cr_assert_lt(memory.used[MEMORY_DIRECTORY], most / 50);
    cr_assert_eq(serials_get(&table, keys[MODEL - 1]).state, 1);
}

Test(serials, that_crowd_on_purpose_are_refused_before_they_cost_much)
{
    uint64_t serial = 1000;
    while (serial < 1000000 && put(serial))
        serial++;
    cr_assert_lt(serial, 3000);
    cr_assert_lt(memory.used[MEMORY_DIRECTORY], 300000);
    cr_assert_eq(serials_get(&table, 1500 < serial ? 1500 : 1000).state, 1);
    cr_assert_eq(serials_get(&table, serial).state, 0);
}

Test(serials, that_come_in_order_are_a_row_until_settled)
{
    uint64_t step = UINT64_MAX / 50000;
    for (uint32_t i = 0; i < 50000; i++)
        cr_assert(serials_append(&table, i * step, value(1, i == 40000 ? 7 : 0)));
    cr_assert(serials_settle(&table));
    for (uint64_t i = 0; i < 50000; i++)
        cr_assert(is_value(serials_get(&table, i * step), value(1, i == 40000 ? 7 : 0)));
    struct serials_value before;
    cr_assert(serials_put(&table, 5, value(2, 0), &before));
    cr_assert_eq(before.state, 0);
}

Test(serials, without_memory_stay_as_they_are)
{
    for (int i = 0; i < 1000; i++)
        put(random_u64(&dice));
    memory.limit[MEMORY_DIRECTORY] = memory.used[MEMORY_DIRECTORY];
    uint32_t count = table.count;
    int refused = 0;
    for (int i = 0; i < 2000; i++)
        refused += put(random_u64(&dice)) ? 0 : 1;
    cr_assert_gt(refused, 0);
    cr_assert_eq(table.count, count + 2000 - (uint32_t)refused);
}
