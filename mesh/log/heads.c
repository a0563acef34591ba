/* heads.c - see heads.h. */
#include "mesh/log/heads.h"

#include "proto/kinds.h"

enum { GROUP_BYTES_MAX = 4 + 2 * 10 };

/* The finaliser of splitmix64, as the wire specification says. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t heads_hash(struct log_head head)
{
    return mix(mix(head.writer) ^ head.have);
}

static void send(struct log *log, uint64_t peer, uint64_t hash, struct span body)
{
    struct log_heads fields = {.stream = (uint8_t)log->stream, .hash = hash};
    struct outgoing message = {
        .kind = KIND_LOG_HEADS, .schema = &log_heads_schema, .fields = &fields, .body = body};
    log_send(log, peer, &message);
}

void heads_compare(struct log *log, uint64_t peer, uint64_t hash)
{
    send(log, peer, hash, (struct span){0});
}

/* As groups, in scratch memory. False: no memory. */
static bool encode(struct log *log, const struct log_head *heads, uint32_t count,
                   struct span *encoded)
{
    require(count <= HEADS_MAX);
    size_t room = (size_t)count * GROUP_BYTES_MAX;
    uint8_t *body = scratch_new(&log->context->scratch, room);
    if (body == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, body, room);
    for (uint32_t i = 0; i < count; i++)
        group_encode(&log_head_schema, &heads[i], &writer);
    require(!writer.is_bad);
    *encoded = span_of(body, room - writer.left);
    return true;
}

void heads_send(struct log *log, uint64_t peer, uint64_t hash, const struct log_head *heads,
                uint32_t count)
{
    struct span body;
    if (encode(log, heads, count, &body)) /* if not, the next comparison is soon */
        send(log, peer, hash, body);
}

void heads_send_collected(struct log *log, uint64_t peer, uint64_t correlation,
                          const struct log_head *heads, uint32_t count)
{
    struct log_collected fields = {.stream = (uint8_t)log->stream};
    struct outgoing message = {.kind = KIND_LOG_COLLECTED,
                               .correlation = correlation,
                               .schema = &log_collected_schema,
                               .fields = &fields};
    if (encode(log, heads, count, &message.body)) /* if not, it is asked again */
        log_send(log, peer, &message);
}

bool heads_next(struct span *body, struct log_head *head, enum error *error)
{
    return group_next(&log_head_schema, body, head, error);
}
