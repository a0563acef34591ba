/* test_membership.c - the room as a whole, played on several nodes: finding each other, losing each
 * other, leaving, being refused. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/mesh/membership/world.h"

Test(membership, a_node_without_seeds_is_alone_at_once)
{
    struct world *world = world_new(1, 1);
    world_start(world, 0);
    cr_assert(membership_has_joined(world->nodes[0].room));
    cr_assert_eq(world->nodes[0].notices[NOTICE_ALONE], 1);
    cr_assert_eq(membership_alive(world->nodes[0].room), 1);
    world_destroy(&world);
}

Test(membership, two_nodes_join_in_milliseconds)
{
    struct world *world = world_new(2, 1);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 50));
    cr_assert_eq(world_told(world, 0, 1, MEMBER_EVENT_JOINED), 1);
    cr_assert_eq(world_told(world, 1, 0, MEMBER_EVENT_JOINED), 1);
    cr_assert_eq(world->nodes[1].notices[NOTICE_JOINED], 1);
    cr_assert_eq(world->nodes[1].notices[NOTICE_ALONE], 0);
    world_destroy(&world);
}

Test(membership, twenty_nodes_started_together_agree_within_two_seconds)
{
    struct world *world = world_new(20, 2);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    world_run_ms(world, 30000);
    cr_assert(world_agrees(world));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_SUSPECTED), 0);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(membership, a_killed_node_is_dead_everywhere_and_nobody_else_is)
{
    struct world *world = world_new(5, 3);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    world_kill(world, 3);
    cr_assert(world_run_until(world, world_agrees, 10000));
    for (uint32_t i = 0; i < 5; i++) {
        if (i != 3)
            cr_assert_eq(world_told(world, i, 3, MEMBER_EVENT_FAILED), 1);
    }
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 4);
    world_destroy(&world);
}

Test(membership, a_vanished_host_is_dead_everywhere)
{
    struct world *world = world_new(5, 4);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    world_vanish(world, 0);
    cr_assert(world_run_until(world, world_agrees, 10000));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 4);
    world_destroy(&world);
}

Test(membership, a_leaver_is_gone_at_once_and_nobody_calls_it_failed)
{
    struct world *world = world_new(5, 5);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    world_stop(world, 2);
    cr_assert(world_run_until(world, world_agrees, 50));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_LEFT), 4);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(membership, a_restart_wins_over_its_old_life)
{
    struct world *world = world_new(4, 6);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    uint64_t old = world_instance(world, 2);
    world_kill(world, 2);
    world_start(world, 2);
    cr_assert(world_run_until(world, world_agrees, 1000));
    cr_assert_neq(world_instance(world, 2), old);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_null(membership_find(world->nodes[i].room, old));
    world_destroy(&world);
}

static bool is_refused(struct world *world)
{
    enum mesh_notice_code code;
    struct span texts[2];
    return membership_is_refused(world->nodes[2].room, &code, texts);
}

Test(membership, a_live_members_name_is_refused_with_the_reason_on_both_sides)
{
    struct world *world = world_new(3, 7);
    world_start(world, 0);
    world_start(world, 1);
    world_run_ms(world, 1000);
    snprintf(world->nodes[2].name, WORLD_TEXT_BYTES, "n1");
    world_start(world, 2);
    cr_assert(world_run_until(world, is_refused, 3000));
    enum mesh_notice_code code;
    struct span texts[2];
    membership_is_refused(world->nodes[2].room, &code, texts);
    cr_assert_eq(code, NOTICE_MESH_REFUSED);
    cr_assert_eq(world->nodes[0].notices[NOTICE_REFUSED_PEER], 1);
    cr_assert_eq(world->nodes[2].notices[NOTICE_REFUSED_BY], 1);
    cr_assert_not_null(strstr(world->nodes[2].last_refusal, "n1"));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_REPLACED), 0);
    world_destroy(&world);
}

Test(membership, another_mesh_is_refused_with_the_reason_on_both_sides)
{
    struct world *world = world_new(3, 8);
    world_start(world, 0);
    snprintf(world->nodes[2].cluster, WORLD_TEXT_BYTES, "other");
    world_start(world, 2);
    cr_assert(world_run_until(world, is_refused, 3000));
    cr_assert_eq(world->nodes[0].notices[NOTICE_REFUSED_PEER], 1);
    cr_assert_eq(world->nodes[2].notices[NOTICE_REFUSED_BY], 1);
    cr_assert_not_null(strstr(world->nodes[2].last_refusal, "test"));
    cr_assert_eq(membership_alive(world->nodes[0].room), 1);
    world_destroy(&world);
}

Test(membership, seeds_that_come_up_later_are_found)
{
    struct world *world = world_new(2, 9);
    world_start(world, 1);
    world_run_ms(world, 2900);
    cr_assert(!membership_has_joined(world->nodes[1].room));
    world_run_ms(world, 60000);
    cr_assert(membership_has_joined(world->nodes[1].room));
    cr_assert_eq(world->nodes[1].notices[NOTICE_ALONE], 1);
    cr_assert_geq(world->nodes[1].notices[NOTICE_STILL_ALONE], 1);
    world_start(world, 0);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_destroy(&world);
}

Test(membership, two_lone_seeds_of_each_other_merge)
{
    struct world *world = world_new(2, 10);
    world_seed(world, 0, (uint32_t[]){1}, 1);
    world_start(world, 0);
    world_run_ms(world, 10000);
    world_start(world, 1);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_destroy(&world);
}

Test(membership, a_node_that_is_its_own_only_seed_is_alone)
{
    struct world *world = world_new(1, 11);
    world_seed(world, 0, (uint32_t[]){0}, 1);
    world_start(world, 0);
    world_run_ms(world, 5000);
    cr_assert(membership_has_joined(world->nodes[0].room));
    cr_assert_eq(membership_alive(world->nodes[0].room), 1);
    world_destroy(&world);
}

Test(membership, an_address_that_nobody_can_dial_is_said_at_once)
{
    struct world *world = world_new(3, 12);
    world_start(world, 0);
    world->nodes[2].is_unreachable = true;
    world_start(world, 2);
    world_run_ms(world, 4000);
    cr_assert_geq(world->nodes[2].notices[NOTICE_REFUSED_BY], 1);
    cr_assert_not_null(strstr(world->nodes[2].last_refusal, "advertise"));
    cr_assert_eq(membership_alive(world->nodes[0].room), 1);
    world_destroy(&world);
}

Test(membership, links_that_break_kill_nobody)
{
    struct world *world = world_new(4, 13);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    for (uint32_t a = 0; a < 4; a++) {
        for (uint32_t b = 0; b < 4; b++)
            world_reset_links(world, a, b);
    }
    world_run_ms(world, 10000);
    cr_assert(world_agrees(world));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(membership, the_same_seed_gives_the_same_bytes)
{
    uint64_t hashes[2];
    for (int run = 0; run < 2; run++) {
        struct world *world = world_new(6, 14);
        world->loss_percent = 10;
        world_start_all(world);
        world_run_ms(world, 20000);
        hashes[run] = world->hash;
        world_destroy(&world);
    }
    cr_assert_eq(hashes[0], hashes[1]);
}

Test(membership, members_are_listed_by_name_with_this_node_first)
{
    struct world *world = world_new(4, 15);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 2000));
    const char *const names[] = {"n2", "n0", "n1", "n3"};
    const struct member *member = NULL;
    for (int i = 0; i < 4; i++) {
        member = membership_next(world->nodes[2].room, member);
        cr_assert_not_null(member);
        cr_assert_str_eq(member->name, names[i]);
        cr_assert_eq(member->is_self, i == 0);
        cr_assert_eq(member->link == MESH_LINK_NONE, i == 0);
    }
    cr_assert_null(membership_next(world->nodes[2].room, member));
    world_destroy(&world);
}

Test(membership, what_a_node_publishes_is_known_to_the_others)
{
    struct world *world = world_new(3, 16);
    world_start_all(world);
    membership_publish(world->nodes[1].room, 42, 1500, 7);
    cr_assert(world_run_until(world, world_agrees, 2000));
    world_run_ms(world, 5000);
    const struct member *member = membership_find(world->nodes[2].room, world_instance(world, 1));
    cr_assert_eq(member->sessions, 42);
    cr_assert_eq(member->lag_us, 1500);
    cr_assert_gt(member->rtt_us, 500);
    cr_assert_lt(member->rtt_us, 3000);
    cr_assert_eq(world_told(world, 2, 1, MEMBER_EVENT_LOG_HEAD), 1);
    world_destroy(&world);
}
