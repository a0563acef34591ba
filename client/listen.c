/* listen.c - see listen.h. The slot of a LISTEN stays taken while its events come, so that what is
 * still on the way after weft_unlisten, or after a second LISTEN, finds nothing. */
#include "client/listen.h"

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

/* Says LISTEN or UNLISTEN; the slot's number, 0: no room for it. */
static uint64_t tell(struct weft_client *client, enum kind kind, enum slot_kind slot_kind)
{
    const struct listen said = {.what = LISTEN_MEMBER};
    struct timers *timers = &client->context->timers;
    struct slot *slot = slots_take(&client->slots, timers, client, slot_kind);
    if (slot == NULL)
        return 0;
    slot->of.handler = 0; /* of a REGISTRATION: nobody waits for the answer */
    if (!batch_put(&client->batch, &listen_schema, &said, (uint8_t)kind, slots_number(slot),
                   (struct span){0})) {
        slots_give(&client->slots, timers, slot);
        return 0;
    }
    reactor_make_ready(client->context, client);
    return slots_number(slot);
}

static void slot_end(struct weft_client *client)
{
    struct slot *slot = slots_find(&client->slots, client->listening.number, SLOT_LISTENING);
    if (slot != NULL)
        slots_give(&client->slots, &client->context->timers, slot);
    client->listening.number = 0;
}

void listen_again(struct weft_client *client)
{
    if (client->listening.callback != NULL)
        client->listening.number = tell(client, KIND_LISTEN, SLOT_LISTENING);
}

void listen_answered(struct weft_client *client, uint64_t number, const struct client_error *said)
{
    struct listening *listening = &client->listening;
    if (number != listening->number)
        return;
    if (said->code != ERROR_OK)
        slot_end(client);
    if (listening->registered != NULL)
        listening->registered(client, (enum weft_error)said->code, client_text(said->text),
                              listening->user);
}

void listen_event(struct weft_client *client, const struct message *message)
{
    struct event said;
    struct listening *listening = &client->listening;
    if (slots_find(&client->slots, message->correlation, SLOT_LISTENING) == NULL ||
        message->correlation != listening->number ||
        schema_decode(&event_schema, message->fields, &said) != ERROR_OK ||
        said.what != LISTEN_MEMBER)
        return;
    const struct weft_member_event event = {
        .event = (enum weft_member_happening)said.event,
        .node = client_text(said.node),
        .zone = client_text(said.zone),
        .instance = said.instance,
        .sequence = said.sequence,
    };
    listening->callback(client, &event, listening->user);
}

enum weft_error weft_listen_members(struct weft_client *client, weft_member_event_fn *callback,
                                    weft_registered_fn *registered, void *user)
{
    if (callback == NULL)
        return WEFT_INVALID_ARGUMENT;
    if (client->state == CLIENT_CLOSED || client->is_closing)
        return WEFT_SESSION_CLOSED;
    if (client->listening.callback != NULL)
        return WEFT_HANDLER_CONFLICT;
    uint64_t number = 0;
    if (client->state == CLIENT_OPEN) {
        number = tell(client, KIND_LISTEN, SLOT_LISTENING);
        if (number == 0)
            return WEFT_LIMIT_REACHED;
    }
    client->listening = (struct listening){
        .callback = callback,
        .registered = registered,
        .user = user,
        .number = number,
    };
    return WEFT_OK;
}

enum weft_error weft_unlisten(struct weft_client *client)
{
    if (client->listening.callback == NULL)
        return WEFT_INVALID_ARGUMENT;
    if (client->state == CLIENT_OPEN && tell(client, KIND_UNLISTEN, SLOT_REGISTRATION) == 0)
        return WEFT_LIMIT_REACHED;
    slot_end(client);
    client->listening = (struct listening){0};
    return WEFT_OK;
}

const char *weft_member_happening_name(enum weft_member_happening event)
{
    return event_member_news_name((unsigned)event);
}
