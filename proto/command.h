/* command.h - commands on sessions and questions about the mesh, and their results: one pair of
 * messages for all, between client and node and between nodes.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_COMMAND_H
#define WEFT_PROTO_COMMAND_H

#include "proto/client.h"
#include "proto/request.h"

enum {
    FILTER_BYTES_MAX = 16 * 1024,
    KEYS_BYTES_MAX = PROPERTIES_MAX * (PROPERTY_KEY_BYTES_MAX + 1),
    COMMAND_ID_BYTES = 16,
    VERDICT_HELPERS_BYTES_MAX = 8 * (NAME_BYTES_MAX + 1), /* eight names, each with its comma */
};

/* X(number, NAME, what it does) */
#define COMMAND_LIST(X)                                                                            \
    X(1, CLOSE, "end one session, or those that match")                                            \
    X(2, GET_PROPERTIES, "properties of one session")                                              \
    X(3, LIST_SESSIONS, "a page of the sessions that match, from every node")                      \
    X(4, SET_PROPERTIES, "of one session, or of those that match")                                 \
    X(5, CHANGE_ROLES, "of one session, or of those that match")                                   \
    X(6, SET_CONFLATED, "the switch of one session, or of those that match")                       \
    X(7, SUBSCRIBE, "one session, or those that match, to topics")                                 \
    X(8, UNSUBSCRIBE, "one session, or those that match, from topics")                             \
    X(16, MEMBERS, "the asked node's members; rows: member_row")                                   \
    X(17, HANDLERS, "the asked node's directory of handlers; rows: handler_row")                   \
    X(18, STATUS, "every node's readiness and hashes; rows: status_row")                           \
    X(19, COUNTERS, "counters of one node or of every node; rows: counter_row")                    \
    X(20, VERDICTS, "why the asked node holds a member what it does; rows: verdict_row")           \
    X(21, HANDLER_STATS, "what each node's own handlers have done; rows: handler_row")

enum command_verb {
#define COMMAND_ENUM(number, name, what) COMMAND_##name = (number),
    COMMAND_LIST(COMMAND_ENUM)
#undef COMMAND_ENUM
};

/* A filter command with an expectation comes to each node twice. */
enum command_phase {
    COMMAND_AT_ONCE = 0,
    COMMAND_PIN = 1,          /* remember which sessions match, for 5 s, and say how many */
    COMMAND_APPLY_PINNED = 2, /* to those of them that still match */
};

/* KIND_COMMAND. By id when `session` is set, by filter when `filter` is, never both; a filter
 * command asks every member. Body: SET_PROPERTIES: groups of struct property, is_absent to remove
 * one; else empty. */
struct command {
    uint8_t verb; /* enum command_verb */
    struct session_id session;
    struct span filter;
    struct span text;        /* CLOSE: the reason told to the client */
    struct span keys;        /* which properties: keys joined by ',', *F, *U; empty: *F,*U */
    struct span node;        /* COUNTERS: this node only; VERDICTS: about this member */
    uint32_t limit;          /* LIST_SESSIONS: rows at most; 0: 100 */
    uint32_t timeout_ms;     /* time that remains; 0: the node's default */
    bool includes_gone;      /* MEMBERS: also dead and left ones */
    struct span id;          /* between nodes: COMMAND_ID_BYTES; applied once a node */
    struct session_id asker; /* between nodes: the session that gave the command */
    struct span add_roles;   /* CHANGE_ROLES: groups of struct role */
    struct span remove_roles;
    bool is_conflated;   /* SET_CONFLATED: on or off */
    bool dry_run;        /* by filter: counts only */
    uint32_t expect_max; /* by filter: nothing at all if more than so many match; 0: no matter */
    struct span sort;    /* LIST_SESSIONS: by the value of this property; empty: the oldest first */
    uint8_t phase;       /* between nodes: enum command_phase */
    struct span selector; /* SUBSCRIBE, UNSUBSCRIBE: which topics */
};

/* KIND_RESULT. By id: code, session, node, and rows in the body. To every node: the counts and
 * node_answer groups in the body. Between nodes: the answering node's counts and rows. */
struct result {
    uint16_t code; /* enum error */
    struct span text;
    struct session_id session;
    struct span node;
    uint32_t matched, applied, failed;
    uint32_t total; /* LIST_SESSIONS: matches, not only those on the page */
    uint32_t nodes_asked, nodes_answered;
    bool is_complete; /* every live member answered */
    uint64_t took_us;
    uint64_t owner;   /* between nodes, MOVED: instance that has the session now, if known */
    uint8_t state;    /* VERDICTS: enum member_state, proto/gossip.h */
    uint32_t removed; /* SET_CONFLATED: updates that were merged away at once */
    struct span id;   /* by filter: the command's, COMMAND_ID_BYTES */
};

/* A group: one node's part of a result. */
struct node_answer {
    struct span node;
    uint64_t instance;
    uint16_t code; /* enum error; CLUSTER_ROUTING: did not answer */
    struct span text;
    uint32_t matched, applied, failed, total;
    uint64_t took_us;
    struct span rows; /* groups of the verb's row */
    uint32_t removed;
};

/* A group: a role by its name. */
struct role {
    struct span name;
};

/* Rows, one group each. */
struct session_row {
    struct session_id id;
    uint8_t state; /* enum session_state */
    struct span node;
    struct span properties; /* groups of struct property: fixed keys, then own, sorted */
    bool is_conflated;
    uint32_t queue_messages; /* that wait for its client, and their bytes */
    uint64_t queue_bytes;
    uint64_t conflated_total; /* updates that were merged away in its queue, ever */
    uint32_t lag_ms;          /* for how long the oldest message has waited; 0: none waits */
};

enum session_state { SESSION_ACTIVE = 1, SESSION_DISCONNECTED = 2, SESSION_CLOSED = 3 };

struct member_row {
    struct span name, zone, version, address; /* version: the software's; address: gossip */
    uint64_t instance, incarnation;
    uint8_t state; /* enum member_state, proto/gossip.h */
    uint32_t sessions;
    uint64_t lag_us, rtt_us; /* loop lag it published; round trip measured here */
    bool is_self;
};

struct handler_row {
    uint8_t kind; /* enum handler_kind */
    struct span path, node;
    struct session_id session;
    uint8_t state; /* enum session_state */
    /* Of HANDLER_STATS: */
    uint32_t in_flight;        /* handed over, without an outcome yet */
    uint64_t requests, errors; /* handed over; of those with an outcome, the ones not OK */
    uint64_t mean_us, p99_us;  /* from the hand-over to the outcome */
    struct span last_error;    /* its outcome, and words if there were any */
};

struct status_row {
    bool is_ready;
    uint32_t members, sessions, handlers; /* as this node's directory has them */
    uint32_t sessions_here;
    uint64_t members_hash, directory_hash, topics_hash;
    uint32_t topics;
    uint64_t behind; /* entries of live members' logs that it has heard of and does not have */
};

struct counter_row {
    struct span name;
    uint64_t value;
};

/* One look at a member, or word about it; the oldest first. */
struct verdict_row {
    uint64_t at_ms;         /* wall clock of the asked node */
    struct span by;         /* name of the node that looked; `?`: not known any more */
    struct span event;      /* joined, link-lost, unanswered, suspected, dead ..: for people */
    struct span helpers;    /* names of the nodes it asked to look too, joined by ',' */
    uint32_t rtt_us;        /* of an answer */
    uint32_t confirmations; /* of a suspicion */
    uint64_t incarnation;
};

extern const struct schema command_schema;
extern const struct schema result_schema;
extern const struct schema node_answer_schema;
extern const struct schema role_schema;
extern const struct schema session_row_schema;
extern const struct schema member_row_schema;
extern const struct schema handler_row_schema;
extern const struct schema status_row_schema;
extern const struct schema counter_row_schema;
extern const struct schema verdict_row_schema;

#endif
