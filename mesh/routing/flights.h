/* flights.h - keeps the requests in flight that this node has a part in: as the caller's node, as
 * the handler's node, or as both. A flight has two ends; each is a session here or another node.
 * The number by which the handler's end knows the flight is its slot and generation, so an answer
 * finds its flight, or finds that there is none any more, in O(1).
 * Memory: a fixed table, touched as used; maps that double when more is in flight than ever before.
 * Nothing else is allocated for a request.
 * Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_FLIGHTS_H
#define WEFT_MESH_ROUTING_FLIGHTS_H

#include "mesh/base/context.h"
#include "mesh/base/hashmap.h"

#define FLIGHT_NONE UINT32_MAX

enum {
    FLIGHT_MOVES_MAX = 2,    /* how often a request is given to somebody else after "moved" */
    FLIGHT_RETRIES_MAX = 3,  /* how often an idempotent one is asked again after a loss */
    FLIGHT_COPIES_SHARE = 8, /* all copies of such take at most this part (one in 8) of the memory
                                for queues: the rest is for what is on its way */
};

/* No flight has a number with this bit: so other numbers that nodes call requests by have it. */
#define FLIGHT_NUMBER_FOREIGN (UINT64_C(1) << 63)

enum flight_side { FLIGHT_CALLER, FLIGHT_HANDLER, FLIGHT_SIDES };
enum flight_place {
    FLIGHT_AT_NOBODY,
    FLIGHT_AT_SESSION,
    FLIGHT_AT_NODE,
    FLIGHT_AT_SHARE, /* caller only: this node's share of a request to a filter (shares.h) */
    FLIGHT_PLACES
};

/* One end of a flight. */
struct flight_end {
    enum flight_place place;
    uint32_t slot;           /* of the session or node */
    uint32_t next, previous; /* flights with the same end */
};

struct flight {
    uint32_t slot, generation;
    struct flight_end ends[FLIGHT_SIDES];
    uint64_t caller_key;         /* the caller's instance or session serial; of a share: its
                                    session's number there */
    uint64_t caller_correlation; /* what the caller calls it */
    uint32_t caller_hash;        /* of both, in the map of its place */
    struct session_id sender;    /* the session that asked, here or elsewhere */
    struct session_id handler;   /* the session chosen to serve it */
    struct deadline deadline;    /* at_ns: when its time is over */
    union {
        uint64_t moved_from[FLIGHT_MOVES_MAX]; /* by path: nodes that said "moved" */
        struct session_id to;                  /* to a session: which */
    };
    uint8_t moves, retries;
    bool is_to_session;
    bool is_idempotent;
    uint64_t queued;          /* its number in the queue of whoever serves it */
    uint64_t handed_ns;       /* when it was handed over to a session here */
    uint64_t served;          /* the registration it was handed over for (served.h) */
    struct flight_copy *copy; /* idempotent: the request, to ask again; NULL: none */
};

struct flight_copy;
struct flights;

/* own_most: flights that begin at a session here; foreign_most: that begin elsewhere, or at a
 * share. */
struct flights *flights_new(struct context *context, uint32_t own_most, uint32_t foreign_most,
                            uint32_t sessions, uint32_t nodes, uint32_t shares);
void flights_destroy(struct flights **flights);

/* A flight that begins there, with no handler yet. NULL: too many are in flight, or there is no
 * memory to find one more by (MEMORY_TABLES); unchanged then. The caller's
 * number must not be in use (flights_of_caller); 0: it has none, as at a share. */
struct flight *flights_take(struct flights *flights, enum flight_place place, uint32_t slot,
                            uint64_t caller_key, uint64_t caller_correlation);
void flights_release(struct flights *flights, struct flight *flight);

/* Who serves it from now on; FLIGHT_AT_NOBODY takes it from whoever did. */
void flights_give(struct flights *flights, struct flight *flight, enum flight_place place,
                  uint32_t slot, struct session_id handler);

/* Keeps a copy of the request until the flight ends, so that it can be asked again. False: copies
 * take FLIGHT_COPIES_SHARE of the memory for queues already, or there is none; no copy then. */
bool flights_copy(struct flights *flights, struct flight *flight, struct span path, uint8_t type,
                  struct span body);
void flights_copied(const struct flight *flight, struct span *path, uint8_t *type,
                    struct span *body);

/* The number for the handler's end, and back; NULL: over, or never was. */
uint64_t flights_number(const struct flight *flight);
struct flight *flights_of_number(struct flights *flights, uint64_t number);

/* By the number that a caller there has for it, a session or a node; NULL: none. */
struct flight *flights_of_caller(struct flights *flights, enum flight_place place,
                                 uint64_t caller_key, uint64_t caller_correlation);

struct flight *flights_at(struct flights *flights, uint32_t slot);

/* The first of those that have this end, NULL: none. For the next take flight->ends[side].next. */
struct flight *flights_first(struct flights *flights, enum flight_side side,
                             enum flight_place place, uint32_t slot);

/* How many of this node's flights that handler session serves now. */
uint32_t flights_load(const struct flights *flights, struct session_id handler);

/* How many flights that session here has begun. */
uint32_t flights_of_session(const struct flights *flights, uint32_t slot);

uint32_t flights_own(const struct flights *flights); /* begun by sessions here, in flight now */
void flights_check(const struct flights *flights);

#endif
