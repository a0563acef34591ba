/* listeners.c - see listeners.h. A listener is its session's: a slow one fills its own queue, which
 * then closes the session, and nobody else waits.
 *
 * (N1) a session is in the list at most once, and only while it is open
 * (N2) what a listener was told is what the room's nodes are: the picture, then each change */
#include "mesh/routing/listeners.h"

#include "mesh/routing/rights.h"
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

void listeners_session_ended(struct routing *routing, const struct session *session)
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

void listeners_rights_changed(struct routing *routing, struct session *session)
{
    const struct listener *listener = &routing->listeners[session->slot];
    enum permission permission = rights_of_listen(LISTEN_MEMBER);
    if (!listener->is_listening ||
        sessions_may(routing->sessions, session, permission, (struct span){0}))
        return;
    deny(routing, session, listener->correlation, permission);
    listeners_session_ended(routing, session);
}

enum error listeners_from_session(struct routing *routing, struct session *session,
                                  const struct message *message)
{
    struct listen listen;
    enum error error = schema_decode(&listen_schema, message->fields, &listen);
    if (error != ERROR_OK)
        return error;
    enum permission permission = rights_of_listen(listen.what);
    if (message->kind == KIND_LISTEN &&
        !sessions_may(routing->sessions, session, permission, (struct span){0})) {
        deny(routing, session, message->correlation, permission);
        return ERROR_OK;
    }
    if (listen.what != LISTEN_MEMBER) {
        sessions_send_error(routing->sessions, session, message->correlation,
                            ERROR_INVALID_ARGUMENT,
                            span_text("this version listens to members (what 2) only"));
        return ERROR_OK;
    }
    listeners_session_ended(routing, session); /* a second LISTEN begins anew */
    sessions_send_done(routing->sessions, session, message->correlation);
    if (message->kind == KIND_LISTEN) {
        add(routing, session->slot, message->correlation);
        picture_say(routing, session->slot);
    }
    return ERROR_OK;
}
