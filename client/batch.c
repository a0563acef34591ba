/* batch.c - see batch.h. Each block is one frame: an envelope, then messages, cut off at
 * CLIENT_FRAME_BYTES_AIM; a message larger than that has a frame of its own.
 *
 *     first .. last  --batch_flush-->  held_first .. held_last  --batch_acknowledge--> gone
 *            ^---------------- batch_rewind ----------------'
 *
 * A block is held if it has numbered messages; one that ZeroMQ has too is only read by both. */
#include "client/batch.h"

#include "proto/envelope.h"
#include "proto/kinds.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_ROOM_FIRST = 512,
    COPIED_BYTES_MAX = 4096, /* below, copying is cheaper than a block for libzmq to free */
};

struct batch_block {
    struct batch_block *next;
    size_t used, room;
    uint32_t numbered;  /* how many of its messages are */
    bool is_secret;     /* credentials are in it: it is wiped before its memory goes elsewhere */
    atomic_int holders; /* the batch and, once handed over, libzmq: the last one frees it */
    uint8_t bytes[];
};

void batch_init(struct batch *batch, size_t bytes_max)
{
    *batch = (struct batch){.bytes_max = bytes_max, .room_hint = BLOCK_ROOM_FIRST};
}

static void block_wipe(struct batch_block *block)
{
    if (block->is_secret)
        explicit_bzero(block->bytes, block->used);
}

static void block_drop(struct batch_block *block)
{
    if (atomic_fetch_sub(&block->holders, 1) > 1)
        return;
    block_wipe(block);
    free(block);
}

static void waiting_drop(struct batch *batch)
{
    while (batch->first != NULL) {
        struct batch_block *block = batch->first;
        batch->first = block->next;
        block_drop(block);
    }
    batch->last = NULL;
    batch->bytes = 0;
}

/* The oldest that was sent. */
static void held_pop(struct batch *batch)
{
    struct batch_block *block = batch->held_first;
    batch->held_first = block->next;
    if (batch->held_first == NULL)
        batch->held_last = NULL;
    batch->held_bytes -= block->used - ENVELOPE_CLIENT_BYTES;
    batch->held_seq += block->numbered;
    block_drop(block);
}

static void held_drop(struct batch *batch)
{
    while (batch->held_first != NULL)
        held_pop(batch);
}

void batch_clear(struct batch *batch)
{
    waiting_drop(batch);
    held_drop(batch);
}

void batch_keep_sent(struct batch *batch, bool keeps_sent)
{
    held_drop(batch);
    batch->keeps_sent = keeps_sent;
    batch->held_seq = 0;
}

void batch_acknowledge(struct batch *batch, uint64_t received)
{
    while (batch->held_first != NULL && batch->held_seq + batch->held_first->numbered <= received)
        held_pop(batch);
}

bool batch_has_room(const struct batch *batch, size_t bytes)
{
    return bytes <= batch->bytes_max &&
           batch->bytes + batch->held_bytes <= batch->bytes_max - bytes;
}

static void start_frame(struct batch_block *block)
{
    struct writer writer;
    writer_init(&writer, block->bytes, block->room);
    const struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    envelope_encode(&envelope, &writer);
    block->used = ENVELOPE_CLIENT_BYTES;
    block->numbered = 0;
    block->is_secret = false;
    block->next = NULL;
    atomic_init(&block->holders, 1);
}

static struct batch_block *block_add(struct batch *batch, size_t bytes)
{
    size_t room = batch->room_hint;
    while (room < ENVELOPE_CLIENT_BYTES + bytes)
        room *= 2;
    struct batch_block *block = malloc(sizeof *block + room);
    if (block == NULL)
        return NULL;
    block->room = room;
    start_frame(block);
    if (batch->last == NULL)
        batch->first = block;
    else
        batch->last->next = block;
    batch->last = block;
    return block;
}

/* Makes the last block large enough. It moves; nothing points to it but its predecessor. */
static struct batch_block *block_grow(struct batch *batch, size_t bytes)
{
    struct batch_block *block = batch->last;
    size_t room = block->room;
    while (room < block->used + bytes)
        room *= 2;
    struct batch_block **link = &batch->first;
    while (*link != block)
        link = &(*link)->next;
    block = realloc(block, sizeof *block + room);
    if (block == NULL)
        return NULL;
    block->room = room;
    *link = block;
    batch->last = block;
    return block;
}

/* The block that so many bytes more go into; NULL without memory. One with credentials takes no
 * more: it would move, and leave them behind. */
static struct batch_block *block_for(struct batch *batch, size_t bytes)
{
    struct batch_block *block = batch->last;
    if (block == NULL || block->is_secret)
        return block_add(batch, bytes);
    if (block->used > ENVELOPE_CLIENT_BYTES && block->used + bytes > CLIENT_FRAME_BYTES_AIM)
        return block_add(batch, bytes);
    if (block->room - block->used < bytes)
        return block_grow(batch, bytes);
    return block;
}

/* A message of that kind has been written behind what the block holds. */
static void block_took(struct batch *batch, struct batch_block *block, uint8_t kind, size_t bytes)
{
    block->used += bytes;
    block->numbered += kind_is_numbered(kind);
    block->is_secret = block->is_secret || kind_is_secret(kind);
    batch->bytes += bytes;
}

/* The kinds whose sender waits; a node that does not know one of them says so. */
static uint8_t flags_of(uint8_t kind)
{
    bool wants_answer = kind == KIND_HELLO || kind == KIND_REQUEST || kind == KIND_COMMAND ||
                        kind == KIND_REGISTER || kind == KIND_UNREGISTER;
    return wants_answer ? MESSAGE_WANTS_ANSWER : 0;
}

bool batch_put(struct batch *batch, const struct schema *schema, const void *fields, uint8_t kind,
               uint64_t correlation, struct span body)
{
    size_t bytes = message_measure(schema, fields) + body.bytes;
    struct batch_block *block = block_for(batch, bytes);
    if (block == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, block->bytes + block->used, bytes);
    message_encode(schema, fields, kind, flags_of(kind), correlation, body.bytes, &writer);
    writer_span(&writer, body);
    if (writer.is_bad)
        return false;
    block_took(batch, block, kind, bytes);
    return true;
}

/* Called by libzmq, in its own thread as a rule. */
static void block_release(void *data, void *hint)
{
    (void)data;
    block_drop(hint);
}

/* Takes the first block off those that wait: it was sent. */
static void block_sent(struct batch *batch)
{
    struct batch_block *block = batch->first;
    batch->bytes -= block->used - ENVELOPE_CLIENT_BYTES;
    batch->first = block->next;
    if (batch->first == NULL)
        batch->last = NULL;
    if (!batch->keeps_sent || block->numbered == 0) {
        block_drop(block);
        return;
    }
    block->next = NULL;
    if (batch->held_last == NULL)
        batch->held_first = block;
    else
        batch->held_last->next = block;
    batch->held_last = block;
    batch->held_bytes += block->used - ENVELOPE_CLIENT_BYTES;
}

/* Hands the first block over. Refused, libzmq lets go of it at once and it stays here. */
static bool hand_over(struct batch *batch, struct dealer *dealer)
{
    struct batch_block *block = batch->first;
    atomic_fetch_add(&block->holders, 1);
    if (!dealer_send(dealer, span_of(block->bytes, block->used), block_release, block))
        return false;
    batch->room_hint = block->room > 2 * CLIENT_FRAME_BYTES_AIM ? BLOCK_ROOM_FIRST : block->room;
    block_sent(batch);
    return true;
}

/* Sends a copy of the first block. The only one, if nobody holds it, is used again. */
static bool send_copy(struct batch *batch, struct dealer *dealer)
{
    struct batch_block *block = batch->first;
    if (!dealer_send(dealer, span_of(block->bytes, block->used), NULL, NULL))
        return false;
    batch->room_hint = BLOCK_ROOM_FIRST;
    if (block == batch->last && (!batch->keeps_sent || block->numbered == 0)) {
        batch->bytes = 0;
        block_wipe(block);
        start_frame(block);
        return true;
    }
    block_sent(batch);
    return true;
}

static bool send_first(struct batch *batch, struct dealer *dealer)
{
    return batch->first->used > COPIED_BYTES_MAX ? hand_over(batch, dealer)
                                                 : send_copy(batch, dealer);
}

int batch_flush(struct batch *batch, struct dealer *dealer)
{
    int frames = 0;
    while (batch->bytes > 0 && send_first(batch, dealer))
        frames++;
    return frames;
}

/* Appends a message as it stands: header, fields and body. */
static void put_again(struct batch *batch, uint8_t kind, struct span message)
{
    struct batch_block *block = block_for(batch, message.bytes);
    if (block == NULL)
        return;
    struct writer writer;
    writer_init(&writer, block->bytes + block->used, message.bytes);
    writer_span(&writer, message);
    block_took(batch, block, kind, message.bytes);
}

/* Who stays of a row of blocks, by kind and correlation. */
struct choice {
    bool (*keep)(void *user, uint8_t kind, uint64_t correlation);
    void *user;
};

/* Appends the chosen messages of the blocks. */
static void put_chosen(struct batch *batch, const struct batch_block *block, struct choice choice)
{
    for (; block != NULL; block = block->next) {
        struct reader reader;
        struct message message;
        enum error error;
        reader_init(&reader, span_of(block->bytes, block->used));
        (void)reader_span(&reader, ENVELOPE_CLIENT_BYTES);
        struct span rest = reader_rest(&reader);
        while (message_next(&reader, &message, &error)) {
            size_t bytes = rest.bytes - reader_rest(&reader).bytes;
            if (choice.keep(choice.user, message.kind, message.correlation))
                put_again(batch, message.kind, span_of(rest.data, bytes));
            rest = reader_rest(&reader);
        }
    }
}

void batch_filter(struct batch *batch, bool (*keep)(void *user, uint8_t kind, uint64_t correlation),
                  void *user)
{
    struct batch_block *before = batch->first;
    struct batch old = {.first = before};
    batch->first = batch->last = NULL;
    batch->bytes = 0;
    put_chosen(batch, before, (struct choice){keep, user});
    waiting_drop(&old);
}

/* Of the numbered messages, all but the next *user. */
static bool is_missing(void *user, uint8_t kind, uint64_t correlation)
{
    uint64_t *arrived = user;
    (void)correlation;
    if (!kind_is_numbered(kind))
        return false;
    if (*arrived == 0)
        return true;
    --*arrived;
    return false;
}

void batch_rewind(struct batch *batch, uint64_t received)
{
    batch_acknowledge(batch, received);
    uint64_t arrived = received > batch->held_seq ? received - batch->held_seq : 0;
    struct batch held = {.first = batch->held_first}, waiting = {.first = batch->first};
    batch->first = batch->last = batch->held_first = batch->held_last = NULL;
    batch->bytes = batch->held_bytes = 0;
    put_chosen(batch, held.first, (struct choice){is_missing, &arrived});
    arrived = 0;
    put_chosen(batch, waiting.first, (struct choice){is_missing, &arrived});
    batch->held_seq = received;
    waiting_drop(&held);
    waiting_drop(&waiting);
}
