/* batch.h - decides which messages share a frame: what a client has to say and has not yet sent,
 * encoded into the frames it will leave in; and, of a session that may be resumed, what it has sent
 * and the node has not acknowledged.
 * Memory: its blocks; a large one is handed to ZeroMQ as it is, a small one is copied. One with
 * credentials in it (kind_is_secret) is wiped when it goes.
 * Thread: the context's. */
#ifndef WEFT_CLIENT_BATCH_H
#define WEFT_CLIENT_BATCH_H

#include "client/dealer.h"
#include "proto/schema.h"

struct batch_block;

struct batch {
    struct batch_block *first, *last;
    size_t bytes; /* of messages that wait */
    size_t bytes_max;
    size_t room_hint; /* size of the next block */
    /* Sent, while keeps_sent: frames with numbered messages (kind_is_numbered). */
    bool keeps_sent;
    struct batch_block *held_first, *held_last;
    size_t held_bytes;
    uint64_t held_seq; /* numbered messages before the first of them */
};

void batch_init(struct batch *batch, size_t bytes_max);

void batch_clear(struct batch *batch);

static inline bool batch_is_empty(const struct batch *batch)
{
    return batch->bytes == 0;
}

/* From now on what is sent is held until it is acknowledged, counted from here; or is not. */
void batch_keep_sent(struct batch *batch, bool keeps_sent);

/* The node has the first `received` numbered messages. */
void batch_acknowledge(struct batch *batch, uint64_t received);

/* The same, over another connection: those that were sent and have not arrived wait again, before
 * those that waited. What is not numbered was for the old connection, and goes. */
void batch_rewind(struct batch *batch, uint64_t received);

/* Whether one more message of about so many bytes is within the limit, held ones included. */
bool batch_has_room(const struct batch *batch, size_t bytes);

/* Encodes a message at the end; schema and fields NULL for a kind without fields. Returns false,
 * and nothing changed, without memory. The limit is the caller's to ask for: answers that end
 * something for the other side are put in past it. */
bool batch_put(struct batch *batch, const struct schema *schema, const void *fields, uint8_t kind,
               uint64_t correlation, struct span body);

/* Sends frames as long as the dealer takes them; returns how many. */
int batch_flush(struct batch *batch, struct dealer *dealer);

/* Drops the messages that wait for which keep returns false. What there is no memory for is dropped
 * too. */
void batch_filter(struct batch *batch, bool (*keep)(void *user, uint8_t kind, uint64_t correlation),
                  void *user);

#endif
