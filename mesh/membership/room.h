/* room.h - what the files of this room share: the one struct that holds all their parts. Each part
 * is a plain struct that only the file of its name changes; parts call each other directly.
 *
 *     membership.c  the door: hands each fact to its part
 *     evidence.c    what news changes   <- frames in, probes, suspects
 *     frames.c      what news leaves    -> links
 *
 * Memory: one block of MEMORY_MEMBERS. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_ROOM_H
#define WEFT_MESH_MEMBERSHIP_ROOM_H

#include "mesh/base/bugs.h"
#include "mesh/membership/calls.h"
#include "mesh/membership/contacts.h"
#include "mesh/membership/crash.h"
#include "mesh/membership/dissemination.h"
#include "mesh/membership/events.h"
#include "mesh/membership/evidence.h"
#include "mesh/membership/frames.h"
#include "mesh/membership/gossip.h"
#include "mesh/membership/heal.h"
#include "mesh/membership/health.h"
#include "mesh/membership/join.h"
#include "mesh/membership/joiners.h"
#include "mesh/membership/leave.h"
#include "mesh/membership/members.h"
#include "mesh/membership/mutes.h"
#include "mesh/membership/namesake.h"
#include "mesh/membership/observers.h"
#include "mesh/membership/pause.h"
#include "mesh/membership/probe.h"
#include "mesh/membership/refusal.h"
#include "mesh/membership/relays.h"
#include "mesh/membership/roster.h"
#include "mesh/membership/seeds.h"
#include "mesh/membership/self.h"
#include "mesh/membership/suspects.h"
#include "mesh/membership/sync.h"
#include "mesh/membership/verdicts.h"

#define MS_NS UINT64_C(1000000)

/* Purposes of this room's deadlines. */
enum membership_deadline {
    DEADLINE_PERIOD = 1, /* probe.c: the next member's turn */
    DEADLINE_PROBES,     /* probe.c: the next step of a running probe */
    DEADLINE_RELAYS,     /* relays.c: the next step of a ping for somebody else */
    DEADLINE_CRASHES,    /* crash.c: the next redial or verdict */
    DEADLINE_SUSPECTS,   /* suspects.c: the next suspicion ends */
    DEADLINE_GOSSIP,     /* gossip.c: news goes out */
    DEADLINE_SYNC,       /* sync.c */
    DEADLINE_REDIAL,     /* join.c: seeds and the dead are called */
    DEADLINE_CALLS,      /* calls.c: the next step of a call */
    DEADLINE_JOINERS,    /* joiners.c: a joiner could not be reached */
    DEADLINE_NAMESAKE,   /* namesake.c: the other did not answer */
    DEADLINE_LEAVE,      /* leave.c: long enough */
};

struct membership {
    struct context *context;
    struct random random;
    struct descriptors *descriptors;
    bool shares_descriptors;
    bool has_started;
    struct members members;
    struct roster listed;
    /* The same two: what the seam shows of them is made when somebody looks. */
    struct members *views;
    struct roster *roster;
    struct events events;
    struct self self;
    struct health health;
    struct dissemination dissemination;
    struct gossip gossip;
    struct probes probes;
    struct relays relays;
    struct crashes crashes;
    struct suspects suspects;
    struct pause pause;
    struct heal heal;
    struct namesake namesake;
    struct verdicts verdicts;
    struct calls calls;
    struct joiners joiners;
    struct seeds seeds;
    struct join join;
    struct refusal refusal;
    struct mutes mutes;
    struct sync sync;
    struct leave leave;
};

static inline const struct gossip_config *room_config(const struct membership *room)
{
    return &room->context->config->gossip;
}

/* Sets one of the room's deadlines. */
static inline void room_set(struct membership *room, struct deadline *deadline,
                            enum membership_deadline purpose, uint64_t at_ns)
{
    deadline->room = DEADLINE_MEMBERSHIP;
    deadline->purpose = (uint8_t)purpose;
    deadlines_set(room->context->deadlines, deadline, at_ns);
}

#endif
