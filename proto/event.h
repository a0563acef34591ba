/* event.h - what a session is told of the mesh without asking each time: it listens, events come.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_EVENT_H
#define WEFT_PROTO_EVENT_H

#include "proto/command.h"

/* What can be listened to; bits, because one LISTEN may name several in a later version. */
enum listen_what {
    LISTEN_SESSION = 1,
    LISTEN_MEMBER = 2,
};

/* What happens to a member, as one node sees it. X(number, NAME, as shown, what it means) */
#define MEMBER_NEWS_LIST(X)                                                                        \
    X(1, JOINED, "joined", "alive, and was not before; all that are there when listening begins")  \
    X(2, SUSPECTED, "suspected", "gives no answer; still served")                                  \
    X(3, REFUTED, "refuted", "was suspected, and is alive")                                        \
    X(4, FAILED, "failed", "held dead")                                                            \
    X(5, LEFT, "left", "stopped on purpose")                                                       \
    X(6, REPLACED, "replaced", "another instance of its name is alive: it is gone for good")

enum member_news {
#define MEMBER_NEWS_ENUM(number, name, text, what) MEMBER_NEWS_##name = (number),
    MEMBER_NEWS_LIST(MEMBER_NEWS_ENUM)
#undef MEMBER_NEWS_ENUM
};

/* What happens to a session. X(number, NAME, as shown, what it means) */
#define SESSION_NEWS_LIST(X)                                                                       \
    X(1, OPENED, "opened", "is there; also for those that are there when listening begins")        \
    X(2, UPDATED, "updated", "the properties asked for have other values")                         \
    X(3, DISCONNECTED, "disconnected", "its client is away; the session waits")                    \
    X(4, RECONNECTED, "reconnected", "its client is back")                                         \
    X(5, CLOSED, "closed", "is over, with a reason")                                               \
    X(6, ENTERED, "entered", "was there, and matches the filter from now on")                      \
    X(7, LEFT, "left", "is there, and matches the filter no more")                                 \
    X(8, UNREACHABLE, "unreachable", "its node is lost")                                           \
    X(9, REACHABLE, "reachable", "its node is back, and so is it")                                 \
    X(10, FAILED_OVER, "failed_over", "goes on at another node (planned)")                         \
    X(11, GONE, "gone", "its node did not come back in time: over, as far as this node can know")

enum session_news {
#define SESSION_NEWS_ENUM(number, name, text, what) SESSION_NEWS_##name = (number),
    SESSION_NEWS_LIST(SESSION_NEWS_ENUM)
#undef SESSION_NEWS_ENUM
};

/* KIND_LISTEN: events come from here on, with this message's correlation. KIND_UNLISTEN: they do
 * not any more. Between nodes LISTEN asks the node that hosts sessions for the events of one
 * listener: with slice 0 it says the filter and begins anew, under a new epoch; with slice n it
 * asks for the n-th piece of the picture. */
struct listen {
    uint8_t what;               /* enum listen_what */
    struct span filter;         /* sessions */
    struct span keys;           /* sessions: as of struct command */
    struct session_id listener; /* between nodes: the session that listens */
    uint64_t number;            /* between nodes: of its LISTEN among all of its node */
    uint32_t epoch, slice;      /* between nodes */
};

/* KIND_EVENT to a client: consumes credit; the correlation is LISTEN's. Body, of a session: groups
 * of struct property.
 * KIND_EVENT between nodes: what happened to sessions of the sender; body: groups of session_item.
 * With epoch 0 it says instead: "tell me the filter of this listener"; with a code: "I can't serve
 * it". */
struct event {
    uint8_t what;  /* enum listen_what */
    uint8_t event; /* enum member_news or session_news; 0 between nodes */
    struct span node, zone;
    uint64_t instance;
    uint64_t sequence; /* of this listener's events, from 1; between nodes: of this epoch's */
    struct session_id session; /* between nodes: the listener */
    uint8_t state;             /* enum session_state */
    uint8_t reason;            /* closed: enum close_reason; 0: not known */
    bool is_resync;            /* found by a comparison: what lay between may be missing */
    uint64_t number;           /* between nodes, as in LISTEN */
    uint32_t epoch;            /* between nodes, as in LISTEN */
    bool is_slice, is_last;    /* between nodes: a piece of the picture; the last one */
    uint16_t code;             /* between nodes: enum error */
};

/* A group: what happened to one session. */
struct session_item {
    struct session_id id;
    uint8_t event;          /* enum session_news */
    uint8_t state;          /* enum session_state */
    uint8_t reason;         /* closed: enum close_reason */
    struct span properties; /* groups of struct property: fixed keys, then own, sorted */
};

extern const struct schema listen_schema;
extern const struct schema event_schema;
extern const struct schema session_item_schema;

/* "joined" and so on; "unknown" for a number this build does not know. */
const char *event_member_news_name(unsigned number);
const char *event_session_news_name(unsigned number);

#endif
