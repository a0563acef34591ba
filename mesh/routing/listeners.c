/* listeners.c - see listeners.h. A listener is its session's: a slow one fills its own queue, which
 * then closes the session, and nobody else waits.
 *
 * (N1) a session is in the list at most once, and only while it is open
 * (N2) what a listener was told is what the room's nodes are: the picture, then each change */
#include "mesh/routing/listeners.h"

#include "mesh/routing/rights.h"
#include "mesh/routing/streams.h"
#include "mesh/routing/watches.h"
#include "proto/kinds.h"

struct listener {
    bool is_listening;
    uint32_t next, previous; /* slots; SESSION_NONE: none */
    uint64_t correlation;    /* LISTEN's */
    uint64_t sequence;       /* events told */
};

bool listeners_init(struct routing *routing)
{
    uint32_t capacity = sessions_capacity(routing->sessions);
    routing->listeners =
        memory_new(&routing->context->memory, MEMORY_TABLES, capacity * sizeof *routing->listeners);
    routing->first_listener = SESSION_NONE;
    return routing->listeners != NULL;
}

void listeners_clear(struct routing *routing)
{
    memory_free(&routing->context->memory, MEMORY_TABLES, routing->listeners,
                sessions_capacity(routing->sessions) * sizeof *routing->listeners);
    routing->listeners = NULL;
}

static void say(struct routing *routing, uint32_t slot, enum member_news news,
                const struct node *node)
{
    struct listener *listener = &routing->listeners[slot];
    struct event event = {
        .what = LISTEN_MEMBER,
        .event = (uint8_t)news,
        .node = nodes_name(node),
        .zone = nodes_zone(node),
        .instance = node->instance,
        .sequence = ++listener->sequence,
    };
    struct outgoing message = {
        .kind = KIND_EVENT,
        .correlation = listener->correlation,
        .schema = &event_schema,
        .fields = &event,
        .consumes_credit = true,
    };
    sessions_send(routing->sessions, sessions_at(routing->sessions, slot), &message);
}

void listeners_tell(struct routing *routing, enum member_news news, const struct node *node)
{
    for (uint32_t slot = routing->first_listener; slot != SESSION_NONE;
         slot = routing->listeners[slot].next)
        say(routing, slot, news, node);
}

static void picture_say(struct routing *routing, uint32_t slot)
{
    const struct node *node = NULL;
    while ((node = nodes_next(&routing->nodes, node)) != NULL) {
        say(routing, slot, MEMBER_NEWS_JOINED, node);
        if (node->is_suspected)
            say(routing, slot, MEMBER_NEWS_SUSPECTED, node);
    }
}

static void add(struct routing *routing, uint32_t slot, uint64_t correlation)
{
    struct listener *listener = &routing->listeners[slot];
    *listener = (struct listener){
        .is_listening = true,
        .next = routing->first_listener,
        .previous = SESSION_NONE,
        .correlation = correlation,
    };
    if (listener->next != SESSION_NONE)
        routing->listeners[listener->next].previous = slot;
    routing->first_listener = slot;
}

static void members_forget(struct routing *routing, const struct session *session)
{
    struct listener *listener = &routing->listeners[session->slot];
    if (!listener->is_listening)
        return;
    if (listener->next != SESSION_NONE)
        routing->listeners[listener->next].previous = listener->previous;
    if (listener->previous != SESSION_NONE)
        routing->listeners[listener->previous].next = listener->next;
    else
        routing->first_listener = listener->next;
    *listener = (struct listener){0};
}

static void deny(struct routing *routing, struct session *session, uint64_t correlation,
                 enum permission permission)
{
    struct sentence text;
    permissions_say_denied(&text, permission, (struct span){0});
    sessions_send_error(routing->sessions, session, correlation, ERROR_ACCESS_DENIED,
                        sentence_span(&text));
}

static bool may_listen(const struct routing *routing, const struct session *session,
                       enum listen_what what)
{
    return sessions_may(routing->sessions, session, rights_of_listen((uint8_t)what),
                        (struct span){0});
}

void listeners_rights_changed(struct routing *routing, struct session *session)
{
    const struct listener *listener = &routing->listeners[session->slot];
    const struct watch *watch = watches_find(routing, session);
    if (listener->is_listening && !may_listen(routing, session, LISTEN_MEMBER)) {
        deny(routing, session, listener->correlation, rights_of_listen(LISTEN_MEMBER));
        members_forget(routing, session);
    }
    if (watch != NULL && !may_listen(routing, session, LISTEN_SESSION)) {
        deny(routing, session, watch->correlation, rights_of_listen(LISTEN_SESSION));
        watches_forget(routing, session);
    }
}

void listeners_session_ended(struct routing *routing, const struct session *session)
{
    members_forget(routing, session);
    watches_forget(routing, session);
}

static void members_listen(struct routing *routing, struct session *session, uint64_t correlation)
{
    members_forget(routing, session); /* a second LISTEN begins anew */
    sessions_send_done(routing->sessions, session, correlation);
    add(routing, session->slot, correlation);
    picture_say(routing, session->slot);
}

static void unlisten(struct routing *routing, struct session *session, enum listen_what what,
                     uint64_t correlation)
{
    if (what == LISTEN_SESSION)
        watches_forget(routing, session);
    else
        members_forget(routing, session);
    sessions_send_done(routing->sessions, session, correlation);
}

enum error listeners_from_session(struct routing *routing, struct session *session,
                                  const struct message *message)
{
    struct listen listen;
    enum error error = schema_decode(&listen_schema, message->fields, &listen);
    if (error != ERROR_OK)
        return error;
    bool is_known = listen.what == LISTEN_SESSION || listen.what == LISTEN_MEMBER;
    bool is_denied = is_known && message->kind == KIND_LISTEN &&
                     !may_listen(routing, session, (enum listen_what)listen.what);
    if (is_denied)
        deny(routing, session, message->correlation, rights_of_listen(listen.what));
    else if (!is_known)
        sessions_send_error(routing->sessions, session, message->correlation,
                            ERROR_INVALID_ARGUMENT,
                            span_text("this version listens to sessions (what 1) or to members "
                                      "(what 2)"));
    else if (message->kind == KIND_UNLISTEN)
        unlisten(routing, session, (enum listen_what)listen.what, message->correlation);
    else if (listen.what == LISTEN_SESSION)
        watches_listen(routing, session, message->correlation, &listen);
    else
        members_listen(routing, session, message->correlation);
    return ERROR_OK;
}

enum error listeners_from_node(struct routing *routing, uint64_t instance,
                               const struct message *message)
{
    struct listen listen;
    struct event event;
    enum error error;
    if (message->kind == KIND_EVENT) {
        error = schema_decode(&event_schema, message->fields, &event);
        return error != ERROR_OK ? error : watches_event(routing, instance, &event, message->body);
    }
    error = schema_decode(&listen_schema, message->fields, &listen);
    if (error == ERROR_OK && (listen.what != LISTEN_SESSION || listen.epoch == 0))
        error = ERROR_INVALID_MESSAGE;
    if (error == ERROR_OK)
        streams_listen(routing, instance, &listen);
    return error;
}
