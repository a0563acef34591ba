/* matching.c - see matching.h. The node ends it a quarter of a second behind its deadline at the
 * latest; the slot's own timer is for a node that can't. */
#include "client/matching.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/paths.h"
#include "proto/command.h"
#include "proto/kinds.h"
#include "proto/request.h"

static struct weft_rows rows_of(struct span groups)
{
    return (struct weft_rows){.data = groups.data, .bytes = groups.bytes};
}

/* Its number is free before its last callback runs. */
static void end(struct slot *slot, struct weft_end *what)
{
    struct weft_client *client = slot->client;
    const struct weft_matching_calls *calls = slot->of.matching;
    void *user = slot->user;
    what->took_us = (reactor_now_ns() - slot->started_ns) / 1000;
    slots_give(&client->slots, slot);
    if (!client->is_destroyed)
        calls->end(client, what, user);
}

void matching_end(struct slot *slot, enum weft_error outcome)
{
    struct weft_end what = {
        .outcome = outcome,
        .message = client_text(span_text(weft_error_sentence(outcome))),
    };
    end(slot, &what);
}

static void expired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    matching_end((struct slot *)timer, WEFT_TIMEOUT);
}

void matching_failed(struct slot *slot, const struct client_error *said)
{
    struct weft_end what = {
        .outcome = (enum weft_error)said->code,
        .message = client_text(said->text),
        .line = said->line,
        .column = said->column,
    };
    end(slot, &what);
}

void matching_response(struct slot *slot, const struct message *message)
{
    struct response said;
    if (schema_decode(&response_schema, message->fields, &said) != ERROR_OK) {
        matching_end(slot, WEFT_INVALID_MESSAGE);
        return;
    }
    struct weft_end what = {
        .outcome = (enum weft_error)said.outcome,
        .message = client_text(said.message),
        .sent = said.sent,
        .answered = said.answered,
        .nodes_asked = said.nodes_asked,
        .nodes_answered = said.nodes_answered,
        .nodes = rows_of(message->body),
    };
    end(slot, &what);
}

void matching_spread(struct weft_client *client, const struct message *message)
{
    struct spread said;
    const struct slot *slot = slots_find(&client->slots, message->correlation, SLOT_MATCHING);
    if (slot == NULL || slot->of.matching->sent == NULL ||
        schema_decode(&spread_schema, message->fields, &said) != ERROR_OK)
        return;
    const struct weft_sent what = {
        .sent = said.sent,
        .nodes_asked = said.nodes_asked,
        .nodes_answered = said.nodes_answered,
        .nodes = rows_of(message->body),
    };
    slot->of.matching->sent(client, &what, slot->user);
}

void matching_part(struct weft_client *client, const struct message *message)
{
    struct part said;
    const struct slot *slot = slots_find(&client->slots, message->correlation, SLOT_MATCHING);
    if (slot == NULL || slot->of.matching->part == NULL ||
        schema_decode(&part_schema, message->fields, &said) != ERROR_OK)
        return;
    struct weft_part what = {
        .session = client_id(said.session),
        .outcome = (enum weft_error)said.outcome,
        .message = client_text(said.message),
    };
    if (said.outcome == ERROR_OK)
        what.value = calls_value_decode(said.type, message->body);
    slot->of.matching->part(client, &what, slot->user);
}

enum weft_error weft_request_matching(struct weft_client *client, const char *filter,
                                      const char *path, const struct weft_value *value,
                                      const struct weft_request_options *options,
                                      const struct weft_matching_calls *calls, void *user,
                                      uint64_t *request)
{
    struct request fields = {.filter = span_text(filter)};
    if (fields.filter.bytes > FILTER_BYTES_MAX)
        return WEFT_INVALID_FILTER;
    if (fields.filter.bytes == 0 || calls == NULL || calls->end == NULL)
        return WEFT_INVALID_ARGUMENT;
    struct call call = {.slot_kind = SLOT_MATCHING, .user = user, .expired = expired};
    struct slot *slot;
    enum weft_error error = calls_request(client, path, value, options, &fields, &call, &slot);
    if (error != WEFT_OK)
        return error;
    slot->of.matching = calls;
    if (request != NULL)
        *request = slots_number(slot);
    return WEFT_OK;
}
