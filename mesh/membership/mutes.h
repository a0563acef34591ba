/* mutes.h - decides whether something that strangers can cause may be said again: once a minute for
 * each source. When all places are taken, the longest silent is forgotten: it may be said early.
 * Memory: fixed size, the caller's. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_MUTES_H
#define WEFT_MESH_MEMBERSHIP_MUTES_H

#include "proto/span.h"

enum { MUTES = 64 };

struct mutes {
    struct {
        uint64_t source, until_ns;
    } places[MUTES];
};

/* Whether `source` (a hash of who and what, not 0) may speak now; if so it is mute for a minute. */
bool mutes_admit(struct mutes *mutes, uint64_t source, uint64_t now_ns);

#endif
