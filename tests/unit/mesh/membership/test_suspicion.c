/* test_suspicion.c - how long a suspicion lasts. */
#include "mesh/membership/suspicion.h"

#include <criterion/criterion.h>

#define MS_NS UINT64_C(1000000)

static struct gossip_config config(void)
{
    struct mesh_config mesh;
    mesh_config_defaults(&mesh);
    return mesh.gossip;
}

static struct suspicion suspected_by(uint32_t accusers)
{
    struct suspicion suspicion = {.started_ns = 5 * MS_NS};
    for (uint32_t i = 0; i < accusers; i++)
        witnesses_add(&suspicion.accusers, 100 + i);
    return suspicion;
}

static uint64_t lasts_ms(uint32_t accusers, uint32_t members)
{
    const struct gossip_config gossip = config();
    const struct suspicion suspicion = suspected_by(accusers);
    return (suspicion_ends_ns(&suspicion, &gossip, members) - suspicion.started_ns) / MS_NS;
}

Test(suspicion, logarithms_are_right_to_two_thousandths)
{
    static const uint32_t known[][2] = {
        {0, 0},       {1, 0},        {2, 301},      {3, 477},        {10, 1000},
        {32, 1505},   {99, 1995},    {100, 2000},   {1000, 3000},    {2500, 3397},
        {9999, 3999}, {10000, 4000}, {65536, 4816}, {1000000, 6000}, {UINT32_MAX, 9632},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t log = suspicion_log10_milli(known[i][0]);
        cr_assert(log <= known[i][1] && log + 2 >= known[i][1], "log10(%u)", known[i][0]);
    }
    for (uint32_t n = 1; n < 100000; n++)
        cr_assert_leq(suspicion_log10_milli(n), suspicion_log10_milli(n + 1));
}

Test(suspicion, the_minimum_is_three_periods_to_100_nodes_and_six_at_10000)
{
    const struct gossip_config gossip = config();
    cr_assert_eq(suspicion_min_ns(&gossip, 2), 1500 * MS_NS);
    cr_assert_eq(suspicion_min_ns(&gossip, 100), 1500 * MS_NS);
    uint64_t large_ms = suspicion_min_ns(&gossip, 10000) / MS_NS;
    cr_assert(large_ms > 2990 && large_ms <= 3000);
}

Test(suspicion, two_nodes_have_nobody_to_confirm_and_use_the_minimum)
{
    cr_assert_eq(lasts_ms(1, 2), 1500);
    cr_assert_eq(lasts_ms(1, 1), 1500);
    cr_assert_eq(lasts_ms(1, 0), 1500);
}

Test(suspicion, each_confirmation_shortens_it_by_the_lifeguard_rule)
{
    cr_assert_eq(lasts_ms(1, 100), 9000);
    cr_assert_eq(lasts_ms(2, 100), 5250);
    cr_assert_eq(lasts_ms(3, 100), 3060);
    cr_assert_eq(lasts_ms(4, 100), 1500);
    cr_assert_eq(lasts_ms(6, 100), 1500);
    cr_assert_eq(lasts_ms(2, 3), 1500);
}

Test(suspicion, our_own_sleep_does_not_count_against_the_suspect)
{
    const struct gossip_config gossip = config();
    struct suspicion suspicion = suspected_by(4);
    uint64_t before_ns = suspicion_ends_ns(&suspicion, &gossip, 50);
    suspicion.slept_ns = 700 * MS_NS;
    cr_assert_eq(suspicion_ends_ns(&suspicion, &gossip, 50), before_ns + 700 * MS_NS);
}
