/* outbox.h - holds all that is to leave: a bounded outbound queue for each destination, orders and
 * notices, pulled one at a time. Everything queued for one destination since the last pull leaves
 * in one frame, up to the destination's aim.
 *
 * A message's head (header and fields) is encoded when it is queued. Its body is only referenced:
 * while the frame it came in still lives, nothing is copied; whatever is still queued when the
 * pull ends (the destination is blocked or was cut off at its aim) gets its own copy then.
 *
 *     outbound_send -> head encoded, body referenced -> outbox_next (measures) -> outbox_write
 *                                                    \-> end of pull: kept bodies are copied
 *
 * Memory: blocks of MEMORY_QUEUES, reused through a free list, so that steady traffic allocates
 * nothing. Thread: one owner. */
#ifndef WEFT_MESH_BASE_OUTBOX_H
#define WEFT_MESH_BASE_OUTBOX_H

#include "mesh/base/memory.h"
#include "mesh/output.h"
#include "proto/envelope.h"

struct outbox;
struct outbox_block;

/* A destination's queue. Embedded in its owner (a session, a link); must not move. */
struct outbound {
    struct outbox *outbox;
    struct outbound *next_ready, *previous_ready; /* the ring of those with something to send */
    struct outbox_block *first, *last;
    enum mesh_order order; /* MESH_SEND or MESH_REPLY */
    uint32_t number;       /* the link or the connection */
    struct envelope envelope; /* what frames to it start with; sequence counts frames */
    size_t frame_bytes_aim;
    uint32_t messages, messages_max;
    size_t bytes, bytes_max; /* heads and bodies queued */
    bool is_blocked;         /* full, down or not yet up: pulls skip it */
    /* Credit: a pull stops before a message that consumes it when either limit is used up. The
     * limits are UINT64_MAX until outbound_grant; totals count what left and consumed credit. */
    uint64_t credit_messages_sent, credit_messages_limit;
    uint64_t credit_bytes_sent, credit_bytes_limit; /* header, fields and body */
};

/* A message to queue. Either schema and fields, or already encoded fields, or neither. */
struct outgoing {
    uint8_t kind; /* enum kind */
    uint8_t flags;
    uint64_t correlation;
    const struct schema *schema;
    const void *fields;
    struct span encoded_fields; /* used when schema is NULL: passed on as they came */
    struct span body;           /* lives at least until the current pull ends */
    bool consumes_credit;       /* waits, with all behind it, for the receiver's grant */
};

struct outbox *outbox_new(struct memory *memory);
void outbox_destroy(struct outbox **outbox);

/* Ties a zeroed queue to its destination. It starts unblocked and empty. */
void outbound_init(struct outbound *queue, struct outbox *outbox, enum mesh_order order,
                   uint32_t number, const struct envelope *envelope, uint32_t messages_max,
                   size_t bytes_max);

/* Drops what is queued and leaves the ring; the queue may then be initialised again. */
void outbound_clear(struct outbound *queue);

/* Queues one message. Returns ERROR_OK, or ERROR_LIMIT_REACHED with nothing queued. */
enum error outbound_send(struct outbound *queue, const struct outgoing *message);

/* Takes the oldest message of that kind that has not left out of the queue again: it will not be
 * sent, and counts no more. Its spans (encoded_fields, body) live until the queue is used again.
 * false: none. So that what was never handed over can be given to somebody else. O(queued). */
bool outbound_take_back(struct outbound *queue, uint8_t kind, struct outgoing *message);

/* From now on credit-consuming messages leave only while fewer than messages_limit of them and
 * bytes_limit bytes have left since outbound_init (cumulative; the queue rejoins the ready ring
 * when it may go on). The first message after a grant leaves whatever its size. */
void outbound_grant(struct outbound *queue, uint64_t messages_limit, uint64_t bytes_limit);

void outbound_block(struct outbound *queue);
void outbound_unblock(struct outbound *queue);

/* Queues an order that carries no frame; texts and addresses are copied (255 bytes each at most).
 * Orders leave before frames queued later and behind frames... see the .c file's essay: an order
 * MESH_CUT or MESH_CLOSE_LINK is carried out after what was queued for that destination before. */
void outbox_order(struct outbox *outbox, const struct mesh_output *order);

/* Queues a notice. Texts are copied, cut at 255 bytes. */
void outbox_notice(struct outbox *outbox, enum mesh_notice_code code,
                   const uint64_t values[4], const struct span texts[3]); /* NULL: none */

/* Pulls the next order or frame; false: there is none, and all that stays has its own memory. */
bool outbox_next(struct outbox *outbox, struct mesh_output *output);

/* Writes the frame just pulled and forgets its messages. */
void outbox_write(struct outbox *outbox, void *frame);

/* Frames, messages and bytes that left since the start, by channel (index: enum channel). */
struct outbox_totals {
    uint64_t frames[4], messages[4], bytes[4];
};
const struct outbox_totals *outbox_totals(const struct outbox *outbox);

#endif
