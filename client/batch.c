/* batch.c - see batch.h. Each block is one frame: an envelope, then messages, cut off at
 * CLIENT_FRAME_BYTES_AIM; a message larger than that has a frame of its own. */
#include "client/batch.h"

#include "proto/envelope.h"
#include "proto/kinds.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    BLOCK_ROOM_FIRST = 512,
    COPIED_BYTES_MAX = 4096, /* below, copying is cheaper than a block for libzmq to free */
};

struct batch_block {
    struct batch_block *next;
    size_t used, room;
    atomic_int holders; /* the batch and, once handed over, libzmq: the last one frees it */
    uint8_t bytes[];
};

void batch_init(struct batch *batch, size_t bytes_max)
{
    *batch = (struct batch){.bytes_max = bytes_max, .room_hint = BLOCK_ROOM_FIRST};
}

void batch_clear(struct batch *batch)
{
    while (batch->first != NULL) {
        struct batch_block *block = batch->first;
        batch->first = block->next;
        free(block);
    }
    batch->last = NULL;
    batch->bytes = 0;
}

bool batch_has_room(const struct batch *batch, size_t bytes)
{
    return bytes <= batch->bytes_max && batch->bytes <= batch->bytes_max - bytes;
}

static void start_frame(struct batch_block *block)
{
    struct writer writer;
    writer_init(&writer, block->bytes, block->room);
    const struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    envelope_encode(&envelope, &writer);
    block->used = ENVELOPE_CLIENT_BYTES;
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

/* The block that so many bytes more go into; NULL without memory. */
static struct batch_block *block_for(struct batch *batch, size_t bytes)
{
    struct batch_block *block = batch->last;
    if (block == NULL)
        return block_add(batch, bytes);
    if (block->used > ENVELOPE_CLIENT_BYTES && block->used + bytes > CLIENT_FRAME_BYTES_AIM)
        return block_add(batch, bytes);
    if (block->room - block->used < bytes)
        return block_grow(batch, bytes);
    return block;
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
    block->used += bytes;
    batch->bytes += bytes;
    return true;
}

static void block_drop(struct batch_block *block)
{
    if (atomic_fetch_sub(&block->holders, 1) == 1)
        free(block);
}

/* Called by libzmq, in its own thread as a rule. */
static void block_release(void *data, void *hint)
{
    (void)data;
    block_drop(hint);
}

/* The first block has left, copied: the only one is used again, others are freed. */
static void block_copied(struct batch *batch)
{
    struct batch_block *block = batch->first;
    if (block == batch->last) {
        start_frame(block);
        return;
    }
    batch->first = block->next;
    free(block);
}

/* Hands the first block over. Refused, libzmq lets go of it at once and it stays here. */
static bool hand_over(struct batch *batch, struct dealer *dealer)
{
    struct batch_block *block = batch->first;
    atomic_fetch_add(&block->holders, 1);
    if (!dealer_send(dealer, span_of(block->bytes, block->used), block_release, block))
        return false;
    batch->room_hint = block->room > 2 * CLIENT_FRAME_BYTES_AIM ? BLOCK_ROOM_FIRST : block->room;
    batch->first = block->next;
    if (batch->first == NULL)
        batch->last = NULL;
    block_drop(block);
    return true;
}

static bool send_first(struct batch *batch, struct dealer *dealer)
{
    struct batch_block *block = batch->first;
    size_t bytes = block->used;
    if (bytes > COPIED_BYTES_MAX) {
        if (!hand_over(batch, dealer))
            return false;
    } else {
        if (!dealer_send(dealer, span_of(block->bytes, bytes), NULL, NULL))
            return false;
        batch->room_hint = BLOCK_ROOM_FIRST;
        block_copied(batch);
    }
    batch->bytes -= bytes - ENVELOPE_CLIENT_BYTES;
    return true;
}

int batch_flush(struct batch *batch, struct dealer *dealer)
{
    int frames = 0;
    while (batch->bytes > 0 && send_first(batch, dealer))
        frames++;
    return frames;
}

/* Appends a message as it stands: header, fields and body. */
static void put_again(struct batch *batch, struct span message)
{
    struct batch_block *block = block_for(batch, message.bytes);
    if (block == NULL)
        return;
    struct writer writer;
    writer_init(&writer, block->bytes + block->used, message.bytes);
    writer_span(&writer, message);
    block->used += message.bytes;
    batch->bytes += message.bytes;
}

void batch_filter(struct batch *batch, bool (*keep)(void *user, uint8_t kind, uint64_t correlation),
                  void *user)
{
    struct batch kept;
    batch_init(&kept, batch->bytes_max);
    for (struct batch_block *block = batch->first; block != NULL; block = block->next) {
        struct reader reader;
        struct message message;
        enum error error;
        reader_init(&reader, span_of(block->bytes, block->used));
        (void)reader_span(&reader, ENVELOPE_CLIENT_BYTES);
        struct span rest = reader_rest(&reader);
        while (message_next(&reader, &message, &error)) {
            size_t bytes = rest.bytes - reader_rest(&reader).bytes;
            if (keep(user, message.kind, message.correlation))
                put_again(&kept, span_of(rest.data, bytes));
            rest = reader_rest(&reader);
        }
    }
    batch_clear(batch);
    *batch = kept;
}
