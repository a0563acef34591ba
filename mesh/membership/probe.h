/* probe.h - decides whether a member answers: each period one member, in shuffled rounds (SWIM,
 * 4.3), besides those that a hint says to ask now.
 * Memory: a fixed list of running probes. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_PROBE_H
#define WEFT_MESH_MEMBERSHIP_PROBE_H

#include "mesh/base/deadlines.h"
#include "proto/gossip.h"

struct membership;

enum { PROBES_MAX = 64, PROBE_TRIES_MAX = 8, PROBE_HELPERS_MAX = 8 };

struct probe {
    uint64_t number; /* correlations: number + try, and PROBE_RELAYED for helpers */
    uint64_t instance, incarnation;
    uint64_t step_ns; /* when something is next to be done */
    uint64_t gap_ns, asks_ns, ends_ns;
    uint64_t sent_ns[PROBE_TRIES_MAX];
    uint64_t helpers[PROBE_HELPERS_MAX]; /* instances */
    uint32_t who;
    uint32_t tries, helpers_count, nacks;
    bool has_asked; /* helpers, if there were any */
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

/* A strong hint: helpers are asked now, too. */
void probe_hurry(struct membership *room, uint32_t who);

/* An ack came in from the member itself; from a helper that reached it; a helper says that it did
 * not reach it yet. */
void probe_answered(struct membership *room, uint32_t who, uint64_t correlation);
void probe_relayed(struct membership *room, uint64_t target, uint64_t correlation);
void probe_nacked(struct membership *room, uint64_t helper, uint64_t correlation);

/* This node slept: what it did not hear proves nothing. */
void probe_void(struct membership *room);

/* A fresh number for pings; the low four bits are the caller's. */
uint64_t probe_number(struct membership *room);

void probe_period_due(struct membership *room);
void probe_steps_due(struct membership *room);

/* How long to wait for a member's answer before asking again: nearly all answers come within. */
uint64_t probe_gap_ns(const struct membership *room, uint32_t who);

#endif
