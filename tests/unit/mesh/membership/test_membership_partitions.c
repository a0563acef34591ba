/* test_membership_partitions.c - splits and bad links: both sides go on, and heal alone. */
#include <criterion/criterion.h>

#include "tests/unit/mesh/membership/world.h"

static struct world *mesh_of(uint32_t count, uint64_t seed)
{
    struct world *world = world_new(count, seed);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_run_ms(world, 2000);
    return world;
}

/* Splits, waits, heals: one view, and nobody died of the merge. */
static void split_heals(uint32_t count, uint32_t first, uint64_t ms, uint64_t seed)
{
    struct world *world = mesh_of(count, seed);
    world_split(world, first);
    world_run_ms(world, ms);
    uint32_t deaths = world_told_anywhere(world, MEMBER_EVENT_FAILED);
    world_heal(world);
    cr_assert(world_run_until(world, world_agrees, 15000));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), deaths);
    world_run_ms(world, 10000);
    cr_assert(world_agrees(world));
    world_destroy(&world);
}

Test(partitions, halves_heal_after_ten_seconds)
{
    split_heals(10, 5, 10000, 1);
}

Test(partitions, halves_heal_after_ten_minutes)
{
    split_heals(6, 3, 600000, 2);
}

Test(partitions, halves_heal_after_25_hours_when_the_dead_are_forgotten)
{
    struct world *world = world_new(4, 3);
    for (uint32_t i = 0; i < 4; i++) {
        world->nodes[i].config.gossip.tombstone_h = 1; /* 25 virtual hours take too long */
        world_seed(world, i, (uint32_t[]){0, 2}, 2);
    }
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_split(world, 2);
    world_run_ms(world, UINT64_C(3700000));
    cr_assert_eq(world_state(world, 0, 3), 0);
    world_heal(world);
    cr_assert(world_run_until(world, world_agrees, 15000));
    world_destroy(&world);
}

Test(partitions, one_against_all_heals)
{
    split_heals(10, 1, 20000, 4);
}

Test(partitions, a_single_node_without_the_seeds_heals)
{
    split_heals(10, 9, 20000, 5);
}

Test(partitions, a_split_of_two_heals)
{
    split_heals(2, 1, 30000, 6);
}

Test(partitions, three_parts_heal)
{
    struct world *world = mesh_of(9, 7);
    world_split(world, 3);
    for (uint32_t a = 3; a < 6; a++) {
        for (uint32_t b = 6; b < 9; b++) {
            world_cut(world, a, b);
            world_cut(world, b, a);
        }
    }
    world_run_ms(world, 20000);
    uint32_t deaths = world_told_anywhere(world, MEMBER_EVENT_FAILED);
    cr_assert_eq(deaths, 9 * 6);
    world_heal(world);
    cr_assert(world_run_until(world, world_agrees, 15000));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), deaths);
    world_destroy(&world);
}

Test(partitions, a_split_shorter_than_a_suspicion_is_no_death)
{
    struct world *world = mesh_of(8, 8);
    world_split(world, 4);
    world_run_ms(world, 1200);
    world_heal(world);
    world_run_ms(world, 15000);
    cr_assert(world_agrees(world));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(partitions, one_way_between_two_is_no_death_while_others_reach_both)
{
    struct world *world = mesh_of(8, 9);
    world_cut(world, 2, 5);
    world_run_ms(world, 30000);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(partitions, two_that_cannot_reach_each_other_but_all_others_are_no_deaths)
{
    struct world *world = mesh_of(8, 10);
    world_cut(world, 2, 5);
    world_cut(world, 5, 2);
    world_run_ms(world, 60000);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

/* What a member sends arrives nowhere, 20 s of each 40. */
Test(partitions, a_one_way_cut_that_comes_and_goes_is_one_death_and_one_return_each)
{
    struct world *world = mesh_of(10, 11);
    for (int cut = 0; cut < 3; cut++) {
        for (uint32_t i = 0; i < 10; i++)
            world_cut(world, 7, i);
        world_run_ms(world, 20000);
        for (uint32_t i = 0; i < 10; i++)
            world_mend(world, 7, i);
        world_run_ms(world, 20000);
        cr_assert(world_agrees(world));
    }
    for (uint32_t i = 0; i < 10; i++) {
        if (i != 7)
            cr_assert_leq(world_told(world, i, 7, MEMBER_EVENT_FAILED), 3);
    }
    for (uint32_t of = 0; of < 10; of++) {
        for (uint32_t by = 0; by < 10; by++) {
            if (of != 7 && by != 7)
                cr_assert_eq(world_told(world, by, of, MEMBER_EVENT_FAILED), 0);
        }
    }
    world_destroy(&world);
}

Test(partitions, four_fifths_of_one_members_frames_lost_hurt_nobody_else)
{
    struct world *world = mesh_of(12, 12);
    world->nodes[4].loss_percent = 80;
    world_run_ms(world, 60000);
    for (uint32_t by = 0; by < 12; by++) {
        for (uint32_t of = 0; of < 12; of++) {
            if (of != 4 && by != 4)
                cr_assert_eq(world_told(world, by, of, MEMBER_EVENT_FAILED), 0);
        }
    }
    world->nodes[4].loss_percent = 0;
    cr_assert(world_run_until(world, world_agrees, 15000));
    world_destroy(&world);
}

Test(partitions, a_quarter_of_all_frames_lost_is_no_death)
{
    struct world *world = mesh_of(12, 13);
    world->loss_percent = 25;
    world_run_ms(world, 120000);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world->loss_percent = 0;
    cr_assert(world_run_until(world, world_agrees, 10000));
    world_destroy(&world);
}

Test(partitions, wrong_bytes_in_one_frame_of_a_hundred_heal)
{
    struct world *world = mesh_of(6, 14);
    world->corrupt_percent = 1;
    world_run_ms(world, 120000);
    world->corrupt_percent = 0;
    cr_assert(world_run_until(world, world_agrees, 30000));
    world_destroy(&world);
}

Test(partitions, frames_that_arrive_twice_change_nothing)
{
    struct world *world = world_new(8, 15);
    world->repeat_percent = 100;
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_kill(world, 3);
    cr_assert(world_run_until(world, world_agrees, 3000));
    for (uint32_t i = 0; i < 8; i++) {
        if (i != 3)
            cr_assert_eq(world_told(world, i, 3, MEMBER_EVENT_FAILED), 1);
    }
    world_destroy(&world);
}

Test(partitions, a_shut_forward_port_is_published_and_is_no_death)
{
    struct world *world = world_new(4, 16);
    world->nodes[2].is_forward_shut = true;
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_run_ms(world, 10000);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    const struct member *seen = membership_find(world->nodes[2].room, world_instance(world, 1));
    cr_assert(!seen->forward_up); /* n1 says that its forward link to n2 is down */
    seen = membership_find(world->nodes[3].room, world_instance(world, 1));
    cr_assert(seen->forward_up);
    world_destroy(&world);
}

Test(partitions, a_shut_gossip_port_keeps_a_joiner_out_and_is_named)
{
    struct world *world = world_new(3, 17);
    world->nodes[2].is_unreachable = true;
    world_start_all(world);
    world_run_ms(world, 10000);
    cr_assert_eq(membership_alive(world->nodes[0].room), 2);
    cr_assert_not_null(strstr(world->nodes[2].last_refusal, "10.0.0.2:7311"));
    world_destroy(&world);
}

Test(partitions, frames_over_1400_bytes_that_never_arrive_leave_the_mesh_stable)
{
    struct world *world = mesh_of(10, 18);
    world->frame_bytes_max = 1400;
    world_run_ms(world, 30000);
    cr_assert(world_agrees(world));
    world_kill(world, 4);
    cr_assert(world_run_until(world, world_agrees, 5000));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 9);
    world_destroy(&world);
}
