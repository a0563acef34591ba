/* clients.h - the lines of simulated clients to the client ports of nodes: loopback TCP as ZeroMQ
 * shows it. Nothing is lost or reordered; a line breaks with its node's process, is hung up by
 * either side, or falls silent with its host.
 *
 *     none -> [clients_connect] -> up -> [clients_hang_up], [clients_break], cut, crash, silence
 *      ^--------------------------------------------------------------------------------'
 *
 * What the clients say and mean is others' matter (people.h).
 * Memory: clients_destroy. Thread: one. */
#ifndef WEFT_TESTS_SIM_CLIENTS_H
#define WEFT_TESTS_SIM_CLIENTS_H

#include "mesh/mesh.h"

struct world;
struct agenda_event;

struct client_line {
    uint32_t connection; /* 0: none */
    uint32_t node, life;
    bool is_cut;                /* the node hung up; the client hears of it soon */
    uint64_t there_ns, back_ns; /* when the last frame each way arrives */
};

/* Who the clients are. `number` is what clients_send was given. */
struct clients_owner {
    void *state;
    void (*on_frame)(void *state, struct world *world, uint32_t client, struct span frame);
    void (*on_lost)(void *state, struct world *world, uint32_t client);
    void (*on_due)(void *state, struct world *world, uint32_t client);
    void (*on_delivered)(void *state, struct world *world, uint32_t client, uint64_t number);
    void (*on_gone)(void *state, struct world *world, uint32_t connection); /* its node knows */
};

struct clients {
    struct clients_owner owner;
    uint32_t count;
    struct client_line *lines;
    uint32_t *alarms; /* counts plans; older ones are void */
};

/* Lines for so many clients, none up; the world knows them from now on. */
struct clients *clients_new(struct world *world, uint32_t count, struct clients_owner owner);
void clients_destroy(struct clients **clients);

/* Dials a node; when nobody listens there, the line is lost a moment later. */
void clients_connect(struct world *world, uint32_t client, uint32_t node);

/* Sends a frame; lost with the line. number: told when the node's core has it; 0: nothing is. */
void clients_send(struct world *world, uint32_t client, const void *frame, size_t bytes,
                  uint64_t number);

/* How a line breaks. */
enum line_break {
    LINE_CLOSED,    /* in order: what was sent to the node arrives, then its end */
    LINE_RESET,     /* what is under way is lost, both ways */
    LINE_HALF_OPEN, /* what was sent arrives, but the node does not learn of the end for seconds */
    LINE_BREAKS
};

/* The client's line is gone; on_gone says when its node has learnt of it. */
void clients_break(struct world *world, uint32_t client, enum line_break how);

/* The client is gone without a word; its node learns of it. */
void clients_hang_up(struct world *world, uint32_t client);

/* on_due in so many ms, instead of the last one planned. */
void clients_wake_in(struct world *world, uint32_t client, uint64_t ms);

/* The daemon's part of an order: a frame for a client, the end of its connection. */
void clients_reply(struct world *world, uint32_t connection, const uint8_t *frame, size_t bytes);
void clients_cut(struct world *world, uint32_t connection);

/* EVENT_CLIENT or EVENT_CLIENT_DUE is due; EVENT_FRAME or _CONNECTION_LOST of a client was told to
 * its node. */
void clients_due(struct world *world, const struct agenda_event *event);
void clients_delivered(struct world *world, const struct agenda_event *event);

/* The process of a node ended; with says_so its host tells. */
void clients_process_ended(struct world *world, uint32_t node, bool says_so);

#endif
