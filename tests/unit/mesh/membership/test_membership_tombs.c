/* test_membership_tombs.c - the dead and the gone: they stay so, and cost a bounded amount. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/membership/room.h"
#include "tests/unit/mesh/membership/world.h"

static struct world *mesh_of(uint32_t count, uint64_t seed)
{
    struct world *world = world_new(count, seed);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_run_ms(world, 1000);
    return world;
}

Test(tombs, a_rolling_restart_in_three_batches_leaves_no_ghosts)
{
    struct world *world = mesh_of(9, 1);
    for (uint32_t batch = 0; batch < 3; batch++) {
        for (uint32_t i = batch * 3; i < batch * 3 + 3; i++)
            world_kill(world, i);
        world_run_ms(world, 700);
        for (uint32_t i = batch * 3; i < batch * 3 + 3; i++) {
            world_seed(world, i, (uint32_t[]){0, 4, 8}, 3);
            world_start(world, i);
        }
        cr_assert(world_run_until(world, world_agrees, 15000));
    }
    world_run_ms(world, 20000);
    cr_assert(world_agrees(world));
    for (uint32_t i = 0; i < 9; i++)
        cr_assert_eq(world->nodes[i].room->members.tombs, 0);
    world_destroy(&world);
}

/* A member tells of newcomers that die at once, each with a name of its own. */
static void unique_names(struct world *world, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        char address[32];
        snprintf(name, sizeof name, "unique-%u", i);
        snprintf(address, sizeof address, "10.7.%u.%u:7311", i >> 8 & 255, i & 255);
        struct member_record record = world_record(world, 1, MEMBER_ALIVE);
        record.name = span_text(name);
        record.instance = 1000000 + i;
        record.incarnation = UINT64_C(1) << 32;
        record.gossip_address = record.forward_address = span_text(address);
        world_tell(world, 1, 0, &record);
        record.state = MEMBER_LEFT;
        world_tell(world, 1, 0, &record);
    }
}

Test(tombs, many_unique_names_leave_a_bounded_table)
{
    struct world *world = world_new(2, 2);
    world->nodes[0].config.gossip.tombstones_max = 500;
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    unique_names(world, 3000);
    uint64_t used = world->nodes[0].context.memory.used[MEMORY_MEMBERS];
    cr_assert_eq(world->nodes[0].room->members.tombs, 500);
    for (int i = 0; i < 50; i++)
        world_run_ms(world, 100);
    unique_names(world, 3000);
    cr_assert_eq(world->nodes[0].room->members.tombs, 500);
    cr_assert_leq(world->nodes[0].context.memory.used[MEMORY_MEMBERS], used + used / 4);
    world_destroy(&world);
}

Test(tombs, tombstones_are_forgotten_when_they_are_old)
{
    struct world *world = world_new(3, 3);
    for (uint32_t i = 0; i < 3; i++)
        world->nodes[i].config.gossip.tombstone_h = 1;
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_stop(world, 2);
    world_run_ms(world, UINT64_C(3500000));
    cr_assert_eq(world->nodes[0].room->members.tombs, 1);
    world_run_ms(world, UINT64_C(200000));
    cr_assert_eq(world->nodes[0].room->members.tombs, 0);
    cr_assert_null(membership_named(world->nodes[0].room, span_text("n2")));
    world_destroy(&world);
}

Test(tombs, leave_rejoin_leave_without_an_echo)
{
    struct world *world = mesh_of(5, 4);
    for (int i = 0; i < 3; i++) {
        world_stop(world, 2);
        cr_assert(world_run_until(world, world_agrees, 1500));
        cr_assert_null(world->nodes[2].room);
        world_start(world, 2);
        cr_assert(world_run_until(world, world_agrees, 1000));
    }
    world_stop(world, 2);
    world_run_ms(world, 20000);
    cr_assert(world_agrees(world));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(tombs, a_leave_is_heard_through_a_queue_full_of_news)
{
    struct world *world = mesh_of(5, 5);
    for (uint32_t i = 0; i < 400; i++) {
        char name[32];
        snprintf(name, sizeof name, "crowd-%u", i);
        struct member_record record = world_record(world, 1, MEMBER_ALIVE);
        record.name = span_text(name);
        record.instance = 1000000 + i;
        world_tell(world, 1, 3, &record);
    }
    world_stop(world, 3);
    world_run_ms(world, 100);
    for (uint32_t i = 0; i < 5; i++) {
        if (i != 3)
            cr_assert_eq(world_state(world, i, 3), MEMBER_LEFT);
    }
    world_destroy(&world);
}

Test(tombs, late_news_of_life_does_not_undo_a_leave)
{
    struct world *world = mesh_of(3, 6);
    struct member_record alive = world_record(world, 2, MEMBER_ALIVE);
    world_stop(world, 2);
    world_run_ms(world, 1500);
    world_tell(world, 1, 0, &alive);
    alive.incarnation += 7; /* left is final for an instance */
    world_tell(world, 1, 0, &alive);
    cr_assert_eq(world_state(world, 0, 2), MEMBER_LEFT);
    world_destroy(&world);
}

Test(tombs, a_leaver_goes_after_three_acknowledgements)
{
    struct world *world = mesh_of(6, 7);
    world_stop(world, 1);
    world_run_ms(world, 20);
    cr_assert_null(world->nodes[1].room);
    world_destroy(&world);
}

Test(tombs, a_leaver_that_nobody_hears_goes_after_a_second)
{
    struct world *world = mesh_of(3, 8);
    for (uint32_t i = 0; i < 3; i++)
        world_cut(world, 1, i);
    world_stop(world, 1);
    world_run_ms(world, 900);
    cr_assert_not_null(world->nodes[1].room);
    world_run_ms(world, 200);
    cr_assert_null(world->nodes[1].room);
    world_destroy(&world);
}

Test(tombs, a_full_table_refuses_newcomers_and_says_why)
{
    struct world *world = world_new(4, 9);
    for (uint32_t i = 0; i < 4; i++)
        world->nodes[i].config.gossip.members_max = 3;
    world_start_all(world);
    world_run_ms(world, 5000);
    uint32_t refusals = 0;
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_leq(membership_alive(world->nodes[i].room), 3);
        refusals += world->nodes[i].notices[NOTICE_REFUSED_BY];
    }
    cr_assert_geq(refusals, 1);
    world_destroy(&world);
}

Test(tombs, without_memory_a_newcomer_is_refused_and_the_mesh_goes_on)
{
    struct world *world = mesh_of(3, 10);
    struct memory *memory = &world->nodes[0].context.memory;
    memory->limit[MEMORY_MEMBERS] = memory->used[MEMORY_MEMBERS];
    for (uint32_t i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "more-%u", i);
        struct member_record record = world_record(world, 1, MEMBER_ALIVE);
        record.name = span_text(name);
        record.instance = 1000000 + i;
        world_tell(world, 1, 0, &record);
    }
    world_vanish(world, 2);
    world_run_ms(world, 12000);
    cr_assert_eq(world_state(world, 1, 2), MEMBER_DEAD);
    world_destroy(&world);
}

Test(tombs, a_removal_after_a_leave_has_no_echo)
{
    struct world *world = mesh_of(4, 11);
    struct member_record gone = world_record(world, 2, MEMBER_DEAD);
    world_stop(world, 2);
    world_run_ms(world, 20000);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(i == 2 || dissemination_is_empty(&world->nodes[i].room->dissemination));
    static const enum member_state states[] = {MEMBER_SUSPECT, MEMBER_DEAD};
    for (size_t i = 0; i < 2; i++) {
        gone.state = (uint8_t)states[i];
        gone.incarnation++;
        world_tell(world, 1, 0, &gone);
        cr_assert_eq(world_state(world, 0, 2), MEMBER_LEFT);
        cr_assert(dissemination_is_empty(&world->nodes[0].room->dissemination), "nobody is told");
    }
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    cr_assert_eq(world_told(world, 0, 2, MEMBER_EVENT_LEFT), 1);
    world_destroy(&world);
}

/* Straight into the room: a hundred thousand frames would only test the test's network. */
Test(tombs, a_hundred_thousand_unique_names_leave_what_the_limit_says)
{
    enum { NAMES = 100000, TOMBS = 1000 };
    struct world *world = world_new(1, 12);
    world->nodes[0].config.gossip.tombstones_max = TOMBS;
    world_start(world, 0);
    struct membership *room = world->nodes[0].room;
    uint64_t used = 0;
    for (uint32_t i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "unique-%u", i);
        struct member_record record = world_record(world, 0, MEMBER_ALIVE);
        record.name = span_text(name);
        record.instance = 1000000 + i;
        record.incarnation = UINT64_C(1) << 32;
        cr_assert_eq(evidence_apply(room, &record), ERROR_OK);
        record.state = MEMBER_LEFT;
        cr_assert_eq(evidence_apply(room, &record), ERROR_OK);
        struct member_event event;
        while (membership_next_event(room, &event))
            continue;
        if (i % 1000 == 999)
            world_run_ms(world, 1);
        if (i == 5 * TOMBS)
            used = world->nodes[0].context.memory.used[MEMORY_MEMBERS];
    }
    membership_check(room);
    cr_assert_eq(room->members.tombs, TOMBS);
    cr_assert_leq(world->nodes[0].context.memory.used[MEMORY_MEMBERS], used + used / 4);
    world_destroy(&world);
}
