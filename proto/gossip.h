/* gossip.h - the messages of membership: joining, probing, news of members.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_GOSSIP_H
#define WEFT_PROTO_GOSSIP_H

#include "proto/client.h"

/* In the order in which, at equal incarnations, news wins over older news. */
enum member_state { MEMBER_ALIVE = 1, MEMBER_SUSPECT = 2, MEMBER_DEAD = 3, MEMBER_LEFT = 4 };

enum {
    METADATA_BYTES_MAX = 512,            /* a record's addresses, zone and version together */
    WITNESSES_MAX = 6,                   /* instances in one set of witnesses */
    WITNESSES_BYTES_MAX = 48,            /* the same on the wire: 8 bytes each, little-endian */
    VIEW_BUCKETS = 64,                   /* a view's members are spread over so many buckets */
    VIEW_BUCKETS_BYTES = 512,            /* a hash of each, 8 bytes, little-endian */
    GOSSIP_GROUPS_BYTES_MAX = 32 * 1024, /* member records in one message */
};

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
    /* Of a suspect, sets of instances, each a run of 8-byte numbers: who got no answer, and whose
     * connection was refused. */
    struct span accusers, refused;
};

/* KIND_JOIN, to a seed, on the joiner's DEALER; envelope.receiver is 0. Answered on the incoming
 * connection by CHALLENGE or REFUSED (client_refused). With the challenge's nonce and its own
 * epoch set above the known one, JOIN is said again and taken. */
struct gossip_join {
    struct span mesh; /* the cluster's name, in full, for the refusal's text */
    uint64_t nonce;   /* of the CHALLENGE; 0 the first time */
    uint8_t wire_min, wire_max;
    uint32_t members;   /* alive in the joiner's view, itself included */
    struct span member; /* one member_record group, the joiner's own */
};

/* KIND_CHALLENGE, on the incoming connection. It answers a JOIN, and a frame that names another
 * receiver than the node that got it: "I am not that one, greet me anew". */
struct gossip_challenge {
    uint64_t nonce;
    uint64_t known_incarnation; /* the highest the mesh knows for the joiner's name; 0: none */
    uint64_t called;            /* the receiver that a misaddressed frame named; else 0 */
    struct span member;         /* one member_record group, the answering node's own */
};

/* KIND_SWIM_PING, _ACK, _PING_REQUEST, _NACK, _NEWS, _SYNC. Correlation: the probe's number; NEWS
 * with one is acknowledged (a leaver waits for that). */
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
    bool has_more;      /* SYNC: another part of the table follows */
    bool forward_up;    /* PING, ACK: the sender's forward link to the receiver is up */
    struct span
        buckets; /* SYNC: hashes of the sender's VIEW_BUCKETS buckets: "send what differs" */
    uint64_t bucket_mask; /* SYNC: these buckets of the sender's table are in news; 0: all */
    struct span news;     /* member_record groups: piggybacked, or (SYNC) a part of the table */
};

extern const struct schema member_record_schema;
extern const struct schema gossip_join_schema;
extern const struct schema gossip_challenge_schema;
extern const struct schema gossip_swim_schema;

#endif
