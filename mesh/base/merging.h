/* merging.h - decides which waiting update another one of its topic merges into, and finds it: by
 * looking where few messages wait, by an index where many do, by one walk for a whole queue.
 * For updates.c and outbound.c only.
 * Memory: an index is MEMORY_QUEUES, made when it is first needed. Thread: one owner. */
#ifndef WEFT_MESH_BASE_MERGING_H
#define WEFT_MESH_BASE_MERGING_H

#include "mesh/base/outbox.h"
#include "mesh/base/record.h"
#include "mesh/base/updates.h"

/* Whether an update of that policy is merged as it comes. */
bool merging_applies(const struct outbound *queue, enum topic_policy policy);

/* Makes sure that merging_find costs O(1). False: no memory. */
bool merging_prepare(struct outbound *queue);

/* The waiting update that one with this key merges into; NULL: none. The queue is prepared. */
struct record *merging_find(const struct outbound *queue, uint32_t key);

/* A record that will be found from now on was queued; this one leaves the queue, or will not be
 * found any more. */
void merging_add(struct outbound *queue, struct record *record);
void merging_remove(struct outbound *queue, struct record *record);

/* A subscription to its topic starts behind it: nothing will merge into it any more. */
void merging_close(struct outbound *queue, struct record *record);

/* The older of two updates takes on what the newer one says, and becomes a holder of that in its
 * stead. What waits has other bytes then: the caller's to settle. */
void merging_apply(struct outbound *queue, struct record *older, struct shared *message,
                   unsigned marks, bool is_end);

/* Merges what waits, topic by topic: of the topics that are merged as they come, or (is_all) also
 * of those that are merged when the queue is full. Returns how many were merged away. Needs no
 * memory. O(messages that wait). */
uint32_t merging_walk(struct outbound *queue, bool is_all);

/* Takes all waiting updates out whose policy is `unsubscribe`, ends apart, and puts the keys of
 * their topics into queue->ended_keys, as far as there is memory for these. Returns how many left.
 * O(messages that wait). */
uint32_t merging_give_way(struct outbound *queue);

/* The subscription to that topic ends, which updates_next_ended will tell. False: no memory. */
bool merging_note_end(struct outbound *queue, uint32_t key);

/* Requires (G1), (G2), (U1) and (U3). O(messages that wait). */
void merging_check(const struct outbound *queue);

/* Gives the index back: its records are about to move, or leave all at once. O(messages that
 * wait). */
void merging_forget(struct outbound *queue);

/* The queue is empty: gives a large index back. */
void merging_rest(struct outbound *queue);

#endif
