/* room.h - what the files of topics/ share, and nobody else sees.
 * Memory: owned by topics.c. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_ROOM_H
#define WEFT_MESH_TOPICS_ROOM_H

#include "mesh/log/replicas.h"
#include "mesh/sessions/sessions.h"
#include "mesh/topics/selections.h"
#include "mesh/topics/topics.h"
#include "mesh/topics/tree.h"

/* The room's deadlines. */
enum topics_purpose {
    TOPICS_FEED = LOG_PURPOSES, /* slot: of the session */
    TOPICS_COLLECT,
    TOPICS_SWEEP,
    TOPICS_CREATORS,
    TOPICS_OPERATION, /* slot: of the operation */
    TOPICS_FETCH,
};

/* In whose log entries are: one for each node that wrote any that is not superseded, and for each
 * that lives. */
struct author {
    struct replica replica; /* the first member: see authors_of; not of this node's own */
    uint64_t instance;
    struct topic *oldest, *newest; /* by position */
    uint32_t count;
    bool is_live;
    uint64_t died_ns;     /* since when it is not */
    uint64_t lost_ns;     /* the same; 0: it never comes back */
    bool has_answered;    /* the COLLECT under way */
    uint64_t wanted;      /* what the collecting waits for of its log */
    uint64_t last_number; /* the highest SET or REMOVE of that node: a lower one is a repeat */
    uint8_t cursor[8];    /* of the snapshot under way */
    struct topic *cut;    /* where the last piece that was cut for a peer ended; NULL: nowhere */
    uint32_t waiting;     /* operations that wait for its log, first slot; see operations.h */
};

/* A session that topics go with. */
struct creator {
    struct session_id session;
    uint32_t topics; /* that go with it */
    uint32_t slot;
    bool is_gone;        /* its topics are to be removed */
    uint64_t missing_ns; /* since when the directory has it no more, or its node is lost; 0: not */
};

/* Who sequences, and the take-over of what others sequenced. */
struct sequencers {
    uint64_t *members; /* instances that live and serve */
    uint32_t count, capacity;
    uint64_t lost[64]; /* of them, lost since the last collecting ended */
    uint32_t lost_count;
    bool is_serving;    /* this node */
    bool is_collecting; /* what this node gained waits */
    bool gained_all;    /* it may have gained anything: a joiner, or whoever was cut off */
    bool was_collected; /* once, for ever: this node had every topic */
    uint64_t epoch;     /* of the COLLECT under way */
    uint64_t ends_ns;   /* it is not waited for longer */
    struct deadline deadline;
    struct deadline sweep;
    bool is_sweeping;
    uint8_t swept_type; /* the walk stands behind that entry */
    uint16_t swept_bytes;
    uint8_t swept[PATH_BYTES_MAX];
};

struct topics {
    struct context *context;
    struct sessions *sessions;
    struct log log; /* this node's own */
    struct replicas replicas;
    struct author own;
    struct tree tree;
    uint32_t there; /* topics: neither removed nor of a later type */
    uint64_t hash;  /* over those */
    uint64_t term;  /* the highest that was ever seen */
    struct topic *oldest_removed, *newest_removed;
    uint32_t removed;
    struct hashmap creators_by_id;
    struct slots creators_slots;
    struct deadline creators_look;
    struct sequencers sequencers;
    struct selections selections;
    struct subscribers *subscribers;
    struct operations *operations;
    struct fetches *fetches;
    struct unmet *unmet; /* the newest */
    bool has_joined;
};

#endif
