/* streams.c - see streams.h. A bit for each session says whether the listener was told that it
 * matches. The picture goes over the slots, a slice whenever the listener's node asks for one; what
 * happens to sessions behind the place it has reached waits for it, everything else is told as it
 * happens, in the same numbered stream.
 *
 *     bit   matches   told, if the picture has passed the session
 *     0     yes       opened (it opened), entered (it changed)
 *     1     yes       disconnected or reconnected; updated
 *     1     no        left; closed (it ended)
 *
 * When a stream begins anew, the sessions that closed last are told first: whoever missed the word
 * of their end gets it with its reason, whoever has it, or never heard of them, passes it over.
 *
 * (X1) by_listener holds exactly the streams that are not free
 * (X2) a stream that is ON has filter, keys and bits; a bit is set only for a session that is there
 * (X3) a stream that is ASKING has a deadline */
#include "mesh/routing/streams.h"

#include "mesh/base/bugs.h"
#include "mesh/filter/filter.h"
#include "mesh/routing/watches.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)
#define ASK_AGAIN_NS (2000 * MS_NS) /* as feeds.c: answered within milliseconds */
#define ASK_SOON_NS (100 * MS_NS)   /* a full queue empties in that time */

/* A slice: so many slots looked at, so many sessions told, about so many bytes. Half a millisecond
 * of the loop at most with a filter of three clauses; a request may have to wait for it. */
enum { SLICE_SLOTS = 1024, SLICE_ITEMS = 128, SLICE_BYTES = 64 * 1024 };

enum stream_state { STREAM_FREE, STREAM_ASKING, STREAM_ON, STREAM_REFUSED };

struct stream {
    struct deadline deadline;
    enum stream_state state;
    bool is_listed; /* found in the directory by the look under way */
    uint64_t node;  /* instance; the listener's */
    struct session_id listener;
    uint64_t number; /* of its LISTEN */
    uint32_t epoch, slice;
    uint64_t sequence;
    bool is_whole;    /* the picture is */
    uint32_t reached; /* the slot that the picture goes on with */
    struct filter *filter;
    uint8_t *keys_text;
    size_t keys_bytes;
    struct property_keys keys; /* into keys_text */
    uint64_t *matched;         /* a bit for each slot of a session */
};

struct closed {
    struct session_id id;
    uint8_t reason;
};

struct streams {
    struct stream slots[STREAMS_MAX];
    uint32_t used, count; /* slots from `used` on were never touched; not free */
    struct hashmap by_listener;
    uint64_t changes; /* of the directory's listeners, as seen by the last look */
    struct closed closed[STREAMS_CLOSED_KEPT];
    uint64_t closed_total;
};

static struct hashmap_key listener_key(struct session_id id)
{
    return (struct hashmap_key){.high = id.instance, .low = id.serial};
}

bool streams_init(struct routing *routing)
{
    struct context *context = routing->context;
    routing->streams = memory_new(&context->memory, MEMORY_TABLES, sizeof *routing->streams);
    if (routing->streams == NULL)
        return false;
    hashmap_init(&routing->streams->by_listener, &context->memory, MEMORY_TABLES,
                 random_u64(&context->random));
    return true;
}

static size_t matched_bytes(const struct routing *routing)
{
    return ((size_t)sessions_capacity(routing->sessions) + 63) / 64 * sizeof(uint64_t);
}

/* What a stream that is ON has, beside its record. */
static void disarm(struct routing *routing, struct stream *stream)
{
    struct memory *memory = &routing->context->memory;
    filter_destroy(&stream->filter);
    memory_free(memory, MEMORY_TABLES, stream->keys_text, stream->keys_bytes);
    memory_free(memory, MEMORY_TABLES, stream->matched, matched_bytes(routing));
    stream->keys_text = NULL;
    stream->keys_bytes = 0;
    stream->matched = NULL;
}

static void release(struct routing *routing, struct stream *stream)
{
    disarm(routing, stream);
    deadlines_cancel(routing->context->deadlines, &stream->deadline);
    hashmap_remove(&routing->streams->by_listener, listener_key(stream->listener));
    *stream = (struct stream){.state = STREAM_FREE};
    routing->streams->count--;
}

void streams_clear(struct routing *routing)
{
    struct streams *streams = routing->streams;
    if (streams == NULL)
        return;
    for (uint32_t i = 0; i < streams->used; i++) {
        if (streams->slots[i].state != STREAM_FREE)
            release(routing, &streams->slots[i]);
    }
    hashmap_clear(&streams->by_listener);
    memory_free(&routing->context->memory, MEMORY_TABLES, streams, sizeof *streams);
    routing->streams = NULL;
}

/* The next one in that state; NULL starts, NULL ends. */
static struct stream *stream_next(const struct routing *routing, const struct stream *after,
                                  enum stream_state state)
{
    struct streams *streams = routing->streams;
    size_t i = after == NULL ? 0 : (size_t)(after - streams->slots) + 1;
    for (; streams->count > 0 && i < streams->used; i++) {
        if (streams->slots[i].state == state)
            return &streams->slots[i];
    }
    return NULL;
}

static struct stream *stream_find(const struct routing *routing, struct session_id listener)
{
    uint32_t slot = hashmap_get(&routing->streams->by_listener, listener_key(listener));
    return slot == HASHMAP_NONE ? NULL : &routing->streams->slots[slot];
}

/* To the listener's node; false: it did not go. */
static bool say(struct routing *routing, uint64_t instance, const struct event *event,
                struct span items)
{
    if (instance == routing->context->instance)
        return watches_event(routing, instance, event, items) == ERROR_OK;
    const struct node *node = nodes_find(&routing->nodes, instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    struct outgoing message = {
        .kind = KIND_EVENT, .schema = &event_schema, .fields = event, .body = items};
    return queue != NULL && outbound_send(queue, &message) == ERROR_OK;
}

static struct event event_of(const struct stream *stream)
{
    return (struct event){
        .what = LISTEN_SESSION,
        .session = stream->listener,
        .number = stream->number,
        .epoch = stream->epoch,
    };
}

/* The listener's node is asked to begin the stream, or to begin it anew. */
static void ask(struct routing *routing, struct stream *stream, uint64_t again_ns)
{
    stream->state = STREAM_ASKING;
    deadlines_set(routing->context->deadlines, &stream->deadline,
                  routing->context->now_ns + again_ns);
    struct event event = event_of(stream);
    event.epoch = 0;
    (void)say(routing, stream->node, &event, (struct span){0});
}

static void refuse(struct routing *routing, struct stream *stream, enum error code)
{
    struct event event = event_of(stream);
    event.code = (uint16_t)code;
    stream->state = STREAM_REFUSED;
    (void)say(routing, stream->node, &event, (struct span){0});
}

/* The next events of a stream that is ON. What does not go has to be told by a comparison. */
static void tell(struct routing *routing, struct stream *stream, struct event *event,
                 struct span items)
{
    event->sequence = ++stream->sequence;
    if (say(routing, stream->node, event, items))
        return;
    stream->state = STREAM_ASKING;
    deadlines_set(routing->context->deadlines, &stream->deadline,
                  routing->context->now_ns + ASK_SOON_NS);
}

static void add(struct routing *routing, const struct listener_entry *entry)
{
    struct streams *streams = routing->streams;
    uint32_t slot = 0;
    require(streams != NULL); /* clang-tidy loses sight of it behind a release */
    while (slot < streams->used && streams->slots[slot].state != STREAM_FREE)
        slot++;
    struct stream stream = {
        .deadline = {.room = DEADLINE_ROUTING, .purpose = ROUTING_STREAM_DUE, .slot = slot},
        .is_listed = true,
        .node = entry->instance,
        .listener = entry->session,
        .number = entry->number,
    };
    if (slot == STREAMS_MAX ||
        !hashmap_put(&streams->by_listener, listener_key(entry->session), slot)) {
        refuse(routing, &stream, ERROR_LIMIT_REACHED);
        return;
    }
    streams->used += slot == streams->used;
    streams->count++;
    streams->slots[slot] = stream;
    ask(routing, &streams->slots[slot], ASK_AGAIN_NS);
}

static void entry_look(struct routing *routing, const struct listener_entry *entry)
{
    struct stream *stream = stream_find(routing, entry->session);
    if (stream != NULL && stream->node == entry->instance && stream->number == entry->number) {
        stream->is_listed = true;
        return;
    }
    if (stream != NULL)
        release(routing, stream); /* it listens to something else now */
    add(routing, entry);
}

void streams_look(struct routing *routing)
{
    struct streams *streams = routing->streams;
    uint64_t changes = ownership_listeners_changes(routing->ownership);
    struct listener_entry entry;
    uint32_t cursor = 0;
    if (changes == streams->changes)
        return;
    streams->changes = changes;
    for (uint32_t i = 0; i < streams->used; i++)
        streams->slots[i].is_listed = false;
    while (ownership_next_listener(routing->ownership, &cursor, &entry))
        entry_look(routing, &entry);
    for (uint32_t i = 0; i < streams->used; i++) {
        if (streams->slots[i].state != STREAM_FREE && !streams->slots[i].is_listed)
            release(routing, &streams->slots[i]);
    }
}

static bool bit_get(const struct stream *stream, uint32_t slot)
{
    return (stream->matched[slot / 64] >> (slot % 64) & 1) != 0;
}

static void bit_set(struct stream *stream, uint32_t slot, bool is_set)
{
    uint64_t bit = UINT64_C(1) << (slot % 64);
    if (is_set)
        stream->matched[slot / 64] |= bit;
    else
        stream->matched[slot / 64] &= ~bit;
}

/* Room for one item, and the item: false: no memory. */
static bool item_make(struct routing *routing, const struct stream *stream,
                      const struct session *session, enum session_news news,
                      struct session_item *item)
{
    *item = (struct session_item){
        .id = session->id,
        .event = (uint8_t)news,
        .state = (uint8_t)sessions_state(session),
        .reason = (uint8_t)session->reason,
    };
    if (news == SESSION_NEWS_CLOSED || news == SESSION_NEWS_LEFT)
        return true;
    size_t bytes = properties_measure(&session->properties, &stream->keys);
    uint8_t *picked = scratch_new(&routing->context->scratch, bytes);
    if (picked == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, picked, bytes);
    properties_encode(&session->properties, &stream->keys, &writer);
    item->properties = span_of(picked, bytes);
    return true;
}

/* Items, encoded in memory of the current pull; false: there is none. */
static bool items_encode(struct routing *routing, const struct session_item *items, uint32_t count,
                         struct span *encoded)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += 4 + schema_measure(&session_item_schema, &items[i]);
    uint8_t *memory = scratch_new(&routing->context->scratch, bytes);
    if (memory == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, memory, bytes);
    for (uint32_t i = 0; i < count; i++)
        group_encode(&session_item_schema, &items[i], &writer);
    *encoded = span_of(memory, bytes);
    return true;
}

static void news_tell(struct routing *routing, struct stream *stream, const struct session *session,
                      enum session_news news)
{
    struct event event = event_of(stream);
    struct session_item item;
    struct span items;
    if (item_make(routing, stream, session, news, &item) && items_encode(routing, &item, 1, &items))
        tell(routing, stream, &event, items);
    else
        ask(routing, stream, ASK_SOON_NS); /* no memory now: found by comparison later */
}

static bool matches(const struct stream *stream, const struct session *session,
                    struct filter_budget *budget)
{
    return filter_matches(stream->filter, session->properties.subject, budget);
}

/* Its patterns have taken too many steps: a whole budget's, or what was left of one, and then they
 * may yet do; what is missed meanwhile is found by comparison. */
static void spent(struct routing *routing, struct stream *stream,
                  const struct filter_budget *budget)
{
    if (budget->is_short)
        ask(routing, stream, ASK_AGAIN_NS);
    else
        refuse(routing, stream, ERROR_LIMIT_REACHED);
}

/* Whether it matches now. */
static bool matches_now(struct routing *routing, struct stream *stream,
                        const struct session *session)
{
    struct filter_budget budget;
    filter_budget_share(&budget, routing->filters, routing->context->now_ns);
    bool is_match = matches(stream, session, &budget);
    if (budget.is_spent)
        spent(routing, stream, &budget);
    return is_match && !budget.is_spent;
}

/* The sessions that closed last, for a listener who may have missed it. */
static void closed_tell(struct routing *routing, struct stream *stream)
{
    const struct streams *streams = routing->streams;
    struct event event = event_of(stream);
    uint64_t kept =
        streams->closed_total < STREAMS_CLOSED_KEPT ? streams->closed_total : STREAMS_CLOSED_KEPT;
    struct session_item items[STREAMS_CLOSED_KEPT];
    struct span encoded;
    for (uint64_t i = 0; i < kept; i++) {
        const struct closed *closed =
            &streams->closed[(streams->closed_total - kept + i) % STREAMS_CLOSED_KEPT];
        items[i] = (struct session_item){
            .id = closed->id,
            .event = SESSION_NEWS_CLOSED,
            .state = SESSION_CLOSED,
            .reason = closed->reason,
        };
    }
    if (kept > 0 && items_encode(routing, items, (uint32_t)kept, &encoded))
        tell(routing, stream, &event, encoded);
}

/* Collects the next slice; returns how many items. */
static uint32_t slice_collect(struct routing *routing, struct stream *stream,
                              struct session_item items[SLICE_ITEMS])
{
    struct filter_budget budget;
    uint32_t end = sessions_used(routing->sessions);
    uint32_t count = 0;
    size_t bytes = 0;
    filter_budget_share(&budget, routing->filters, routing->context->now_ns);
    for (uint32_t looked = 0; looked < SLICE_SLOTS && stream->reached < end &&
                              count < SLICE_ITEMS && bytes < SLICE_BYTES && !budget.is_spent;
         looked++) {
        uint32_t slot = stream->reached++;
        const struct session *session = sessions_at(routing->sessions, slot);
        if (session->phase != SESSION_PHASE_OPEN || bit_get(stream, slot) ||
            !matches(stream, session, &budget))
            continue;
        if (!item_make(routing, stream, session, SESSION_NEWS_OPENED, &items[count])) {
            stream->reached--;
            break;
        }
        bit_set(stream, slot, true);
        bytes += items[count++].properties.bytes;
    }
    stream->is_whole = stream->reached >= end;
    if (budget.is_spent)
        spent(routing, stream, &budget);
    return count;
}

static void slice_tell(struct routing *routing, struct stream *stream)
{
    struct session_item items[SLICE_ITEMS];
    struct span encoded = {0};
    uint32_t count = slice_collect(routing, stream, items);
    if (stream->state != STREAM_ON)
        return;
    if (!items_encode(routing, items, count, &encoded)) {
        ask(routing, stream, ASK_SOON_NS);
        return;
    }
    struct event event = event_of(stream);
    event.is_slice = true;
    event.is_last = stream->is_whole;
    tell(routing, stream, &event, encoded);
}

/* Filter, keys and bits of a stream that begins. */
static enum error arm(struct routing *routing, struct stream *stream, const struct listen *listen)
{
    struct memory *memory = &routing->context->memory;
    struct complaints complaints;
    disarm(routing, stream);
    enum error error = filter_parse(routing->filters, listen->filter, &stream->filter, &complaints);
    if (error != ERROR_OK)
        return error;
    stream->keys_text = memory_new(memory, MEMORY_TABLES, listen->keys.bytes);
    stream->keys_bytes = stream->keys_text == NULL ? 0 : listen->keys.bytes;
    stream->matched = memory_new(memory, MEMORY_TABLES, matched_bytes(routing));
    if (stream->keys_text == NULL || stream->matched == NULL)
        return ERROR_LIMIT_REACHED;
    if (listen->keys.bytes > 0)
        memcpy(stream->keys_text, listen->keys.data, listen->keys.bytes);
    return property_keys_parse(&stream->keys, span_of(stream->keys_text, stream->keys_bytes));
}

static void begin(struct routing *routing, struct stream *stream, const struct listen *listen)
{
    deadlines_cancel(routing->context->deadlines, &stream->deadline);
    stream->epoch = listen->epoch;
    stream->slice = 0;
    stream->sequence = 0;
    stream->is_whole = false;
    stream->reached = 0;
    enum error error = arm(routing, stream, listen);
    if (error != ERROR_OK) {
        disarm(routing, stream);
        refuse(routing, stream, error);
        return;
    }
    stream->state = STREAM_ON;
    if (stream->epoch > 1)
        closed_tell(routing, stream);
    if (stream->state == STREAM_ON)
        slice_tell(routing, stream);
}

void streams_listen(struct routing *routing, uint64_t instance, const struct listen *listen)
{
    struct stream *stream = stream_find(routing, listen->listener);
    bool is_known = stream != NULL && stream->node == instance && stream->number == listen->number;
    if (!is_known)
        return; /* its entry has not come yet, then it is asked; or it is gone already */
    if (listen->slice == 0) {
        begin(routing, stream, listen);
        return;
    }
    bool is_next = stream->state == STREAM_ON && listen->epoch == stream->epoch &&
                   listen->slice == stream->slice + 1 && !stream->is_whole;
    if (!is_next)
        return;
    stream->slice++;
    slice_tell(routing, stream);
}

void streams_session_opened(struct routing *routing, const struct session *session)
{
    struct stream *stream = NULL;
    while ((stream = stream_next(routing, stream, STREAM_ON)) != NULL) {
        if (!matches_now(routing, stream, session))
            continue;
        bit_set(stream, session->slot, true);
        news_tell(routing, stream, session, SESSION_NEWS_OPENED);
    }
}

/* Whether the picture is still to come to that session. */
static bool is_ahead(const struct stream *stream, const struct session *session)
{
    return !stream->is_whole && session->slot >= stream->reached;
}

static void change_tell(struct routing *routing, struct stream *stream,
                        const struct session *session, unsigned changes)
{
    bool was = bit_get(stream, session->slot);
    bool is_away = sessions_state(session) == SESSION_DISCONNECTED;
    if (!was && is_ahead(stream, session))
        return;
    bool is_match = matches_now(routing, stream, session);
    if (stream->state != STREAM_ON)
        return;
    bit_set(stream, session->slot, is_match);
    if (was != is_match) {
        news_tell(routing, stream, session, was ? SESSION_NEWS_LEFT : SESSION_NEWS_ENTERED);
        return;
    }
    if (is_match && (changes & SESSION_CHANGED_STATE) != 0)
        news_tell(routing, stream, session,
                  is_away ? SESSION_NEWS_DISCONNECTED : SESSION_NEWS_RECONNECTED);
    if (is_match && (changes & (SESSION_CHANGED_PROPERTIES | SESSION_CHANGED_ROLES)) != 0 &&
        stream->state == STREAM_ON)
        news_tell(routing, stream, session, SESSION_NEWS_UPDATED);
}

void streams_session_changed(struct routing *routing, const struct session *session,
                             unsigned changes)
{
    struct stream *stream = NULL;
    if (bug_is_planted(BUG_EVENT_MISSED) && changes == SESSION_CHANGED_PROPERTIES)
        return;
    while ((stream = stream_next(routing, stream, STREAM_ON)) != NULL)
        change_tell(routing, stream, session, changes);
}

void streams_session_ended(struct routing *routing, const struct session *session)
{
    struct streams *streams = routing->streams;
    struct stream *stream = NULL;
    if (session->reason != CLOSE_REASON_MOVED)
        streams->closed[streams->closed_total++ % STREAMS_CLOSED_KEPT] =
            (struct closed){.id = session->id, .reason = (uint8_t)session->reason};
    while ((stream = stream_next(routing, stream, STREAM_ON)) != NULL) {
        bool was = bit_get(stream, session->slot);
        bit_set(stream, session->slot, false);
        if (session->reason == CLOSE_REASON_MOVED)
            continue; /* its owner goes on with it, and says so */
        /* Ahead of a picture that is drawn anew the listener may know it all the same. */
        if (was || (stream->epoch > 1 && is_ahead(stream, session)))
            news_tell(routing, stream, session, SESSION_NEWS_CLOSED);
    }
}

void streams_link_lost(struct routing *routing, uint64_t instance)
{
    struct stream *stream = NULL;
    while ((stream = stream_next(routing, stream, STREAM_ON)) != NULL) {
        if (stream->node == instance)
            ask(routing, stream, ASK_AGAIN_NS);
    }
}

void streams_due(struct routing *routing, const struct deadline *due)
{
    struct stream *stream = &routing->streams->slots[due->slot];
    if (stream->state == STREAM_ASKING)
        ask(routing, stream, ASK_AGAIN_NS);
}

void streams_check(const struct routing *routing)
{
    const struct streams *streams = routing->streams;
    uint32_t count = 0;
    for (uint32_t i = 0; i < streams->used; i++) {
        const struct stream *stream = &streams->slots[i];
        if (stream->state == STREAM_FREE)
            continue;
        count++;
        require(stream_find(routing, stream->listener) == stream);
        require(stream->state != STREAM_ASKING || deadline_is_set(&stream->deadline));
        require(stream->state != STREAM_ON || stream->filter != NULL);
    }
    require(count == streams->count && count == streams->by_listener.count);
}
