/* network.h - what lies between simulated nodes: TCP as ZeroMQ shows it. A lost segment is a stall
 * of everything behind it; a frame vanishes only with its link; a link that is down is dialled
 * again by itself; a full one says so.
 *
 *     open -> [dial] -- refused: again in 100..1000 ms; silent: SYN again, 3 s, anew --> up
 *     up -> [pump] each frame: hold, narrow, stall, delay, jitter -> arrives
 *     up -- reset, crash, 15 s without an acknowledgement --> lost -> [dial]
 *
 * Memory: frames belong to their pipe or event. Thread: one. */
#ifndef WEFT_TESTS_SIM_NETWORK_H
#define WEFT_TESTS_SIM_NETWORK_H

#include "mesh/mesh.h"

struct world;
struct agenda_event;

struct network_settings {
    uint64_t delay_ns, jitter_ns; /* one way; jitter of each frame */
    uint64_t spread_ns;           /* each directed pair is up to so much slower, always the same */
    uint32_t stall_permille;      /* segments lost, each a stall */
    uint32_t vanish_permille;     /* whole frames lost with nothing said; not TCP, but asked for */
    uint32_t repeat_permille;     /* frames delivered twice */
    uint32_t reset_per_million;   /* frames that break their link */
    uint32_t flip_per_million;    /* frames with one byte changed */
    uint32_t pipe_frames;         /* a link with so many waiting is full */
};

/* A local network on a good day. */
struct network_settings network_calm(void);

struct sim_frame {
    struct sim_frame *next;
    size_t bytes;
    uint8_t data[];
};

/* One direction of one connection, as the dialler holds it. */
struct sim_link {
    bool is_open, is_up, is_full;
    bool is_pumping;      /* the pump is planned */
    bool is_leaving;      /* the head has the node's narrow uplink */
    bool has_asked_twice; /* the SYN was sent again */
    uint32_t dial;        /* counts attempts and lives: events of older ones are void */
    uint32_t pump;        /* counts plans of the pump: older ones are void */
    uint32_t peer;        /* node number; UINT32_MAX: nobody listens at the address */
    uint32_t address;     /* number of the host dialled */
    uint32_t peer_life;
    uint32_t connection; /* its number at the peer */
    uint32_t retry_ms;
    uint32_t stall_ms;       /* the present retransmission's time-out; 0: nothing is lost */
    uint32_t unacknowledged; /* frames sent while the way back is cut */
    uint32_t queued;
    uint64_t stalled_since_ns;
    uint64_t last_arrival_ns;
    struct sim_frame *first, *last;
};

struct sim_links { /* of one node: [link * 2 + (channel is forward)] */
    struct sim_link *links;
    uint32_t count;
};

/* The daemon's part of an order. */
void network_open(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  struct span address);
void network_close(struct world *world, uint32_t node, uint32_t link, enum channel channel);
void network_send(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  const uint8_t *frame, size_t bytes);
void network_reply(struct world *world, uint32_t node, enum channel channel, uint32_t connection,
                   const uint8_t *frame, size_t bytes);
void network_cut_connection(struct world *world, enum channel channel, uint32_t connection);
void network_probe(struct world *world, uint32_t node, uint32_t link, struct span address);

/* An event of the network is due: EVENT_DIAL, EVENT_PUMP, EVENT_LINK_UP, _LOST. */
void network_due(struct world *world, const struct agenda_event *event);

/* The process of a node ended: its links go, and those to it break. */
void network_process_ended(struct world *world, uint32_t node, bool says_so);

/* Breaks one link as a reset does: both ends learn of it. */
void network_reset(struct world *world, uint32_t node, uint32_t link, enum channel channel);

/* Frames held between two nodes leave at once; to UINT32_MAX: those to anybody. */
void network_released(struct world *world, uint32_t from, uint32_t to);

void network_forget(struct sim_links *links); /* frees all */

#endif
