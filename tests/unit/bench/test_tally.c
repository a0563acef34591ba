#include "bench/tally.h"

#include <criterion/criterion.h>

Test(tally, sums_are_those_of_all_processes)
{
    static struct tally one, other;
    one = (struct tally){.sent = 3, .checks = {.lost = 1, .corrupt = 2}};
    other = (struct tally){.sent = 4, .checks = {.lost = 10, .no_outcome = 5}};
    tally_outcome(&one, WEFT_OK);
    tally_outcome(&other, WEFT_OK);
    tally_outcome(&other, WEFT_TIMEOUT);
    one.answered[2] = 1;
    other.answered[2] = 7;
    histogram_add(&one.latency, 10);
    histogram_add(&other.latency, 30);
    tally_add(&one, &other);
    cr_assert_eq(one.sent, 7);
    cr_assert_eq(one.outcomes[WEFT_OK], 2);
    cr_assert_eq(one.outcomes[WEFT_TIMEOUT], 1);
    cr_assert_eq(one.answered[2], 8);
    cr_assert_eq(one.checks.lost, 11);
    cr_assert_eq(one.checks.corrupt, 2);
    cr_assert_eq(one.checks.no_outcome, 5);
    cr_assert_eq(one.latency.count, 2);
    cr_assert_eq(one.latency.max, 30);
}

Test(tally, outcomes_beyond_the_table_count_in_its_last_place)
{
    static struct tally tally;
    tally_outcome(&tally, BENCH_OUTCOMES + 1000);
    cr_assert_eq(tally.outcomes[BENCH_OUTCOMES - 1], 1);
}

Test(tally, holds_only_if_something_was_sent_and_nothing_broken)
{
    static struct tally tally;
    cr_assert(!tally_has_held(&tally), "nothing was sent");
    tally.sent = 1;
    cr_assert(tally_has_held(&tally));
    tally.checks.reordered = 1;
    cr_assert(!tally_has_held(&tally));
}

Test(tally_window, a_repeat_is_a_duplicate_also_when_others_came_between)
{
    struct tally_window window = {0, 0};
    for (uint64_t sequence = 1; sequence <= 10; sequence++)
        cr_assert_eq(tally_window_admit(&window, sequence), TALLY_FRESH);
    for (uint64_t sequence = 1; sequence <= 10; sequence++)
        cr_assert_eq(tally_window_admit(&window, sequence), TALLY_DUPLICATE);
}

Test(tally_window, one_that_was_overtaken_is_reordered_and_then_known)
{
    struct tally_window window = {0, 0};
    (void)tally_window_admit(&window, 5);
    cr_assert_eq(tally_window_admit(&window, 3), TALLY_REORDERED);
    cr_assert_eq(tally_window_admit(&window, 3), TALLY_DUPLICATE);
    cr_assert_eq(tally_window_admit(&window, 5), TALLY_DUPLICATE);
    cr_assert_eq(tally_window_admit(&window, 6), TALLY_FRESH);
}

Test(tally_window, the_first_and_the_last_place_of_the_window_are_in_it)
{
    struct tally_window window = {0, 0};
    (void)tally_window_admit(&window, 1);
    (void)tally_window_admit(&window, 64);
    cr_assert_eq(tally_window_admit(&window, 1), TALLY_DUPLICATE);
    (void)tally_window_admit(&window, 65);
    cr_assert_eq(tally_window_admit(&window, 1), TALLY_REORDERED, "it has left the window");
    cr_assert_eq(tally_window_admit(&window, 64), TALLY_DUPLICATE);
    (void)tally_window_admit(&window, 1000);
    cr_assert_eq(tally_window_admit(&window, 999), TALLY_REORDERED, "a leap forgets the rest");
}

Test(tally_lost, is_what_was_answered_and_seen_by_nobody_cell_by_cell)
{
    uint64_t answered[] = {5, 0, 7}, seen[] = {5, 3, 4};
    const struct tally_marks marks = {answered, seen};
    cr_assert_eq(tally_lost(&marks, 3), 3, "what one handler saw too much makes up for nothing");
    cr_assert_eq(tally_lost(&marks, 2), 0);
}
