/* facts.h - tells the core what happened, with the time it is told at.
 * Memory: spans are the caller's and live until the outputs have been pulled. Thread: one owner. */
#ifndef WEFT_DAEMON_FACTS_H
#define WEFT_DAEMON_FACTS_H

#include "keys/keyfile.h"
#include "mesh/mesh.h"

struct facts {
    struct mesh *mesh;
    uint64_t now_ns, wall_ms; /* of this turn of the loop; facts_set_time */
};

/* Reads the clocks; to be called after each sleep. */
void facts_set_time(struct facts *facts);

/* MESH_TICK, MESH_RECONFIGURED, MESH_STOP. */
void facts_plain(struct facts *facts, enum mesh_fact fact);

/* owner: whose key the connection came under; NULL: nobody's. */
void facts_frame(struct facts *facts, enum channel channel, uint32_t connection,
                 struct span address, struct span bytes, enum mesh_excess excess,
                 const struct keyfile *owner);

/* A frame that came back on our own gossip link; owner: whose key we dialled. */
void facts_answer(struct facts *facts, uint32_t link, struct span bytes,
                  const struct keyfile *owner);

/* MESH_CONNECTION_.. */
void facts_connection(struct facts *facts, enum mesh_fact fact, enum channel channel,
                      uint32_t connection);

/* MESH_LINK_.. */
void facts_link(struct facts *facts, enum mesh_fact fact, enum channel channel, uint32_t link);

/* addresses: host:port, one a line; empty: the look-up failed. */
void facts_seed(struct facts *facts, uint32_t seed, struct span addresses);

/* roles: with MESH_PASSWORD_RIGHT. */
void facts_password(struct facts *facts, uint64_t number, enum mesh_password password,
                    struct span roles);

void facts_counted(struct facts *facts, enum counter counter, uint64_t amount);
void facts_lagged(struct facts *facts, uint64_t worst_us);

#endif
