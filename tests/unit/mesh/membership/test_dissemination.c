/* test_dissemination.c - which news goes into the next frame. */
#include "mesh/membership/dissemination.h"

#include <criterion/criterion.h>

enum { RECORD_BYTES = 50, SENDS = 8 };

static struct memory memory = {.limit[MEMORY_MEMBERS] = 1 << 24};

static struct dissemination *news_new(void)
{
    static struct dissemination all;
    dissemination_init(&all, &memory, 42);
    return &all;
}

static void news_end(struct dissemination *all)
{
    dissemination_clear(all);
    cr_assert_eq(memory.used[MEMORY_MEMBERS], 0);
}

/* Fills one frame; lists who went into it. */
static uint32_t fill(struct dissemination *all, size_t bytes, uint32_t *whos, size_t record_bytes)
{
    struct dissemination_frame frame;
    const struct news *news;
    uint32_t count = 0;
    dissemination_start(all, &frame, bytes);
    while ((news = dissemination_offer(all, &frame)) != NULL) {
        if (dissemination_fits(&frame, record_bytes)) {
            whos[count++] = news->who;
            dissemination_accept(all, &frame, news->who, record_bytes, SENDS);
        } else {
            dissemination_reject(&frame);
        }
    }
    return count;
}

Test(dissemination, sends_grow_with_the_decimal_digits_of_the_mesh)
{
    cr_assert_eq(dissemination_sends(4, 2), 8);
    cr_assert_eq(dissemination_sends(4, 9), 8);
    cr_assert_eq(dissemination_sends(4, 10), 8);
    cr_assert_eq(dissemination_sends(4, 100), 12);
    cr_assert_eq(dissemination_sends(4, 1000), 16);
    cr_assert_eq(dissemination_sends(4, 10000), 20);
    cr_assert_lt(dissemination_sends(1000, 10000), NEWS_SENDS_MAX);
}

Test(dissemination, each_piece_is_sent_so_often_and_then_gone)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    dissemination_put(all, 3, NEWS_URGENT, false);
    for (uint32_t i = 0; i < SENDS; i++)
        cr_assert_eq(fill(all, 1200, whos, RECORD_BYTES), 1);
    cr_assert(dissemination_is_empty(all));
    cr_assert_eq(fill(all, 1200, whos, RECORD_BYTES), 0);
    news_end(all);
}

Test(dissemination, the_least_sent_goes_first)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    dissemination_put(all, 1, NEWS_URGENT, false);
    fill(all, 1200, whos, RECORD_BYTES);
    dissemination_put(all, 2, NEWS_URGENT, false);
    cr_assert_eq(fill(all, RECORD_BYTES, whos, RECORD_BYTES), 1);
    cr_assert_eq(whos[0], 2);
    news_end(all);
}

Test(dissemination, newer_news_of_a_member_starts_anew_and_stays_full)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    dissemination_put(all, 1, NEWS_JOIN, true);
    fill(all, 1200, whos, RECORD_BYTES);
    dissemination_put(all, 1, NEWS_URGENT, false);
    cr_assert_eq(all->count, 1);
    struct dissemination_frame frame;
    dissemination_start(all, &frame, 1200);
    const struct news *news = dissemination_offer(all, &frame);
    cr_assert_eq(news->sends, 0);
    cr_assert_eq(news->class, NEWS_URGENT);
    cr_assert(news->is_full);
    news_end(all);
}

Test(dissemination, a_flood_of_deaths_leaves_joins_their_share)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    for (uint32_t who = 0; who < 500; who++)
        dissemination_put(all, who, NEWS_URGENT, false);
    dissemination_put(all, 1000, NEWS_JOIN, true);
    uint32_t count = fill(all, 1200, whos, RECORD_BYTES);
    cr_assert_eq(count, 24);
    uint32_t joins = 0;
    for (uint32_t i = 0; i < count; i++)
        joins += whos[i] == 1000 ? 1 : 0;
    cr_assert_eq(joins, 1);
    news_end(all);
}

Test(dissemination, a_flood_of_joins_leaves_deaths_the_first_place)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    for (uint32_t who = 0; who < 2000; who++)
        dissemination_put(all, who, NEWS_JOIN, true);
    dissemination_put(all, 5000, NEWS_URGENT, false);
    cr_assert_gt(fill(all, 1200, whos, 120), 3);
    cr_assert_eq(whos[0], 5000);
    news_end(all);
}

Test(dissemination, a_join_larger_than_its_share_gets_through_a_flood)
{
    struct dissemination *all = news_new();
    struct dissemination_frame frame;
    const struct news *news;
    bool is_sent = false;
    for (uint32_t who = 0; who < 500; who++)
        dissemination_put(all, who, NEWS_URGENT, false);
    dissemination_put(all, 1000, NEWS_JOIN, true);
    dissemination_start(all, &frame, 1200);
    while ((news = dissemination_offer(all, &frame)) != NULL) {
        uint32_t who = news->who;
        size_t bytes = who == 1000 ? 300 : RECORD_BYTES;
        if (dissemination_fits(&frame, bytes)) {
            dissemination_accept(all, &frame, who, bytes, SENDS);
            is_sent |= who == 1000;
        } else {
            dissemination_reject(&frame);
        }
    }
    cr_assert(is_sent);
    news_end(all);
}

Test(dissemination, nothing_goes_twice_into_one_frame)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    dissemination_put(all, 1, NEWS_URGENT, false);
    dissemination_put(all, 2, NEWS_JOIN, true);
    cr_assert_eq(fill(all, 1200, whos, RECORD_BYTES), 2);
    cr_assert_neq(whos[0], whos[1]);
    news_end(all);
}

Test(dissemination, what_is_taken_back_is_not_sent)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    dissemination_put(all, 1, NEWS_URGENT, false);
    dissemination_remove(all, 1);
    dissemination_remove(all, 1);
    cr_assert_eq(fill(all, 1200, whos, RECORD_BYTES), 0);
    news_end(all);
}

Test(dissemination, without_memory_news_is_dropped_and_nothing_breaks)
{
    struct dissemination *all = news_new();
    uint32_t whos[64];
    memory.limit[MEMORY_MEMBERS] = 0;
    dissemination_put(all, 1, NEWS_URGENT, false);
    memory.limit[MEMORY_MEMBERS] = 1 << 24;
    cr_assert(dissemination_is_empty(all));
    dissemination_put(all, 1, NEWS_URGENT, false);
    cr_assert_eq(fill(all, 1200, whos, RECORD_BYTES), 1);
    news_end(all);
}
