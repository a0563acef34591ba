/* answers.h - what this node says about itself: the rows of commands that ask.
 * Memory: rows are in the context's scratch memory or in the session's own. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_ANSWERS_H
#define WEFT_MESH_ROUTING_ANSWERS_H

#include "mesh/routing/room.h"

enum {
    ANSWERS_ROWS_BYTES_MAX = 900 * 1024, /* so that fields and header fit into a client message */
    ANSWERS_LIMIT_DEFAULT = 100,
};

/* A result as it is put together on this node; spans live until the pull ends. */
struct answer {
    struct result result;
    struct span rows; /* goes into the body */
};

/* Fills the answer with an error and its text. */
void answers_refuse(struct answer *answer, enum error code, const char *text);

/* The parts of LIST_SESSIONS, STATUS, COUNTERS and HANDLERS that this node knows by itself. Rows
 * beyond ANSWERS_ROWS_BYTES_MAX are left out; `total` counts them. */
void answers_make(struct routing *routing, const struct command *command, struct answer *answer);

/* For listing.c: the rows of these sessions, which are open, in their order, as many as fit. */
void answers_page(struct routing *routing, const struct command *command,
                  const struct session_id *ids, uint32_t count, struct answer *answer);

/* GET_PROPERTIES of a session here. */
void answers_session(struct routing *routing, const struct session *session,
                     const struct command *command, struct answer *answer);

#endif
