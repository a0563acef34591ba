/* listen.c - see listen.h. The slot of a LISTEN stays taken while its events come, so that what is
 * still on the way after weft_unlisten, or after a second LISTEN, finds nothing. */
#include "client/listen.h"

#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "proto/event.h"
#include "proto/kinds.h"

/* The public numbers are the wire's; whoever adds one here or there hears of the other. */
#define LISTEN_SAME(name)                                                                          \
    _Static_assert((int)WEFT_MEMBER_##name == (int)MEMBER_NEWS_##name, #name " differs")
LISTEN_SAME(JOINED);
LISTEN_SAME(SUSPECTED);
LISTEN_SAME(REFUTED);
LISTEN_SAME(FAILED);
LISTEN_SAME(REPLACED);
_Static_assert((int)WEFT_MEMBER_GONE == (int)MEMBER_NEWS_LEFT, "LEFT differs");

#define SESSION_SAME(public, name)                                                                 \
    _Static_assert((int)WEFT_SESSION_##public == (int)SESSION_NEWS_##name, #name " differs")
SESSION_SAME(OPENED, OPENED);
SESSION_SAME(UPDATED, UPDATED);
SESSION_SAME(WENT_AWAY, DISCONNECTED);
SESSION_SAME(CAME_BACK, RECONNECTED);
SESSION_SAME(ENDED, CLOSED);
SESSION_SAME(ENTERED, ENTERED);
SESSION_SAME(LEFT, LEFT);
SESSION_SAME(UNREACHABLE, UNREACHABLE);
SESSION_SAME(REACHABLE, REACHABLE);
SESSION_SAME(FAILED_OVER, FAILED_OVER);
SESSION_SAME(GONE, GONE);

static const uint8_t whats[LISTENINGS] = {LISTEN_MEMBER, LISTEN_SESSION};

/* Says LISTEN or UNLISTEN; the slot's number, 0: no room for it. */
static uint64_t tell(struct weft_client *client, size_t which, const struct listening *listening,
                     enum kind kind, enum slot_kind slot_kind)
{
    const struct listen said = {
        .what = whats[which],
        .filter = span_text(listening->filter),
        .keys = span_text(listening->keys),
    };
    struct timers *timers = &client->context->timers;
    struct slot *slot = slots_take(&client->slots, timers, client, slot_kind);
    if (slot == NULL)
        return 0;
    slot->of.handler = 0; /* of a REGISTRATION: nobody waits for the answer */
    if (!batch_put(&client->batch, &listen_schema, &said, (uint8_t)kind, slots_number(slot),
                   (struct span){0})) {
        slots_give(&client->slots, slot);
        return 0;
    }
    reactor_make_ready(client->context, client);
    return slots_number(slot);
}

static void slot_end(struct weft_client *client, struct listening *listening)
{
    struct slot *slot = slots_find(&client->slots, listening->number, SLOT_LISTENING);
    if (slot != NULL)
        slots_give(&client->slots, slot);
    listening->number = 0;
}

void listen_again(struct weft_client *client)
{
    for (size_t i = 0; i < LISTENINGS; i++) {
        struct listening *listening = &client->listening[i];
        if (listening->is_wanted)
            listening->number = tell(client, i, listening, KIND_LISTEN, SLOT_LISTENING);
    }
}

static struct listening *listening_of(struct weft_client *client, uint64_t number)
{
    if (number == 0 || slots_find(&client->slots, number, SLOT_LISTENING) == NULL)
        return NULL;
    for (size_t i = 0; i < LISTENINGS; i++) {
        if (client->listening[i].number == number)
            return &client->listening[i];
    }
    return NULL;
}

void listen_answered(struct weft_client *client, uint64_t number, const struct client_error *said)
{
    struct listening *listening = listening_of(client, number);
    if (listening == NULL)
        return;
    if (said->code != ERROR_OK)
        slot_end(client, listening);
    const struct weft_listening changed = {
        .error = (enum weft_error)said->code,
        .text = client_text(said->text),
        .line = said->line,
        .column = said->column,
    };
    if (listening->changed != NULL)
        listening->changed(client, &changed, listening->user);
}

static void member_event(struct weft_client *client, const struct listening *listening,
                         const struct event *said)
{
    const struct weft_member_event event = {
        .event = (enum weft_member_happening)said->event,
        .node = client_text(said->node),
        .zone = client_text(said->zone),
        .instance = said->instance,
        .sequence = said->sequence,
    };
    listening->members(client, &event, listening->user);
}

static void session_event(struct weft_client *client, const struct listening *listening,
                          const struct event *said, struct span properties)
{
    const struct weft_session_event event = {
        .event = (enum weft_session_happening)said->event,
        .session = client_id(said->session),
        .node = client_text(said->node),
        .zone = client_text(said->zone),
        .instance = said->instance,
        .sequence = said->sequence,
        .state = said->state,
        .reason = (enum weft_close_reason)said->reason,
        .is_resync = said->is_resync,
        .properties = {.data = properties.data, .bytes = properties.bytes},
    };
    listening->sessions(client, &event, listening->user);
}

void listen_event(struct weft_client *client, const struct message *message)
{
    struct event said;
    const struct listening *listening = listening_of(client, message->correlation);
    if (listening == NULL || schema_decode(&event_schema, message->fields, &said) != ERROR_OK ||
        said.what != whats[listening - client->listening])
        return;
    if (listening->members != NULL)
        member_event(client, listening, &said);
    else
        session_event(client, listening, &said, message->body);
}

static void forget(struct listening *listening)
{
    free(listening->filter);
    free(listening->keys);
    *listening = (struct listening){0};
}

void listen_clear(struct weft_client *client)
{
    for (size_t i = 0; i < LISTENINGS; i++)
        forget(&client->listening[i]);
}

/* Takes what is wanted; its copies are freed when it is not taken. */
static enum weft_error want(struct weft_client *client, size_t which, struct listening *wanted)
{
    enum weft_error error = WEFT_OK;
    if (client->state == CLIENT_CLOSED || client->is_closing)
        error = WEFT_SESSION_CLOSED;
    else if (client->listening[which].is_wanted)
        error = WEFT_HANDLER_CONFLICT;
    if (error == WEFT_OK && client_is_in_session(client)) {
        wanted->number = tell(client, which, wanted, KIND_LISTEN, SLOT_LISTENING);
        error = wanted->number == 0 ? WEFT_LIMIT_REACHED : WEFT_OK;
    }
    if (error != WEFT_OK) {
        forget(wanted);
        return error;
    }
    client->listening[which] = *wanted;
    return WEFT_OK;
}

static enum weft_error unlisten(struct weft_client *client, size_t which)
{
    static const struct listening nothing;
    struct listening *listening = &client->listening[which];
    if (!listening->is_wanted)
        return WEFT_INVALID_ARGUMENT;
    if (client_is_in_session(client) &&
        tell(client, which, &nothing, KIND_UNLISTEN, SLOT_REGISTRATION) == 0)
        return WEFT_LIMIT_REACHED;
    slot_end(client, listening);
    forget(listening);
    return WEFT_OK;
}

enum weft_error weft_listen_members(struct weft_client *client, weft_member_event_fn *callback,
                                    weft_listening_fn *listening, void *user)
{
    struct listening wanted = {
        .is_wanted = true, .members = callback, .changed = listening, .user = user};
    if (callback == NULL)
        return WEFT_INVALID_ARGUMENT;
    return want(client, LISTENING_MEMBERS, &wanted);
}

enum weft_error weft_listen_sessions(struct weft_client *client, const char *filter,
                                     const char *keys, weft_session_event_fn *callback,
                                     weft_listening_fn *listening, void *user)
{
    if (callback == NULL || filter == NULL || strlen(filter) > FILTER_BYTES_MAX ||
        (keys != NULL && strlen(keys) > KEYS_BYTES_MAX))
        return WEFT_INVALID_ARGUMENT;
    struct listening wanted = {
        .is_wanted = true,
        .sessions = callback,
        .changed = listening,
        .user = user,
        .filter = strdup(filter),
        .keys = strdup(keys == NULL ? "" : keys),
    };
    if (wanted.filter == NULL || wanted.keys == NULL) {
        forget(&wanted);
        return WEFT_LIMIT_REACHED;
    }
    return want(client, LISTENING_SESSIONS, &wanted);
}

enum weft_error weft_unlisten_members(struct weft_client *client)
{
    return unlisten(client, LISTENING_MEMBERS);
}

enum weft_error weft_unlisten_sessions(struct weft_client *client)
{
    return unlisten(client, LISTENING_SESSIONS);
}

const char *weft_member_happening_name(enum weft_member_happening event)
{
    return event_member_news_name((unsigned)event);
}

const char *weft_session_happening_name(enum weft_session_happening event)
{
    return event_session_news_name((unsigned)event);
}
