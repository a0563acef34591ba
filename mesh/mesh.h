/* mesh.h - the only door of the core: facts in, orders out.
 *
 * The daemon and the simulator drive it with the same few lines:
 *
 *     for (each thing that happened) mesh_receive(mesh, &input);
 *     while (mesh_next_output(mesh, &output)) carry_out(&output);
 *     sleep until mesh_deadline_ns(mesh) or until something happens; a MESH_TICK is a fact too
 *
 * Same configuration, same inputs: byte-equal outputs.
 * Memory: what an input points at is the caller's and must live until mesh_next_output has
 * returned false. What an output points at is the mesh's and lives until the next call.
 * Thread: one owner. No call blocks; no call does I/O. */
#ifndef WEFT_MESH_MESH_H
#define WEFT_MESH_MESH_H

#include "mesh/config.h"
#include "mesh/counters.h"
#include "mesh/output.h"
#include "proto/envelope.h"
#include "proto/span.h"

struct mesh;

enum mesh_fact {
    MESH_TICK,            /* time has passed; sent at mesh_deadline_ns or later */
    MESH_FRAME,           /* channel, connection, bytes; address: the peer's, as text */
    MESH_ANSWER,          /* gossip, link, bytes: a frame that came back on our own link: the answer
                             to JOIN, on the connection that we dialled */
    MESH_CONNECTION_LOST, /* channel, connection: nothing more comes from it or goes to it */
    MESH_CONNECTION_FULL, /* client, connection: takes no more frames for now (the daemon keeps the
                             one it could not place and sends it first) */
    MESH_CONNECTION_WRITABLE, /* client, connection: takes frames again */
    MESH_CONNECTION_REVOKED,  /* client, connection: its key is not taken any more: session ends */
    MESH_LINK_UP,             /* channel, link: connected, frames will be taken */
    MESH_LINK_LOST,           /* channel, link: was up and is down; what was sent may be lost */
    MESH_LINK_FULL,           /* channel, link: as MESH_CONNECTION_FULL */
    MESH_LINK_WRITABLE,       /* channel, link: takes frames again */
    MESH_LINK_REFUSED,        /* link: a plain connect to its gossip address was refused just now */
    MESH_SEED_RESOLVED,       /* seed; bytes: addresses host:port, one a line; empty: failed */
    MESH_COUNTED,             /* counter, amount: the daemon counted something */
    MESH_LAGGED,              /* amount: worst delay of the loop in the last second, in us */
    MESH_PASSWORD_CHECKED,    /* number, password; bytes: with RIGHT, his roles: "a","b" or a,b */
    MESH_RECONFIGURED,        /* the live part of the configuration (config.h) has just changed */
    MESH_STOP,                /* leave the mesh, say goodbye, then order MESH_STOPPED */
};

/* What the daemon knows of the address that a client comes from. */
enum mesh_excess {
    MESH_EXCESS_NONE,
    MESH_EXCESS_CLIENTS,  /* it has as many connections as it may have */
    MESH_EXCESS_CONNECTS, /* it makes them faster than it may */
    MESH_EXCESS_FAILURES, /* too many of its logins failed: nobody is asked for it */
};

struct mesh_input {
    enum mesh_fact fact;
    enum channel channel;
    uint64_t now_ns;  /* monotonic; never smaller than before */
    uint64_t wall_ms; /* since 1970; decides nothing, shown as $StartTime */
    uint32_t connection;
    uint32_t link;
    uint32_t seed;
    enum counter counter;
    uint64_t amount;
    uint64_t number; /* of a password's check, as MESH_CHECK_PASSWORD gave it */
    enum mesh_password password;
    struct span bytes;
    struct span address;
    enum mesh_excess excess; /* of a client's frame: HELLO may be refused then */
    struct span owner;       /* of a frame or an answer: whose key it came under, by the operator's
                                files; empty: no keys are in use, or a client's that is nobody's */
    struct span owner_roles; /* of a client's frame: what those files give it, by comma */
};

/* Makes a core that has done nothing yet; the first MESH_TICK starts it. NULL when memory is not
 * to be had. The configuration's strings must live as long as the mesh. */
struct mesh *mesh_new(const struct mesh_config *config);
void mesh_destroy(struct mesh **mesh);

/* Tells the core one fact. Never fails: what is wrong with a fact is counted and answered. */
void mesh_receive(struct mesh *mesh, const struct mesh_input *input);

/* Pulls one order. Returns false when there is none; then input memory may go. After MESH_SEND
 * and MESH_REPLY, mesh_write_output must be called before the next pull. */
bool mesh_next_output(struct mesh *mesh, struct mesh_output *output);

/* Encodes the frame just pulled into exactly output.bytes bytes and forgets it. */
void mesh_write_output(struct mesh *mesh, void *frame);

/* When the core wants a MESH_TICK, on the clock of now_ns; UINT64_MAX: not at all. */
uint64_t mesh_deadline_ns(const struct mesh *mesh);

/* Requires every invariant that can be seen from inside; ends the process if one is broken. */
void mesh_check(const struct mesh *mesh);

/* This node's random instance id, for the start line. */
uint64_t mesh_instance(const struct mesh *mesh);

/* The current value of a counter, and its name. */
uint64_t mesh_counter(const struct mesh *mesh, enum counter counter);
const char *mesh_counter_name(enum counter counter);

#endif
