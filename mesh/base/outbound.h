/* outbound.h - holds what is to leave for one destination: a bounded queue, embedded in its owner
 * (a session, a link), that the outbox pulls frames from.
 *
 * A message's head (header and fields) is encoded when it is queued. Its body is only referenced:
 * while the frame it came in still lives, nothing is copied; whatever is still queued when the
 * pull ends (the destination is blocked or was cut off at its aim) gets its own copy then.
 * A queue that keeps what it sent (a session that may be resumed) copies bodies beside their heads
 * at once, and holds both until the receiver acknowledges them; see outbound_rewind.
 * Memory: MEMORY_QUEUES. A body is counted when it is queued, so that keeping it later stays within
 * the limit. Thread: one owner. */
#ifndef WEFT_MESH_BASE_OUTBOUND_H
#define WEFT_MESH_BASE_OUTBOUND_H

#include "mesh/base/chain.h"
#include "mesh/base/outgoing.h"
#include "mesh/output.h"

struct outbox;
struct record;

/* Finds updates by their topic's key; see merging.h. */
struct update_index {
    struct record **buckets; /* NULL: there is none */
    uint32_t bits;           /* 2^bits buckets */
    uint32_t count;
};

/* Which of the outbox's lists a queue is in. */
enum outbound_place {
    OUTBOUND_NOWHERE, /* nothing to send, or blocked with all bodies its own */
    OUTBOUND_READY,   /* waits for this pull to come round to it */
    OUTBOUND_LATER,   /* gave its frame in this pull and has more */
    OUTBOUND_HELD,    /* blocked, with bodies to be kept at the end of the pull */
    OUTBOUND_PLACES
};

/* A destination's queue. Must not move. Owners read the plain members and set none. */
struct outbound {
    struct outbox *outbox;
    struct outbound *next, *previous; /* of the list it is in */
    enum outbound_place place;
    enum mesh_order order;    /* MESH_SEND or MESH_REPLY */
    uint32_t number;          /* the link or the connection */
    struct envelope envelope; /* what frames to it start with; sequence counts frames */
    size_t frame_bytes_aim;
    uint32_t messages, messages_max; /* that wait; urgent ones apart */
    size_t bytes, bytes_max;         /* heads and bodies of those */
    uint64_t queued_total; /* messages ever queued: after outbound_send, that message's number */
    uint64_t sent_total;   /* the number of the last message that left or was dropped */
    bool is_blocked;       /* full, down or not yet up: pulls skip it */
    /* Credit: what left and consumed some, since outbound_init, and how far that may go. */
    uint64_t credit_messages_sent, credit_messages_limit;
    uint64_t credit_bytes_sent, credit_bytes_limit; /* header, fields and body */
    /* What left and is not acknowledged: the youngest of credit_messages_sent. */
    bool keeps_sent;
    uint32_t sent_messages;
    size_t sent_bytes;
    uint32_t again_messages; /* of the oldest that wait: they have left before, see rewind */
    /* Updates of topics, see updates.h. */
    bool is_conflated;        /* the session's switch */
    uint64_t conflated_total; /* updates that were merged away, since outbound_init */
    /* Of a queue that may be given up, see outbox_may_give_up. */
    uint32_t owner;
    bool is_given_up; /* it takes no more: its owner should end */
    /* The outbox's own: */
    bool is_detached, is_cut_after; /* it has outlived its owner; then hang up */
    uint64_t served_pull;           /* the pull in which it last gave a frame */
    struct chain urgent;            /* the same as chain, for urgent messages */
    uint32_t urgent_messages;
    size_t urgent_bytes;
    struct chain chain;         /* heads, each behind a record of its body */
    struct chain_place waiting; /* behind what was sent and is still held */
    uint32_t kept_messages;     /* of the oldest, that need nothing of the input any more */
    struct chain_place unkept;  /* behind those */
    /* updates.c's and merging.c's own: */
    bool is_merging;           /* was full not long ago: `conflate` merges as updates come */
    uint32_t ending_updates;   /* that wait and leave, with their subscription, when it is full */
    struct update_index index; /* of what waits, when much does */
    struct chain ended_keys;   /* of subscriptions that ended, untold */
    /* weights.c's own: */
    size_t weight_limit;
    uint32_t weight_class;
    struct outbound *weight_next, *weight_previous;
    bool is_noted; /* in the outbox's list of queues whose owner has something to do */
    struct outbound *noted_next, *noted_previous;
};

/* Ties a zeroed queue to its destination. It starts unblocked, empty and with credit without limit;
 * the aim of its frames is that of the envelope's channel. */
void outbound_init(struct outbound *queue, struct outbox *outbox, enum mesh_order order,
                   uint32_t number, const struct envelope *envelope, uint32_t messages_max,
                   size_t bytes_max);

/* Drops what is queued and leaves the outbox; the queue may then be initialised again. Fine on a
 * zeroed queue. */
void outbound_clear(struct outbound *queue);

/* Queues one message. Returns ERROR_OK, or ERROR_LIMIT_REACHED with nothing queued: the queue or
 * the node-wide memory of queues is full, or no frame of the channel can hold the message.
 * Allocates nothing while the free list has a block. O(fields). */
enum error outbound_send(struct outbound *queue, const struct outgoing *message);

/* From now on what leaves is held until it is acknowledged, as far as there is room: what waits
 * goes first, and all queues together hold at most half of the memory for queues. Every message
 * that is not urgent must consume credit. The queue must be empty. */
void outbound_keep_sent(struct outbound *queue);

/* The receiver has the first `received` messages that consume credit; they are let go. False, and
 * nothing changed: so many were never sent. */
bool outbound_acknowledge(struct outbound *queue, uint64_t received);

/* The receiver is back, over another connection, and has the first `received`: what left since
 * waits again, before all else, and `number` names the destination from now on. Blocked or not is
 * as before. Returns how many of all that were sent are not sent again: `received`, or more when
 * some between were let go for want of room, and are lost. `received` as for
 * outbound_acknowledge. */
uint64_t outbound_rewind(struct outbound *queue, uint64_t received, uint32_t number);

/* Drops what is queued, and held, and stays. sent_total then equals queued_total: whoever wants to
 * know which of his messages never left asks before. */
void outbound_drop_all(struct outbound *queue);

/* For how long, in ms, the oldest message has waited; 0: none waits. An update that was merged has
 * waited since the oldest of those that it stands for. */
uint32_t outbound_lag_ms(const struct outbound *queue);

/* Pulls skip a blocked queue, which goes on taking messages up to its limits. */
void outbound_block(struct outbound *queue);
void outbound_unblock(struct outbound *queue);

/* From now on a message that consumes credit leaves only while fewer than messages_limit of them,
 * and fewer than bytes_limit bytes of them, have left since outbound_init. So the first message
 * after a grant leaves whatever its size. */
void outbound_grant(struct outbound *queue, uint64_t messages_limit, uint64_t bytes_limit);

/* True when nothing is queued, urgent or not. */
bool outbound_is_empty(const struct outbound *queue);

/* For outbox.c: true when the next message may not leave now: blocked, or without credit. */
bool outbound_must_wait(const struct outbound *queue);

/* For outbox.c: true when every body that waits is the queue's own. */
bool outbound_is_kept(const struct outbound *queue);

/* The owner goes: what is queued, and then `last` (NULL: nothing; beyond the limits, if need be),
 * leaves without him, and at the end, if so wished, the connection is cut (MESH_CUT). Of a queue
 * that has to wait, blocked or without credit, only `last` leaves. The queue is then as after
 * outbound_clear. */
void outbound_finish(struct outbound *queue, const struct outgoing *last, bool cut);

/* For outbox.c: how many messages, of how many bytes in all, the next frame holds; at least one. */
uint32_t outbound_measure(const struct outbound *queue, size_t *bytes);

/* For outbox.c: writes the oldest messages, urgent ones first, and forgets them or holds them. */
void outbound_write(struct outbound *queue, uint32_t messages, struct writer *writer);

/* For outbox.c: the pull ends; copies each body that is not yet the queue's own. */
void outbound_keep(struct outbound *queue);

/* For updates.c: whether so many messages and bytes more may wait, once others of replaced_bytes
 * have gone; what was sent gives way. */
bool outbound_has_room(struct outbound *queue, uint32_t messages, size_t bytes,
                       size_t replaced_bytes);

/* For updates.c: a record of so many bytes behind all others, not initialised; NULL: no memory. It
 * was pushed, with these bytes of a message; a message that waits has grown. */
struct record *outbound_push_record(struct outbound *queue, size_t record_bytes);
void outbound_pushed(struct outbound *queue, size_t bytes);

/* For waiting.c: the record's body is needed no more. */
void outbound_free_body(struct outbound *queue, struct record *record);
void outbound_grown(struct outbound *queue);

/* For updates.c: there was no memory for a message. True: try again, unless is_given_up. */
bool outbound_find_memory(struct outbound *queue);

/* For outbox.c: lets go of what was sent. False: there is none. */
bool outbound_drop_sent(struct outbound *queue);

#endif
