/* agenda.h - the simulator's future: what happens next, in virtual time. Events of the same
 * instant come in the order in which they were planned, so a run is the same every time.
 * Memory: one growing heap; frames belong to their event until it is taken. Thread: one. */
#ifndef WEFT_TESTS_SIM_AGENDA_H
#define WEFT_TESTS_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
    EVENT_TICK,
    EVENT_FRAME,           /* arrives at a node: channel, connection, frame */
    EVENT_ANSWER,          /* arrives at the node that dialled: link, frame */
    EVENT_CONNECTION_LOST, /* a node learns: channel, connection */
    EVENT_DIAL,            /* a node's link tries to connect: link, channel */
    EVENT_LINK_UP,
    EVENT_LINK_LOST,
    EVENT_LINK_REFUSED, /* the answer of a plain connect */
    EVENT_PUMP,         /* a link's pipe may send its head: link, channel */
    EVENT_RESOLVED,     /* seed */
    EVENT_PASSWORD,     /* a check is done: link and dial its number, connection what it gave */
    EVENT_STOP,         /* SIGTERM */
    EVENT_CLIENT,       /* at a client: link its number; connection, frame; without: lost */
    EVENT_CLIENT_DUE,   /* a client's alarm `number`: link */
    EVENT_FAULT,        /* the fault schedule's entry `number` begins or ends */
};

struct agenda_event {
    uint64_t at_ns;
    uint64_t order; /* planned as the order-th */
    enum event_kind kind;
    uint32_t node;
    uint32_t life;                /* of that node; an event of a past life is void */
    uint32_t link, channel, dial; /* dial: the link's attempt this belongs to */
    uint32_t connection;
    uint64_t number;
    uint32_t from; /* node a frame came from */
    bool has_slot; /* its turn at a slow node was given to it */
    uint8_t *frame;
    size_t bytes;
};

struct agenda {
    struct agenda_event *heap;
    size_t count, capacity;
    uint64_t planned; /* events ever planned */
};

/* Plans an event; its order is given here unless it has one (postponed events keep theirs). */
void agenda_plan(struct agenda *agenda, struct agenda_event event);

/* The earliest event, or NULL. */
const struct agenda_event *agenda_first(const struct agenda *agenda);

/* Takes the earliest event out; there must be one. */
struct agenda_event agenda_take(struct agenda *agenda);

/* What waits for its turn at a node comes from now on, one after the other in its old order,
 * each_ns apart. Returns when the last one is done. O(events). */
uint64_t agenda_hasten(struct agenda *agenda, uint32_t node, uint64_t now_ns, uint64_t each_ns);

/* Frees everything, frames too. */
void agenda_clear(struct agenda *agenda);

#endif
