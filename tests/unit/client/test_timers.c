/* test_timers.c - the heap of deadlines. */
#include <criterion/criterion.h>

#include "client/timers.h"

enum { COUNT = 300 };

Test(timers, come_off_in_the_order_they_are_due)
{
    struct timers timers = {0};
    struct timer all[COUNT] = {0};
    cr_assert(timers_reserve(&timers, COUNT));
    uint64_t random = 1;
    for (int i = 0; i < COUNT; i++) {
        random = random * 6364136223846793005U + 1;
        timers_set(&timers, &all[i], random >> 50);
    }
    for (int i = 0; i < COUNT; i += 3)
        timers_cancel(&timers, &all[i]);
    for (int i = 1; i < COUNT; i += 3)
        timers_set(&timers, &all[i], all[i].due_ns / 2);
    uint64_t last = 0;
    int taken = 0;
    for (struct timer *timer; (timer = timers_take(&timers, UINT64_MAX - 1)) != NULL; taken++) {
        cr_assert_geq(timer->due_ns, last);
        last = timer->due_ns;
    }
    cr_assert_eq(taken, COUNT - COUNT / 3);
    timers_clear(&timers);
}

Test(timers, none_comes_off_before_its_time)
{
    struct timers timers = {0};
    struct timer timer = {0};
    cr_assert(timers_reserve(&timers, 1));
    cr_assert_eq(timers_next_ns(&timers), UINT64_MAX);
    timers_set(&timers, &timer, 10);
    cr_assert_eq(timers_next_ns(&timers), 10);
    cr_assert_null(timers_take(&timers, 9));
    cr_assert_eq(timers_take(&timers, 10), &timer);
    timers_cancel(&timers, &timer);
    timers_clear(&timers);
}
