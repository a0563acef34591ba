/* probe.h - decides whether a member answers: each period one member, in shuffled rounds (SWIM,
 * 4.3), besides those that a hint says to ask now.
 * Memory: a fixed list of running probes. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_PROBE_H
#define WEFT_MESH_MEMBERSHIP_PROBE_H

#include "mesh/base/deadlines.h"
#include "proto/gossip.h"

struct membership;

enum { PROBES_MAX = 64, PROBE_TRIES_MAX = 8 };

struct probe {
    uint64_t number; /* correlations of its pings: number + try */
    uint64_t instance, incarnation;
    uint64_t started_ns;
    uint64_t step_ns; /* when something is next to be done */
    uint64_t gap_ns, ends_ns;
    uint64_t sent_ns[PROBE_TRIES_MAX];
    uint32_t who;
    uint32_t tries;
};

struct probes {
    struct probe list[PROBES_MAX];
    uint32_t count;
    uint64_t numbers;   /* the last number given */
    uint64_t round_key; /* of the shuffle */
    uint32_t round_place;
    struct deadline period, steps;
};

void probe_start(struct membership *room);

/* A hint about a member: it is asked now, unless it is being asked already. */
void probe_now(struct membership *room, uint32_t who);

/* An ack came in from a member. */
void probe_answered(struct membership *room, uint32_t who, uint64_t correlation);

void probe_period_due(struct membership *room);
void probe_steps_due(struct membership *room);

#endif
