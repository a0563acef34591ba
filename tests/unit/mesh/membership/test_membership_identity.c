/* test_membership_identity.c - who is who: restarts, names, addresses, incarnations. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/membership/self.h"
#include "tests/unit/mesh/membership/world.h"

static struct world *mesh_of(uint32_t count, uint64_t seed)
{
    struct world *world = world_new(count, seed);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_run_ms(world, 1000);
    return world;
}

static uint64_t incarnation(struct world *world, uint32_t node)
{
    return membership_self(world->nodes[node].room)->incarnation;
}

Test(identity, a_restart_at_the_same_address_wins_within_milliseconds)
{
    struct world *world = mesh_of(5, 1);
    world_kill(world, 3);
    world_start(world, 3);
    cr_assert(world_run_until(world, world_agrees, 600));
    cr_assert_geq(incarnation(world, 3), 2 * EPOCH_ONE);
    world_destroy(&world);
}

Test(identity, twenty_nine_restarts_at_once_end_in_one_view)
{
    struct world *world = mesh_of(30, 2);
    for (uint32_t i = 1; i < 30; i++)
        world_kill(world, i);
    for (uint32_t i = 1; i < 30; i++)
        world_start(world, i);
    cr_assert(world_run_until(world, world_agrees, 15000));
    world_destroy(&world);
}

Test(identity, jumps_of_the_wall_clock_change_no_byte)
{
    uint64_t hashes[2];
    for (int run = 0; run < 2; run++) {
        struct world *world = world_new(5, 3);
        world_start_all(world);
        world_run_ms(world, 3000);
        world->wall_jump_ms = run == 0 ? 0 : -86400000;
        world_kill(world, 2);
        world_run_ms(world, 3000);
        world->wall_jump_ms = run == 0 ? 0 : 86400000;
        world_run_ms(world, 3000);
        hashes[run] = world->hash;
        world_destroy(&world);
    }
    cr_assert_eq(hashes[0], hashes[1]);
}

Test(identity, an_epoch_beyond_all_lives_is_refused_and_changes_nothing)
{
    struct world *world = mesh_of(3, 4);
    struct member_record record = world_record(world, 2, MEMBER_ALIVE);
    record.incarnation = INCARNATION_MAX + 1;
    world_tell(world, 0, 1, &record);
    record.incarnation = UINT64_MAX;
    world_tell(world, 0, 1, &record);
    record.incarnation = 5; /* epoch 0: nobody starts below 1 */
    world_tell(world, 0, 1, &record);
    cr_assert_eq(world->nodes[1].bad_messages, 3);
    const struct member *member = membership_find(world->nodes[1].room, world_instance(world, 2));
    cr_assert_eq(member->incarnation, incarnation(world, 2));
    world_destroy(&world);
}

Test(identity, an_epoch_just_within_the_limit_is_outlived_by_its_member)
{
    struct world *world = mesh_of(3, 5);
    struct member_record record = world_record(world, 2, MEMBER_SUSPECT);
    record.incarnation = INCARNATION_MAX - EPOCH_ONE;
    world_tell(world, 0, 1, &record);
    cr_assert(world_run_until(world, world_agrees, 1000));
    cr_assert_gt(incarnation(world, 2), INCARNATION_MAX - EPOCH_ONE);
    world_destroy(&world);
}

Test(identity, newer_evidence_of_a_death_keeps_late_news_of_life_from_reviving_anybody)
{
    struct world *world = mesh_of(3, 6);
    struct member_record alive = world_record(world, 2, MEMBER_ALIVE);
    struct member_record dead = world_record(world, 2, MEMBER_DEAD);
    world_kill(world, 2);
    cr_assert(world_run_until(world, world_agrees, 5000));
    dead.incarnation += 5;
    alive.incarnation += 4;
    world_tell(world, 0, 1, &dead);
    world_tell(world, 0, 1, &alive);
    cr_assert_eq(world_state(world, 1, 2), MEMBER_DEAD);
    world_destroy(&world);
}

Test(identity, a_rejoin_while_the_old_lifes_suspicion_runs_is_not_hit_by_it)
{
    struct world *world = mesh_of(5, 7);
    world_vanish(world, 4);
    world_run_ms(world, 1200);
    snprintf(world->nodes[4].gossip, WORLD_TEXT_BYTES, "10.0.9.4:7311");
    snprintf(world->nodes[4].forward, WORLD_TEXT_BYTES, "10.0.9.4:7312");
    world_start(world, 4);
    cr_assert(world_run_until(world, world_agrees, 15000));
    world_run_ms(world, 15000);
    cr_assert(world_agrees(world));
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_eq(world_told(world, i, 4, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(identity, a_stale_accusation_that_comes_twice_is_refuted_once)
{
    struct world *world = mesh_of(3, 8);
    uint64_t before = incarnation(world, 2);
    struct member_record record = world_record(world, 2, MEMBER_SUSPECT);
    world_tell(world, 0, 2, &record);
    world_tell(world, 1, 2, &record);
    world_tell(world, 0, 2, &record);
    cr_assert_eq(incarnation(world, 2), before + 1);
    world_destroy(&world);
}

Test(identity, metadata_that_a_restart_changed_is_known_everywhere)
{
    struct world *world = mesh_of(6, 9);
    world_kill(world, 3);
    snprintf(world->nodes[3].zone, WORLD_TEXT_BYTES, "elsewhere");
    world_start(world, 3);
    cr_assert(world_run_until(world, world_agrees, 5000));
    for (uint32_t i = 0; i < 6; i++) {
        const struct member *member = membership_named(world->nodes[i].room, span_text("n3"));
        cr_assert_str_eq(member->zone, "elsewhere");
    }
    world_destroy(&world);
}

static void move_to(struct world *world, uint32_t node, const char *host)
{
    snprintf(world->nodes[node].gossip, WORLD_TEXT_BYTES, "%s:7311", host);
    snprintf(world->nodes[node].forward, WORLD_TEXT_BYTES, "%s:7312", host);
}

Test(identity, the_same_name_comes_back_at_a_new_address_after_a_crash)
{
    struct world *world = mesh_of(4, 10);
    world_kill(world, 2);
    move_to(world, 2, "10.1.1.1");
    world_start(world, 2);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_destroy(&world);
}

Test(identity, the_same_name_comes_back_at_a_new_address_after_leaving)
{
    struct world *world = mesh_of(4, 11);
    world_stop(world, 2);
    world_run_ms(world, 2000);
    move_to(world, 2, "10.1.1.1");
    world_start(world, 2);
    cr_assert(world_run_until(world, world_agrees, 1000));
    world_destroy(&world);
}

Test(identity, a_name_that_lives_at_another_address_stays_with_its_holder)
{
    struct world *world = mesh_of(4, 12);
    world_kill(world, 3);
    cr_assert(world_run_until(world, world_agrees, 3000));
    snprintf(world->nodes[3].name, WORLD_TEXT_BYTES, "n2");
    world_start(world, 3);
    world_run_ms(world, 3000);
    enum mesh_notice_code code;
    struct span texts[2];
    cr_assert(membership_is_refused(world->nodes[3].room, &code, texts));
    cr_assert(!membership_is_refused(world->nodes[2].room, &code, texts));
    cr_assert_eq(world_state(world, 0, 2), MEMBER_ALIVE);
    world_destroy(&world);
}

Test(identity, a_new_name_at_a_dead_nodes_address_is_another_member)
{
    struct world *world = mesh_of(4, 13);
    uint64_t old = world_instance(world, 3);
    world_kill(world, 3);
    snprintf(world->nodes[3].name, WORLD_TEXT_BYTES, "fresh");
    world_start(world, 3);
    cr_assert(world_run_until(world, world_agrees, 20000));
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(membership_find(world->nodes[i].room, old)->state, MEMBER_DEAD);
    world_destroy(&world);
}

Test(identity, two_nodes_on_one_host_are_two_members)
{
    struct world *world = world_new(3, 14);
    snprintf(world->nodes[2].gossip, WORLD_TEXT_BYTES, "10.0.0.1:7321");
    snprintf(world->nodes[2].forward, WORLD_TEXT_BYTES, "10.0.0.1:7322");
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_kill(world, 1);
    cr_assert(world_run_until(world, world_agrees, 3000));
    cr_assert_eq(world_state(world, 0, 2), MEMBER_ALIVE);
    world_destroy(&world);
}

/* n1 is cut off and held dead; n3 takes its name; the split heals. */
Test(identity, of_two_namesakes_after_a_split_the_lower_leaves)
{
    struct world *world = world_new(5, 15);
    for (uint32_t i = 0; i < 4; i++)
        world_start(world, i);
    cr_assert(world_run_until(world, world_agrees, 3000));
    for (uint32_t i = 0; i < 5; i++) {
        world_cut(world, 1, i);
        world_cut(world, i, 1);
    }
    world_run_ms(world, 10000);
    cr_assert_eq(world_state(world, 0, 1), MEMBER_DEAD);
    snprintf(world->nodes[4].name, WORLD_TEXT_BYTES, "n1");
    world_start(world, 4);
    world_run_ms(world, 2000);
    cr_assert_eq(world_state(world, 0, 4), MEMBER_ALIVE);
    world_heal(world);
    world_run_ms(world, 15000);
    enum mesh_notice_code code;
    struct span texts[2];
    cr_assert(membership_is_refused(world->nodes[1].room, &code, texts));
    cr_assert(!membership_is_refused(world->nodes[4].room, &code, texts));
    cr_assert_eq(world_state(world, 0, 4), MEMBER_ALIVE);
    world_destroy(&world);
}

Test(identity, an_old_lifes_news_does_not_stop_the_new_life)
{
    struct world *world = mesh_of(3, 16);
    struct member_record old = world_record(world, 2, MEMBER_ALIVE);
    uint64_t instance = old.instance;
    world_kill(world, 2);
    world_start(world, 2);
    cr_assert(world_run_until(world, world_agrees, 3000));
    old.instance = instance;
    old.incarnation = 7 * EPOCH_ONE; /* as if nobody had known how often it had started */
    world_tell(world, 0, 2, &old);
    cr_assert(world_run_until(world, world_agrees, 5000));
    enum mesh_notice_code code;
    struct span texts[2];
    cr_assert(!membership_is_refused(world->nodes[2].room, &code, texts));
    cr_assert_geq(incarnation(world, 2), 8 * EPOCH_ONE);
    world_destroy(&world);
}

Test(identity, an_instance_under_two_names_is_nonsense)
{
    struct world *world = mesh_of(3, 17);
    struct member_record record = world_record(world, 2, MEMBER_ALIVE);
    record.name = span_text("somebody-else");
    record.incarnation += 1;
    world_tell(world, 0, 1, &record);
    cr_assert_eq(world->nodes[1].bad_messages, 1);
    cr_assert_null(membership_named(world->nodes[1].room, record.name));
    world_destroy(&world);
}

/* One frame of n0 tells n1 of a new instance and of the one that came after it. */
Test(identity, of_an_instance_and_its_successor_in_one_frame_only_the_successor_has_joined)
{
    struct world *world = mesh_of(2, 18);
    struct member_record lives[2];
    for (uint32_t i = 0; i < 2; i++) {
        lives[i] = world_record(world, 0, MEMBER_ALIVE);
        lives[i].name = span_text("hasty");
        lives[i].instance = 4711 + i;
        lives[i].incarnation = (i + 1) * EPOCH_ONE;
    }
    world_tell_all(world, 0, 1, lives, 2);
    const struct world_node *hearer = &world->nodes[1];
    cr_assert_null(membership_find(hearer->room, 4711));
    cr_assert_eq(membership_find(hearer->room, 4712)->state, MEMBER_ALIVE);
    for (uint32_t i = 0; i < hearer->told_count; i++) {
        const struct world_told *told = &hearer->told[i];
        if (told->instance == 4711 || told->instance == 4712) {
            cr_assert_eq(told->times[MEMBER_EVENT_JOINED], told->instance - 4711);
            cr_assert_eq(told->times[MEMBER_EVENT_REPLACED], 4712 - told->instance);
        }
    }
    cr_assert_eq(hearer->told_count, 3); /* n0, and the two */
    world_destroy(&world);
}

/* The frame's own sender is replaced by what it says: there is nobody to answer any more. */
Test(identity, a_frame_that_tells_of_its_senders_successor_is_taken_and_not_answered)
{
    struct world *world = mesh_of(3, 19);
    uint64_t old = world_instance(world, 0);
    struct member_record next = world_record(world, 0, MEMBER_ALIVE);
    next.instance = 4711;
    next.incarnation += EPOCH_ONE;
    world_tell(world, 0, 1, &next);
    cr_assert_null(membership_find(world->nodes[1].room, old));
    cr_assert_eq(membership_named(world->nodes[1].room, span_text("n0"))->instance, 4711);
    cr_assert_eq(world->nodes[1].bad_messages, 0);
    world_destroy(&world);
}

/* As an operator's tool would: everybody is told that it is dead, at whatever number. */
Test(identity, a_removal_by_hand_never_blocks_the_real_node)
{
    struct world *world = mesh_of(4, 20);
    struct member_record dead = world_record(world, 3, MEMBER_DEAD);
    dead.incarnation += 1000;
    for (uint32_t i = 0; i < 3; i++)
        world_tell(world, (i + 1) % 3, i, &dead);
    cr_assert(world_run_until(world, world_agrees, 15000), "it lives, and says so");
    world_kill(world, 3);
    cr_assert(world_run_until(world, world_agrees, 5000));
    dead.incarnation += 20 * EPOCH_ONE;
    for (uint32_t i = 0; i < 3; i++)
        world_tell(world, (i + 1) % 3, i, &dead);
    world_start(world, 3);
    cr_assert(world_run_until(world, world_agrees, 3000), "it starts above what was said");
    cr_assert_gt(incarnation(world, 3), dead.incarnation);
    world_destroy(&world);
}
