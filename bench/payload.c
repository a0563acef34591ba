#include "bench/payload.h"

#include <string.h>

/* run u64, sender u32, size u32, sequence u64, checksum u64, due at u64, filler. Both ends are this
 * program on this machine, so the machine's byte order will do. The filler is a fixed pattern:
 * making it must not cost what is to be measured. */

enum { AT_SENDER = 8, AT_SIZE = 12, AT_SEQUENCE = 16, AT_CHECKSUM = 24, AT_FROM = 32 };

static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t count)
{
    uint64_t word;
    for (; count >= sizeof word; bytes += sizeof word, count -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    for (; count > 0; bytes++, count--)
        hash = (hash ^ *bytes) * 0x100000001b3u;
    return hash;
}

static uint64_t checksum(const uint8_t *buffer, size_t bytes)
{
    uint64_t hash = mix(0xcbf29ce484222325u, buffer, AT_CHECKSUM);
    return mix(hash, buffer + PAYLOAD_BYTES_MIN, bytes - PAYLOAD_BYTES_MIN);
}

void payload_write(const struct payload *payload, void *buffer, size_t bytes)
{
    uint8_t *out = buffer;
    uint32_t size = (uint32_t)bytes;
    memset(out, 0x5a, bytes);
    memcpy(out, &payload->run, 8);
    memcpy(out + AT_SENDER, &payload->sender, 4);
    memcpy(out + AT_SIZE, &size, 4);
    memcpy(out + AT_SEQUENCE, &payload->sequence, 8);
    if (bytes >= PAYLOAD_TIMED_BYTES_MIN)
        memcpy(out + AT_FROM, &payload->from_ns, 8);
    uint64_t sum = checksum(out, bytes);
    memcpy(out + AT_CHECKSUM, &sum, 8);
}

bool payload_read(const void *buffer, size_t bytes, struct payload *payload)
{
    const uint8_t *in = buffer;
    uint32_t size;
    uint64_t sum;
    if (bytes < PAYLOAD_BYTES_MIN)
        return false;
    memcpy(&payload->run, in, 8);
    memcpy(&payload->sender, in + AT_SENDER, 4);
    memcpy(&size, in + AT_SIZE, 4);
    memcpy(&payload->sequence, in + AT_SEQUENCE, 8);
    memcpy(&sum, in + AT_CHECKSUM, 8);
    payload->from_ns = 0;
    if (bytes >= PAYLOAD_TIMED_BYTES_MIN)
        memcpy(&payload->from_ns, in + AT_FROM, 8);
    return size == bytes && sum == checksum(in, bytes);
}
