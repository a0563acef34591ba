/* frames.h - makes the messages that leave for members, and puts news on each of them.
 * Memory: what is sent is encoded into the links' queues. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_FRAMES_H
#define WEFT_MESH_MEMBERSHIP_FRAMES_H

#include "mesh/base/links.h"
#include "mesh/membership/members.h"
#include "mesh/membership/suspicion.h"
#include "proto/kinds.h"

struct membership;

/* A record together with the room for its witnesses: spans of it point here. */
struct frames_record {
    struct member_record record;
    uint8_t accusers[WITNESSES_BYTES_MAX];
    uint8_t refused[WITNESSES_BYTES_MAX];
};

/* All that the table says of a member. */
void frames_describe(const struct membership *room, uint32_t who, bool is_full,
                     struct frames_record *record);

/* Sends a message to a member, with news as far as piggyback_bytes reach. What pings and acks say
 * of this node is filled in here. What cannot be sent now is lost: gossip repeats itself. */
void frames_send(struct membership *room, uint32_t who, enum kind kind, uint64_t correlation,
                 const struct gossip_swim *fields);

/* Sends a message whose news is the caller's. */
void frames_send_plain(struct membership *room, uint32_t who, enum kind kind,
                       const struct gossip_swim *fields);

/* Tells a suspect what is said of it, at once ("buddy"). */
void frames_tell(struct membership *room, uint32_t who);

/* Passes one record on to a member. */
void frames_forward(struct membership *room, uint32_t who, const struct member_record *record);

#endif
