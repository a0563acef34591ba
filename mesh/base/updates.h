/* updates.h - decides what becomes of a topic's update on its way into a session's queue: it waits
 * in line, takes the place of an older one of its topic, or finds no room.
 *
 * The session's switch (updates_switch) decides whether anything is merged at all; then the
 * topic's policy:
 *
 *     always       at most one update of the topic waits
 *     conflate     nothing until the queue is full; then the whole queue is merged, topic by topic,
 *                  and what is queued merges at once until half of the queue has left
 *     off          is never merged
 *     unsubscribe  is never merged; when the queue is full, the topic's updates leave it and the
 *                  subscription ends (updates_next_ended)
 *
 * A merged update has the place of the oldest one and the value of the newest, and the marks of
 * both. All other messages stay where they are. The end of a topic or a subscription is an update
 * too: what waits of the topic merges into it, by the same rules, and what comes behind it is never
 * merged with what was before; nor is the start of a subscription. So whoever reads the queue may
 * miss values, but no end and no start, sees no value go back, and gets the last one.
 *
 * A queue is full when it has no room for what is to be queued, an update or not. Nothing that has
 * left is merged with what waits; what left and waits again (outbound_rewind) has not been
 * received, and is merged like all that waits.
 *
 * Memory: MEMORY_QUEUES; a queue that never waits has no index. Thread: one owner. */
#ifndef WEFT_MESH_BASE_UPDATES_H
#define WEFT_MESH_BASE_UPDATES_H

#include "mesh/base/outbox.h"
#include "mesh/base/shared.h"
#include "proto/topic.h"

/* One update for one receiver. */
struct update {
    struct shared *message; /* of updates_share; the queue becomes one more holder */
    uint32_t key;           /* the topic, on this node; a topic has one policy as long as its key */
    enum topic_policy policy;
    uint8_t marks; /* bits of enum topic_mark for this receiver, which the message does not say */
    bool is_start; /* a subscription begins, with or without an end before it: this update stays
                      behind all that was queued until now */
    bool is_end;   /* the topic, or the subscription, is over; any message, and without marks */
};

/* Encodes a message once for all that will hold it (message->consumes_credit and is_urgent mean
 * nothing here: an update consumes credit). The caller is its first holder and lets go of it with
 * updates_unshare when it is queued everywhere: whoever holds it longer holds memory of the queues.
 * NULL: all queues together have no memory left, and none could be made free; or no frame to a
 * client can hold the message. O(fields + body). */
struct shared *updates_share(struct outbox *outbox, const struct outgoing *message);
void updates_unshare(struct outbox *outbox, struct shared **message);

/* Queues an update, or merges it. Returns ERROR_OK, also when the subscription ended for want of
 * room; ERROR_LIMIT_REACHED with nothing queued: the queue is full although all was merged that may
 * be, or there is no memory. O(1); the whole queue is walked when it becomes full. */
enum error updates_send(struct outbound *queue, const struct update *update);

/* Turns the session's switch. On, also if it was on: the whole queue is merged at once. Returns how
 * many updates were merged away. O(messages that wait). */
uint32_t updates_switch(struct outbound *queue, bool is_conflated);

/* Takes the key of a subscription that has ended because its session's queue was full; false: there
 * is none. Until then no more values of it are queued; the caller tells the end, before any. */
bool updates_next_ended(struct outbound *queue, uint32_t *key);

/* For outbound.c and outbox.c: merges what waits, if that may be and has not been done since the
 * queue was short; returns how many were merged away. */
uint32_t updates_merge(struct outbound *queue);

/* For outbound.c: the queue is full. True: some of it has gone, try again. */
bool updates_make_room(struct outbound *queue);

/* For outbound.c: an update leaves, or waits no more; what had left waits again. */
struct record;
void updates_left(struct outbound *queue, struct record *record);
void updates_back(struct outbound *queue);

#endif
