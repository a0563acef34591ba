/* feeds.h - decides what a listener is told of one node's sessions: takes that node's stream, and
 * where something of it was missed finds the differences by comparing with what was told.
 *
 *     ASKED --the last slice--> LIVE --a gap, no room--> BEHIND --room--> ASKED (a new epoch)
 *       | ^--room-- FULL <--no room for the next slice-+
 *                                  LIVE --another epoch--> BEHIND
 *     any --feeds_lost--> LOST --feeds_begin--> ASKED
 *
 * Memory: one record for each listener and node, MEMORY_TABLES. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_FEEDS_H
#define WEFT_MESH_ROUTING_FEEDS_H

#include "mesh/routing/room.h"
#include "mesh/routing/told.h"
#include "proto/event.h"

struct watch;

enum feed_state {
    FEED_ASKED,  /* LISTEN was said; a slice of the picture is awaited */
    FEED_FULL,   /* the client has to take some before the next slice is asked for */
    FEED_LIVE,   /* the picture is whole */
    FEED_BEHIND, /* something was missed; it begins anew when the client has room */
    FEED_LOST,   /* its node is lost */
};

/* What is told of many sessions, piece by piece. */
enum feed_sweep { SWEEP_NONE, SWEEP_UNSEEN, SWEEP_UNREACHABLE, SWEEP_GONE };

struct feed {
    struct deadline deadline; /* its slot is the watch's */
    struct feed *next;        /* of the same watch */
    struct watch *watch;
    uint64_t instance; /* the node's */
    enum feed_state state;
    enum feed_sweep sweep;
    uint32_t swept; /* number in told where the sweep goes on */
    bool is_over;   /* LOST: the node is not expected back */
    bool is_told_gone, is_emptied;
    struct told_list told;
    uint32_t epoch, slice; /* of the stream; slice: the one awaited */
    uint64_t sequence;     /* of the last event of the epoch */
    uint64_t lost_ns;
    uint8_t name_bytes, zone_bytes; /* kept, for the time when the node is lost */
    char name[NAME_BYTES_MAX], zone[NAME_BYTES_MAX];
};

/* The feed of that living node; made when there is none yet. NULL: no memory. */
struct feed *feeds_get(struct routing *routing, struct watch *watch, uint64_t instance);

/* NULL: there is none. */
struct feed *feeds_find(const struct watch *watch, uint64_t instance);

/* Begins the stream anew: LISTEN, slice 0, the next epoch. */
void feeds_begin(struct routing *routing, struct feed *feed);

/* EVENT of the node, with items. Returns ERROR_INVALID_MESSAGE when they are malformed: a strike;
 * the stream begins anew. */
enum error feeds_event(struct routing *routing, struct feed *feed, const struct event *event,
                       struct span items);

/* The node is lost; is_over: for good, as far as anybody knows. One that was thought replaced may
 * be back all the same, when the newcomer had to give up its name; then feeds_begin. */
void feeds_lost(struct routing *routing, struct feed *feed, bool is_over);

/* A deadline of one of the watch's feeds. */
void feeds_due(struct routing *routing, struct watch *watch, const struct deadline *due);

/* Frees all feeds of the watch; what was told is the caller's to clear. */
void feeds_clear(struct routing *routing, struct watch *watch);

#endif
