/* inquiries.h - keeps the commands of sessions here that wait for other nodes: whom was asked, who
 * has not answered, and what the others said.
 * Memory: a fixed table; what is asked and answered in MEMORY_QUEUES. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_INQUIRIES_H
#define WEFT_MESH_ROUTING_INQUIRIES_H

#include "mesh/routing/room.h"

/* Waiting at one time. A command waits some milliseconds; a client that keeps more than this many
 * open is told LIMIT_REACHED. */
enum {
    INQUIRIES_MAX = 1024,
    INQUIRIES_OF_ONE_MAX = 64, /* of one session: each may hold an answer of 2 MiB */
};

struct inquiry {
    bool is_used;
    bool is_to_all; /* every member was asked, and the result is a list of their answers */
    uint32_t slot, generation;
    uint32_t asker; /* slot of the session */
    uint64_t asker_correlation;
    uint64_t started_ns;
    struct deadline deadline;
    uint8_t verb;
    struct session_id session; /* by id */
    uint8_t *fields;           /* the command's fields as they came, and behind them its body */
    size_t fields_bytes, body_bytes;
    uint8_t id[COMMAND_ID_BYTES];
    uint64_t *waiting; /* instances that have not answered; 0: done */
    uint64_t *members; /* to all: everybody asked; in the same block */
    uint64_t ends_ns;  /* to all: when the time is over, all rounds together */
    uint32_t asked, answered, waiting_count;
    uint32_t matched, applied, failed, total; /* sums over the answers */
    uint32_t removed;
    enum error first_error; /* that a node answered with; ERROR_OK: none did */
    bool is_redirected;     /* by id: it was moved once */
    bool closes_asker;      /* by filter: the asker itself is closed, behind its answer */
    uint8_t phase;          /* by filter: enum command_phase */
    uint32_t expect_max;    /* PIN: how many may match */
    uint8_t *answers;       /* encoded groups of node_answer */
    size_t answers_bytes, answers_room;
};

bool inquiries_init(struct routing *routing);
void inquiries_clear(struct routing *routing);

/* An inquiry of that session, which will ask up to `nodes` nodes; fields and body are copied. Its
 * deadline is set. NULL: too many, or no memory. */
struct inquiry *inquiries_take(struct routing *routing, const struct session *session,
                               const struct message *command, uint32_t nodes, uint32_t timeout_ms);
void inquiries_release(struct routing *routing, struct inquiry *inquiry);

/* Takes the command out of an inquiry's copy: it was decoded before. The spans live as long as the
 * inquiry. */
void inquiries_command(const struct inquiry *inquiry, struct command *command, struct span *body);

/* Time that remains, in ms, at least 1. */
uint32_t inquiries_left_ms(const struct routing *routing, const struct inquiry *inquiry);

/* Forgets the answers, for another round to the same nodes. */
void inquiries_start_over(struct inquiry *inquiry);

/* The number under which nodes are asked, and back; NULL: over. */
uint64_t inquiries_number(const struct inquiry *inquiry);
struct inquiry *inquiries_of_number(struct routing *routing, uint64_t number);
struct inquiry *inquiries_at(struct routing *routing, uint32_t slot);

/* Walks those in use; NULL starts, NULL ends. Releasing the one at hand is fine. */
struct inquiry *inquiries_next(struct routing *routing, const struct inquiry *after);

/* That node is waited for from now on; at most `nodes` ever. */
void inquiries_wait_for(struct inquiry *inquiry, uint64_t instance);

/* That node is not waited for any more; false: it was not. */
bool inquiries_waited_for(struct inquiry *inquiry, uint64_t instance);

/* Appends a node's part, without its rows when they do not fit into a client's message. */
void inquiries_add(struct routing *routing, struct inquiry *inquiry,
                   const struct node_answer *answer);

#endif
