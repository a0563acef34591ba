/* output.h - the orders and notices of the core; part of its door (mesh.h), apart from it so that
 * base/ can name them. Memory: what an output points at is the mesh's and lives until the next
 * call. Thread: plain data. */
#ifndef WEFT_MESH_OUTPUT_H
#define WEFT_MESH_OUTPUT_H

#include "proto/envelope.h"
#include "proto/span.h"

/* A link is what we dial: one peer (or seed address), named by a small number that the core gives
 * with MESH_OPEN_LINK and takes back with MESH_CLOSE_LINK; it has up to two DEALERs, one for
 * CHANNEL_GOSSIP and one for CHANNEL_FORWARD. A connection is what dialled us: the 32-bit number
 * that the ROUTER gave it; connections of different channels are different. */
#define MESH_LINK_NONE UINT32_MAX

enum mesh_order {
    MESH_SEND,           /* channel, link, bytes: a frame for mesh_write_output */
    MESH_REPLY,          /* channel, connection, bytes: the same, on an incoming connection */
    MESH_OPEN_LINK,      /* channel, link, address, name: dial; answered by MESH_LINK_UP in time */
    MESH_CLOSE_LINK,     /* channel, link: hang up at once, drop what was not sent */
    MESH_PROBE_REFUSED,  /* link, address: plain connect; MESH_LINK_REFUSED if it is refused */
    MESH_CUT,            /* channel, connection: hostile, stale or over; after what was sent */
    MESH_RESOLVE_SEED,   /* seed: look its name up, answer with MESH_SEED_RESOLVED */
    MESH_CHECK_PASSWORD, /* number, principal, credentials: whether that is his; answered by
                            MESH_PASSWORD_CHECKED, once, in time. At most MESH_PASSWORDS_AT_ONCE
                            are under way. What it points at is copied at once */
    MESH_LOGIN_FAILED,   /* connection: its client did not prove who it is */
    MESH_WIPE,           /* what came in since the last pull held credentials: it is to be wiped
                            before it is let go */
    MESH_NOTICE,         /* notice: something worth a log line */
    MESH_STOPPED,        /* notice.code says why; the core is done */
};

enum { MESH_PASSWORDS_AT_ONCE = 2 }; /* one is worked on, one waits in the thread's reach */

/* What is known of somebody's password. */
enum mesh_password {
    MESH_PASSWORD_OF_NOBODY, /* there is no such principal */
    MESH_PASSWORD_WRONG,
    MESH_PASSWORD_RIGHT,
};

/* The core's only voice: X(NAME, level, event) and what values/texts mean. The daemon makes log
 * lines of them, the simulator its trace. */
#define NOTICE_LIST(X)                                                                             \
    X(JOINED, info, "joined")        /* texts: via; values: members, took_ms */                    \
    X(ALONE, info, "alone")          /* values: seeds; first time */                               \
    X(STILL_ALONE, warn, "alone")    /* values: seeds; every 30 s while seeds are set */           \
    X(SYNCED, info, "synced")        /* values: handlers, sessions, topics, took_ms */             \
    X(READY, info, "ready")          /* once */                                                    \
    X(MEMBER, info, "member")        /* texts: name, state, why; values: instance, its number */   \
    X(REFUSED_PEER, warn, "refused") /* we refused; texts: name, why, address */                   \
    X(REFUSED_BY, warn, "refused")   /* we were refused; texts: by, why */                         \
    X(PEER_STRUCK, warn, "struck")   /* texts: name; values: instance: frames dropped 60 s */      \
    X(SESSION_OPENED, debug, "session-opened") /* texts: principal; values: id high, low */        \
    X(SESSION_CLOSED, debug, "session-closed") /* texts: reason; values: id high, low */           \
    X(LOGIN_DENIED, debug, "login-denied")     /* texts: address; never who it said it was */      \
    X(BAD_FRAME, warn, "bad-frame")   /* texts: address; values: channel; once a minute */         \
    X(PAUSED, warn, "paused")         /* values: ms */                                             \
    X(LEFT, info, "left")             /* stopped: as asked */                                      \
    X(NAME_LOST, error, "name-lost")  /* stopped: a member of this name lives; texts: name */      \
    X(MESH_REFUSED, error, "refused") /* stopped: the mesh does not take us; texts: by, why */

enum mesh_notice_code {
#define NOTICE_ENUM(name, level, event) NOTICE_##name,
    NOTICE_LIST(NOTICE_ENUM)
#undef NOTICE_ENUM
};

struct mesh_notice {
    enum mesh_notice_code code;
    uint64_t values[4];
    struct span texts[3];
};

struct mesh_output {
    enum mesh_order order;
    enum channel channel;
    uint32_t link;
    uint32_t connection;
    uint32_t seed;
    size_t bytes; /* of the frame that mesh_write_output will write */
    struct span address;
    struct span name;        /* of the node that is to be there; empty: not known yet */
    uint64_t number;         /* of a password's check */
    struct span principal;   /* as claimed */
    struct span credentials; /* secret */
    struct mesh_notice notice;
};

#endif
