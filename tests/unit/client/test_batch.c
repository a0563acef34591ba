/* test_batch.c - what shares a frame, and what is kept of it. */
#include <criterion/criterion.h>

#include "client/batch.h"
#include "proto/envelope.h"
#include "proto/kinds.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *zmq;
static void *receiver;
static struct dealer dealer;

/* A dealer of ours without its monitor, joined to a PULL-like DEALER over inproc. */
static void join_up(void)
{
    int unlimited = 0;
    zmq = zmq_ctx_new();
    receiver = zmq_socket(zmq, ZMQ_DEALER);
    (void)zmq_setsockopt(receiver, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    cr_assert_eq(zmq_bind(receiver, "inproc://batch"), 0);
    dealer = (struct dealer){.state = DEALER_UP, .tcp = -1, .epoll = -1};
    dealer.socket = zmq_socket(zmq, ZMQ_DEALER);
    (void)zmq_setsockopt(dealer.socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    cr_assert_eq(zmq_connect(dealer.socket, "inproc://batch"), 0);
}

static void fall_apart(void)
{
    (void)zmq_close(dealer.socket);
    (void)zmq_close(receiver);
    (void)zmq_ctx_term(zmq);
}

TestSuite(batch, .init = join_up, .fini = fall_apart);

/* Reads one frame; counts its messages and checks that correlations go on. */
static int messages_in(zmq_msg_t *frame, uint64_t *correlation)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error = ERROR_OK;
    int count = 0;
    reader_init(&reader, span_of(zmq_msg_data(frame), zmq_msg_size(frame)));
    cr_assert_eq(envelope_decode(&reader, CHANNEL_CLIENT, &envelope), ERROR_OK);
    for (; message_next(&reader, &message, &error); count++)
        cr_assert_eq(message.correlation, (*correlation)++);
    cr_assert_eq(error, ERROR_OK);
    return count;
}

Test(batch, fills_frames_up_to_the_aim_and_keeps_the_order)
{
    enum { MESSAGES = 3000, BODY = 100 };
    static const uint8_t body[BODY];
    struct batch batch;
    zmq_msg_t frame;
    uint64_t correlation = 0;
    batch_init(&batch, SIZE_MAX);
    for (uint64_t i = 0; i < MESSAGES; i++)
        cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, i, span_of(body, BODY)));
    int frames = batch_flush(&batch, &dealer);
    cr_assert(batch_is_empty(&batch));
    cr_assert_eq(frames, (MESSAGES * (BODY + MESSAGE_HEADER_BYTES)) / CLIENT_FRAME_BYTES_AIM + 1);
    (void)zmq_msg_init(&frame);
    for (int i = 0; i < frames; i++) {
        cr_assert_geq(zmq_msg_recv(&frame, receiver, ZMQ_DONTWAIT), 0);
        cr_assert_leq(zmq_msg_size(&frame), CLIENT_FRAME_BYTES_AIM);
        cr_assert_gt(messages_in(&frame, &correlation), 0);
    }
    cr_assert_eq(correlation, MESSAGES);
    cr_assert_eq(batch_flush(&batch, &dealer), 0);
    (void)zmq_msg_close(&frame);
    batch_clear(&batch);
}

Test(batch, keeps_everything_while_nobody_takes_it)
{
    struct batch batch;
    zmq_msg_t frame;
    uint64_t correlation = 0;
    static const uint8_t body[20000];
    batch_init(&batch, SIZE_MAX);
    for (uint64_t i = 0; i < 10; i++)
        cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, i, span_of(body, sizeof body)));
    dealer.state = DEALER_FULL;
    cr_assert_eq(batch_flush(&batch, &dealer), 0);
    dealer.state = DEALER_UP;
    cr_assert_eq(batch_flush(&batch, &dealer), 4);
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, receiver, ZMQ_DONTWAIT) >= 0)
        (void)messages_in(&frame, &correlation);
    cr_assert_eq(correlation, 10);
    (void)zmq_msg_close(&frame);
    batch_clear(&batch);
}

Test(batch, a_refused_block_is_not_lost)
{
    static const uint8_t body[20000];
    struct batch batch;
    void *lonely = zmq_socket(zmq, ZMQ_DEALER); /* connected to nobody: takes nothing */
    struct dealer alone = {.state = DEALER_UP, .tcp = -1, .epoll = -1, .socket = lonely};
    batch_init(&batch, SIZE_MAX);
    cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, 0, span_of(body, sizeof body)));
    cr_assert_eq(batch_flush(&batch, &alone), 0);
    cr_assert_eq(alone.state, DEALER_FULL);
    cr_assert_not(batch_is_empty(&batch));
    cr_assert_eq(batch_flush(&batch, &dealer), 1);
    (void)zmq_close(lonely);
    batch_clear(&batch);
}

static bool keep_even(void *user, uint8_t kind, uint64_t correlation)
{
    int *asked = user;
    ++*asked;
    return kind == KIND_PING && correlation % 2 == 0;
}

Test(batch, can_be_thinned_out)
{
    struct batch batch;
    zmq_msg_t frame;
    int asked = 0;
    static const uint8_t body[20000];
    batch_init(&batch, SIZE_MAX);
    for (uint64_t i = 0; i < 10; i++)
        cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, i, span_of(body, sizeof body)));
    batch_filter(&batch, keep_even, &asked);
    cr_assert_eq(asked, 10);
    (void)batch_flush(&batch, &dealer);
    int count = 0;
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, receiver, ZMQ_DONTWAIT) >= 0) {
        struct reader reader;
        struct envelope envelope;
        struct message message;
        enum error error;
        reader_init(&reader, span_of(zmq_msg_data(&frame), zmq_msg_size(&frame)));
        cr_assert_eq(envelope_decode(&reader, CHANNEL_CLIENT, &envelope), ERROR_OK);
        for (; message_next(&reader, &message, &error); count++)
            cr_assert_eq(message.correlation, (uint64_t)count * 2);
    }
    cr_assert_eq(count, 5);
    (void)zmq_msg_close(&frame);
    batch_clear(&batch);
}

Test(batch, has_a_limit_that_is_asked_for)
{
    struct batch batch;
    static const uint8_t body[1000];
    batch_init(&batch, 3000);
    cr_assert(batch_has_room(&batch, 3000));
    cr_assert_not(batch_has_room(&batch, 3001));
    cr_assert_not(batch_has_room(&batch, SIZE_MAX));
    cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, 0, span_of(body, sizeof body)));
    cr_assert_not(batch_has_room(&batch, 2500));
    batch_clear(&batch);
}

/* Reads all frames that came; their messages have correlations that go on from `from`. */
static uint64_t received_from(uint64_t from)
{
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, receiver, ZMQ_DONTWAIT) >= 0)
        (void)messages_in(&frame, &from);
    (void)zmq_msg_close(&frame);
    return from;
}

Test(batch, says_again_over_another_connection_what_did_not_arrive)
{
    static const uint8_t small[10], large[30000];
    struct batch batch;
    batch_init(&batch, 1024 * 1024);
    batch_keep_sent(&batch, true);
    for (uint64_t i = 0; i < 12; i++) { /* small ones are copied, large ones handed over */
        struct span body = i < 6 ? span_of(small, sizeof small) : span_of(large, sizeof large);
        cr_assert(batch_put(&batch, NULL, NULL, KIND_REQUEST, i, body));
        if (i % 3 == 2)
            cr_assert_gt(batch_flush(&batch, &dealer), 0);
    }
    cr_assert_eq(received_from(0), 12);
    size_t held = batch.held_bytes;
    batch_acknowledge(&batch, 4); /* the middle of a frame: it is held to its end */
    cr_assert_lt(batch.held_bytes, held);
    cr_assert_eq(batch.held_seq, 3);
    cr_assert_not(batch_has_room(&batch, 1024 * 1024 - 100), "what is held counts");
    cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, 77, (struct span){0}));
    cr_assert(batch_put(&batch, NULL, NULL, KIND_REQUEST, 12, (struct span){0}));
    batch_rewind(&batch, 5);
    cr_assert_eq(batch.held_bytes, 0);
    cr_assert_gt(batch_flush(&batch, &dealer), 0);
    cr_assert_eq(received_from(5), 13, "and the PING was for the old connection");
    batch_acknowledge(&batch, 13);
    cr_assert_eq(batch.held_bytes, 0);
    batch_clear(&batch);
}

/* ---- credentials ---- */

enum { SECRET_BYTES = 48, HAYSTACK_BYTES = 64 * 1024 * 1024 };

/* Computed, so that it lies nowhere but where it was put. */
static uint8_t secret_byte(size_t at)
{
    return (uint8_t)(at * 37 + 113);
}

static bool is_secret_at(const uint8_t *bytes)
{
    size_t at = 0;
    while (at < SECRET_BYTES && bytes[at] == secret_byte(at))
        at++;
    return at == SECRET_BYTES;
}

/* How often it is in a piece of this process's memory; what can't be read holds nothing. */
static int found_between(int memory, uint64_t from, uint64_t to)
{
    static uint8_t piece[65536];
    int found = 0;
    for (uint64_t at = from; at + SECRET_BYTES <= to; at += sizeof piece - SECRET_BYTES + 1) {
        size_t wanted = to - at < sizeof piece ? to - at : sizeof piece;
        ssize_t got = pread(memory, piece, wanted, (off_t)at);
        for (ssize_t i = 0; i + SECRET_BYTES <= got; i++)
            found += (piece[i] == secret_byte(0) && is_secret_at(piece + i));
        memset(piece, 0, sizeof piece);
    }
    return found;
}

/* How often it is in memory that this process may write; not in the sanitizers' huge shadows. Maps
 * that touch are one: it may lie on the border. */
static int secrets_in_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
    uint64_t from, to, run_from = 0, run_to = 0;
    char rights[5];
    cr_assert(maps != NULL && memory >= 0);
    while (fscanf(maps, "%" SCNx64 "-%" SCNx64 " %4s%*[^\n]", &from, &to, rights) == 3) {
        if (rights[1] != 'w' || to - from > HAYSTACK_BYTES)
            continue;
        if (from != run_to) {
            found += found_between(memory, run_from, run_to);
            run_from = from;
        }
        run_to = to;
    }
    found += found_between(memory, run_from, run_to);
    close(memory);
    (void)fclose(maps);
    return found;
}

/* REAUTHENTICATE as the batch has it: fields made of the secret, so many bytes before it. */
static void put_secret(struct batch *batch, uint64_t correlation, size_t before)
{
    uint8_t *body = calloc(1, before + SECRET_BYTES);
    for (size_t i = 0; i < SECRET_BYTES; i++)
        body[before + i] = secret_byte(i);
    cr_assert(batch_put(batch, NULL, NULL, KIND_REAUTHENTICATE, correlation,
                        span_of(body, before + SECRET_BYTES)));
    explicit_bzero(body, before + SECRET_BYTES);
    free(body);
}

/* What came is the receiver's: it is wiped here. */
static int receive_and_wipe(void)
{
    zmq_msg_t frame;
    int frames = 0;
    (void)zmq_msg_init(&frame);
    for (; zmq_msg_recv(&frame, receiver, ZMQ_DONTWAIT) >= 0; frames++)
        explicit_bzero(zmq_msg_data(&frame), zmq_msg_size(&frame));
    (void)zmq_msg_close(&frame);
    return frames;
}

/* All calls that follow were made once: the dynamic linker, when it binds one, saves registers on
 * the stack, and in them may be what was copied last. */
static void warm_up(void)
{
    static const uint8_t large[20000];
    for (size_t bytes = SECRET_BYTES; bytes <= sizeof large; bytes = bytes * 400) {
        struct batch batch;
        batch_init(&batch, SIZE_MAX);
        cr_assert(batch_put(&batch, NULL, NULL, KIND_REAUTHENTICATE, 1, span_of(large, bytes)));
        cr_assert_eq(batch_flush(&batch, &dealer), 1);
        cr_assert_eq(receive_and_wipe(), 1);
        batch_clear(&batch);
    }
    cr_assert_eq(secrets_in_memory(), 0);
}

Test(batch, credentials_are_nowhere_when_they_have_left)
{
    warm_up();
    static const size_t before[] = {0, 20000}; /* copied, and handed over */
    static const uint8_t more[2000];
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct batch batch;
        batch_init(&batch, SIZE_MAX);
        put_secret(&batch, 1, before[i]);
        cr_assert_eq(secrets_in_memory(), 1, "it is found where it is");
        cr_assert(batch_put(&batch, NULL, NULL, KIND_PING, 2, span_of(more, sizeof more)));
        cr_assert_eq(batch_flush(&batch, &dealer), 2);
        cr_assert_eq(receive_and_wipe(), 2);
        cr_assert_eq(secrets_in_memory(), 0);
        put_secret(&batch, 3, before[i]);
        cr_assert_eq(batch_flush(&batch, &dealer), 1);
        cr_assert_eq(receive_and_wipe(), 1);
        cr_assert_eq(secrets_in_memory(), 0, "the block is used again, but not with that");
        batch_clear(&batch);
    }
}

Test(batch, credentials_that_are_held_go_with_their_acknowledgement)
{
    struct batch batch;
    warm_up();
    batch_init(&batch, SIZE_MAX);
    batch_keep_sent(&batch, true);
    put_secret(&batch, 1, 0);
    put_secret(&batch, 2, 0);
    cr_assert_eq(batch_flush(&batch, &dealer), 2);
    cr_assert_eq(receive_and_wipe(), 2);
    cr_assert_eq(secrets_in_memory(), 2);
    batch_rewind(&batch, 1);
    cr_assert_eq(secrets_in_memory(), 1, "one has arrived, one is to be said again");
    cr_assert_eq(batch_flush(&batch, &dealer), 1);
    cr_assert_eq(receive_and_wipe(), 1);
    batch_acknowledge(&batch, 2);
    cr_assert_eq(secrets_in_memory(), 0);
    batch_clear(&batch);
}
