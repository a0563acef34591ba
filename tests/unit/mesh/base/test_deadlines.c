/* test_deadlines.c - never early, at most a tick late, in order; against a plain array. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "mesh/base/deadlines.h"
#include "mesh/base/random.h"

static const uint64_t tick_ns = UINT64_C(1) << 20;

static struct deadlines *deadlines_new(uint64_t now_ns)
{
    struct deadlines *deadlines = calloc(1, deadlines_bytes());
    deadlines_init(deadlines, now_ns);
    return deadlines;
}

Test(deadlines, are_due_not_before_their_time_and_a_tick_after)
{
    const uint64_t starts[] = {0, 1, UINT64_C(1000000007), UINT64_C(1) << 62};
    const uint64_t spans[] = {1, 999, 1000000, 68000000, UINT64_C(5000000000), UINT64_C(1) << 50};
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
            struct deadlines *deadlines = deadlines_new(starts[s]);
            struct deadline entry = {.slot = 7};
            uint64_t at_ns = starts[s] + spans[i];
            deadlines_set(deadlines, &entry, at_ns);
            cr_assert(deadline_is_set(&entry));
            cr_assert_null(deadlines_next_due(deadlines, at_ns - 1));
            cr_assert_eq(deadlines_next_due(deadlines, at_ns + tick_ns), &entry);
            cr_assert(!deadline_is_set(&entry));
            cr_assert_eq(entry.slot, 7);
            cr_assert_eq(deadlines_earliest_ns(deadlines), UINT64_MAX);
            free(deadlines);
        }
    }
}

Test(deadlines, of_one_tick_come_in_the_order_of_setting)
{
    struct deadlines *deadlines = deadlines_new(0);
    struct deadline entries[6] = {0};
    uint64_t at_ns = 100000 * tick_ns;
    for (size_t i = 0; i < 3; i++)
        deadlines_set(deadlines, &entries[i], at_ns);
    /* Time comes near: the later ones start on a lower level than the first. */
    cr_assert_null(deadlines_next_due(deadlines, at_ns - 10 * tick_ns));
    for (size_t i = 3; i < 6; i++)
        deadlines_set(deadlines, &entries[i], at_ns - i);
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(deadlines_next_due(deadlines, at_ns + 50 * tick_ns), &entries[i]);
    cr_assert_null(deadlines_next_due(deadlines, UINT64_MAX));
    free(deadlines);
}

Test(deadlines, can_be_moved_and_cancelled)
{
    struct deadlines *deadlines = deadlines_new(0);
    struct deadline entry = {0};
    struct deadline other = {0};
    deadlines_cancel(deadlines, &entry);
    deadlines_set(deadlines, &entry, 10 * tick_ns);
    deadlines_set(deadlines, &other, 10 * tick_ns);
    deadlines_set(deadlines, &entry, 20 * tick_ns);
    cr_assert_eq(deadlines_next_due(deadlines, 15 * tick_ns), &other);
    cr_assert_null(deadlines_next_due(deadlines, 15 * tick_ns));
    deadlines_cancel(deadlines, &entry);
    cr_assert(!deadline_is_set(&entry));
    cr_assert_eq(deadlines_earliest_ns(deadlines), UINT64_MAX);
    cr_assert_null(deadlines_next_due(deadlines, UINT64_MAX));
    free(deadlines);
}

Test(deadlines, that_are_due_can_still_be_cancelled)
{
    struct deadlines *deadlines = deadlines_new(0);
    struct deadline entries[3] = {0};
    for (size_t i = 0; i < 3; i++)
        deadlines_set(deadlines, &entries[i], tick_ns);
    cr_assert_eq(deadlines_next_due(deadlines, tick_ns), &entries[0]);
    deadlines_cancel(deadlines, &entries[1]);
    cr_assert_eq(deadlines_next_due(deadlines, tick_ns), &entries[2]);
    cr_assert_null(deadlines_next_due(deadlines, tick_ns));
    free(deadlines);
}

Test(deadlines, set_again_to_now_do_not_hold_the_caller)
{
    struct deadlines *deadlines = deadlines_new(0);
    struct deadline entry = {0};
    for (uint64_t now_ns = 0; now_ns < 100 * tick_ns; now_ns += tick_ns / 2) {
        int taken = 0;
        deadlines_set(deadlines, &entry, 0);
        while (deadlines_next_due(deadlines, now_ns) != NULL) {
            deadlines_set(deadlines, &entry, now_ns);
            cr_assert_leq(++taken, 2);
        }
    }
    free(deadlines);
}

Test(deadlines, beyond_all_time_never_come)
{
    struct deadlines *deadlines = deadlines_new(5);
    struct deadline entry = {0};
    deadlines_set(deadlines, &entry, UINT64_MAX);
    cr_assert_null(deadlines_next_due(deadlines, UINT64_MAX / 2));
    cr_assert_gt(deadlines_earliest_ns(deadlines), UINT64_MAX / 2);
    free(deadlines);
}

/* How often one has to wake up until so many entries, far away, are due. */
static int wakings_of(size_t count)
{
    struct deadlines *deadlines = deadlines_new(0);
    struct deadline entries[8] = {0};
    int wakings = 0;
    uint64_t now_ns = 0;
    for (size_t i = 0; i < count; i++)
        deadlines_set(deadlines, &entries[i], UINT64_C(10000000000000) + i);
    while (deadlines_next_due(deadlines, now_ns) == NULL) {
        uint64_t next_ns = deadlines_earliest_ns(deadlines);
        cr_assert_gt(next_ns, now_ns);
        now_ns = next_ns;
        wakings++;
    }
    cr_assert_geq(now_ns, UINT64_C(10000000000000));
    free(deadlines);
    return wakings;
}

Test(deadlines, far_away_are_reached_in_a_few_wakings_and_few_of_them_in_one)
{
    cr_assert_eq(wakings_of(1), 1);
    cr_assert_eq(wakings_of(4), 1);
    cr_assert_leq(wakings_of(8), 8);
}

enum { ENTRIES = 200 };

struct model {
    struct random random;
    struct deadlines *deadlines;
    struct deadline entries[ENTRIES];
    bool is_set[ENTRIES];
    uint64_t now_ns;
};

static void model_set_one(struct model *model)
{
    size_t i = (size_t)random_below(&model->random, ENTRIES);
    if (random_below(&model->random, 4) == 0) {
        deadlines_cancel(model->deadlines, &model->entries[i]);
        model->is_set[i] = false;
        return;
    }
    uint64_t reach_ns = UINT64_C(1) << random_below(&model->random, 45);
    deadlines_set(model->deadlines, &model->entries[i],
                  model->now_ns + random_below(&model->random, reach_ns));
    model->is_set[i] = true;
}

/* Takes out what is due; then nothing that has been due for a tick may be left. */
static void model_take_due(struct model *model)
{
    uint64_t last_tick = 0;
    struct deadline *entry;
    while ((entry = deadlines_next_due(model->deadlines, model->now_ns)) != NULL) {
        cr_assert(model->is_set[entry - model->entries]);
        cr_assert_leq(entry->at_ns, model->now_ns, "early");
        uint64_t tick = (entry->at_ns + tick_ns - 1) / tick_ns;
        cr_assert_geq(tick, last_tick, "out of order");
        last_tick = tick;
        model->is_set[entry - model->entries] = false;
    }
    uint64_t earliest_ns = UINT64_MAX;
    for (size_t i = 0; i < ENTRIES; i++) {
        cr_assert_eq(deadline_is_set(&model->entries[i]), model->is_set[i]);
        if (model->is_set[i] && model->entries[i].at_ns < earliest_ns)
            earliest_ns = model->entries[i].at_ns;
    }
    cr_assert(earliest_ns == UINT64_MAX || earliest_ns + tick_ns > model->now_ns, "late");
    uint64_t next_ns = deadlines_earliest_ns(model->deadlines);
    cr_assert_gt(next_ns, model->now_ns);
    cr_assert(earliest_ns == UINT64_MAX ? next_ns == UINT64_MAX : next_ns < earliest_ns + tick_ns);
}

Test(deadlines, behave_like_an_array_under_any_sequence_of_calls)
{
    for (uint8_t round = 0; round < 10; round++) {
        const uint8_t seed[32] = {round};
        struct model model = {0};
        random_init(&model.random, seed, 0);
        model.now_ns = random_below(&model.random, UINT64_C(1) << 60);
        model.deadlines = deadlines_new(model.now_ns);
        model_take_due(&model);
        for (int step = 0; step < 5000; step++) {
            for (uint64_t i = random_below(&model.random, 4); i > 0; i--)
                model_set_one(&model);
            model.now_ns +=
                random_below(&model.random, UINT64_C(1) << random_below(&model.random, 44));
            model_take_due(&model);
        }
        free(model.deadlines);
    }
}
