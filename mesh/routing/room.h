/* room.h - what the files of routing/ share, and nobody else sees.
 * Memory: owned by routing.c. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_ROOM_H
#define WEFT_MESH_ROUTING_ROOM_H

#include "mesh/routing/flights.h"
#include "mesh/routing/nodes.h"
#include "mesh/routing/routing.h"

struct applied;
struct inquiries;

/* The room's deadlines. */
enum routing_purpose { ROUTING_FLIGHT_DUE, ROUTING_INQUIRY_DUE };

/* MEMBERS asked for by a session: the rows are the door's to tell. */
struct member_question {
    bool is_open, includes_gone;
    uint32_t asker; /* slot */
    uint64_t correlation;
};

struct routing {
    struct context *context;
    struct sessions *sessions;
    struct ownership *ownership;
    struct nodes nodes;
    struct flights *flights;
    struct inquiries *inquiries;
    struct applied *applied;
    struct routing_status status;
    struct member_question members;
};

/* What is carried from the caller to the handler. Spans into a frame, or into scratch memory. */
struct parcel {
    struct span path;
    uint8_t type; /* enum value_type */
    struct span body;
};

#endif
