/* pending.h - keeps the SETs and REMOVEs that are not answered yet.
 *
 *     AT_WORK -> [pending_ask] ASKED -> [pending_unask] AT_WORK -> [pending_await_log] AWAITS_LOG
 *     AT_WORK -> [pending_park] PARKED            any -> [pending_finish], [pending_release] free
 *
 * Memory: a fixed table, MEMORY_TABLES, touched as used; MEMORY_QUEUES. Thread: one owner. */
#ifndef WEFT_MESH_TOPICS_PENDING_H
#define WEFT_MESH_TOPICS_PENDING_H

#include "mesh/topics/room.h"

enum {
    OPERATIONS_MAX = 16384, /* at one time; past it LIMIT_REACHED. A power of two: see numbers */
    OPERATIONS_OF_ONE_MAX = 4096, /* of one session: a quarter */
    PARKED_MAX = 1024, /* of them, until a collecting is over; past it CLUSTER_REPARTITION */
    PARKED_BYTES_MAX = 16 * 1024 * 1024,
    WALKING_MAX = 64,        /* REMOVEs that walk along many topics; past it LIMIT_REACHED */
    WALKING_OF_ONE_MAX = 16, /* of one session: a quarter, so that it can't keep the others out */
};

enum operation_state {
    OPERATION_FREE,
    OPERATION_AT_WORK,
    OPERATION_PARKED,
    OPERATION_ASKED,
    OPERATION_AWAITS_LOG,
};

struct operation {
    enum operation_state state;
    uint32_t slot;
    uint64_t number;  /* the correlation under which a node is asked; ascends, ends in the slot */
    uint64_t from;    /* the node that asked, of a PARKED one; 0: a session here */
    uint32_t session; /* its slot */
    uint64_t correlation; /* of who asked */
    uint64_t target;      /* the node asked */
    uint64_t queued;      /* its message's number in the link's queue */
    uint64_t position;    /* of the target's log: there by then it is done */
    struct topic_result result;
    struct deadline deadline;
    uint32_t next, previous; /* free, parked, or of those that wait for one log */
    /* PARKED: fields and body; REMOVE: the selector and, PATH_BYTES_MAX behind, the cursor. */
    uint8_t *bytes;
    size_t bytes_count;
    size_t first_bytes; /* of fields, of the selector */
    bool is_remove;
    bool is_walking; /* has been at work for more than a turn */
    uint16_t cursor_bytes;
};

bool pending_init(struct topics *topics);
void pending_clear(struct topics *topics);

/* One at work, for that session (NULL: for a node). NULL: all are taken, or all that the session
 * may have. */
struct operation *pending_take(struct topics *topics, struct session *session,
                               uint64_t correlation);

/* One for a REMOVE, with its selector. NULL: no room. */
struct operation *pending_take_removal(struct topics *topics, struct session *session,
                                       uint64_t correlation, struct span selector);

/* A number above all others, for its next question. */
uint64_t pending_renumber(struct topics *topics, struct operation *operation);

/* Forgets it without an answer; answers its session with the result and forgets it. */
void pending_release(struct topics *topics, struct operation *operation);
void pending_finish(struct topics *topics, struct operation *operation);

/* TOPIC to a session. */
void pending_reply(struct topics *topics, struct session *session, uint64_t correlation,
                   const struct topic_result *result);

/* Sends the message to the node. False: there is no way now, and it is still at work. */
bool pending_ask(struct topics *topics, struct operation *operation, uint64_t target,
                 const struct outgoing *message);

/* The node has answered. */
void pending_unask(struct topics *topics, struct operation *operation);

/* Waits until the author's log is here up to its position. */
void pending_await_log(struct topics *topics, struct operation *operation, struct author *author);

/* One of those that need not wait any more, at work again; NULL: none. */
struct operation *pending_next_applied(struct topics *topics, struct author *author);

/* Keeps a SET until this node may sequence. False: no room. */
bool pending_park(struct topics *topics, struct operation *operation, const struct topic_set *set,
                  struct span body);

/* The oldest parked one, at work again; its SET, valid until it is released. */
struct operation *pending_first_parked(struct topics *topics);
void pending_parked(const struct operation *operation, struct topic_set *set, struct span *body);

/* At work again when it is its turn, by operations_due: of all that are, about one a tick. False:
 * too many are, and it is not one of them. */
bool pending_go_on_soon(struct topics *topics, struct operation *operation);

struct operation *pending_at(const struct topics *topics, uint32_t slot);

/* By the number a node was asked under. NULL: none. */
struct operation *pending_find(const struct topics *topics, uint64_t number);

/* The next that waits for that node, or that the session has; from *slot = 0 on. The one given may
 * be released. O(operations at one time). */
struct operation *pending_next_asked(struct topics *topics, uint64_t target, uint32_t *slot);
struct operation *pending_next_of_session(struct topics *topics, uint32_t session, uint32_t *slot);

void pending_check(const struct topics *topics);

#endif
