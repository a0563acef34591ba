#include "daemon/bearers.h"

#include "daemon/curve.h"
#include "tests/unit/daemon/world.h"

#include <criterion/criterion.h>

TestSuite(bearers, .init = world_open_keys, .fini = world_close);

Test(bearers, are_told_with_their_frames)
{
    void *client = world_dial_as(CHANNEL_CLIENT, "ana"), *peer = world_dial_as(CHANNEL_GOSSIP, "b");
    world_send(client, "hello", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    const struct mesh_input *input = &fake_core_last(MESH_FRAME)->input;
    cr_assert(span_equal(input->owner, span_text("ana")));
    cr_assert(span_equal(input->owner_roles, span_text("trader")));
    world_send(peer, "ping", 0);
    cr_assert(world_until_told(MESH_FRAME, 2));
    cr_assert(span_equal(fake_core_last(MESH_FRAME)->input.owner, span_text("b")));
}

Test(bearers, of_strange_keys_or_of_none_are_not_heard)
{
    void *sockets[] = {
        world_dial_as(CHANNEL_GOSSIP, "stranger"), world_dial_as(CHANNEL_GOSSIP, "ana"),
        world_dial_as(CHANNEL_CLIENT, "b"),        world_dial(CHANNEL_GOSSIP, NULL),
        world_dial(CHANNEL_CLIENT, NULL),
    };
    for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
        world_send(sockets[i], "hello", 0);
    cr_assert(world_until_counted(COUNTER_connections_failed, 5));
    cr_assert_eq(fake_core_told(MESH_FRAME), 0);
}

Test(bearers, whose_key_is_taken_away_end_each_in_its_way)
{
    void *client = world_dial_as(CHANNEL_CLIENT, "ana"), *peer = world_dial_as(CHANNEL_GOSSIP, "b");
    world_send(client, "hello", 0);
    world_send(peer, "ping", 0);
    cr_assert(world_until_told(MESH_FRAME, 2));
    struct keyring *fresh = world_keyring("a", NULL);
    fresh->clients.count = 0;
    zap_swap(&world.zap, fresh);
    bearers_review(&world.guard, fresh, &world.facts);
    cr_assert_eq(fake_core_told(MESH_CONNECTION_REVOKED), 1);
    cr_assert_eq(fake_core_last(MESH_CONNECTION_REVOKED)->input.channel, CHANNEL_CLIENT);
    cr_assert(world_until_told(MESH_CONNECTION_LOST, 1));
    cr_assert_eq(fake_core_last(MESH_CONNECTION_LOST)->input.channel, CHANNEL_GOSSIP);
    cr_assert_eq(fake_core_counted(COUNTER_keys_revoked), 2);
    world_take(&fresh);
}

Test(bearers, that_stay_have_the_new_words_of_their_owner)
{
    void *client = world_dial_as(CHANNEL_CLIENT, "ana");
    world_send(client, "one", 0);
    cr_assert(world_until_told(MESH_FRAME, 1));
    struct keyring *fresh = world_keyring("a", "b", NULL);
    memcpy(fresh->clients.list[0].roles, "admin", sizeof("admin"));
    bearers_review(&world.guard, fresh, &world.facts);
    zap_swap(&world.zap, fresh);
    world_send(client, "two", 0);
    cr_assert(world_until_told(MESH_FRAME, 2));
    cr_assert(span_equal(fake_core_last(MESH_FRAME)->input.owner_roles, span_text("admin")));
    world_take(&fresh);
}

Test(bearers, who_shook_hands_before_its_key_was_taken_away_is_judged_when_it_speaks)
{
    void *client = world_dial_as(CHANNEL_CLIENT, "ana");
    struct keyring *fresh = world_keyring("a", "b", NULL);
    cr_assert(world_until_counted(COUNTER_connections_accepted, 1));
    world_turn_for(200); /* the handshake ends */
    fresh->clients.count = 0;
    bearers_review(&world.guard, fresh, &world.facts);
    cr_assert_eq(fake_core_told(MESH_CONNECTION_REVOKED), 0);
    world_send(client, "hello", 0);
    cr_assert(world_until_counted(COUNTER_keys_revoked, 1));
    cr_assert_eq(fake_core_told(MESH_FRAME), 0);
    world_take(&fresh);
}
