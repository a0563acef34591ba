/* room.h - what the files of routing/ share, and nobody else sees.
 * Memory: owned by routing.c. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_ROOM_H
#define WEFT_MESH_ROUTING_ROOM_H

#include "mesh/routing/flights.h"
#include "mesh/routing/nodes.h"
#include "mesh/routing/routing.h"
#include "proto/command.h"

struct applied;
struct served_table;
struct ballots;
struct shares;
struct filter_engine;
struct inquiries;
struct listener;
struct logins;
struct missing;
struct questions;
struct watches;
struct streams;
struct sweeps;
struct topics;

/* The room's deadlines. */
enum routing_purpose {
    ROUTING_FLIGHT_DUE,
    ROUTING_INQUIRY_DUE,
    ROUTING_FEED_DUE,
    ROUTING_STREAM_DUE,
    ROUTING_SWEEP_DUE,
    ROUTING_POLL_DUE,
    ROUTING_SHARE_DUE,
    ROUTING_LOGIN_DUE,
    ROUTING_QUESTION_DUE,
};

/* What a session asked that only the door can answer: MEMBERS, VERDICTS. */
struct door_question {
    bool is_open;
    struct command command; /* lives as long as the frame it came in */
    uint32_t asker;         /* slot */
    uint64_t correlation;
};

struct routing {
    struct context *context;
    struct sessions *sessions;
    struct ownership *ownership;
    struct topics *topics;
    struct nodes nodes;
    struct flights *flights;
    struct served_table *served;
    struct ballots *ballots; /* requests to filters that began here */
    struct shares *shares;   /* this node's shares of such */
    struct inquiries *inquiries;
    struct applied *applied;
    struct sweeps *sweeps;
    struct filter_engine *filters;
    struct routing_status status;
    struct door_question question;
    struct listener *listeners; /* by session slot */
    uint32_t first_listener;
    struct watches *watches; /* sessions here that listen to sessions */
    struct streams *streams; /* what this node tells all that do */
    struct logins *logins;
    struct questions *questions;
    uint32_t passwords_at_work; /* MESH_CHECK_PASSWORD without an answer */
    struct missing *missing;
};

/* What is carried from the caller to the handler. Spans into a frame, or into scratch memory. */
struct parcel {
    struct span path;
    uint8_t type; /* enum value_type */
    struct span body;
    struct span properties; /* the caller's, as its node sent them along; or as they are to be */
};

#endif
