/* test_health.c - how much a node doubts itself. */
#include "mesh/membership/health.h"

#include <criterion/criterion.h>

Test(health, stays_between_well_and_its_end)
{
    struct health health;
    health_init(&health, 8);
    health_improved(&health);
    cr_assert_eq(health.score, 0);
    health_worsened(&health, 5);
    health_worsened(&health, UINT32_MAX);
    cr_assert_eq(health.score, 8);
    health_worsened(&health, 1);
    cr_assert_eq(health.score, 8);
    health_improved(&health);
    cr_assert_eq(health.score, 7);
    health_reset(&health);
    cr_assert_eq(health.score, 0);
}

Test(health, stretches_times_by_score_plus_one)
{
    struct health health;
    health_init(&health, 8);
    cr_assert_eq(health_stretch_ns(&health, 500), 500);
    health_worsened(&health, 2);
    cr_assert_eq(health_stretch_ns(&health, 500), 1500);
}
