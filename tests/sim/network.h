/* network.h - what lies between simulated nodes: TCP as ZeroMQ shows it. A lost segment is a stall
 * of everything behind it; a frame vanishes only with its link; a link that is down is dialled
 * again by itself; a full one says so.
 *
 *     open -> [dial] -- refused: again in 100..1000 ms; silent: 3 s, again --> up
 *     up -> [pump] each frame: delay, jitter, stall -> arrives
 *     up -- reset, crash, 15 s without an acknowledgement --> lost -> [dial]
 *
 * Memory: frames belong to their pipe or event. Thread: one. */
#ifndef WEFT_TESTS_SIM_NETWORK_H
#define WEFT_TESTS_SIM_NETWORK_H

#include "mesh/mesh.h"

struct world;
struct event;

struct network_settings {
    uint64_t delay_ns, jitter_ns; /* one way */
    uint32_t stall_permille;      /* segments lost, each a stall */
    uint32_t vanish_permille;     /* whole frames lost with nothing said; not TCP, but asked for */
    uint32_t repeat_permille;     /* frames delivered twice */
    uint32_t reset_per_million;   /* frames that break their link */
    uint32_t flip_per_million;    /* frames with one byte changed */
};

struct sim_frame {
    struct sim_frame *next;
    size_t bytes;
    uint8_t data[];
};

/* One direction of one connection, as the dialler holds it. */
struct sim_link {
    bool is_open, is_up, is_full;
    uint32_t dial; /* counts attempts and lives: events of older ones are void */
    uint32_t peer; /* node number; UINT32_MAX: nobody listens at the address */
    uint32_t peer_life;
    uint32_t connection; /* its number at the peer */
    uint32_t retry_ms;
    uint64_t last_arrival_ns;
    uint64_t stalled_since_ns; /* 0: not stalled */
    uint32_t stall_ms;
    uint32_t unacknowledged; /* frames sent while the way back is cut */
    bool is_pumping;
    struct sim_frame *first, *last;
    uint32_t queued;
    uint32_t address; /* number of the host dialled */
};

struct sim_links { /* of one node: [link * 2 + channel - CHANNEL_GOSSIP] */
    struct sim_link *links;
    uint32_t count;
};

/* The daemon's part of an order. */
void network_open(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  struct span address);
void network_close(struct world *world, uint32_t node, uint32_t link, enum channel channel);
void network_send(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  uint8_t *frame, size_t bytes); /* takes the frame */
void network_reply(struct world *world, uint32_t node, enum channel channel, uint32_t connection,
                   uint8_t *frame, size_t bytes); /* takes the frame */
void network_probe(struct world *world, uint32_t node, uint32_t link, struct span address);

/* An event of the network is due: EVENT_DIAL, EVENT_PUMP, EVENT_LINK_UP, _LOST. */
void network_due(struct world *world, struct event *event);

/* The process of a node ended: its links go, and those to it break. */
void network_process_ended(struct world *world, uint32_t node, bool says_so);

/* Breaks one link as a reset does: both ends learn of it. */
void network_reset(struct world *world, uint32_t node, uint32_t link, enum channel channel);

void network_forget(struct sim_links *links); /* frees all */

#endif
