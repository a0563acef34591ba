/* connections.h - numbers of connections: at the listening end a connection is known by its number
 * alone, whoever dialled it. Memory: one growing table. Thread: one. */
#ifndef WEFT_TESTS_SIM_CONNECTIONS_H
#define WEFT_TESTS_SIM_CONNECTIONS_H

#include "proto/envelope.h"

/* Who dialled: a node and its link; on the client channel a client and the node. */
struct sim_dialler {
    uint32_t node, link;
    enum channel channel;
    bool is_reset; /* what it still bears is lost */
};

struct connections {
    struct sim_dialler *diallers; /* [number - 1] */
    uint32_t count, capacity;
};

/* A number for a new connection, from 1. */
uint32_t connections_new(struct connections *connections, struct sim_dialler dialler);

/* NULL: a number that was never given. */
const struct sim_dialler *connections_dialler(const struct connections *connections,
                                              uint32_t number);

/* What is under way on it never arrives. */
void connections_reset(struct connections *connections, uint32_t number);

void connections_clear(struct connections *connections); /* frees all */

#endif
