/* test_membership_boot.c - finding the mesh: seeds that are down, moved, replaced, wrong. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mesh/membership/room.h"
#include "tests/unit/mesh/membership/world.h"

Test(boot, a_seed_that_comes_back_after_ten_minutes_is_found)
{
    struct world *world = world_new(3, 1);
    world_start(world, 1);
    world_run_ms(world, 600000);
    world_start(world, 2);
    world_start(world, 0);
    cr_assert(world_run_until(world, world_agrees, 5000));
    world_destroy(&world);
}

Test(boot, a_seeds_name_that_leads_elsewhere_now_is_looked_up_anew)
{
    struct world *world = world_new(3, 2);
    world_start(world, 0);
    world_seed(world, 1, (uint32_t[]){2}, 1); /* nobody there yet */
    world_start(world, 1);
    world_run_ms(world, 5000);
    world_seed(world, 1, (uint32_t[]){0}, 1);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_destroy(&world);
}

Test(boot, all_addresses_of_a_name_are_tried)
{
    struct world *world = world_new(5, 3);
    world_start(world, 3);
    world_seed(world, 4, (uint32_t[]){0, 1, 2, 3}, 4);
    world_start(world, 4);
    cr_assert(world_run_until(world, world_agrees, 100));
    world_destroy(&world);
}

Test(boot, a_replaced_seed_joins_the_mesh_it_seeds)
{
    struct world *world = world_new(4, 4);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_kill(world, 0);
    snprintf(world->nodes[0].name, WORLD_TEXT_BYTES, "fresh-seed");
    world_start(world, 0); /* knows nobody; the others call their seed */
    cr_assert(world_run_until(world, world_agrees, 15000));
    world_destroy(&world);
}

Test(boot, a_seed_name_that_cannot_be_looked_up_is_tried_again)
{
    struct world *world = world_new(2, 5);
    world_start(world, 0);
    world->nodes[1].seeds[0][0] = '\0';
    world_start(world, 1);
    world_run_ms(world, 10000);
    cr_assert_eq(membership_alive(world->nodes[1].room), 1);
    world_seed(world, 1, (uint32_t[]){0}, 1);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_destroy(&world);
}

Test(boot, bad_addresses_of_a_seed_change_nothing)
{
    struct world *world = world_new(2, 6);
    char long_line[400];
    memset(long_line, 'x', sizeof long_line);
    world_start(world, 0);
    struct membership *room = world->nodes[0].room;
    membership_seed_resolved(room, 0, span_text("")); /* it has no seeds at all */
    membership_seed_resolved(room, 4711, span_text("10.0.0.1:7311"));
    world_start(world, 1);
    room = world->nodes[1].room;
    membership_seed_resolved(room, 0, span_text("\n\n\n"));
    membership_seed_resolved(room, 0, span_of(long_line, sizeof long_line));
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_destroy(&world);
}

Test(boot, sixty_nodes_join_through_one_seed_and_a_death_meanwhile_is_heard)
{
    struct world *world = world_new(60, 7);
    for (uint32_t i = 0; i < 10; i++)
        world_start(world, i);
    cr_assert(world_run_until(world, world_agrees, 3000));
    for (uint32_t i = 10; i < 60; i++)
        world_start(world, i);
    world_kill(world, 5);
    cr_assert(world_run_until(world, world_agrees, 5000));
    world_destroy(&world);
}

static void wire_of_joiner(struct world *world, const char *name, uint8_t least, uint8_t most)
{
    struct membership *room = world->nodes[0].room;
    struct member_record record = world_record(world, 1, MEMBER_ALIVE);
    record.instance = 99;
    record.name = span_text(name);
    uint8_t group[512];
    uint8_t fields[1024];
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    group_encode(&member_record_schema, &record, &writer);
    const struct gossip_join join = {
        .mesh = span_text("test"),
        .wire_min = least,
        .wire_max = most,
        .member = span_of(group, sizeof group - writer.left),
    };
    writer_init(&writer, fields, sizeof fields);
    schema_encode(&gossip_join_schema, &join, &writer);
    const struct message message = {
        .kind = KIND_JOIN,
        .fields = span_of(fields, sizeof fields - writer.left),
    };
    const struct envelope envelope = {
        .version = most,
        .channel = CHANNEL_GOSSIP,
        .mesh = world->nodes[0].context.mesh_hash,
        .sender = 99,
    };
    cr_assert_eq(membership_receive(room, &envelope, 7, span_text("10.0.0.1:5"), &message),
                 ERROR_OK);
}

Test(boot, a_joiner_without_a_common_version_is_refused_by_name)
{
    struct world *world = world_new(2, 8);
    world_start(world, 0);
    wire_of_joiner(world, "newer", WIRE_VERSION_MAX + 1, WIRE_VERSION_MAX + 3);
    cr_assert_eq(world->nodes[0].context.counters[COUNTER_joins_refused], 1);
    wire_of_joiner(world, "newer", WIRE_VERSION_MIN, WIRE_VERSION_MAX + 3); /* it can ours, too */
    cr_assert_eq(world->nodes[0].context.counters[COUNTER_joins_refused], 1);
    world_run_ms(world, 1100); /* the notice is pulled; the answers go nowhere */
    cr_assert_eq(world->nodes[0].notices[NOTICE_REFUSED_PEER], 1);
    world_destroy(&world);
}

Test(boot, a_name_that_can_not_stand_in_a_table_is_refused_from_whoever_it_comes)
{
    static const char *const bad[] = {"a b", "a\nb", "a,b", "\"a", "a\033[2J", "\177"};
    struct world *world = world_new(2, 11);
    world_start(world, 0);
    struct membership *room = world->nodes[0].room;
    struct member_record good = world_record(world, 0, MEMBER_ALIVE);
    good.name = span_text("good");
    good.instance = 99;
    good.incarnation = UINT64_C(1) << 32;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wire_of_joiner(world, bad[i], WIRE_VERSION_MIN, WIRE_VERSION_MAX);
        cr_assert_eq(world->nodes[0].context.counters[COUNTER_joins_refused], i + 1);
        struct member_record record = good;
        record.name = span_text(bad[i]);
        cr_assert_eq(evidence_apply(room, &record), ERROR_INVALID_MESSAGE);
        record = good;
        record.zone = span_text(bad[i]);
        cr_assert_eq(evidence_apply(room, &record), ERROR_INVALID_MESSAGE);
    }
    cr_assert_eq(evidence_apply(room, &good), ERROR_OK);
    world_destroy(&world);
}

Test(boot, malformed_messages_are_strikes_and_change_nothing)
{
    struct world *world = world_new(2, 9);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    struct membership *room = world->nodes[0].room;
    uint64_t hash = membership_hash(room);
    static const uint8_t nonsense[] = {9, 200, 1, 2, 3};
    const struct envelope envelope = {
        .mesh = world->nodes[0].context.mesh_hash,
        .sender = world_instance(world, 1),
        .receiver = world_instance(world, 0),
    };
    for (unsigned kind = KIND_JOIN; kind <= KIND_SWIM_SYNC; kind++) {
        const struct message message = {
            .kind = (uint8_t)kind,
            .fields = span_of(nonsense, sizeof nonsense),
        };
        enum error error = membership_receive(room, &envelope, 1, span_text("x"), &message);
        cr_assert_eq(error, kind == KIND_CHALLENGE ? ERROR_OK : ERROR_INVALID_MESSAGE);
        error = membership_receive_answer(room, &envelope, 0, &message);
        cr_assert_eq(error, kind == KIND_CHALLENGE ? ERROR_INVALID_MESSAGE : ERROR_OK);
    }
    cr_assert_eq(membership_hash(room), hash);
    world_destroy(&world);
}

Test(boot, a_kind_of_a_newer_version_is_counted_and_skipped)
{
    struct world *world = world_new(1, 10);
    world_start(world, 0);
    const struct envelope envelope = {.sender = 5};
    const struct message message = {.kind = KIND_SWIM_SYNC + 9};
    cr_assert_eq(membership_receive(world->nodes[0].room, &envelope, 1, span_text("x"), &message),
                 ERROR_OK);
    cr_assert_eq(world->nodes[0].context.counters[COUNTER_kinds_unknown], 1);
    world_destroy(&world);
}

/* An older build hears of fields, states and kinds that it cannot know. */
Test(boot, a_field_of_a_newer_version_is_skipped_and_the_news_taken)
{
    struct world *world = world_new(2, 11);
    world_start_all(world);
    cr_assert(world_run_until(world, world_agrees, 3000));
    uint8_t fields[64];
    struct writer writer;
    writer_init(&writer, fields, sizeof fields);
    schema_encode(&gossip_swim_schema, &(struct gossip_swim){.log_head = 77}, &writer);
    size_t known = sizeof fields - writer.left;
    static const uint8_t newer[] = {120, 1, 9}; /* tag, length, value: none of ours is so high */
    memcpy(fields + known, newer, sizeof newer);
    const struct message message = {
        .kind = KIND_SWIM_PING,
        .fields = span_of(fields, known + sizeof newer),
    };
    const struct envelope envelope = {
        .mesh = world->nodes[0].context.mesh_hash,
        .sender = world_instance(world, 1),
        .receiver = world_instance(world, 0),
    };
    struct membership *room = world->nodes[0].room;
    cr_assert_eq(membership_receive(room, &envelope, 1, span_text("x"), &message), ERROR_OK);
    struct member_event event;
    cr_assert(membership_next_event(room, &event));
    cr_assert_eq(event.kind, MEMBER_EVENT_LOG_HEAD);
    cr_assert_eq(event.log_head, 77);
    world_destroy(&world);
}

static bool has_latecomer_joined(struct world *world)
{
    return membership_has_joined(world->nodes[20].room);
}

Test(boot, a_joiner_does_not_tell_the_mesh_of_the_meshs_own_members)
{
    struct world *world = world_new(21, 12);
    for (uint32_t i = 0; i < 20; i++)
        world_start(world, i);
    cr_assert(world_run_until(world, world_agrees, 3000));
    world_run_ms(world, 20000); /* nothing is news any more */
    world_start(world, 20);
    cr_assert(world_run_until(world, has_latecomer_joined, 1000));
    cr_assert_eq(membership_alive(world->nodes[20].room), 21);
    cr_assert_eq(world->nodes[20].room->dissemination.count, 0);
    cr_assert(world_run_until(world, world_agrees, 1000));
    world_destroy(&world);
}
