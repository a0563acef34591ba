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

/* This node got no answer from a member at that incarnation. */
void evidence_unanswered(struct membership *room, uint32_t who, uint64_t incarnation);

/* This node's own verdict on a live member. */
void evidence_died(struct membership *room, uint32_t who, const char *why);

#endif
