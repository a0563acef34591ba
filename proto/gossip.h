/* gossip.h - the messages of membership: joining, probing, news of members.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_GOSSIP_H
#define WEFT_PROTO_GOSSIP_H

#include "proto/client.h"

/* In the order in which, at equal incarnations, news wins over older news. */
enum member_state { MEMBER_ALIVE = 1, MEMBER_SUSPECT = 2, MEMBER_DEAD = 3, MEMBER_LEFT = 4 };

/* A group: all that is said of a member. Short news (a suspicion, a death) leaves out what the
 * receiver knows already: addresses and metadata are then empty. */
struct member_record {
    struct span name;
    uint64_t instance;
    uint64_t incarnation; /* boot epoch in the high 32 bits, version in the low; from 1<<32 */
    uint8_t state;        /* enum member_state */
    struct span gossip_address, forward_address, client_address; /* host:port */
    struct span zone, version;
    uint8_t wire_min, wire_max;
    uint64_t accuser; /* suspect: instance of who said so first */
};

/* KIND_JOIN, to a seed, on the joiner's DEALER; envelope.receiver is 0. Answered on the incoming
 * connection by CHALLENGE or REFUSED (client_refused). With the challenge's nonce and its own
 * epoch set above the known one, JOIN is said again and taken. Body: one member_record group. */
struct gossip_join {
    struct span mesh; /* the cluster's name, in full, for the refusal's text */
    uint64_t nonce;   /* of the CHALLENGE; 0 the first time */
    uint8_t wire_min, wire_max;
};

/* KIND_CHALLENGE. Body: one member_record group, the seed's own. */
struct gossip_challenge {
    uint64_t nonce;
    uint64_t known_incarnation; /* the highest the mesh knows for the joiner's name; 0: none */
};

/* KIND_SWIM_PING, _ACK, _PING_REQUEST, _NACK, _NEWS, _SYNC. Correlation: the probe's number.
 * Body: member_record groups, the piggybacked news (SYNC: the table). */
struct gossip_swim {
    uint64_t target; /* PING_REQUEST, NACK and relayed ACK: instance of the probed member */
    uint64_t target_incarnation;
    uint32_t budget_ms; /* PING_REQUEST: answer within */
    uint64_t view_hash; /* PING, ACK: of the sender's member table */
    uint64_t log_head;  /* version of the sender's ownership log */
    uint32_t sessions;  /* hosted by the sender */
    uint32_t lag_us;    /* worst loop lag of the sender's last second */
    uint8_t health;     /* the sender's own score; 0 is well */
    bool wants_table;   /* SYNC: answer with yours */
};

extern const struct schema member_record_schema;
extern const struct schema gossip_join_schema;
extern const struct schema gossip_challenge_schema;
extern const struct schema gossip_swim_schema;

#endif
