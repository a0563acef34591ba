/* calls.h - makes first contact: dials an address, asks to join (JOIN), shows that the answer came
 * back (the nonce), and is done when the other side sends its table. Seeds are called this way, and
 * members that were held dead, and whoever says "greet me anew".
 * Memory: a fixed list. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_CALLS_H
#define WEFT_MESH_MEMBERSHIP_CALLS_H

#include "mesh/base/deadlines.h"
#include "mesh/base/links.h"
#include "proto/gossip.h"

struct membership;

#define CALL_NO_SEED UINT32_MAX

enum { CALLS_MAX = 128 };

enum call_phase {
    CALL_DIALLING, /* not connected yet */
    CALL_ASKING,   /* JOIN was sent without a nonce */
    CALL_GREETING, /* JOIN was sent with the nonce: the table is to come */
};

struct call {
    uint32_t link;
    uint32_t seed;     /* whose address this is, or CALL_NO_SEED */
    uint64_t instance; /* who answered; 0: nobody yet */
    uint64_t nonce;
    uint64_t step_ns, ends_ns; /* JOIN is said again; given up */
    enum call_phase phase;
};

struct calls {
    struct call list[CALLS_MAX];
    uint32_t count;
    struct deadline deadline;
};

/* Calls an address, unless it is being called, is our own, or leads to a live member. */
void calls_start(struct membership *room, struct span address, uint32_t seed);

void calls_link_up(struct membership *room, uint32_t link);

/* CHALLENGE came back on a link. */
enum error calls_challenged(struct membership *room, uint32_t link, uint64_t sender,
                            const struct gossip_challenge *challenge);

/* REFUSED came back: the call is over. */
void calls_refused(struct membership *room, uint32_t link);

/* The instance sent its table; true when a call to it was waiting for that: now it is over. */
bool calls_welcomed(struct membership *room, uint64_t instance);

/* Whether a call waits for this instance's table. */
bool calls_is_greeting(const struct membership *room, uint64_t instance);

bool calls_has_link(const struct membership *room, uint32_t link);
void calls_due(struct membership *room);

#endif
