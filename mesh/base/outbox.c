/* outbox.c - see outbox.h. A queue with something to send is in one of three lists:
 *
 *                      outbound_send                outbox_write, more left
 *     OUTBOUND_NOWHERE --------------> READY ----------------------------> LATER
 *          ^   ^                       |   ^                                 |
 *          |   | outbox_write, empty   |   |     the pull ends: bodies kept  |
 *          |   +-----------------------+   +---------------------------------+
 *          |
 *          +---- HELD  (must wait)       the pull ends: bodies kept
 *
 * Lists are served from the front and appended to at the back, so every destination has its turn,
 * and the order is the same for the same inputs. A queue gives one frame a pull: then the daemon
 * never holds more than one frame that a full destination would not take.
 *
 * Orders go before frames, because a link must be opened before something is sent to it, and a
 * link that is closed has no frames any more (links.c drops them), so its number may be opened
 * again in the same pull. Only a cut comes last: the goodbye before it must get out.
 *
 * A queue can outlive its owner (outbound_finish) and a stranger's answer needs a queue only once
 * (outbox_reply): both are detached queues, the outbox's own.
 *
 * (O1) a queue is READY, LATER or HELD only while it holds messages
 * (O2) READY and LATER queues may send: they are neither blocked nor out of credit; HELD may not
 * (O3) after a pull HELD and LATER are empty, and no queue references memory of an input
 * (O4) detached queues never wait */
#include "mesh/base/outbox.h"

#include "mesh/base/require.h"
#include "mesh/base/updates.h"

enum {
    TEXT_MAX = 255,
    NOTICES_MAX = 65536,
    /* Answers to strangers that may wait: a loop of the daemon takes in some hundred frames. */
    REPLIES_MAX = 4096,
    /* Of the table for walks over whole queues: 512 KiB, touched as used. A queue of 1,000,000
     * topics, the most there can be, has then 16 in a bucket. */
    INDEX_BITS = 16,
};

struct list {
    struct outbound *first, *last;
};

/* An order as it waits: the texts that it points at lie behind it. */
struct order {
    struct mesh_output output;
    uint8_t texts[];
};

struct outbox {
    struct chain_pool pool;       /* of messages */
    struct chain_pool order_pool; /* apart, so that full queues never refuse an order */
    struct chain early, late;     /* of struct order */
    uint32_t notices;             /* waiting */
    struct chain *given;          /* the chain whose front was given out by the last call */
    struct list lists[OUTBOUND_PLACES];
    uint64_t pull; /* number of the current one, from 1 */
    struct outbound *pulled;
    uint32_t pulled_messages;
    size_t pulled_bytes;
    uint32_t detached;
    uint32_t now_ms;
    struct shared_pool shared;
    struct weights weights;
    struct list noted;         /* linked by noted_next and noted_previous */
    uint32_t noted_given_up;   /* of these */
    struct update_index index; /* for merging.c */
    struct outbox_relief relief;
    uint64_t held_bytes; /* sent and not acknowledged, of all queues, with their records */
    struct outbox_totals totals;
};

struct outbox *outbox_new(struct memory *memory)
{
    struct outbox *outbox = memory_new(memory, MEMORY_TABLES, sizeof *outbox);
    if (outbox == NULL)
        return NULL;
    struct update_index *index = &outbox->index;
    index->bits = INDEX_BITS;
    index->buckets = memory_new(memory, MEMORY_TABLES, sizeof *index->buckets << INDEX_BITS);
    if (index->buckets == NULL) {
        memory_free(memory, MEMORY_TABLES, outbox, sizeof *outbox);
        return NULL;
    }
    outbox->pull = 1;
    chain_pool_init(&outbox->pool, memory, MEMORY_QUEUES);
    chain_pool_init(&outbox->order_pool, memory, MEMORY_TABLES);
    shared_pool_init(&outbox->shared, memory);
    return outbox;
}

static void list_append(struct list *list, struct outbound *queue)
{
    queue->next = NULL;
    queue->previous = list->last;
    if (list->last == NULL)
        list->first = queue;
    else
        list->last->next = queue;
    list->last = queue;
}

static void list_remove(struct list *list, struct outbound *queue)
{
    if (queue->previous == NULL)
        list->first = queue->next;
    else
        queue->previous->next = queue->next;
    if (queue->next == NULL)
        list->last = queue->previous;
    else
        queue->next->previous = queue->previous;
    queue->next = NULL;
    queue->previous = NULL;
}

static void queue_move(struct outbox *outbox, struct outbound *queue, enum outbound_place place)
{
    if (queue->place != OUTBOUND_NOWHERE)
        list_remove(&outbox->lists[queue->place], queue);
    if (place != OUTBOUND_NOWHERE)
        list_append(&outbox->lists[place], queue);
    queue->place = place;
}

static enum outbound_place place_of(const struct outbox *outbox, const struct outbound *queue)
{
    if (outbound_is_empty(queue))
        return OUTBOUND_NOWHERE;
    if (outbound_must_wait(queue))
        return outbound_is_kept(queue) ? OUTBOUND_NOWHERE : OUTBOUND_HELD;
    return queue->served_pull == outbox->pull ? OUTBOUND_LATER : OUTBOUND_READY;
}

static void detached_end(struct outbox *outbox, struct outbound *queue)
{
    if (queue->is_cut_after) {
        outbox_order(outbox, &(struct mesh_output){
                                 .order = MESH_CUT,
                                 .channel = queue->envelope.channel,
                                 .connection = queue->number,
                             });
    }
    outbox->detached--;
    memory_free(outbox->pool.memory, outbox->pool.kind, queue, sizeof *queue);
}

void outbox_place(struct outbox *outbox, struct outbound *queue)
{
    enum outbound_place place = place_of(outbox, queue);
    if (place != queue->place)
        queue_move(outbox, queue, place);
    if (queue->is_detached && outbound_is_empty(queue))
        detached_end(outbox, queue);
}

static struct outbound *detached_new(struct outbox *outbox)
{
    struct outbound *queue = memory_new(outbox->pool.memory, outbox->pool.kind, sizeof *queue);
    if (queue != NULL)
        outbox->detached++;
    return queue;
}

struct outbound *outbox_detach(struct outbox *outbox, struct outbound *queue)
{
    require(outbox->pulled != queue);
    struct outbound *detached = detached_new(outbox);
    if (detached == NULL)
        return NULL;
    queue_move(outbox, queue, OUTBOUND_NOWHERE);
    *detached = *queue;
    detached->is_detached = true;
    detached->is_blocked = false;
    detached->keeps_sent = false;
    detached->credit_messages_limit = UINT64_MAX;
    detached->credit_bytes_limit = UINT64_MAX;
    detached->messages_max = UINT32_MAX;
    detached->bytes_max = SIZE_MAX;
    queue->urgent = (struct chain){0};
    queue->urgent_messages = 0;
    queue->urgent_bytes = 0;
    queue->chain = (struct chain){0};
    queue->unkept = (struct chain_place){0};
    queue->kept_messages = 0;
    queue->messages = 0;
    queue->bytes = 0;
    return detached;
}

enum error outbox_reply(struct outbox *outbox, enum channel channel, uint32_t connection,
                        const struct envelope *envelope, const struct outgoing *message)
{
    if (outbox->detached >= REPLIES_MAX)
        return ERROR_LIMIT_REACHED;
    struct outbound *queue = detached_new(outbox);
    if (queue == NULL)
        return ERROR_LIMIT_REACHED;
    struct envelope own = *envelope;
    own.channel = channel;
    own.sequence--; /* counted up when the frame is written */
    outbound_init(queue, outbox, MESH_REPLY, connection, &own, 1, SIZE_MAX);
    enum error error = outbound_send(queue, message);
    if (error != ERROR_OK)
        detached_end(outbox, queue);
    else
        queue->is_detached = true;
    return error;
}

void outbox_destroy(struct outbox **outbox)
{
    struct outbox *gone = *outbox;
    if (gone == NULL)
        return;
    gone->pulled = NULL;
    for (enum outbound_place place = OUTBOUND_READY; place < OUTBOUND_PLACES; place++) {
        while (gone->lists[place].first != NULL) {
            struct outbound *queue = gone->lists[place].first;
            require(queue->is_detached);
            queue->is_cut_after = false;
            outbound_drop_all(queue);
        }
    }
    chain_clear(&gone->order_pool, &gone->early);
    chain_clear(&gone->order_pool, &gone->late);
    chain_pool_trim(&gone->order_pool);
    chain_pool_trim(&gone->pool);
    shared_pool_trim(&gone->shared);
    memory_free(gone->pool.memory, MEMORY_TABLES, gone->index.buckets,
                sizeof *gone->index.buckets << gone->index.bits);
    memory_free(gone->pool.memory, MEMORY_TABLES, gone, sizeof *gone);
    *outbox = NULL;
}

static bool order_is_late(enum mesh_order order)
{
    return order == MESH_CUT || order == MESH_STOPPED;
}

static struct span text_cut(struct span text)
{
    text.bytes = text.bytes > TEXT_MAX ? TEXT_MAX : text.bytes;
    return text;
}

/* Copies a text behind the order and points at the copy. */
static struct span text_copy(struct writer *writer, struct span text)
{
    struct span copy = span_of(writer->next, text_cut(text).bytes);
    writer_span(writer, text_cut(text));
    return copy;
}

void outbox_order(struct outbox *outbox, const struct mesh_output *order)
{
    require(order->order != MESH_SEND && order->order != MESH_REPLY);
    size_t bytes = text_cut(order->address).bytes + text_cut(order->name).bytes;
    for (size_t i = 0; i < 3; i++)
        bytes += text_cut(order->notice.texts[i]).bytes;
    struct chain *chain = order_is_late(order->order) ? &outbox->late : &outbox->early;
    struct order *waiting = chain_push(&outbox->order_pool, chain, sizeof *waiting + bytes);
    require(waiting != NULL); /* a mesh that can not even be told to hang up is past saving */
    waiting->output = *order;
    struct writer writer;
    writer_init(&writer, waiting->texts, bytes);
    waiting->output.address = text_copy(&writer, order->address);
    waiting->output.name = text_copy(&writer, order->name);
    for (size_t i = 0; i < 3; i++)
        waiting->output.notice.texts[i] = text_copy(&writer, order->notice.texts[i]);
    require(!writer.is_bad && writer.left == 0);
}

void outbox_notice(struct outbox *outbox, enum mesh_notice_code code, const uint64_t values[4],
                   const struct span texts[3])
{
    if (outbox->notices >= NOTICES_MAX) {
        outbox->totals.notices_lost++;
        return;
    }
    struct mesh_output order = {.order = MESH_NOTICE, .notice.code = code};
    if (values != NULL)
        memcpy(order.notice.values, values, sizeof order.notice.values);
    if (texts != NULL)
        memcpy(order.notice.texts, texts, sizeof order.notice.texts);
    outbox->notices++;
    outbox_order(outbox, &order);
}

static bool order_give(struct outbox *outbox, struct chain *chain, struct mesh_output *output)
{
    const struct order *order = chain_front(chain);
    if (order == NULL)
        return false;
    if (order->output.order == MESH_STOPPED && outbox->lists[OUTBOUND_LATER].first != NULL)
        return false;
    outbox->given = chain;
    if (order->output.order == MESH_NOTICE)
        outbox->notices--;
    *output = order->output;
    return true;
}

static bool frame_give(struct outbox *outbox, struct mesh_output *output)
{
    struct outbound *queue = outbox->lists[OUTBOUND_READY].first;
    if (queue == NULL)
        return false;
    size_t bytes;
    outbox->pulled = queue;
    outbox->pulled_messages = outbound_measure(queue, &bytes);
    outbox->pulled_bytes = bytes + envelope_bytes(queue->envelope.channel);
    *output = (struct mesh_output){
        .order = queue->order,
        .channel = queue->envelope.channel,
        .link = queue->order == MESH_SEND ? queue->number : MESH_LINK_NONE,
        .connection = queue->order == MESH_REPLY ? queue->number : 0,
        .bytes = outbox->pulled_bytes,
    };
    return true;
}

/* Whatever stays gets its own memory, and who gave a frame already may do so again. */
static void pull_end(struct outbox *outbox)
{
    struct outbound *queue;
    while ((queue = outbox->lists[OUTBOUND_HELD].first) != NULL) {
        outbound_keep(queue);
        queue_move(outbox, queue, OUTBOUND_NOWHERE);
    }
    outbox->pull++;
    while ((queue = outbox->lists[OUTBOUND_LATER].first) != NULL) {
        outbound_keep(queue);
        queue_move(outbox, queue, OUTBOUND_READY);
    }
}

bool outbox_next(struct outbox *outbox, struct mesh_output *output)
{
    require(outbox->pulled == NULL); /* outbox_write was left out */
    if (outbox->given != NULL) {
        chain_pop(&outbox->order_pool, outbox->given);
        outbox->given = NULL;
    }
    if (order_give(outbox, &outbox->early, output) || frame_give(outbox, output) ||
        order_give(outbox, &outbox->late, output))
        return true;
    pull_end(outbox);
    return false;
}

void outbox_write(struct outbox *outbox, void *frame)
{
    struct outbound *queue = outbox->pulled;
    require(queue != NULL);
    enum channel channel = queue->envelope.channel;
    outbox->totals.frames[channel]++;
    outbox->totals.messages[channel] += outbox->pulled_messages;
    outbox->totals.bytes[channel] += outbox->pulled_bytes;
    queue->envelope.sequence++;
    queue->served_pull = outbox->pull;
    struct writer writer;
    writer_init(&writer, frame, outbox->pulled_bytes);
    envelope_encode(&queue->envelope, &writer);
    outbound_write(queue, outbox->pulled_messages, &writer);
    require(!writer.is_bad && writer.left == 0);
    outbox->pulled = NULL;
    outbox_place(outbox, queue);
}

bool outbox_has_more(const struct outbox *outbox)
{
    return outbox->lists[OUTBOUND_READY].first != NULL ||
           outbox->lists[OUTBOUND_LATER].first != NULL || !chain_is_empty(&outbox->early) ||
           !chain_is_empty(&outbox->late);
}

bool outbox_is_pulled(const struct outbox *outbox, const struct outbound *queue)
{
    return outbox->pulled == queue;
}

struct chain_pool *outbox_pool(struct outbox *outbox)
{
    return &outbox->pool;
}

uint64_t *outbox_held_bytes(struct outbox *outbox)
{
    return &outbox->held_bytes;
}

const struct outbox_totals *outbox_totals(const struct outbox *outbox)
{
    return &outbox->totals;
}

const struct outbox_relief *outbox_relief(const struct outbox *outbox)
{
    return &outbox->relief;
}

void outbox_tell_time(struct outbox *outbox, uint64_t now_ns)
{
    outbox->now_ms = (uint32_t)(now_ns / 1000000);
}

void outbox_may_give_up(struct outbox *outbox, struct outbound *queue, uint32_t owner)
{
    queue->owner = owner;
    weights_add(&outbox->weights, queue);
}

void outbox_note(struct outbox *outbox, struct outbound *queue)
{
    if (queue->is_noted)
        return;
    queue->is_noted = true;
    queue->noted_next = NULL;
    queue->noted_previous = outbox->noted.last;
    if (outbox->noted.last == NULL)
        outbox->noted.first = queue;
    else
        outbox->noted.last->noted_next = queue;
    outbox->noted.last = queue;
}

void outbox_unnote(struct outbox *outbox, struct outbound *queue)
{
    if (!queue->is_noted)
        return;
    queue->is_noted = false;
    outbox->noted_given_up -= queue->is_given_up;
    if (queue->noted_previous == NULL)
        outbox->noted.first = queue->noted_next;
    else
        queue->noted_previous->noted_next = queue->noted_next;
    if (queue->noted_next == NULL)
        outbox->noted.last = queue->noted_previous;
    else
        queue->noted_next->noted_previous = queue->noted_previous;
}

bool outbox_has_given_up(const struct outbox *outbox)
{
    return outbox->noted_given_up > 0;
}

struct outbound *outbox_next_noted(const struct outbox *outbox, const struct outbound *after)
{
    return after == NULL ? outbox->noted.first : after->noted_next;
}

void outbox_forget(struct outbox *outbox, struct outbound *queue)
{
    outbox_unnote(outbox, queue);
    weights_remove(&outbox->weights, queue);
    chain_clear(&outbox->pool, &queue->ended_keys);
}

static const struct outbound *next_queue(const struct outbox *outbox, const struct outbound *after)
{
    enum outbound_place place = after == NULL ? OUTBOUND_READY : after->place;
    const struct outbound *next = after == NULL ? outbox->lists[place].first : after->next;
    while (next == NULL && ++place < OUTBOUND_PLACES)
        next = outbox->lists[place].first;
    return next;
}

const struct outbound *outbox_next_detached(const struct outbox *outbox,
                                            const struct outbound *after)
{
    const struct outbound *next = next_queue(outbox, after);
    while (next != NULL && !next->is_detached)
        next = next_queue(outbox, next);
    return next;
}

bool outbox_make_room(struct outbox *outbox)
{
    if (outbox->pool.spares > 0 || outbox->shared.spare_bytes > 0) {
        chain_pool_trim(&outbox->pool);
        shared_pool_trim(&outbox->shared);
        return true;
    }
    struct outbound *heaviest = weights_heaviest(&outbox->weights);
    if (heaviest == NULL)
        return false;
    if (outbound_drop_sent(heaviest) || updates_merge(heaviest) > 0)
        return true;
    outbound_drop_all(heaviest);
    heaviest->is_given_up = true;
    outbox->relief.given_up++;
    outbox->noted_given_up++;
    outbox_note(outbox, heaviest);
    return true;
}

uint32_t outbox_now_ms(const struct outbox *outbox)
{
    return outbox->now_ms;
}

struct shared_pool *outbox_shared(struct outbox *outbox)
{
    return &outbox->shared;
}

struct weights *outbox_weights(struct outbox *outbox)
{
    return &outbox->weights;
}

struct update_index *outbox_index(struct outbox *outbox)
{
    return &outbox->index;
}

struct outbox_relief *outbox_relief_counts(struct outbox *outbox)
{
    return &outbox->relief;
}
