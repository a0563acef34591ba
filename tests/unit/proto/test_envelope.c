/* test_envelope.c - frames: what is at which byte, batches, and every way to be wrong. */
#include <criterion/criterion.h>

#include "proto/client.h"
#include "proto/envelope.h"
#include "proto/kinds.h"
#include "tests/unit/proto/messages.h"

static const struct envelope client_envelope = {.version = 1, .channel = CHANNEL_CLIENT};
static const struct envelope peer_envelope = {.version = 1,
                                              .channel = CHANNEL_FORWARD,
                                              .mesh = 0x1111,
                                              .sender = 0x2222,
                                              .receiver = 0x3333,
                                              .sequence = 4};

static size_t encode(const struct envelope *envelope, uint8_t *frame, size_t bytes)
{
    struct writer writer;
    writer_init(&writer, frame, bytes);
    envelope_encode(envelope, &writer);
    cr_assert(!writer.is_bad);
    return bytes - writer.left;
}

static enum error decode(const uint8_t *frame, size_t bytes, enum channel channel,
                         struct envelope *envelope)
{
    struct reader reader;
    reader_init(&reader, span_of(frame, bytes));
    return envelope_decode(&reader, channel, envelope);
}

Test(envelope, of_a_client_is_eight_bytes)
{
    static const uint8_t expected[] = {'W', 'E', 'F', 'T', 1, 1, 0, 0};
    uint8_t frame[64];
    cr_assert_eq(encode(&client_envelope, frame, sizeof frame), ENVELOPE_CLIENT_BYTES);
    cr_assert_eq(envelope_bytes(CHANNEL_CLIENT), ENVELOPE_CLIENT_BYTES);
    cr_assert_arr_eq(frame, expected, sizeof expected);
}

Test(envelope, of_a_peer_names_mesh_sender_receiver_and_sequence)
{
    uint8_t frame[64];
    struct envelope out;
    size_t bytes = encode(&peer_envelope, frame, sizeof frame);
    cr_assert_eq(bytes, ENVELOPE_PEER_BYTES);
    cr_assert_eq(envelope_bytes(CHANNEL_GOSSIP), ENVELOPE_PEER_BYTES);
    cr_assert_eq(envelope_bytes(CHANNEL_FORWARD), ENVELOPE_PEER_BYTES);
    cr_assert_eq(decode(frame, bytes, CHANNEL_FORWARD, &out), ERROR_OK);
    cr_assert_eq(out.mesh, 0x1111);
    cr_assert_eq(out.sender, 0x2222);
    cr_assert_eq(out.receiver, 0x3333);
    cr_assert_eq(out.sequence, 4);
    cr_assert_eq(out.version, 1);
}

Test(envelope, wrong_magic_or_channel_is_invalid)
{
    uint8_t frame[64];
    struct envelope out;
    size_t bytes = encode(&peer_envelope, frame, sizeof frame);
    cr_assert_eq(decode(frame, bytes, CHANNEL_GOSSIP, &out), ERROR_INVALID_MESSAGE);
    cr_assert_eq(decode(frame, bytes, CHANNEL_CLIENT, &out), ERROR_INVALID_MESSAGE);
    for (size_t at = 0; at < 4; at++) {
        frame[at] ^= 0x20;
        cr_assert_eq(decode(frame, bytes, CHANNEL_FORWARD, &out), ERROR_INVALID_MESSAGE);
        frame[at] ^= 0x20;
    }
}

Test(envelope, cut_anywhere_is_invalid)
{
    uint8_t frame[64];
    struct envelope out;
    encode(&peer_envelope, frame, sizeof frame);
    for (size_t bytes = 0; bytes < ENVELOPE_PEER_BYTES; bytes++)
        cr_assert_eq(decode(frame, bytes, CHANNEL_FORWARD, &out), ERROR_INVALID_MESSAGE);
    encode(&client_envelope, frame, sizeof frame);
    for (size_t bytes = 0; bytes < ENVELOPE_CLIENT_BYTES; bytes++)
        cr_assert_eq(decode(frame, bytes, CHANNEL_CLIENT, &out), ERROR_INVALID_MESSAGE);
}

Test(envelope, another_version_is_a_mismatch_that_can_still_be_answered)
{
    uint8_t frame[64];
    struct envelope out;
    size_t bytes = encode(&peer_envelope, frame, sizeof frame);
    frame[4] = WIRE_VERSION_MAX + 1;
    cr_assert_eq(decode(frame, bytes, CHANNEL_FORWARD, &out), ERROR_VERSION_MISMATCH);
    cr_assert_eq(out.version, WIRE_VERSION_MAX + 1);
    cr_assert_eq(out.sender, 0x2222);
    frame[4] = 0;
    cr_assert_eq(decode(frame, bytes, CHANNEL_FORWARD, &out), ERROR_VERSION_MISMATCH);
}

Test(envelope, reserved_bytes_are_ignored)
{
    uint8_t frame[64];
    struct envelope out;
    size_t bytes = encode(&client_envelope, frame, sizeof frame);
    frame[6] = 0xff;
    frame[7] = 0xff;
    cr_assert_eq(decode(frame, bytes, CHANNEL_CLIENT, &out), ERROR_OK);
}

/* GOODBYE with a body of three bytes, then PING without fields. */
static size_t two_messages(uint8_t *frame, size_t bytes)
{
    struct client_goodbye goodbye = {.reason = 2, .text = span_text("bye")};
    struct writer writer;
    writer_init(&writer, frame, bytes);
    message_encode(&client_goodbye_schema, &goodbye, KIND_GOODBYE, MESSAGE_WANTS_ANSWER, 77, 3,
                   &writer);
    writer_span(&writer, span_text("xyz"));
    message_encode(NULL, NULL, KIND_PING, 0, 78, 0, &writer);
    cr_assert(!writer.is_bad);
    return bytes - writer.left;
}

Test(message, header_and_fields_are_at_their_bytes)
{
    static const uint8_t expected[] = {
        7, 1, 8, 0, 3, 0,   0,   0,   77,  0,   0,   0, 0, 0, 0, 0, /* header */
        1, 1, 2, 2, 3, 'b', 'y', 'e', 'x', 'y', 'z',                /* fields, body */
        4, 0, 0, 0, 0, 0,   0,   0,   78,  0,   0,   0, 0, 0, 0, 0, /* the next header */
    };
    uint8_t frame[64];
    cr_assert_eq(two_messages(frame, sizeof frame), sizeof expected);
    cr_assert_arr_eq(frame, expected, sizeof expected);
}

Test(message, measure_is_what_encode_writes)
{
    struct client_goodbye goodbye = {.reason = 2, .text = span_text("bye")};
    cr_assert_eq(message_measure(&client_goodbye_schema, &goodbye), MESSAGE_HEADER_BYTES + 8);
    cr_assert_eq(message_measure(NULL, NULL), MESSAGE_HEADER_BYTES);
}

Test(message_next, walks_a_batch_to_its_end)
{
    uint8_t frame[64];
    struct reader reader;
    struct message message;
    enum error error;
    reader_init(&reader, span_of(frame, two_messages(frame, sizeof frame)));
    cr_assert(message_next(&reader, &message, &error));
    cr_assert_eq(message.kind, KIND_GOODBYE);
    cr_assert_eq(message.flags, MESSAGE_WANTS_ANSWER);
    cr_assert_eq(message.correlation, 77);
    cr_assert(span_equal(message.body, span_text("xyz")));
    cr_assert(message_next(&reader, &message, &error));
    cr_assert_eq(message.kind, KIND_PING);
    cr_assert_eq(message.fields.bytes, 0);
    cr_assert(!message_next(&reader, &message, &error));
    cr_assert_eq(error, ERROR_OK);
}

Test(message_next, a_batch_cut_anywhere_else_than_between_messages_is_invalid)
{
    uint8_t frame[64];
    size_t bytes = two_messages(frame, sizeof frame);
    for (size_t cut = 1; cut < bytes; cut++) {
        struct reader reader;
        struct message message;
        enum error error;
        size_t count = 0;
        reader_init(&reader, span_of(frame, cut));
        while (message_next(&reader, &message, &error))
            count++;
        bool is_between = cut == bytes - MESSAGE_HEADER_BYTES;
        cr_assert_eq(count, cut >= bytes - MESSAGE_HEADER_BYTES, "cut at %zu", cut);
        cr_assert_eq(error, is_between ? ERROR_OK : ERROR_INVALID_MESSAGE, "cut at %zu", cut);
    }
}

Test(message_skip, says_of_any_frame_what_message_next_does)
{
    uint8_t frame[64];
    size_t whole = two_messages(frame, sizeof frame);
    for (size_t cut = 0; cut <= whole; cut++) {
        for (size_t flip = 0; flip <= 8 * whole; flip++) {
            struct reader next, skip;
            struct message message;
            enum error next_error, skip_error;
            size_t bytes;
            bool is_next;
            if (flip < 8 * whole)
                frame[flip / 8] ^= (uint8_t)(1U << flip % 8);
            reader_init(&next, span_of(frame, cut));
            reader_init(&skip, span_of(frame, cut));
            do {
                is_next = message_next(&next, &message, &next_error);
                cr_assert_eq(message_skip(&skip, &bytes, &skip_error), is_next);
                cr_assert_eq(skip_error, next_error);
                if (is_next)
                    cr_assert_eq(bytes,
                                 MESSAGE_HEADER_BYTES + message.fields.bytes + message.body.bytes);
            } while (is_next);
            if (flip < 8 * whole)
                frame[flip / 8] ^= (uint8_t)(1U << flip % 8);
        }
    }
}

Test(message_next, lengths_beyond_the_frame_are_invalid_and_stay_so)
{
    uint8_t frame[64];
    struct reader reader;
    struct message message;
    enum error error;
    size_t bytes = two_messages(frame, sizeof frame);
    memset(&frame[4], 0xff, 4);
    reader_init(&reader, span_of(frame, bytes));
    cr_assert(!message_next(&reader, &message, &error));
    cr_assert_eq(error, ERROR_INVALID_MESSAGE);
    cr_assert(!message_next(&reader, &message, &error));
    cr_assert_eq(error, ERROR_INVALID_MESSAGE);
}

Test(message_encode, more_fields_than_the_header_can_say_make_the_writer_bad)
{
    static uint8_t frame[70000];
    static uint8_t big[65536];
    static const struct field fields[] = {
        {.name = "big", .offset = 0, .tag = 1, .type = FIELD_BYTES, .max = UINT32_MAX}};
    static const struct schema schema = {
        .name = "big", .fields = fields, .fields_count = 1, .struct_bytes = sizeof(struct span)};
    struct writer writer;
    struct span fits = span_of(big, MESSAGE_FIELDS_BYTES_MAX - 4);
    struct span too_big = span_of(big, MESSAGE_FIELDS_BYTES_MAX - 3);
    writer_init(&writer, frame, sizeof frame);
    message_encode(&schema, &fits, 1, 0, 0, 0, &writer);
    cr_assert(!writer.is_bad);
    writer_init(&writer, frame, sizeof frame);
    message_encode(&schema, &too_big, 1, 0, 0, 0, &writer);
    cr_assert(writer.is_bad);
}

Test(message_encode, without_room_is_a_bad_writer)
{
    uint8_t frame[64];
    struct client_goodbye goodbye = {.reason = 2, .text = span_text("bye")};
    for (size_t room = 0; room < MESSAGE_HEADER_BYTES + 8; room++) {
        struct writer writer;
        writer_init(&writer, frame, room);
        message_encode(&client_goodbye_schema, &goodbye, KIND_GOODBYE, 0, 0, 0, &writer);
        cr_assert(writer.is_bad);
    }
}

Test(message_next, flipped_bits_never_reach_outside_the_frame)
{
    uint8_t frame[64];
    size_t bytes = two_messages(frame, sizeof frame);
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        struct reader reader;
        struct message message;
        enum error error;
        frame[bit / 8] ^= (uint8_t)(1U << bit % 8);
        reader_init(&reader, span_of(frame, bytes));
        while (message_next(&reader, &message, &error)) {
            struct client_goodbye goodbye;
            enum error decoded = schema_decode(&client_goodbye_schema, message.fields, &goodbye);
            cr_assert_leq(decoded, ERROR_VERSION_MISMATCH);
        }
        frame[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

Test(mesh_name_is_good, for_what_can_stand_in_a_table)
{
    cr_assert(mesh_name_is_good(span_text("eu-a.1_\xc3\xa9:7311")));
    cr_assert(mesh_name_is_good((struct span){0}));
    static const char *const bad[] = {" a", "a\tb", "a,b", "a\"", "\x01", "\x7f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(mesh_name_is_good(span_text(bad[i])));
}

Test(mesh_name_hash, is_fnv_1a)
{
    cr_assert_eq(mesh_name_hash((struct span){0}), UINT64_C(0xcbf29ce484222325));
    cr_assert_eq(mesh_name_hash(span_text("a")), UINT64_C(0xaf63dc4c8601ec8c));
    cr_assert_eq(mesh_name_hash(span_text("foobar")), UINT64_C(0x85944171f73967e8));
}

Test(message_pass_on, keeps_fields_and_body_length_and_changes_the_header)
{
    static const uint8_t expected[] = {16, 1, 3, 0, 4, 0, 0,   0,   9,  0,
                                       0,  0, 0, 0, 0, 0, 'f', 'l', 'd'};
    uint8_t frame[64];
    struct message message = {.kind = KIND_REQUEST,
                              .flags = 1,
                              .correlation = 9,
                              .fields = span_text("fld"),
                              .body = span_text("body")};
    struct writer writer;
    writer_init(&writer, frame, sizeof expected);
    message_pass_on(&message, &writer);
    cr_assert(!writer.is_bad);
    cr_assert_eq(writer.left, 0);
    cr_assert_arr_eq(frame, expected, sizeof expected);
    writer_init(&writer, frame, sizeof expected - 1);
    message_pass_on(&message, &writer);
    cr_assert(writer.is_bad);
}

Test(message_of_parts, takes_a_head_and_the_body_it_speaks_of_and_nothing_else)
{
    uint8_t frame[64];
    struct message message;
    two_messages(frame, sizeof frame);
    struct span head = span_of(frame, MESSAGE_HEADER_BYTES + 8);
    cr_assert(message_of_parts(head, span_text("abc"), &message));
    cr_assert_eq(message.correlation, 77);
    cr_assert(span_equal(message.body, span_text("abc")));
    cr_assert(!message_of_parts(head, span_text("ab"), &message));
    cr_assert(!message_of_parts(span_of(frame, head.bytes - 1), span_text("abc"), &message));
    cr_assert(!message_of_parts(span_of(frame, head.bytes + 1), span_text("abc"), &message));
    cr_assert(!message_of_parts((struct span){0}, (struct span){0}, &message));
}
