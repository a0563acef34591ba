/* test_slots.c - numbers are used again, and never by two at once. */
#include <criterion/criterion.h>

#include "mesh/base/slots.h"

static struct memory memory;
static struct slots slots;
static uint64_t records[100];

static void set_up(void)
{
    memory = (struct memory){0};
    memory.limit[MEMORY_DIRECTORY] = UINT64_MAX;
    slots_init(&slots, &memory);
}

static void tear_down(void)
{
    slots_clear(&slots);
    cr_assert_eq(memory.used[MEMORY_DIRECTORY], 0);
}

TestSuite(slots, .init = set_up, .fini = tear_down);

Test(slots, name_each_record_by_a_number_of_its_own)
{
    uint32_t numbers[100];
    for (uint32_t i = 0; i < 100; i++)
        cr_assert(slots_add(&slots, &records[i], &numbers[i]));
    for (uint32_t i = 0; i < 100; i += 3)
        slots_remove(&slots, numbers[i]);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(slots_get(&slots, numbers[i]), i % 3 == 0 ? NULL : (void *)&records[i]);
    for (uint32_t i = 0; i < 100; i += 3)
        cr_assert(slots_add(&slots, &records[i], &numbers[i]));
    cr_assert_eq(slots.count, 100);
    cr_assert_eq(slots.used, 100, "freed numbers come first");
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(slots_get(&slots, numbers[i]), (void *)&records[i]);
}

Test(slots, are_walked_while_records_go)
{
    uint32_t number;
    for (uint32_t i = 0; i < 100; i++)
        cr_assert(slots_add(&slots, &records[i], &number));
    uint32_t cursor = 0;
    uint32_t seen = 0;
    while (slots_next(&slots, &cursor) != NULL) {
        slots_remove(&slots, cursor - 1);
        seen++;
    }
    cr_assert_eq(seen, 100);
    cr_assert_eq(slots.count, 0);
    cr_assert_null(slots_get(&slots, 12345));
}

Test(slots, say_when_there_is_no_memory)
{
    uint32_t number;
    memory.limit[MEMORY_DIRECTORY] = 0;
    cr_assert(!slots_add(&slots, &records[0], &number));
    cr_assert_eq(slots.count, 0);
}
