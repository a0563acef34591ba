/* test_suspects.c - who is suspected, and what it takes: probing, helpers, observers, pauses. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/membership/room.h"
#include "tests/unit/mesh/membership/world.h"

static struct world *mesh_of(uint32_t count, uint64_t seed)
{
    struct world *world = world_new(count, seed);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_run_ms(world, 3000);
    return world;
}

static bool is_suspected_by_0(struct world *world)
{
    return world_state(world, 0, 1) == MEMBER_SUSPECT;
}

Test(suspects, nobody_is_suspected_before_the_helpers_are_done)
{
    struct world *world = mesh_of(8, 1);
    world_vanish(world, 1);
    uint64_t from_ns = world->now_ns;
    cr_assert(world_run_until(world, is_suspected_by_0, 5000));
    cr_assert_geq(world->now_ns - from_ns, 400 * MS_NS);
    uint64_t helpers = 0;
    for (uint32_t i = 0; i < 8; i++)
        helpers += world->nodes[i].context.counters[COUNTER_probes_indirect];
    cr_assert_geq(helpers, 5);
    world_destroy(&world);
}

Test(suspects, a_suspect_hears_of_it_at_once_and_refutes)
{
    struct world *world = mesh_of(5, 2);
    uint64_t before = membership_self(world->nodes[1].room)->incarnation;
    struct member_record record = world_record(world, 1, MEMBER_SUSPECT);
    world_tell(world, 2, 0, &record);
    cr_assert_eq(world_state(world, 0, 1), MEMBER_SUSPECT);
    world_run_ms(world, 2000);
    cr_assert_eq(world_state(world, 0, 1), MEMBER_ALIVE);
    cr_assert_gt(membership_self(world->nodes[1].room)->incarnation, before);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(suspects, a_refutation_in_the_tick_in_which_the_timer_ends_saves_the_suspect)
{
    struct world *world = mesh_of(2, 3);
    struct member_record record = world_record(world, 1, MEMBER_SUSPECT);
    world_cut(world, 0, 1);
    world_cut(world, 1, 0);
    world_tell(world, 1, 0, &record);
    uint64_t end_ns = world->nodes[0].room->suspects.deadline.at_ns;
    world_run_ms(world, (end_ns - world->now_ns) / MS_NS);
    struct member_record alive = world_record(world, 1, MEMBER_ALIVE);
    alive.incarnation++;
    world_tell(world, 1, 0, &alive);
    world_heal(world);
    world_run_ms(world, 500);
    cr_assert_eq(world_told(world, 0, 1, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

Test(suspects, bad_news_of_an_unknown_makes_nobody)
{
    struct world *world = mesh_of(3, 4);
    static const enum member_state states[] = {MEMBER_SUSPECT, MEMBER_DEAD, MEMBER_LEFT};
    for (size_t i = 0; i < 3; i++) {
        struct member_record record = world_record(world, 2, states[i]);
        record.name = span_text("nobody");
        record.instance = 4711;
        world_tell(world, 0, 1, &record);
    }
    cr_assert_null(membership_find(world->nodes[1].room, 4711));
    cr_assert_null(membership_named(world->nodes[1].room, span_text("nobody")));
    cr_assert_eq(membership_alive(world->nodes[1].room), 3);
    cr_assert_eq(world->nodes[1].bad_messages, 0);
    world_destroy(&world);
}

Test(suspects, a_prober_that_stalls_again_and_again_kills_nobody)
{
    static const uint64_t stalls_ms[] = {100, 300, 800, 1500, 3000, 7000, 15000, 30000};
    struct world *world = mesh_of(8, 5);
    for (size_t i = 0; i < sizeof stalls_ms / sizeof stalls_ms[0]; i++) {
        world_sleep(world, 0, stalls_ms[i]);
        world_run_ms(world, stalls_ms[i] + 1700);
    }
    cr_assert(world_run_until(world, world_agrees, 15000));
    for (uint32_t by = 0; by < 8; by++) {
        for (uint32_t of = 1; of < 8; of++)
            cr_assert_eq(world_told(world, by, of, MEMBER_EVENT_FAILED), 0);
    }
    cr_assert_gt(world->nodes[0].notices[NOTICE_PAUSED], 0);
    world_destroy(&world);
}

static void sleeper_accuses_nobody(uint64_t ms, uint64_t seed)
{
    struct world *world = mesh_of(4, seed);
    world_sleep(world, 2, ms);
    world_run_ms(world, ms);
    cr_assert(world_run_until(world, world_agrees, 15000));
    for (uint32_t of = 0; of < 4; of++) {
        for (uint32_t by = 0; by < 4; by++) {
            if (of != 2)
                cr_assert_eq(world_told(world, by, of, MEMBER_EVENT_FAILED), 0);
        }
    }
    world_destroy(&world);
}

Test(suspects, a_node_stopped_for_5_s_accuses_nobody_on_waking)
{
    sleeper_accuses_nobody(5000, 6);
}

Test(suspects, a_node_stopped_for_60_s_accuses_nobody_on_waking)
{
    sleeper_accuses_nobody(60000, 7);
}

Test(suspects, a_node_stopped_for_25_h_forgets_everybody_and_comes_back)
{
    struct world *world = mesh_of(3, 8);
    for (uint32_t i = 0; i < 3; i++)
        world->nodes[i].config.gossip.tombstone_h = 1;
    world_sleep(world, 2, UINT64_C(3700000));
    world_run_ms(world, UINT64_C(3700000));
    cr_assert(world_run_until(world, world_agrees, 15000));
    for (uint32_t by = 0; by < 2; by++) {
        cr_assert_eq(world_told(world, by, 0, MEMBER_EVENT_FAILED), 0);
        cr_assert_eq(world_told(world, by, 1, MEMBER_EVENT_FAILED), 0);
    }
    world_destroy(&world);
}

/* n3 sleeps; the others lose n2 for good, and forget it; n3 wakes. */
Test(suspects, a_sleeper_past_the_tombstones_revives_nobody)
{
    struct world *world = mesh_of(4, 9);
    for (uint32_t i = 0; i < 4; i++)
        world->nodes[i].config.gossip.tombstone_h = 1;
    world_sleep(world, 3, UINT64_C(3800000));
    world_run_ms(world, 1000);
    world_kill(world, 2);
    world_run_ms(world, UINT64_C(3799000));
    cr_assert(world_run_until(world, world_agrees, 15000));
    cr_assert_eq(world_told(world, 0, 2, MEMBER_EVENT_JOINED), 1);
    cr_assert_eq(world_told(world, 1, 2, MEMBER_EVENT_JOINED), 1);
    world_destroy(&world);
}

Test(suspects, answers_that_come_late_are_no_death)
{
    struct world *world = mesh_of(6, 10);
    for (int i = 0; i < 5; i++) {
        world->delay_us = 450000; /* acks and nacks come after the period's end */
        world_run_ms(world, 700);
        world->delay_us = 500;
        world_run_ms(world, 3000);
    }
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    cr_assert(world_run_until(world, world_agrees, 5000));
    world_destroy(&world);
}

Test(suspects, an_ack_of_an_earlier_probe_answers_no_later_one)
{
    struct world *world = mesh_of(2, 11);
    struct membership *room = world->nodes[0].room;
    uint32_t who = members_find(&room->members, world_instance(world, 1));
    world_cut(world, 0, 1);
    probe_void(room);
    probe_now(room, who);
    uint64_t number = room->probes.list[0].number;
    probe_answered(room, who, number - 16); /* the probe before */
    probe_answered(room, who, number + room->probes.list[0].tries);
    probe_relayed(room, world_instance(world, 1), number);
    probe_nacked(room, 4711, number + 15);
    cr_assert_eq(room->probes.count, 1);
    cr_assert_eq(room->probes.list[0].nacks, 0);
    probe_answered(room, who, number);
    cr_assert_eq(room->probes.count, 0);
    world_destroy(&world);
}

Test(suspects, an_ack_from_a_stranger_on_a_reused_address_counts_for_nobody)
{
    struct world *world = mesh_of(3, 12);
    world_kill(world, 2);
    snprintf(world->nodes[2].name, WORLD_TEXT_BYTES, "stranger");
    world_start(world, 2); /* pings to n2 reach it now */
    world_run_ms(world, 12000);
    const struct member *old = membership_named(world->nodes[0].room, span_text("n2"));
    cr_assert_eq(old->state, MEMBER_DEAD);
    world_destroy(&world);
}

Test(suspects, a_broken_link_to_a_live_process_is_no_death)
{
    struct world *world = mesh_of(5, 13);
    for (int i = 0; i < 20; i++) {
        world_reset_links(world, (uint32_t)i % 5, (uint32_t)(i + 1) % 5);
        world_run_ms(world, 300);
    }
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_destroy(&world);
}

static void all_dial_again(struct world *world, uint32_t of)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (i != of)
            world_reset_links(world, i, of);
    }
}

Test(suspects, refused_once_and_then_up_is_no_death)
{
    struct world *world = mesh_of(5, 14);
    world->nodes[1].is_unreachable = true; /* its listener is being replaced */
    all_dial_again(world, 1);
    world_run_ms(world, 50);
    world->nodes[1].is_unreachable = false;
    world_run_ms(world, 10000);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    cr_assert(world_agrees(world));
    world_destroy(&world);
}

static bool is_failed_everywhere(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->nodes[i].room != NULL && world_told(world, i, 1, MEMBER_EVENT_FAILED) == 0)
            return false;
    }
    return true;
}

Test(suspects, a_killed_process_is_known_everywhere_in_a_fraction_of_a_second)
{
    struct world *world = mesh_of(30, 15);
    world_kill(world, 1);
    cr_assert(world_run_until(world, is_failed_everywhere, 500));
    world_destroy(&world);
}

Test(suspects, in_a_mesh_of_two_three_refusals_of_ones_own_are_enough)
{
    struct world *world = mesh_of(2, 16);
    world_kill(world, 1);
    cr_assert(world_run_until(world, is_failed_everywhere, 800));
    world_destroy(&world);
}

Test(suspects, why_a_member_is_dead_can_be_told)
{
    struct world *world = mesh_of(4, 17);
    world_vanish(world, 1);
    cr_assert(world_run_until(world, is_failed_everywhere, 10000));
    const struct membership *room = world->nodes[0].room;
    uint64_t instance = world_instance(world, 1);
    bool is_suspected = false;
    const struct member_verdict *verdict = NULL;
    for (uint32_t n = 0; membership_verdict(room, instance, n) != NULL; n++) {
        verdict = membership_verdict(room, instance, n);
        is_suspected |= verdict->event == VERDICT_SUSPECTED;
        cr_assert_gt(verdict->at_ms, UINT64_C(1700000000000));
        cr_assert_neq(verdict->by, 0);
    }
    cr_assert(is_suspected);
    cr_assert_eq(verdict->event, VERDICT_DEAD);
    cr_assert_str_eq(membership_verdict_name(verdict->event), "dead");
    cr_assert_null(membership_verdict(room, 4711, 0));
    world_destroy(&world);
}

Test(suspects, only_the_last_64_verdicts_are_kept)
{
    struct world *world = mesh_of(3, 18);
    struct membership *room = world->nodes[0].room;
    uint32_t who = members_find(&room->members, world_instance(world, 1));
    for (uint32_t i = 1; i <= 1000; i++)
        verdicts_add(room, who, &(struct member_verdict){.event = VERDICT_UNANSWERED, .rtt_us = i});
    cr_assert_eq(membership_verdict(room, world_instance(world, 1), 63)->rtt_us, 1000);
    cr_assert_eq(membership_verdict(room, world_instance(world, 1), 0)->rtt_us, 937);
    cr_assert_null(membership_verdict(room, world_instance(world, 1), 64));
    world_destroy(&world);
}

/* Nobody waits 250 ms: that would be a pause. What was due meanwhile comes at once. */
Test(suspects, timers_that_come_late_kill_nobody_and_find_the_dead)
{
    struct world *world = mesh_of(8, 19);
    for (uint32_t i = 0; i < 300; i++) {
        world_sleep(world, i % 8, 50 + i * 37 % 190);
        world_run_ms(world, 60);
    }
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    world_vanish(world, 1);
    for (uint32_t i = 0; i < 200; i++) {
        if (i % 8 != 1)
            world_sleep(world, i % 8, 50 + i * 37 % 190);
        world_run_ms(world, 60);
    }
    cr_assert(is_failed_everywhere(world));
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 7);
    world_destroy(&world);
}

/* The purposes in any order, also before their time: each looks at what is due and at nothing
 * else. Leaving is asked for by a human, so it is not among them. */
Test(suspects, timers_out_of_order_kill_nobody)
{
    struct world *world = mesh_of(6, 20);
    for (uint32_t i = 0; i < 600; i++) {
        struct world_node *node = &world->nodes[i % 6];
        const struct deadline due = {
            .room = DEADLINE_MEMBERSHIP,
            .purpose = (uint8_t)(DEADLINE_NAMESAKE - i * 5 % DEADLINE_NAMESAKE),
            .at_ns = world->now_ns,
        };
        node->context.now_ns = world->now_ns;
        membership_due(node->room, &due);
        world_run_ms(world, 20);
    }
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_FAILED), 0);
    cr_assert(world_run_until(world, world_agrees, 1000));
    world_destroy(&world);
}

static struct probe *probe_of_n1(struct world *world)
{
    struct membership *room = world->nodes[0].room;
    uint32_t who = members_find(&room->members, world_instance(world, 1));
    probe_void(room);
    probe_now(room, who);
    return &room->probes.list[0];
}

/* n0 hears of nobody: how much it blames itself depends on which helpers said so in time. */
static uint32_t blame_after_nacks(uint64_t seed, uint32_t missing)
{
    struct world *world = mesh_of(8, seed);
    struct membership *room = world->nodes[0].room;
    for (uint32_t i = 1; i < 8; i++) {
        world_cut(world, i, 0);
        world_cut(world, 0, i);
    }
    struct probe *probe = probe_of_n1(world);
    uint64_t number = probe->number;
    room->health.score = 0;
    deadlines_cancel(world->nodes[0].context.deadlines, &room->probes.period);
    world_run_ms(world, 300);
    cr_assert_eq(probe->number, number);
    cr_assert_eq(probe->helpers_count, 5);
    uint64_t late = probe->helpers[0];
    for (uint32_t i = missing; i < probe->helpers_count; i++)
        probe_nacked(room, probe->helpers[i], number + 15);
    world_run_ms(world, 250);
    cr_assert_eq(room->probes.count, 0);
    uint32_t score = room->health.score;
    probe_nacked(room, late, number + 15);
    cr_assert_eq(room->health.score, score, "the probe is over");
    world_destroy(&world);
    return score;
}

Test(suspects, a_nack_that_comes_late_makes_the_prober_blame_itself)
{
    cr_assert_eq(blame_after_nacks(21, 0), 0);
    cr_assert_eq(blame_after_nacks(21, 1), 1);
}

/* n1 refutes while it is being asked, by way of others: what the probe finds is of the past. */
Test(suspects, what_a_probe_of_an_older_incarnation_finds_accuses_nobody)
{
    struct world *world = mesh_of(2, 22);
    world_cut(world, 0, 1);
    world_cut(world, 1, 0);
    probe_of_n1(world);
    world_run_ms(world, 100);
    struct member_record risen = world_record(world, 1, MEMBER_ALIVE);
    risen.incarnation++;
    world_tell(world, 1, 0, &risen);
    deadlines_cancel(world->nodes[0].context.deadlines, &world->nodes[0].room->probes.period);
    world_run_ms(world, 1000);
    cr_assert_eq(world->nodes[0].room->probes.count, 0);
    cr_assert_eq(world_state(world, 0, 1), MEMBER_ALIVE);
    cr_assert_eq(world_told(world, 0, 1, MEMBER_EVENT_SUSPECTED), 0);
    world_destroy(&world);
}

/* Everybody's forward links take nothing more; probes have links of their own. */
Test(suspects, bulk_that_fills_the_forward_links_moves_no_probe)
{
    struct world *world = mesh_of(5, 23);
    uint64_t before = 0, after = 0;
    for (uint32_t i = 0; i < 5; i++) {
        struct links *links = world->nodes[i].context.links;
        for (struct link *link = links_next(links, NULL); link != NULL;
             link = links_next(links, link))
            links_full(links, link->number, CHANNEL_FORWARD);
        before += world->nodes[i].context.counters[COUNTER_probes_failed];
    }
    world_run_ms(world, 60000);
    for (uint32_t i = 0; i < 5; i++)
        after += world->nodes[i].context.counters[COUNTER_probes_failed];
    cr_assert_eq(after, before);
    cr_assert_eq(world_told_anywhere(world, MEMBER_EVENT_SUSPECTED), 0);
    world_destroy(&world);
}

Test(suspects, why_a_member_was_dead_can_be_told_when_it_is_back)
{
    struct world *world = mesh_of(3, 24);
    world_kill(world, 1);
    cr_assert(world_run_until(world, is_failed_everywhere, 3000));
    world_start(world, 1);
    cr_assert(world_run_until(world, world_agrees, 3000));
    const struct membership *room = world->nodes[0].room;
    const struct member_verdict *verdict, *last = NULL;
    uint64_t death = 0;
    for (uint32_t n = 0; (verdict = membership_verdict(room, world_instance(world, 1), n)); n++) {
        death = verdict->event == VERDICT_DEAD ? verdict->incarnation : death;
        last = verdict;
    }
    cr_assert_gt(death, 0, "of its former life");
    cr_assert_eq(last->event, VERDICT_JOINED);
    cr_assert_gt(last->incarnation, death);
    world_destroy(&world);
}
