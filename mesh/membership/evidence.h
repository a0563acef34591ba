/* evidence.h - decides what a piece of news changes in the table, and sees to what follows: events,
 * news to others, links, suspicions.
 * Memory: none of its own. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_EVIDENCE_H
#define WEFT_MESH_MEMBERSHIP_EVIDENCE_H

#include "proto/error.h"
#include "proto/gossip.h"

struct membership;

/* Applies a record that somebody told. Returns ERROR_OK also when it changes nothing;
 * ERROR_INVALID_MESSAGE for a record that no honest node sends (changes nothing);
 * ERROR_LIMIT_REACHED when the table is full. */
enum error evidence_apply(struct membership *room, const struct member_record *record);

/* Applies a run of records, each by itself; returns the first ERROR_INVALID_MESSAGE. */
enum error evidence_apply_all(struct membership *room, struct span records);

/* Of a run of records, applies what a member that is held dead says of itself: it alone raises its
 * incarnation, so that is true whoever holds it dead. */
void evidence_apply_own(struct membership *room, uint64_t sender, struct span records);

/* This node got no answer from a member at that incarnation; its connection was refused. */
void evidence_unanswered(struct membership *room, uint32_t who, uint64_t incarnation);
void evidence_refused(struct membership *room, uint32_t who);

/* This node's own verdict on a live member. */
void evidence_died(struct membership *room, uint32_t who, const char *why);

/* This node knows nothing of a member any more; nobody else is told. */
void evidence_forgotten(struct membership *room, uint32_t who);

#endif
