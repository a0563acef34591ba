#include "daemon/refused.h"

#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(refused, .init = world_open, .fini = world_close);

Test(refused, a_port_where_nobody_listens_is_refused)
{
    char address[64];
    snprintf(address, sizeof(address), "127.0.0.1:%u", world.ports.listen.port + 3u);
    refused_probe(&world.refused, &world.facts, 5, span_text(address));
    cr_assert(world_until_told(MESH_LINK_REFUSED, 1));
    cr_assert_eq(fake_core_last(MESH_LINK_REFUSED)->input.link, 5);
    cr_assert_eq(world.refused.open, 0);
}

Test(refused, a_port_where_somebody_listens_is_not)
{
    refused_probe(&world.refused, &world.facts, 5,
                  span_text(world.ports.advertised[CHANNEL_GOSSIP]));
    world_turn_for(200);
    cr_assert_eq(fake_core_told(MESH_LINK_REFUSED), 0);
    cr_assert_eq(world.refused.open, 0);
}

Test(refused, a_bad_address_is_no_harm)
{
    refused_probe(&world.refused, &world.facts, 5, span_text("example.org:1"));
    refused_probe(&world.refused, &world.facts, 5, span_text(""));
    cr_assert_eq(fake_core_told(MESH_LINK_REFUSED), 0);
    cr_assert_eq(world.refused.open, 0);
}
