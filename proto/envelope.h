/* envelope.h - what one ZeroMQ frame is: an envelope and then one or more messages.
 *
 *     every frame          0        4         5         6          8
 *                          +--------+---------+---------+----------+
 *                          | "WEFT" | version | channel | reserved |
 *                          +--------+---------+---------+----------+
 *     between nodes, also  8        16         24           32         40
 *                          +--------+----------+------------+----------+
 *                          | mesh   | sender   | receiver   | sequence |
 *                          +--------+----------+------------+----------+
 *
 *     message            0      1       2              4            8             16
 *                        +------+-------+--------------+------------+-------------+--------+------+
 *                        | kind | flags | fields_bytes | body_bytes | correlation | fields | body |
 *                        | u8   | u8    | u16          | u32        | u64         |        |      |
 *                        +------+-------+--------------+------------+-------------+--------+------+
 *
 * All integers are little-endian. Memory: decoded spans point into the frame.
 * Thread: pure functions. */
#ifndef WEFT_PROTO_ENVELOPE_H
#define WEFT_PROTO_ENVELOPE_H

#include "proto/schema.h"

enum {
    ENVELOPE_CLIENT_BYTES = 8,
    ENVELOPE_PEER_BYTES = 40,
    MESSAGE_HEADER_BYTES = 16,
    MESSAGE_FIELDS_BYTES_AT = 2, /* where fields_bytes lies in it */
    MESSAGE_FIELDS_BYTES_MAX = 65535,
    CLIENT_MESSAGE_BYTES_MAX = 1024 * 1024, /* header included; larger is message_too_large */
    CLIENT_FRAME_BYTES_MAX = 2 * 1024 * 1024,
    GOSSIP_FRAME_BYTES_MAX = 64 * 1024,
    FORWARD_FRAME_BYTES_MAX = 16 * 1024 * 1024,
    CLIENT_FRAME_BYTES_AIM = 64 * 1024,   /* where a frame to one client is cut off */
    FORWARD_FRAME_BYTES_AIM = 256 * 1024, /* where a frame to a node is cut off */
};

enum { WIRE_VERSION_MIN = 1, WIRE_VERSION_MAX = 1 };

enum channel { CHANNEL_CLIENT = 1, CHANNEL_GOSSIP = 2, CHANNEL_FORWARD = 3 };

enum message_flag {
    MESSAGE_WANTS_ANSWER = 1, /* a receiver that does not know the kind answers VERSION_MISMATCH */
};

struct envelope {
    uint8_t version;
    enum channel channel;
    uint64_t mesh;     /* mesh_name_hash of the cluster's name; peers only, as the rest */
    uint64_t sender;   /* instance id */
    uint64_t receiver; /* instance id; 0 only while the sender does not know it (JOIN) */
    uint64_t sequence; /* frames on this link since it came up, from 1 */
};

struct message {
    uint8_t kind;
    uint8_t flags;
    uint64_t correlation;
    struct span fields;
    struct span body;
};

/* Bytes of the envelope on that channel. */
size_t envelope_bytes(enum channel channel);

void envelope_encode(const struct envelope *envelope, struct writer *writer);

/* Takes the envelope off the frame; the reader then stands at the first message.
 * Returns ERROR_INVALID_MESSAGE for a wrong magic, channel or length (nothing may be used);
 * ERROR_VERSION_MISMATCH for a version outside WIRE_VERSION_MIN..MAX: the envelope is filled in
 * all the same and the reader stands at the first message, because HELLO, REFUSED, JOIN and
 * CHALLENGE are read whatever the version says. */
ERROR_MUST_CHECK
enum error envelope_decode(struct reader *frame, enum channel expected, struct envelope *envelope);

/* Writes header and fields; exactly body_bytes of body must follow. schema: NULL for a kind without
 * fields. More than MESSAGE_FIELDS_BYTES_MAX of fields make the writer bad. */
void message_encode(const struct schema *schema, const void *fields, uint8_t kind, uint8_t flags,
                    uint64_t correlation, size_t body_bytes, struct writer *writer);

/* The same for a message that is passed on with its fields as they came: header and fields; exactly
 * message->body.bytes of body must follow. */
void message_pass_on(const struct message *message, struct writer *writer);

/* Bytes that message_encode writes, without the body. */
size_t message_measure(const struct schema *schema, const void *fields);

/* Takes the next message off the frame. Returns true when there was one; false at the end
 * (*error is ERROR_OK) or when the rest is malformed (ERROR_INVALID_MESSAGE). */
ERROR_MUST_CHECK
bool message_next(struct reader *frame, struct message *message, enum error *error);

/* Passes over the next message and says how long it is, header included. Returns and *error as
 * message_next, at half the cost. */
ERROR_MUST_CHECK
bool message_skip(struct reader *frame, size_t *bytes, enum error *error);

/* Puts together a message whose head (header and fields) and body lie apart. False when the head is
 * not one, or speaks of another body. */
ERROR_MUST_CHECK
bool message_of_parts(struct span head, struct span body, struct message *message);

/* The 64-bit hash (FNV-1a) by which frames name their mesh. */
uint64_t mesh_name_hash(struct span name);

/* Whether a node, mesh or zone may be called so; names stand in tables, lists and log lines: no
 * blanks, quotes and commas, nothing invisible. Empty is a matter of the caller. */
bool mesh_name_is_good(struct span name);

#endif
