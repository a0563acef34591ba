/* relays.h - pings for others: a prober that got no answer asks some members to try.
 * Memory: a fixed list. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_RELAYS_H
#define WEFT_MESH_MEMBERSHIP_RELAYS_H

#include "mesh/base/deadlines.h"
#include "proto/gossip.h"

struct membership;

enum { RELAYS_MAX = 256 };

struct relay {
    uint64_t asker, target; /* instances */
    uint64_t correlation;   /* the asker's */
    uint64_t number;        /* our ping's */
    uint64_t again_ns;      /* the second ping; 0: it was sent */
    uint64_t nack_ns;       /* "no answer yet"; 0: it was said */
    uint64_t ends_ns;
};

struct relays {
    struct relay list[RELAYS_MAX];
    uint32_t count;
    struct deadline deadline;
};

/* PING_REQUEST came in. Who cannot try says so at once. */
void relays_asked(struct membership *room, uint32_t asker, uint64_t correlation,
                  const struct gossip_swim *swim);

/* An ack came in; true when it was to a ping for somebody else, who is told. */
bool relays_answered(struct membership *room, uint32_t who, uint64_t correlation);

void relays_due(struct membership *room);

/* This node slept: those it pinged for have given up. */
void relays_void(struct membership *room);

#endif
