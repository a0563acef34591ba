/* watches.c - see watches.h.
 *
 *     LISTEN -> judged: keys, filter, limits -> registered in the log -> DONE
 *     EVENT, epoch 0 ("tell me the filter")  -> the node's feed begins
 *     EVENT                                  -> the node's feed
 *
 * (E1) a watch that is used and not over is registered, under its number, and belongs to an open
 *      session of this node
 * (E2) nothing is freed while a feed works: a watch that fails is only marked, and goes between
 *      two facts */
#include "mesh/routing/watches.h"

#include "mesh/base/sentence.h"
#include "mesh/filter/filter.h"
#include "proto/kinds.h"

bool watches_init(struct routing *routing)
{
    routing->watches =
        memory_new(&routing->context->memory, MEMORY_TABLES, sizeof *routing->watches);
    return routing->watches != NULL;
}

static void text_free(struct routing *routing, struct watch *watch)
{
    size_t bytes = (size_t)watch->filter_bytes + watch->keys_bytes;
    memory_free(&routing->context->memory, MEMORY_TABLES, watch->text, bytes);
}

static void release(struct routing *routing, struct watch *watch)
{
    feeds_clear(routing, watch);
    routing->watches->told -= watch->told.by_id.count;
    told_clear(&watch->told);
    text_free(routing, watch);
    *watch = (struct watch){0};
    routing->watches->count--;
}

void watches_clear(struct routing *routing)
{
    if (routing->watches == NULL)
        return;
    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
        if (routing->watches->slots[i].is_used)
            release(routing, &routing->watches->slots[i]);
    }
    memory_free(&routing->context->memory, MEMORY_TABLES, routing->watches,
                sizeof *routing->watches);
    routing->watches = NULL;
}

/* The next one in use; NULL starts, NULL ends. */
static struct watch *watch_next(const struct routing *routing, const struct watch *after)
{
    struct watches *watches = routing->watches;
    size_t i = after == NULL ? 0 : (size_t)(after - watches->slots) + 1;
    for (; watches->count > 0 && i < WATCHES_MAX; i++) {
        if (watches->slots[i].is_used)
            return &watches->slots[i];
    }
    return NULL;
}

struct watch *watches_find(const struct routing *routing, const struct session *session)
{
    struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        if (watch->session == session->slot && !watch->is_over)
            return watch;
    }
    return NULL;
}

static struct watch *watch_of(const struct routing *routing, struct session_id listener,
                              uint64_t number)
{
    struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        if (watch->number == number && !watch->is_over)
            return session_id_equal(watch->listener, listener) ? watch : NULL;
    }
    return NULL;
}

/* Why a LISTEN is not taken; code ERROR_OK: it is. */
struct objection {
    enum error code;
    struct sentence text;
    uint32_t line, column;
};

static void object(struct objection *objection, enum error code, const char *text)
{
    objection->code = code;
    sentence_start(&objection->text, text);
}

static void filter_judge(struct routing *routing, struct span text, struct objection *objection)
{
    struct filter *filter = NULL;
    struct complaints complaints;
    if (filter_parse(routing->filters, text, &filter, &complaints) == ERROR_INVALID_FILTER) {
        objection->code = ERROR_INVALID_FILTER;
        objection->text = complaints.items[0].message;
        objection->line = complaints.items[0].line;
        objection->column = complaints.items[0].column;
    } else if (filter == NULL) {
        object(objection, ERROR_LIMIT_REACHED, "no memory for the filter");
    }
    filter_destroy(&filter);
}

static void listen_judge(struct routing *routing, bool is_another, const struct listen *listen,
                         struct objection *objection)
{
    struct property_keys keys;
    if (property_keys_parse(&keys, listen->keys) != ERROR_OK)
        object(objection, ERROR_INVALID_ARGUMENT, "more property keys than a session can have");
    else if (is_another && routing->watches->count == WATCHES_MAX)
        object(objection, ERROR_LIMIT_REACHED,
               "256 sessions of this node listen to sessions, which is the most; use another node");
    else if (is_another && ownership_listeners(routing->ownership) >= WATCHES_MESH_MAX)
        object(objection, ERROR_LIMIT_REACHED,
               "1,024 sessions of the mesh listen to sessions, which is the most");
    else
        filter_judge(routing, listen->filter, objection);
}

/* A copy of filter and keys; false: no memory. */
static bool text_keep(struct routing *routing, struct watch *watch, const struct listen *listen)
{
    size_t bytes = listen->filter.bytes + listen->keys.bytes;
    watch->text = memory_new(&routing->context->memory, MEMORY_TABLES, bytes);
    if (watch->text == NULL)
        return false;
    watch->filter_bytes = (uint32_t)listen->filter.bytes;
    watch->keys_bytes = (uint32_t)listen->keys.bytes;
    memcpy(watch->text, listen->filter.data, listen->filter.bytes);
    if (listen->keys.bytes > 0)
        memcpy(watch->text + listen->filter.bytes, listen->keys.data, listen->keys.bytes);
    return true;
}

/* Makes the watch and writes it into the log. False: no memory, or the session has registered as
 * much as it may. */
static bool add(struct routing *routing, const struct session *session, uint64_t correlation,
                const struct listen *listen)
{
    struct watches *watches = routing->watches;
    struct watch *watch = watches->slots;
    while (watch->is_used)
        watch++;
    if (!text_keep(routing, watch, listen))
        return false;
    if (ownership_listener_registered(routing->ownership, session->id, watches->numbers + 1) !=
        ERROR_OK) {
        text_free(routing, watch);
        *watch = (struct watch){0};
        return false;
    }
    watch->is_used = true;
    watch->session = session->slot;
    watch->listener = session->id;
    watch->correlation = correlation;
    watch->number = ++watches->numbers;
    told_init(&watch->told, &routing->context->memory, random_u64(&routing->context->random));
    watches->count++;
    return true;
}

static void objection_say(struct routing *routing, struct session *session, uint64_t correlation,
                          const struct objection *objection)
{
    struct client_error fields = {
        .code = (uint16_t)objection->code,
        .text = sentence_span(&objection->text),
        .line = objection->line,
        .column = objection->column,
    };
    struct outgoing message = {
        .kind = KIND_ERROR,
        .correlation = correlation,
        .schema = &client_error_schema,
        .fields = &fields,
    };
    sessions_send(routing->sessions, session, &message);
}

void watches_listen(struct routing *routing, struct session *session, uint64_t correlation,
                    const struct listen *listen)
{
    struct objection objection = {.code = ERROR_OK};
    listen_judge(routing, watches_find(routing, session) == NULL, listen, &objection);
    if (objection.code == ERROR_OK)
        watches_forget(routing, session);
    if (objection.code == ERROR_OK && !add(routing, session, correlation, listen))
        object(&objection, ERROR_LIMIT_REACHED, "no memory for one more listener");
    if (objection.code == ERROR_OK)
        sessions_send_done(routing->sessions, session, correlation);
    else
        objection_say(routing, session, correlation, &objection);
}

void watches_forget(struct routing *routing, const struct session *session)
{
    struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        if (watch->session != session->slot)
            continue;
        if (!watch->is_over)
            ownership_listener_removed(routing->ownership, watch->listener);
        release(routing, watch);
    }
}

void watches_fail(struct routing *routing, struct watch *watch, enum error code, const char *text)
{
    struct session *session = sessions_at(routing->sessions, watch->session);
    if (watch->is_over)
        return;
    watch->is_over = true;
    count(routing->context, COUNTER_session_listeners_ended);
    ownership_listener_removed(routing->ownership, watch->listener);
    sessions_send_error(routing->sessions, session, watch->correlation, code, span_text(text));
}

void watches_look(struct routing *routing)
{
    struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        if (watch->is_over)
            release(routing, watch);
    }
}

static void refused(struct routing *routing, struct watch *watch, uint16_t code)
{
    if (code == ERROR_INVALID_FILTER)
        watches_fail(routing, watch, ERROR_INVALID_FILTER,
                     "a node of the mesh does not understand the filter; it may be older");
    else
        watches_fail(routing, watch, ERROR_LIMIT_REACHED,
                     "a node of the mesh can't serve one more listener, or its filter's patterns "
                     "take too many steps");
}

enum error watches_event(struct routing *routing, uint64_t instance, const struct event *event,
                         struct span items)
{
    struct watch *watch = watch_of(routing, event->session, event->number);
    if (event->what != LISTEN_SESSION)
        return ERROR_INVALID_MESSAGE;
    if (watch == NULL)
        return ERROR_OK; /* under way when it ended */
    if (event->code != ERROR_OK) {
        refused(routing, watch, event->code);
        return ERROR_OK;
    }
    struct feed *feed = feeds_find(watch, instance);
    if (event->epoch != 0 && feed != NULL)
        return feeds_event(routing, feed, event, items);
    /* It asks for the filter; or it goes on from a time that is forgotten here. */
    feed = feeds_get(routing, watch, instance);
    if (feed == NULL)
        watches_fail(routing, watch, ERROR_LIMIT_REACHED, "no memory to follow one more node");
    else if (feed->state != FEED_ASKED || feed->epoch == 0)
        feeds_begin(routing, feed); /* else its filter is under way to it */
    return ERROR_OK;
}

void watches_node_joined(struct routing *routing, uint64_t instance)
{
    struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        struct feed *feed = watch->is_over ? NULL : feeds_find(watch, instance);
        if (feed != NULL && feed->state == FEED_LOST)
            feeds_begin(routing, feed);
    }
}

void watches_node_gone(struct routing *routing, uint64_t instance, bool is_over)
{
    struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        struct feed *feed = watch->is_over ? NULL : feeds_find(watch, instance);
        if (feed != NULL)
            feeds_lost(routing, feed, is_over);
    }
}

void watches_due(struct routing *routing, const struct deadline *due)
{
    struct watch *watch = &routing->watches->slots[due->slot];
    if (!watch->is_over)
        feeds_due(routing, watch, due);
}

void watches_check(const struct routing *routing)
{
    uint32_t used = 0, told = 0;
    const struct watch *watch = NULL;
    while ((watch = watch_next(routing, watch)) != NULL) {
        uint32_t listed = 0;
        for (const struct feed *feed = watch->feeds; feed != NULL; feed = feed->next)
            listed += feed->told.count;
        require(listed == watch->told.by_id.count);
        require(!watch->is_over && watch->number <= routing->watches->numbers);
        told += listed;
        used++;
    }
    require(used == routing->watches->count && told == routing->watches->told);
}
