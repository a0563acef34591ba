/* test_admission.c - whose frames are taken, and when a peer is not listened to any more. */
#include <criterion/criterion.h>

#include "mesh/base/admission.h"
#include "tests/unit/mesh/base/queues.h"

enum { PEER = 500, STRANGER = 501 };

static struct mesh_config config;
static struct context context;
static struct admission *admission;
static struct envelope taken; /* as judge_bytes decoded it */

static void set_up(void)
{
    mesh_config_defaults(&config);
    config.cluster = "test";
    config.gossip.members_max = 4;
    context = (struct context){0};
    cr_assert(context_init(&context, &config));
    context.now_ns = UINT64_C(1000000000000);
    admission = admission_new(&context);
    cr_assert_not_null(admission);
}

static void tear_down(void)
{
    admission_destroy(&admission);
    cr_assert_null(admission);
    context_clear(&context);
}

TestSuite(admission, .init = set_up, .fini = tear_down);

static void pass_ms(uint64_t ms)
{
    context.now_ns += ms * 1000000;
}

static struct envelope envelope_of(enum channel channel, uint64_t sender)
{
    return (struct envelope){
        .version = 1,
        .channel = channel,
        .mesh = context.mesh_hash,
        .sender = sender,
        .receiver = context.instance,
        .sequence = 1,
    };
}

static enum admission_verdict judge_bytes(enum channel channel, uint32_t connection,
                                          struct span bytes)
{
    struct reader reader;
    reader_init(&reader, bytes);
    return admission_judge(admission, channel, connection, span_text("10.0.0.1:999"), &reader,
                           &taken);
}

static enum admission_verdict judge(uint32_t connection, const struct envelope *envelope)
{
    uint8_t bytes[ENVELOPE_PEER_BYTES];
    struct writer writer;
    writer_init(&writer, bytes, sizeof bytes);
    envelope_encode(envelope, &writer);
    return judge_bytes(envelope->channel, connection, span_of(bytes, sizeof bytes));
}

static enum admission_verdict judge_sender(uint32_t connection, uint64_t sender)
{
    const struct envelope envelope = envelope_of(CHANNEL_FORWARD, sender);
    return judge(connection, &envelope);
}

static enum admission_verdict judge_garbage(uint32_t connection)
{
    return judge_bytes(CHANNEL_FORWARD, connection, span_text("GET / HTTP/1.1\r\n\r\n"));
}

static uint64_t counted(enum counter counter)
{
    return context.counters[counter];
}

/* Pulls all that waits and returns how many notices of that code were among it. */
static uint32_t notices(enum mesh_notice_code code)
{
    struct mesh_output output;
    uint32_t found = 0;
    while (outbox_next(context.outbox, &output))
        found += output.order == MESH_NOTICE && output.notice.code == code;
    return found;
}

Test(admission, takes_frames_of_the_mesh_for_this_node)
{
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    cr_assert_eq(taken.sender, PEER);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    cr_assert_eq(judge_sender(2, STRANGER), ADMISSION_TAKEN);
    cr_assert_eq(counted(COUNTER_forward_frames_bad), 0);
    cr_assert_eq(counted(COUNTER_peer_strikes), 0);
}

Test(admission, counts_frames_of_another_mesh)
{
    struct envelope envelope = envelope_of(CHANNEL_GOSSIP, PEER);
    envelope.mesh++;
    cr_assert_eq(judge(1, &envelope), ADMISSION_WRONG_MESH);
    cr_assert_eq(taken.sender, PEER, "a JOIN among them is answered");
    cr_assert_eq(counted(COUNTER_frames_wrong_mesh), 1);
    cr_assert_eq(judge_sender(1, STRANGER), ADMISSION_TAKEN, "and they bind nothing");
}

Test(admission, counts_frames_for_another_instance)
{
    struct envelope envelope = envelope_of(CHANNEL_GOSSIP, PEER);
    envelope.receiver++;
    cr_assert_eq(judge(1, &envelope), ADMISSION_NOT_OURS);
    cr_assert_eq(counted(COUNTER_frames_not_ours), 1);
}

Test(admission, lets_only_gossip_name_no_receiver)
{
    struct envelope envelope = envelope_of(CHANNEL_GOSSIP, PEER);
    envelope.receiver = 0;
    cr_assert_eq(judge(1, &envelope), ADMISSION_TAKEN);
    envelope.channel = CHANNEL_FORWARD;
    cr_assert_eq(judge(1, &envelope), ADMISSION_NOT_OURS);
}

Test(admission, leaves_other_versions_to_whoever_refuses_them)
{
    struct envelope envelope = envelope_of(CHANNEL_GOSSIP, PEER);
    envelope.version = 99;
    cr_assert_eq(judge(1, &envelope), ADMISSION_OTHER_VERSION);
    cr_assert_eq(taken.version, 99);
    cr_assert_eq(taken.sender, PEER);
}

Test(admission, binds_a_connection_to_its_first_sender)
{
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    cr_assert_eq(judge_sender(1, STRANGER), ADMISSION_IMPOSTOR);
    cr_assert_eq(counted(COUNTER_peer_strikes), 1);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    const struct envelope gossip = envelope_of(CHANNEL_GOSSIP, STRANGER);
    cr_assert_eq(judge(1, &gossip), ADMISSION_TAKEN, "numbers are a channel's own");
    admission_connection_lost(admission, CHANNEL_FORWARD, 1);
    admission_connection_lost(admission, CHANNEL_FORWARD, 1);
    admission_connection_lost(admission, CHANNEL_CLIENT, 77);
    cr_assert_eq(judge_sender(1, STRANGER), ADMISSION_TAKEN);
}

Test(admission, counts_malformed_frames_and_strikes_only_who_is_bound)
{
    cr_assert_eq(judge_garbage(1), ADMISSION_BAD);
    cr_assert_eq(counted(COUNTER_forward_frames_bad), 1);
    cr_assert_eq(counted(COUNTER_peer_strikes), 0);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    cr_assert_eq(judge_garbage(1), ADMISSION_BAD);
    cr_assert_eq(counted(COUNTER_peer_strikes), 1);
    cr_assert_eq(judge_bytes(CHANNEL_GOSSIP, 2, (struct span){0}), ADMISSION_BAD);
    cr_assert_eq(counted(COUNTER_gossip_frames_bad), 1);
    cr_assert_eq(judge_sender(3, 0), ADMISSION_BAD, "nobody sends from instance 0");
    admission_bad_frame(admission, CHANNEL_CLIENT, 1, (struct span){0});
    cr_assert_eq(counted(COUNTER_client_frames_bad), 1);
}

Test(admission, drops_a_peer_with_sixteen_strikes_in_ten_seconds_for_a_minute)
{
    judge_sender(1, PEER);
    for (int i = 0; i < 15; i++) {
        admission_strike(admission, CHANNEL_FORWARD, 1);
        pass_ms(600);
    }
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    admission_strike(admission, CHANNEL_FORWARD, 1);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_STRUCK);
    cr_assert_eq(judge_garbage(1), ADMISSION_STRUCK, "not even decoded");
    cr_assert_eq(counted(COUNTER_peer_frames_struck), 2);
    cr_assert_eq(counted(COUNTER_peer_strikes), 16);
    cr_assert_eq(judge_sender(2, STRANGER), ADMISSION_TAKEN, "others are heard");
    cr_assert_eq(notices(NOTICE_PEER_STRUCK), 1);
    pass_ms(59999);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_STRUCK);
    pass_ms(1);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    admission_strike(admission, CHANNEL_FORWARD, 1);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN, "and starts with a clean sheet");
}

Test(admission, forgives_strikes_that_are_further_apart)
{
    judge_sender(1, PEER);
    for (int i = 0; i < 100; i++) {
        admission_strike(admission, CHANNEL_FORWARD, 1);
        pass_ms(667); /* 16 of them span 10,005 ms */
    }
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_TAKEN);
    cr_assert_eq(notices(NOTICE_PEER_STRUCK), 0);
}

Test(admission, says_once_that_a_peer_is_struck)
{
    judge_sender(1, PEER);
    for (int i = 0; i < 100; i++)
        admission_strike(admission, CHANNEL_FORWARD, 1);
    cr_assert_eq(notices(NOTICE_PEER_STRUCK), 1);
    cr_assert_eq(counted(COUNTER_peer_strikes), 100);
}

Test(admission, strikes_a_connection_and_not_the_member_it_names)
{
    judge_sender(1, PEER);
    judge_sender(2, PEER);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(judge_garbage(1), ADMISSION_BAD);
    cr_assert_eq(judge_sender(1, PEER), ADMISSION_STRUCK);
    cr_assert_eq(judge_sender(2, PEER), ADMISSION_TAKEN, "the member's own is heard");
    admission_connection_lost(admission, CHANNEL_FORWARD, 1);
    cr_assert_eq(judge_sender(1, STRANGER), ADMISSION_TAKEN, "the number came back, clean");
}

Test(admission, counts_a_strike_of_somebody_unknown)
{
    admission_strike(admission, CHANNEL_GOSSIP, 12345);
    cr_assert_eq(counted(COUNTER_peer_strikes), 1);
}

Test(admission, notices_bad_frames_once_a_minute_and_source)
{
    for (int i = 0; i < 10; i++)
        admission_bad_frame(admission, CHANNEL_GOSSIP, 1, span_text("10.0.0.1:999"));
    admission_bad_frame(admission, CHANNEL_GOSSIP, 1, span_text("10.0.0.1:1000"));
    cr_assert_eq(notices(NOTICE_BAD_FRAME), 1, "the port makes no new source");
    admission_bad_frame(admission, CHANNEL_GOSSIP, 2, span_text("10.0.0.2:999"));
    cr_assert_eq(notices(NOTICE_BAD_FRAME), 1);
    pass_ms(60000);
    admission_bad_frame(admission, CHANNEL_GOSSIP, 1, span_text("10.0.0.1:999"));
    cr_assert_eq(notices(NOTICE_BAD_FRAME), 1);
    cr_assert_eq(counted(COUNTER_gossip_frames_bad), 13);
}

Test(admission, is_bounded_against_a_flood_of_connections)
{
    uint32_t bound = 0;
    while (judge_sender(bound, PEER + bound) == ADMISSION_TAKEN)
        cr_assert_lt(++bound, 10000);
    cr_assert_eq(judge_sender(bound, PEER + bound), ADMISSION_FULL);
    cr_assert_eq(judge_sender(0, PEER), ADMISSION_TAKEN, "who is bound is still heard");
    admission_connection_lost(admission, CHANNEL_FORWARD, 3);
    cr_assert_eq(judge_sender(bound, PEER + bound), ADMISSION_TAKEN, "a lost one makes room");
    cr_assert_eq(judge_sender(bound + 1, PEER), ADMISSION_FULL);
}

Test(admission, uses_places_again)
{
    for (uint32_t round = 0; round < 2000; round++) {
        cr_assert_eq(judge_sender(round % 7, PEER + round), ADMISSION_TAKEN);
        if (round % 3 == 0)
            judge_sender(1000 + round % 7, PEER + round / 2);
        admission_connection_lost(admission, CHANNEL_FORWARD, round % 7);
        admission_connection_lost(admission, CHANNEL_FORWARD, 1000 + round % 7);
    }
}
