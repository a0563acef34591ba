/* test_slots.c - numbers of calls: one meaning each, and a limit. */
#include <criterion/criterion.h>

#include "client/slots.h"

enum { MAX = 100 };

Test(slots, numbers_mean_one_thing_and_then_nothing)
{
    struct timers timers = {0};
    struct slots slots;
    slots_init(&slots, MAX);
    struct slot *slot = slots_take(&slots, &timers, NULL, SLOT_REQUEST);
    uint64_t number = slots_number(slot);
    cr_assert_neq(number, 0);
    cr_assert_eq(slots_find(&slots, number, SLOT_REQUEST), slot);
    cr_assert_null(slots_find(&slots, number, SLOT_COMMAND));
    slots_give(&slots, slot);
    cr_assert_null(slots_find(&slots, number, SLOT_REQUEST));
    struct slot *again = slots_take(&slots, &timers, NULL, SLOT_REQUEST);
    cr_assert_eq(again, slot, "the place is used again");
    cr_assert_null(slots_find(&slots, number, SLOT_REQUEST), "its old number is not");
    slots_clear(&slots, &timers);
    timers_clear(&timers);
}

Test(slots, numbers_that_were_never_given_are_found_nowhere)
{
    struct timers timers = {0};
    struct slots slots;
    slots_init(&slots, MAX);
    cr_assert_null(slots_find(&slots, 0, SLOT_FREE));
    cr_assert_not_null(slots_take(&slots, &timers, NULL, SLOT_REQUEST));
    cr_assert_null(slots_find(&slots, UINT64_MAX, SLOT_REQUEST));
    cr_assert_null(slots_find(&slots, 5, SLOT_REQUEST));
    slots_clear(&slots, &timers);
    timers_clear(&timers);
}

Test(slots, end_at_their_limit_and_each_is_visited_once)
{
    struct timers timers = {0};
    struct slots slots;
    struct slot *taken[MAX];
    slots_init(&slots, MAX);
    for (int i = 0; i < MAX; i++) {
        taken[i] = slots_take(&slots, &timers, NULL, SLOT_COMMAND);
        timers_set(&timers, &taken[i]->timer, (uint64_t)i);
    }
    cr_assert_null(slots_take(&slots, &timers, NULL, SLOT_COMMAND));
    for (int i = 0; i < MAX; i += 2)
        slots_give(&slots, taken[i]);
    uint32_t at = 0;
    int visited = 0;
    for (struct slot *slot; (slot = slots_next(&slots, &at)) != NULL; visited++)
        slots_give(&slots, slot);
    cr_assert_eq(visited, MAX / 2);
    cr_assert_null(timers_take(&timers, UINT64_MAX - 1), "timers end with their slots");
    timers_set(&timers, &taken[1]->timer, 5);
    slots_clear(&slots, &timers);
    cr_assert_eq(timers.count, 0, "no entry outlives its memory");
    cr_assert_eq(timers.reserved, 0);
    timers_clear(&timers);
}
