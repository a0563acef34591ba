/* test_timers.c - the heap of deadlines. */
#include <criterion/criterion.h>

#include "client/timers.h"

enum { COUNT = 300 };

/* Sets them all, to times drawn. */
static void set_all(struct timers *timers, struct timer all[COUNT])
{
    uint64_t random = 1;
    cr_assert(timers_reserve(timers, COUNT));
    for (int i = 0; i < COUNT; i++) {
        random = random * 6364136223846793005U + 1;
        timers_set(timers, &all[i], random >> 50);
    }
}

Test(timers, come_off_in_the_order_they_are_due)
{
    struct timers timers = {0};
    struct timer all[COUNT] = {0};
    set_all(&timers, all);
    for (int i = 0; i < COUNT; i += 3)
        timers_cancel(&all[i]);
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
    timers_cancel(&timer);
    timers_clear(&timers);
}

/* An entry that stands for an earlier time is found out when that has come. */
Test(timers, that_are_moved_on_or_cancelled_come_off_at_their_time_or_never)
{
    struct timers timers = {0};
    struct timer moved = {0}, cancelled = {0}, again = {0};
    cr_assert(timers_reserve(&timers, 3));
    timers_set(&timers, &moved, 10);
    timers_set(&timers, &cancelled, 11);
    timers_set(&timers, &again, 12);
    timers_set(&timers, &moved, 30);
    timers_cancel(&cancelled);
    timers_cancel(&again);
    timers_set(&timers, &again, 20);
    cr_assert_null(timers_take(&timers, 19));
    cr_assert_eq(timers_next_ns(&timers), 20, "what was looked at stands for its own time");
    cr_assert_eq(timers_take(&timers, 40), &again);
    timers_set(&timers, &moved, 5);
    cr_assert_eq(timers_next_ns(&timers), 5, "an earlier time counts at once");
    cr_assert_eq(timers_take(&timers, 5), &moved);
    cr_assert_null(timers_take(&timers, UINT64_MAX - 1));
    cr_assert_eq(timers.count, 0);
    timers_clear(&timers);
}

Test(timers, that_are_forgotten_leave_the_order_of_the_others)
{
    struct timers timers = {0};
    struct timer all[COUNT] = {0};
    set_all(&timers, all);
    for (int i = 0; i < COUNT; i += 2)
        timers_forget(&timers, &all[i]);
    cr_assert_eq(timers.count, COUNT / 2);
    uint64_t last = 0;
    for (struct timer *timer; (timer = timers_take(&timers, UINT64_MAX - 1)) != NULL;) {
        cr_assert_eq((timer - all) % 2, 1);
        cr_assert_geq(timer->due_ns, last);
        last = timer->due_ns;
    }
    timers_clear(&timers);
}
