/* subscriptions.c - see subscriptions.h. What a node says of a topic names its path alone, and a
 * topic that two selectors mean comes once: so one watcher hears of all. */
#include "client/subscriptions.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/paths.h"
#include "proto/kinds.h"
#include "proto/topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_SAME(name)                                                                          \
    _Static_assert((int)WEFT_UNSUBSCRIBED_##name == (int)UNSUBSCRIBED_##name, #name " differs")
REASON_SAME(REQUESTED);
REASON_SAME(AUTHORIZATION);
REASON_SAME(BACK_PRESSURE);

void subscriptions_clear(struct subscriptions *subscriptions)
{
    for (uint32_t i = 0; i < subscriptions->count; i++)
        free(subscriptions->entries[i].selector);
    free(subscriptions->entries);
    *subscriptions = (struct subscriptions){0};
}

/* ---- the list ---- */

static struct subscription_entry *find(const struct subscriptions *subscriptions,
                                       struct span selector)
{
    for (uint32_t i = 0; i < subscriptions->count; i++) {
        if (span_equal(span_text(subscriptions->entries[i].selector), selector))
            return &subscriptions->entries[i];
    }
    return NULL;
}

static struct subscription_entry *find_numbered(const struct subscriptions *subscriptions,
                                                uint64_t number)
{
    for (uint32_t i = 0; i < subscriptions->count; i++) {
        if (subscriptions->entries[i].number == number)
            return &subscriptions->entries[i];
    }
    return NULL;
}

/* A new entry for the selector; NULL: limit or memory. */
static struct subscription_entry *add(struct subscriptions *subscriptions, struct span selector)
{
    if (subscriptions->count == SUBSCRIPTIONS_MAX)
        return NULL;
    if (subscriptions->count == subscriptions->room) {
        uint32_t room = subscriptions->room == 0 ? 8 : 2 * subscriptions->room;
        struct subscription_entry *entries =
            realloc(subscriptions->entries, room * sizeof *entries);
        if (entries == NULL)
            return NULL;
        subscriptions->entries = entries;
        subscriptions->room = room;
    }
    struct subscription_entry *entry = &subscriptions->entries[subscriptions->count];
    *entry = (struct subscription_entry){
        .selector = strndup((const char *)selector.data, selector.bytes),
        .number = ++subscriptions->last_number,
    };
    if (entry->selector == NULL)
        return NULL;
    subscriptions->count++;
    return entry;
}

static void take_out(struct subscriptions *subscriptions, struct subscription_entry *entry)
{
    free(entry->selector);
    *entry = subscriptions->entries[--subscriptions->count];
}

/* ---- what is said ---- */

/* Says SUBSCRIBE or UNSUBSCRIBE; number: of the entry that waits for the answer, 0: none does. */
static bool tell(struct weft_client *client, enum kind kind, struct span selector, uint64_t number)
{
    const struct subscription said = {.selector = selector};
    struct timers *timers = &client->context->timers;
    struct slot *slot = slots_take(&client->slots, timers, client, SLOT_SUBSCRIPTION);
    if (slot == NULL)
        return false;
    slot->of.subscription = number;
    if (!batch_put(&client->batch, &subscription_schema, &said, (uint8_t)kind, slots_number(slot),
                   (struct span){0})) {
        slots_give(&client->slots, slot);
        return false;
    }
    reactor_make_ready(client->context, client);
    return true;
}

static bool tell_of(struct weft_client *client, struct subscription_entry *entry)
{
    entry->is_answered = false;
    return tell(client, KIND_SUBSCRIBE, span_text(entry->selector), entry->number);
}

void subscriptions_renew(struct weft_client *client)
{
    struct subscriptions *subscriptions = &client->subscriptions;
    for (uint32_t i = 0; i < subscriptions->count; i++)
        (void)tell_of(client, &subscriptions->entries[i]);
}

enum weft_error weft_subscribe(struct weft_client *client, const char *selector,
                               weft_subscribed_fn *subscribed, void *user)
{
    struct span normal;
    if (!paths_normalise(selector, &normal))
        return WEFT_INVALID_PATH;
    if (client->state == CLIENT_CLOSED || client->is_closing)
        return WEFT_SESSION_CLOSED;
    struct subscription_entry *entry = find(&client->subscriptions, normal);
    bool is_new = entry == NULL;
    if (is_new)
        entry = add(&client->subscriptions, normal);
    if (entry == NULL)
        return WEFT_LIMIT_REACHED;
    if (client_is_in_session(client) && !tell_of(client, entry)) {
        if (is_new)
            take_out(&client->subscriptions, entry);
        return WEFT_LIMIT_REACHED;
    }
    entry->subscribed = subscribed;
    entry->user = user;
    return WEFT_OK;
}

enum weft_error weft_unsubscribe(struct weft_client *client, const char *selector)
{
    struct span normal;
    if (!paths_normalise(selector, &normal))
        return WEFT_INVALID_PATH;
    struct subscription_entry *entry = find(&client->subscriptions, normal);
    if (entry == NULL)
        return WEFT_INVALID_ARGUMENT;
    if (client_is_in_session(client) && !tell(client, KIND_UNSUBSCRIBE, normal, 0))
        return WEFT_LIMIT_REACHED;
    take_out(&client->subscriptions, entry);
    return WEFT_OK;
}

void weft_watch(struct weft_client *client, const struct weft_watcher *watcher)
{
    static const struct weft_watcher nobody;
    client->subscriptions.watcher = watcher == NULL ? nobody : *watcher;
}

/* ---- what is heard ---- */

void subscriptions_answered(struct weft_client *client, uint64_t number,
                            const struct client_error *said)
{
    struct slot *slot = slots_find(&client->slots, number, SLOT_SUBSCRIPTION);
    uint64_t entry_number = slot->of.subscription;
    slots_give(&client->slots, slot);
    struct subscription_entry *entry = find_numbered(&client->subscriptions, entry_number);
    if (entry == NULL)
        return;
    entry->is_answered = true;
    entry->answer = (enum weft_error)said->code;
    if (entry->subscribed == NULL)
        return;
    char selector[PATH_BYTES_MAX + 1]; /* the callback may end the entry */
    (void)snprintf(selector, sizeof selector, "%s", entry->selector);
    entry->subscribed(client, client_text(span_text(selector)), entry->answer,
                      client_text(said->text), entry->user);
}

bool subscriptions_is_answered(const struct weft_client *client, const char *selector,
                               enum weft_error *answer)
{
    struct span normal;
    const struct subscription_entry *entry = NULL;
    if (paths_normalise(selector, &normal))
        entry = find(&client->subscriptions, normal);
    if (entry == NULL || !entry->is_answered)
        return false;
    *answer = entry->answer;
    return true;
}

void subscriptions_update(struct weft_client *client, const struct message *message)
{
    const struct weft_watcher *watcher = &client->subscriptions.watcher;
    struct topic_update said;
    if (watcher->value == NULL ||
        schema_decode(&topic_update_schema, message->fields, &said) != ERROR_OK)
        return;
    const struct weft_topic_value topic = {
        .path = client_text(said.path),
        .value = calls_value_decode(said.type, message->body),
        .version = {said.term, said.instance, said.n},
        .is_snapshot = said.is_snapshot,
        .is_resync = said.is_resync,
    };
    watcher->value(client, &topic, watcher->user);
}

static void removed(struct weft_client *client, const struct unsubscribed *said)
{
    const struct weft_watcher *watcher = &client->subscriptions.watcher;
    const struct weft_topic_removed topic = {
        .path = client_text(said->path),
        .version = {said->term, said->instance, said->n},
    };
    if (watcher->removed != NULL)
        watcher->removed(client, &topic, watcher->user);
}

void subscriptions_ended(struct weft_client *client, const struct message *message)
{
    const struct weft_watcher *watcher = &client->subscriptions.watcher;
    struct unsubscribed said;
    if (schema_decode(&unsubscribed_schema, message->fields, &said) != ERROR_OK)
        return;
    if (said.reason == UNSUBSCRIBED_REMOVED) {
        removed(client, &said);
        return;
    }
    struct subscription_entry *entry = find(&client->subscriptions, said.selector);
    if (entry != NULL) /* in the next session it would be said again */
        take_out(&client->subscriptions, entry);
    const struct weft_topic_unsubscribed topic = {
        .path = client_text(said.path),
        .selector = client_text(said.selector),
        .reason = (enum weft_unsubscribed_reason)said.reason,
    };
    if (watcher->unsubscribed != NULL)
        watcher->unsubscribed(client, &topic, watcher->user);
}
