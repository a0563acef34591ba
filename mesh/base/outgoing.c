/* outgoing.c - see outgoing.h. */
#include "mesh/base/outgoing.h"

#include "mesh/base/require.h"

/* Where frames are cut off, and the largest that a receiver takes. */
static const struct {
    size_t aim, limit;
} frame_bytes[] = {
    [CHANNEL_CLIENT] = {CLIENT_FRAME_BYTES_AIM, CLIENT_FRAME_BYTES_MAX},
    [CHANNEL_GOSSIP] = {GOSSIP_FRAME_BYTES_MAX, GOSSIP_FRAME_BYTES_MAX},
    [CHANNEL_FORWARD] = {FORWARD_FRAME_BYTES_AIM, FORWARD_FRAME_BYTES_MAX},
};

size_t outgoing_frame_aim(enum channel channel)
{
    return frame_bytes[channel].aim;
}

size_t outgoing_measure_head(const struct outgoing *message)
{
    return message->schema != NULL ? message_measure(message->schema, message->fields)
                                   : MESSAGE_HEADER_BYTES + message->encoded_fields.bytes;
}

bool outgoing_fits(enum channel channel, size_t head_bytes, size_t body_bytes)
{
    size_t most = frame_bytes[channel].limit - envelope_bytes(channel);
    return head_bytes <= MESSAGE_HEADER_BYTES + MESSAGE_FIELDS_BYTES_MAX && body_bytes <= most &&
           head_bytes + body_bytes <= most;
}

void outgoing_encode_head(const struct outgoing *message, uint8_t *head, size_t head_bytes)
{
    struct writer writer;
    writer_init(&writer, head, head_bytes);
    if (message->schema != NULL) {
        message_encode(message->schema, message->fields, message->kind, message->flags,
                       message->correlation, message->body.bytes, &writer);
    } else {
        const struct message as_it_came = {
            .kind = message->kind,
            .flags = message->flags,
            .correlation = message->correlation,
            .fields = message->encoded_fields,
            .body = message->body,
        };
        message_pass_on(&as_it_came, &writer);
    }
    require(!writer.is_bad && writer.left == 0);
}
