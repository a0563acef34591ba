/* outbox.h - decides in which order everything leaves: frames from the queues of all destinations,
 * orders and notices, pulled one at a time. In one pull (the calls until outbox_next says false):
 *
 *     1. orders that open or end something of ours, and notices, in the order they were given
 *     2. from each queue that is not blocked one frame with all it holds, up to its aim
 *     3. MESH_CUT, behind the frames to those connections; MESH_STOPPED, when nothing is left
 *
 * What a queue holds beyond its aim waits for the next pull: then outbox_has_more is true.
 * Memory: MEMORY_QUEUES for messages, MEMORY_TABLES for orders. Thread: one owner. */
#ifndef WEFT_MESH_BASE_OUTBOX_H
#define WEFT_MESH_BASE_OUTBOX_H

#include "mesh/base/outbound.h"
#include "mesh/base/shared.h"
#include "mesh/base/weights.h"

struct outbox *outbox_new(struct memory *memory);

/* Owners clear their queues first. */
void outbox_destroy(struct outbox **outbox);

/* Queues an order that carries no frame; its texts and addresses are copied, cut at 255 bytes. */
void outbox_order(struct outbox *outbox, const struct mesh_output *order);

/* Queues a notice. Texts (NULL: none) are copied, cut at 255 bytes. A notice beyond 65,536 waiting
 * ones is lost and counted. */
void outbox_notice(struct outbox *outbox, enum mesh_notice_code code, const uint64_t values[4],
                   const struct span texts[3]);

/* Sends one message, in a frame of its own, to a connection that has no queue: the answer to a
 * stranger. `envelope` as it is to be written; its sequence included. Returns ERROR_OK or
 * ERROR_LIMIT_REACHED (too many such answers wait, or no memory): nothing is queued then. */
enum error outbox_reply(struct outbox *outbox, enum channel channel, uint32_t connection,
                        const struct envelope *envelope, const struct outgoing *message);

/* Pulls the next order or frame; false: there is none, and all that stays has its own memory. */
bool outbox_next(struct outbox *outbox, struct mesh_output *output);

/* Writes the frame just pulled, exactly output.bytes bytes, and forgets its messages. */
void outbox_write(struct outbox *outbox, void *frame);

/* True when the next pull will give something at once: the caller must not sleep. */
bool outbox_has_more(const struct outbox *outbox);

/* Frames, messages and bytes that left since the start, by channel (index: enum channel). */
struct outbox_totals {
    uint64_t frames[4], messages[4], bytes[4];
    uint64_t notices_lost;
};
const struct outbox_totals *outbox_totals(const struct outbox *outbox);

/* What became of updates, and of queues for want of memory, since the start. */
struct outbox_relief {
    uint64_t merged;   /* updates, into older ones of their topic */
    uint64_t ended;    /* subscriptions, because a queue was full */
    uint64_t given_up; /* queues, because the memory of all was used up */
};
const struct outbox_relief *outbox_relief(const struct outbox *outbox);

/* Tells the time, by which messages that wait grow old; monotonic. */
void outbox_tell_time(struct outbox *outbox, uint64_t now_ns);

/* When the memory of all queues is used up, the heaviest of those of which this was said gives way:
 * what it sent is held no longer, then its updates are merged if its switch is on, then all it
 * holds is dropped: it is given up, takes no more, and its owner, known by a number of his own,
 * finds it by outbox_next_noted. */
void outbox_may_give_up(struct outbox *outbox, struct outbound *queue, uint32_t owner);

/* Walks the queues whose owners have something to do: they are given up, or subscriptions ended
 * (updates_next_ended). NULL starts, NULL ends. outbox_unnote takes one out, whose owner has done
 * it. */
struct outbound *outbox_next_noted(const struct outbox *outbox, const struct outbound *after);
void outbox_unnote(struct outbox *outbox, struct outbound *queue);

/* Whether one of them is given up. */
bool outbox_has_given_up(const struct outbox *outbox);

/* Walks the queues that have outlived their owners; NULL starts, NULL ends. */
const struct outbound *outbox_next_detached(const struct outbox *outbox,
                                            const struct outbound *after);

/* For the queues: memory is used up; some of what they hold is let go, as above. False: none can
 * be. */
bool outbox_make_room(struct outbox *outbox);

/* For the queues: takes one out of all that outbox_may_give_up and outbox_note put it into. */
void outbox_forget(struct outbox *outbox, struct outbound *queue);
void outbox_note(struct outbox *outbox, struct outbound *queue);

/* For the queues: the time, and what all of them share. */
uint32_t outbox_now_ms(const struct outbox *outbox);
struct shared_pool *outbox_shared(struct outbox *outbox);
struct weights *outbox_weights(struct outbox *outbox);
struct update_index *outbox_index(struct outbox *outbox); /* empty between two calls */
struct outbox_relief *outbox_relief_counts(struct outbox *outbox);

/* For outbound.c: puts the queue into the list where it now belongs; a detached queue that has
 * nothing left ends here. */
void outbox_place(struct outbox *outbox, struct outbound *queue);

/* For outbound.c: moves what the queue holds into one of the outbox's own; the queue is then empty.
 * NULL when there is no memory: unchanged. The caller places the new one. */
struct outbound *outbox_detach(struct outbox *outbox, struct outbound *queue);

/* For outbound.c: true between outbox_next and outbox_write of this queue's frame. */
bool outbox_is_pulled(const struct outbox *outbox, const struct outbound *queue);

/* For outbound.c. */
struct chain_pool *outbox_pool(struct outbox *outbox);

/* For outbound.c: what all queues hold of what they sent; it counts there. */
uint64_t *outbox_held_bytes(struct outbox *outbox);

#endif
