/* membership.h - decides who is in the mesh: SWIM over links, with seeds, suspicion and leave.
 * What it decides comes out as events, which mesh.c hands to the other rooms in one visible order.
 * Memory: a bounded table of members. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_MEMBERSHIP_MEMBERSHIP_H
#define WEFT_MESH_MEMBERSHIP_MEMBERSHIP_H

#include "mesh/base/context.h"
#include "proto/command.h"
#include "proto/gossip.h"

struct membership;

/* What other rooms may know of a member. Strings are NUL-terminated. */
struct member {
    uint64_t instance;
    uint64_t incarnation;
    enum member_state state;
    const char *name, *zone, *version;
    const char *gossip_address, *forward_address, *client_address;
    uint32_t link;     /* MESH_LINK_NONE: none (this node itself, a dead one) */
    uint32_t sessions; /* it published; for this node what membership_publish said */
    uint64_t lag_us, rtt_us;
    uint32_t health; /* its own score, 0 is well */
    bool forward_up; /* its forward link to this node is up, as it said */
    bool is_self;
};

enum member_event_kind {
    MEMBER_EVENT_JOINED, /* an instance not known before, or one held dead, is alive */
    MEMBER_EVENT_SUSPECTED,
    MEMBER_EVENT_REFUTED,   /* suspected before, alive now */
    MEMBER_EVENT_FAILED,    /* held dead from now on */
    MEMBER_EVENT_LEFT,      /* left on purpose */
    MEMBER_EVENT_REPLACED,  /* a newer instance of its name is alive: it is gone for good */
    MEMBER_EVENT_HELD_DEAD, /* this node, by somebody: it refutes, but may have been replaced */
    MEMBER_EVENT_LOG_HEAD,  /* a frame of it said: its ownership log stands at log_head */
};

struct member_event {
    enum member_event_kind kind;
    uint64_t instance;
    uint64_t log_head;
};

/* Why a member is held what it is held: X(NAME, as shown by `node why`) */
#define VERDICT_LIST(X)                                                                            \
    X(JOINED, "joined") /* or came back */                                                         \
    X(LINK_LOST, "link-lost")                                                                      \
    X(REFUSED, "refused")                 /* a connection to it */                                 \
    X(UNANSWERED, "unanswered")           /* nobody got an answer within a period */               \
    X(ANSWERED, "answered")               /* while it was suspected */                             \
    X(ANSWERED_HELPER, "answered-helper") /* not us, but a helper */                               \
    X(SUSPECTED, "suspected")                                                                      \
    X(CONFIRMED, "confirmed") /* one more accuses it */                                            \
    X(REFUTED, "refuted")                                                                          \
    X(DEAD, "dead")                                                                                \
    X(LEFT, "left")

enum verdict_event {
#define VERDICT_ENUM(name, text) VERDICT_##name,
    VERDICT_LIST(VERDICT_ENUM)
#undef VERDICT_ENUM
};

enum { VERDICT_HELPERS_MAX = 8 };

struct member_verdict {
    uint64_t at_ms; /* wall clock, for people */
    uint64_t by;    /* instance of who found or said it */
    uint64_t incarnation;
    uint64_t helpers[VERDICT_HELPERS_MAX]; /* instances */
    uint32_t helpers_count;
    uint32_t rtt_us;        /* of an answer */
    uint32_t confirmations; /* of the suspicion */
    enum verdict_event event;
};

struct membership *membership_new(struct context *context);

/* The same, with names and addresses in a store that the rooms of several simulated nodes share:
 * 10,000 nodes that know each other then fit into one process. NULL: a store of its own. */
struct descriptors;
struct membership *membership_new_sharing(struct context *context, struct descriptors *descriptors);
void membership_destroy(struct membership **membership);

/* Before the start: takes the node that `other` belongs to as a member known for long: no news, no
 * event, no link. A simulator's large mesh begins so; nodes that join do it by the protocol. */
void membership_acquaint(struct membership *membership, const struct membership *other);

/* The first tick: resolves the seeds, or is alone. */
void membership_start(struct membership *membership);

/* A gossip message that passed admission (mesh hash, receiver, sender bound to connection). JOIN
 * comes here too, whatever its receiver (0 at first contact), mesh hash and version: it is refused
 * with the reason. Returns ERROR_OK, or ERROR_INVALID_MESSAGE: a strike, nothing changed. */
enum error membership_receive(struct membership *membership, const struct envelope *envelope,
                              uint32_t connection, struct span address,
                              const struct message *message);

/* A message of a frame that came back on our own gossip link (MESH_ANSWER): CHALLENGE, REFUSED.
 * Only the mesh hash of its envelope was checked; receiver is this instance. */
enum error membership_receive_answer(struct membership *membership, const struct envelope *envelope,
                                     uint32_t link, const struct message *message);

/* The frame just received named another receiver instance than this one: "I am not that one". */
void membership_misaddressed(struct membership *membership, const struct envelope *envelope,
                             uint32_t connection);

/* Facts about links (links.h was told before). */
void membership_link_up(struct membership *membership, uint32_t link, enum channel channel);
void membership_link_lost(struct membership *membership, uint32_t link, enum channel channel);
void membership_link_refused(struct membership *membership, uint32_t link);

/* addresses: host:port, one a line; empty: the look-up failed. */
void membership_seed_resolved(struct membership *membership, uint32_t seed, struct span addresses);

void membership_due(struct membership *membership, const struct deadline *due);

/* Says `left` to everybody; ends with membership_has_left. */
void membership_stop(struct membership *membership);
bool membership_has_left(const struct membership *membership);

/* The node must stop: refused by the mesh or its name lost. Returns the notice, or false. */
bool membership_is_refused(const struct membership *membership, enum mesh_notice_code *code,
                           struct span texts[2]);

/* What own pings and acks carry. */
void membership_publish(struct membership *membership, uint32_t sessions, uint32_t lag_us,
                        uint64_t log_head);

/* Whether there may be one to take. */
bool membership_has_event(const struct membership *membership);

/* Takes the next event; false: none. */
bool membership_next_event(struct membership *membership, struct member_event *event);

/* NULL: not known. O(1). Valid until the next call that changes the room. */
const struct member *membership_find(const struct membership *membership, uint64_t instance);
const struct member *membership_self(const struct membership *membership);

/* The member (any state but the best one) of that name; NULL: none. */
const struct member *membership_named(const struct membership *membership, struct span name);

/* Walks all members, this node first, then in order of name; NULL starts, NULL ends. */
const struct member *membership_next(const struct membership *membership,
                                     const struct member *after);

/* The n-th of the last 64 verdicts about an instance and those that had its name before, 0 the
 * oldest; NULL: there are not so many.
 * Valid until the next call that changes the room. */
const struct member_verdict *membership_verdict(const struct membership *membership,
                                                uint64_t instance, uint32_t n);
const char *membership_verdict_name(enum verdict_event event);

uint32_t membership_alive(const struct membership *membership);  /* alive and suspect, self too */
bool membership_has_joined(const struct membership *membership); /* or is alone for good */
uint64_t membership_hash(const struct membership *membership);   /* equal views, equal hashes */
void membership_check(const struct membership *membership);

#endif
