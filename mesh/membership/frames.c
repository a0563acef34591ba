/* frames.c - see frames.h. A frame to a suspect starts with the suspicion itself (Lifeguard's buddy
 * system), so that it can refute with its next answer. */
#include "mesh/membership/frames.h"

#include "mesh/membership/room.h"

enum { NEWS_BYTES_MAX = 8 * 1024 }; /* whatever piggyback_bytes says */

void frames_describe(const struct membership *room, uint32_t who, bool is_full,
                     struct frames_record *record)
{
    members_describe(&room->members, who, is_full, &record->record);
    const struct suspicion *suspicion = suspects_find(room, who);
    if (suspicion == NULL)
        return;
    record->record.accusers = witnesses_encode(&suspicion->accusers, record->accusers);
    record->record.refused = witnesses_encode(&suspicion->refused, record->refused);
}

/* Writes one member's record; false when it is larger than what is left. */
static bool record_write(const struct membership *room, uint32_t who, bool is_full,
                         struct writer *writer)
{
    struct frames_record record;
    frames_describe(room, who, is_full, &record);
    if (schema_measure(&member_record_schema, &record.record) + sizeof(uint32_t) > writer->left)
        return false;
    group_encode(&member_record_schema, &record.record, writer);
    return true;
}

/* Fills in the news for a member: first what is said of itself, then what is to be spread. */
static void news_write(struct membership *room, uint32_t to, struct writer *writer)
{
    uint8_t state = members_entry(&room->members, to).state;
    if (state == MEMBER_SUSPECT || state == MEMBER_DEAD)
        (void)record_write(room, to, false, writer);
    struct dissemination *all = &room->dissemination;
    uint32_t sends_max =
        dissemination_sends(room_config(room)->resend, members_live(&room->members));
    struct dissemination_frame frame;
    dissemination_start(all, &frame, writer->left);
    const struct news *news;
    while ((news = dissemination_offer(all, &frame)) != NULL) {
        if (members_entry(&room->members, news->who).state == MEMBER_UNKNOWN) {
            dissemination_remove(all, news->who); /* forgotten meanwhile */
            continue;
        }
        struct frames_record record;
        frames_describe(room, news->who, news->is_full, &record);
        size_t bytes = schema_measure(&member_record_schema, &record.record) + sizeof(uint32_t);
        if (dissemination_fits(&frame, bytes)) {
            group_encode(&member_record_schema, &record.record, writer);
            dissemination_accept(all, &frame, news->who, bytes, sends_max);
        } else {
            dissemination_reject(&frame);
        }
    }
}

static void swim_send(struct membership *room, uint32_t who, enum kind kind, uint64_t correlation,
                      const struct gossip_swim *fields)
{
    struct link *link = contacts_link(room, who);
    if (link == NULL)
        return;
    const struct outgoing message = {
        .kind = (uint8_t)kind,
        .correlation = correlation,
        .schema = &gossip_swim_schema,
        .fields = fields,
    };
    (void)outbound_send(&link->gossip, &message); /* a full queue: lost, like any frame */
}

void frames_send(struct membership *room, uint32_t who, enum kind kind, uint64_t correlation,
                 const struct gossip_swim *fields)
{
    const struct link *link = contacts_link(room, who);
    struct gossip_swim swim = *fields;
    if (kind == KIND_SWIM_PING || kind == KIND_SWIM_ACK) {
        swim.view_hash = room->members.hash;
        swim.log_head = room->self.log_head;
        swim.sessions = room->self.sessions;
        swim.lag_us = room->self.lag_us;
        swim.health = (uint8_t)room->health.score;
        swim.forward_up = link != NULL && link->forward_up;
    }
    uint8_t news[NEWS_BYTES_MAX];
    uint32_t most = room_config(room)->piggyback_bytes;
    struct writer writer;
    writer_init(&writer, news, most < sizeof news ? most : sizeof news);
    size_t before = writer.left;
    news_write(room, who, &writer);
    swim.news = span_of(news, before - writer.left);
    swim_send(room, who, kind, correlation, &swim);
}

void frames_send_plain(struct membership *room, uint32_t who, enum kind kind,
                       const struct gossip_swim *fields)
{
    swim_send(room, who, kind, 0, fields);
}

void frames_tell(struct membership *room, uint32_t who)
{
    frames_send(room, who, KIND_SWIM_NEWS, 0, &(struct gossip_swim){0});
}

void frames_forward(struct membership *room, uint32_t who, const struct member_record *record)
{
    uint8_t bytes[METADATA_BYTES_MAX * 2 + WITNESSES_BYTES_MAX * 3];
    struct writer writer;
    writer_init(&writer, bytes, sizeof bytes);
    group_encode(&member_record_schema, record, &writer);
    if (writer.is_bad)
        return; /* larger than any record an honest node makes */
    const struct gossip_swim swim = {.news = span_of(bytes, sizeof bytes - writer.left)};
    swim_send(room, who, KIND_SWIM_NEWS, 0, &swim);
}
