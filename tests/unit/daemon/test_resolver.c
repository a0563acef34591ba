#include "daemon/resolver.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>

TestSuite(resolver, .init = world_open, .fini = world_close);

static void ask(uint32_t seed, const char *text)
{
    struct address name;
    cr_assert(address_parse(text, 7311, &name));
    resolver_ask(&world.resolver, &world.facts, &world.batch, seed, &name);
}

Test(resolver, a_number_is_answered_at_once_and_without_a_thread)
{
    ask(2, "127.0.0.1:99");
    cr_assert_eq(fake_core_told(MESH_SEED_RESOLVED), 1);
    cr_assert_str_eq(fake_core_last(MESH_SEED_RESOLVED)->text, "127.0.0.1:99");
    cr_assert_eq(fake_core_last(MESH_SEED_RESOLVED)->input.seed, 2);
    cr_assert_null(world.resolver.actor);
}

Test(resolver, a_name_is_answered_by_the_thread)
{
    ask(1, "localhost:99");
    ask(2, "localhost");
    cr_assert(world_until_told(MESH_SEED_RESOLVED, 2));
    cr_assert_not_null(strstr(fake_core_facts[0].text, "127.0.0.1:99") != NULL
                           ? fake_core_facts[0].text
                           : strstr(fake_core_facts[1].text, ":99"));
    cr_assert_eq(fake_core_counted(COUNTER_seeds_resolved), 2);
    cr_assert_eq(world.resolver.under_way, 0);
}

Test(resolver, a_name_that_is_not_known_is_answered_empty, .timeout = 60)
{
    ask(0, "no-such-host.invalid");
    uint64_t until_ns = clock_now_ns() + 40 * CLOCK_S_NS;
    while (fake_core_told(MESH_SEED_RESOLVED) == 0 && clock_now_ns() < until_ns)
        world_turn();
    cr_assert_eq(fake_core_last(MESH_SEED_RESOLVED)->input.bytes.bytes, 0);
    cr_assert_eq(fake_core_counted(COUNTER_seeds_failed), 1);
}
