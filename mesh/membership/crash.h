/* crash.h - decides when a process is known to be gone because its host refuses connections to it:
 * far sooner than silence can tell. A lost link alone is nothing; a refused redial is evidence;
 * three of them, on different nodes or 100 ms apart, and no answer for crash_wait_ms, are a
 * verdict.
 * Memory: a fixed list. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_CRASH_H
#define WEFT_MESH_MEMBERSHIP_CRASH_H

#include "mesh/base/deadlines.h"

struct membership;

enum { CRASHES_MAX = 64 };

struct crash {
    uint64_t instance;
    uint64_t redial_ns;
    uint64_t verdict_ns; /* 0: not enough evidence yet */
    uint32_t who;
    uint32_t redials, refusals; /* of our own */
};

struct crashes {
    struct crash list[CRASHES_MAX];
    uint32_t count;
    struct deadline deadline;
};

/* The link to a member broke, or others were refused: ask it, ask helpers, and dial it. */
void crash_suspected(struct membership *room, uint32_t who);

/* A plain connect to it was refused. */
void crash_refused(struct membership *room, uint32_t who);

/* Others were refused too: perhaps it is enough now. */
void crash_witnessed(struct membership *room, uint32_t who);

/* It answers, it refuted, or its link is up again. */
void crash_answered(struct membership *room, uint32_t who);

void crash_due(struct membership *room);
void crash_void(struct membership *room);

#endif
