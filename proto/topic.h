/* topic.h - what clients and nodes say of topics: subscriptions and the updates they bring,
 * setting, removing and fetching.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_TOPIC_H
#define WEFT_PROTO_TOPIC_H

#include "proto/request.h"

/* A value fits into a message of a client, with its path and the rest. */
enum { TOPIC_VALUE_BYTES_MAX = 1024 * 1024 };

/* What a full queue may do to a topic's updates. X(number, NAME, as shown, what it does) */
#define TOPIC_POLICY_LIST(X)                                                                       \
    X(0, CONFLATE, "conflate", "when the queue is full, one update of each topic stays")           \
    X(1, ALWAYS, "always", "at most one update of the topic waits, ever")                          \
    X(2, OFF, "off", "no update is ever merged away")                                              \
    X(3, UNSUBSCRIBE, "unsubscribe", "when the queue is full, the session loses the topic")

enum topic_policy {
#define TOPIC_POLICY_ENUM(number, name, text, what) TOPIC_POLICY_##name = (number),
    TOPIC_POLICY_LIST(TOPIC_POLICY_ENUM)
#undef TOPIC_POLICY_ENUM
        TOPIC_POLICIES
};

/* Why a client hears no more of a topic. X(number, NAME, as shown) */
#define UNSUBSCRIBED_LIST(X)                                                                       \
    X(1, REQUESTED, "requested")                                                                   \
    X(2, AUTHORIZATION, "authorization")                                                           \
    X(3, BACK_PRESSURE, "back_pressure")                                                           \
    X(4, REMOVED, "removed")

enum unsubscribed_reason {
#define UNSUBSCRIBED_ENUM(number, name, text) UNSUBSCRIBED_##name = (number),
    UNSUBSCRIBED_LIST(UNSUBSCRIBED_ENUM)
#undef UNSUBSCRIBED_ENUM
};

/* Versions of one topic are ordered by term, then instance, then n. Zero: none. */
struct topic_version {
    uint64_t term;
    uint64_t instance; /* of the sequencer that gave it */
    uint64_t n;        /* counts the sequencer's versions of this topic in this term, from 1 */
};

/* KIND_SUBSCRIBE, KIND_UNSUBSCRIBE; answered by DONE or ERROR. */
struct subscription {
    struct span selector;
};

/* KIND_UPDATE: the topic has this value now. Body: the value. */
struct topic_update {
    struct span path;
    uint8_t type; /* enum value_type */
    uint64_t term, instance, n;
    bool is_snapshot; /* the value it had when the subscription met it */
    bool is_resync;   /* what lay between this version and the one before may be missing */
};

/* What UPDATE may say of one receiver's place in the stream, by is_snapshot and is_resync; bits. */
enum topic_mark { TOPIC_MARK_SNAPSHOT = 1, TOPIC_MARK_RESYNC = 2, TOPIC_MARKS = 4 };

/* KIND_UNSUBSCRIBED: nothing more comes of that topic, or under that selector. */
struct unsubscribed {
    struct span path;           /* of one topic; empty: see selector */
    struct span selector;       /* REQUESTED by a controller */
    uint8_t reason;             /* enum unsubscribed_reason */
    uint64_t term, instance, n; /* REMOVED: the removal's version */
};

enum topic_set_mode {
    TOPIC_SET_ANY = 0,    /* sets; what is not there is created */
    TOPIC_SET_CREATE = 1, /* creates; what is there with the same definition stays as it is */
    TOPIC_SET_UPDATE = 2, /* sets what is there */
    TOPIC_SET_MODES
};

enum topic_constraint {
    TOPIC_CONSTRAINT_NONE = 0,
    TOPIC_CONSTRAINT_NO_TOPIC = 1,   /* it is not there */
    TOPIC_CONSTRAINT_VALUE_IS = 2,   /* its value is the first part of the body */
    TOPIC_CONSTRAINT_VERSION_IS = 3, /* its version is term, instance, n */
    TOPIC_CONSTRAINTS
};

/* Bits of struct topic_set.rights: the asker's permissions at that path, as its node found them. */
enum topic_rights { TOPIC_RIGHT_UPDATE = 1, TOPIC_RIGHT_MODIFY = 2 };

/* KIND_SET; answered by TOPIC. Body: the value, behind the expected one. Between nodes the same, to
 * the topic's sequencer. */
struct topic_set {
    struct span path;
    uint8_t type;       /* enum value_type */
    uint8_t policy;     /* enum topic_policy; counts when the topic is created */
    uint8_t mode;       /* enum topic_set_mode */
    uint8_t constraint; /* enum topic_constraint */
    uint64_t term, instance, n;
    uint32_t expected_bytes; /* VALUE_IS: of the body, before the value */
    bool remove_with_session;
    struct session_id asker; /* between nodes: the session that gave the command */
    uint8_t rights;          /* between nodes: bits of enum topic_rights */
};

/* KIND_REMOVE; answered by TOPIC. Between nodes no selector, but a body: groups of topic_path, all
 * of one sequencer. */
struct topic_remove {
    struct span selector;
};

/* A group: one topic by its path. */
struct topic_path {
    struct span path;
};

/* KIND_TOPIC: what became of a SET or REMOVE. */
struct topic_result {
    uint16_t code; /* enum error */
    struct span text;
    uint64_t term, instance, n; /* SET: the topic's version now, if it is there */
    uint32_t count;             /* REMOVE: topics removed */
    uint64_t position;          /* between nodes: it is in the sender's log up to here */
};

/* KIND_FETCH; answered by TOPICS. */
struct topic_fetch {
    struct span selector;
    uint32_t limit;    /* rows at most; 0: 100 */
    struct span after; /* only paths behind this one in order */
    bool without_values;
};

/* KIND_TOPICS. Body: groups of topic_row, in the order of paths. */
struct topic_rows {
    uint16_t code; /* enum error */
    struct span text;
    uint32_t total; /* that match behind `after`, not only the rows here */
};

/* A group: one topic. */
struct topic_row {
    struct span path;
    uint8_t type, policy;
    uint64_t term, instance, n;
    struct span value;
    uint32_t value_bytes;
    struct session_id creator; /* it goes with this session; none: it stays */
};

extern const struct schema subscription_schema;
extern const struct schema topic_update_schema;
extern const struct schema unsubscribed_schema;
extern const struct schema topic_set_schema;
extern const struct schema topic_remove_schema;
extern const struct schema topic_path_schema;
extern const struct schema topic_result_schema;
extern const struct schema topic_fetch_schema;
extern const struct schema topic_rows_schema;
extern const struct schema topic_row_schema;

/* "conflate" and so on, "requested" and so on; "unknown" for a number this build does not know. */
const char *topic_policy_name(unsigned number);
const char *topic_unsubscribed_name(unsigned number);

/* The fields that say these marks, encoded: they lie behind all others of an UPDATE, so whoever
 * encoded it without them puts them there. Lives for ever. */
struct span topic_marks_encoded(unsigned marks);

/* Below 0, 0 or above 0. */
int topic_version_order(const struct topic_version *a, const struct topic_version *b);

/* The number that a path has in the choice of its sequencer: FNV-1a, then the finaliser of
 * splitmix64. */
uint64_t topic_path_hash(struct span path);

/* A member's weight for a path: the member with the highest one, of equal ones the one with the
 * highest instance, is the path's sequencer. */
uint64_t topic_weight(uint64_t path_hash, uint64_t instance);

#endif
