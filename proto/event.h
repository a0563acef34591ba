/* event.h - what a session is told of the mesh without asking each time: it listens, events come.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_EVENT_H
#define WEFT_PROTO_EVENT_H

#include "proto/client.h"

/* What can be listened to; bits, because one LISTEN may name several in a later version. */
enum listen_what {
    LISTEN_SESSION = 1, /* planned */
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

/* KIND_LISTEN: events come from here on, with this message's correlation. KIND_UNLISTEN: they do
 * not any more. */
struct listen {
    uint8_t what; /* enum listen_what */
};

/* KIND_EVENT: consumes credit; the correlation is LISTEN's. */
struct event {
    uint8_t what;  /* enum listen_what */
    uint8_t event; /* enum member_news */
    struct span node, zone;
    uint64_t instance;
    uint64_t sequence; /* of this listener's events, from 1 */
};

extern const struct schema listen_schema;
extern const struct schema event_schema;

/* "joined" and so on; "unknown" for a number this build does not know. */
const char *event_member_news_name(unsigned number);

#endif
