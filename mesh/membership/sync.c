/* sync.c - see sync.h.
 *
 *     A: hashes of 64 buckets ------------------> B
 *     A <------- B's members in those that differ: "yours?"
 *     A: its own members in those --------------> B
 *
 * Equal views cost 8 bytes in each ping and ack. Parts of a table are at most 24 KiB, so that with
 * all else a frame stays below the channel's limit. */
#include "mesh/membership/sync.h"

#include "mesh/membership/room.h"

enum {
    PART_BYTES_MAX = 24 * 1024,
    DIFFERS_MS = 1000, /* gossip is given so long to make views equal by itself */
    PICK_TRIES = 16,
    PULL_FROM = 3,
};

void sync_start(struct membership *room)
{
    uint64_t every_ns = room_config(room)->sync_ms * MS_NS;
    room_set(room, &room->sync.deadline, DEADLINE_SYNC,
             room->context->now_ns + random_below(&room->random, every_ns));
}

static bool is_in(uint64_t mask, uint64_t instance)
{
    return mask == 0 || (mask >> instance % VIEW_BUCKETS & 1) != 0;
}

/* Sends the members of some buckets, in parts: with their tombstones, as the other side may not
 * know the end of one it holds alive. mask 0: all live ones. */
static void table_send(struct membership *room, uint32_t to, uint64_t mask, bool wants_table)
{
    uint8_t part[PART_BYTES_MAX];
    struct writer writer;
    struct gossip_swim swim = {.bucket_mask = mask, .has_more = true};
    writer_init(&writer, part, sizeof part);
    for (uint32_t who = members_next(&room->members, WHO_NONE); who != WHO_NONE;
         who = members_next(&room->members, who)) {
        bool is_live = members_is_live(&room->members, who);
        if (!is_in(mask, members_descriptor(&room->members, who)->instance) ||
            (mask == 0 && !is_live))
            continue;
        struct frames_record record;
        frames_describe(room, who, is_live, &record);
        if (schema_measure(&member_record_schema, &record.record) + sizeof(uint32_t) >
            writer.left) {
            swim.news = span_of(part, sizeof part - writer.left);
            frames_send_plain(room, to, KIND_SWIM_SYNC, &swim);
            writer_init(&writer, part, sizeof part);
        }
        group_encode(&member_record_schema, &record.record, &writer);
    }
    swim.news = span_of(part, sizeof part - writer.left);
    swim.has_more = false;
    swim.wants_table = wants_table;
    frames_send_plain(room, to, KIND_SWIM_SYNC, &swim);
}

void sync_send_table(struct membership *room, uint32_t who, bool to_mesh)
{
    table_send(room, who, to_mesh ? UINT64_MAX : 0, to_mesh);
}

/* The buckets whose hashes differ from the other side's. */
static uint64_t buckets_compare(const struct membership *room, struct span buckets)
{
    struct reader reader;
    reader_init(&reader, buckets);
    uint64_t mask = 0;
    for (uint32_t i = 0; i < VIEW_BUCKETS; i++) {
        if (reader_u64(&reader) != room->members.buckets[i])
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

void sync_received(struct membership *room, uint32_t who, const struct gossip_swim *swim)
{
    if (swim->buckets.bytes == VIEW_BUCKETS_BYTES) {
        uint64_t mask = buckets_compare(room, swim->buckets);
        if (mask != 0)
            table_send(room, who, mask, true);
    } else if (!swim->has_more && swim->wants_table) {
        table_send(room, who, swim->bucket_mask, false);
    }
}

void sync_heard(struct membership *room, uint32_t who, uint64_t view_hash)
{
    struct peer *peer = members_peer(&room->members, who);
    if (peer == NULL)
        return;
    if (view_hash == room->members.hash)
        peer->differs_since_ns = 0;
    else if (peer->differs_since_ns == 0)
        peer->differs_since_ns = room->context->now_ns;
}

static void buckets_send(struct membership *room, uint32_t to)
{
    uint8_t bytes[VIEW_BUCKETS_BYTES];
    struct writer writer;
    writer_init(&writer, bytes, sizeof bytes);
    for (uint32_t i = 0; i < VIEW_BUCKETS; i++)
        writer_u64(&writer, room->members.buckets[i]);
    const struct gossip_swim swim = {.buckets = span_of(bytes, sizeof bytes)};
    frames_send_plain(room, to, KIND_SWIM_SYNC, &swim);
}

void sync_pull(struct membership *room)
{
    for (uint32_t i = 0; i < PULL_FROM; i++) {
        uint32_t who = members_random(&room->members, &room->random);
        if (who != WHO_NONE)
            buckets_send(room, who);
    }
}

void sync_due(struct membership *room)
{
    room_set(room, &room->sync.deadline, DEADLINE_SYNC,
             room->context->now_ns + room_config(room)->sync_ms * MS_NS);
    for (uint32_t tries = 0; tries < PICK_TRIES; tries++) {
        uint32_t who = members_random(&room->members, &room->random);
        struct peer *peer = who == WHO_NONE ? NULL : members_peer_if_any(&room->members, who);
        if (peer == NULL || peer->differs_since_ns == 0 ||
            room->context->now_ns - peer->differs_since_ns < DIFFERS_MS * MS_NS)
            continue;
        peer->differs_since_ns = 0; /* until it is heard to differ again */
        buckets_send(room, who);
        return;
    }
}
