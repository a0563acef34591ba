/* calls.c - see calls.h. The node answers at the deadline; the slot's own timer is set half a
 * second later, for a node that can't. */
#include "client/calls.h"

#include "client/client.h"
#include "client/matching.h"
#include "client/paths.h"
#include "client/query.h"
#include "client/topics.h"
#include "proto/kinds.h"
#include "proto/request.h"

static bool is_value_type(unsigned type)
{
    return type >= VALUE_JSON && type <= VALUE_DOUBLE;
}

bool calls_value_encode(const struct weft_value *value, uint8_t scratch[8], uint8_t *type,
                        struct span *body)
{
    *type = VALUE_BINARY;
    *body = (struct span){0};
    if (value == NULL || value->type == 0)
        return true;
    if (!is_value_type(value->type))
        return false;
    *type = (uint8_t)value->type;
    *body = span_of(value->data, value->bytes);
    if (value->type != WEFT_INT64 && value->type != WEFT_DOUBLE)
        return value->data != NULL || value->bytes == 0;
    uint64_t bits = (uint64_t)value->int64;
    if (value->type == WEFT_DOUBLE)
        memcpy(&bits, &value->number, sizeof bits);
    struct writer writer;
    writer_init(&writer, scratch, 8);
    writer_u64(&writer, bits);
    *body = span_of(scratch, 8);
    return true;
}

struct weft_value calls_value_decode(unsigned type, struct span body)
{
    struct weft_value value = {
        .type = is_value_type(type) ? (enum weft_value_type)type : WEFT_BINARY,
        .data = body.data,
        .bytes = body.bytes,
    };
    if ((value.type != WEFT_INT64 && value.type != WEFT_DOUBLE) || body.bytes != 8) {
        if (value.type == WEFT_INT64 || value.type == WEFT_DOUBLE)
            value.type = WEFT_BINARY;
        return value;
    }
    struct reader reader;
    reader_init(&reader, body);
    uint64_t bits = reader_u64(&reader);
    if (value.type == WEFT_INT64)
        value.int64 = (int64_t)bits;
    else
        memcpy(&value.number, &bits, sizeof bits);
    return value;
}

enum weft_error calls_check(const struct weft_client *client, size_t bytes)
{
    if (client->state == CLIENT_CLOSED || client->is_closing)
        return WEFT_SESSION_CLOSED;
    if (bytes > client->message_bytes_max)
        return WEFT_LIMIT_REACHED;
    if (!batch_has_room(&client->batch, bytes))
        return WEFT_OVERLOADED;
    return WEFT_OK;
}

enum weft_error calls_send(struct weft_client *client, const struct call *call, struct slot **slot)
{
    struct timers *timers = &client->context->timers;
    if (call->timeout_ms > REQUEST_TIMEOUT_MS_MAX)
        return WEFT_INVALID_ARGUMENT;
    enum weft_error error =
        calls_check(client, message_measure(call->schema, call->fields) + call->body.bytes);
    if (error != WEFT_OK)
        return error;
    struct slot *taken = slots_take(&client->slots, timers, client, call->slot_kind);
    if (taken == NULL)
        return WEFT_OVERLOADED;
    if (!batch_put(&client->batch, call->schema, call->fields, call->kind, slots_number(taken),
                   call->body)) {
        slots_give(&client->slots, taken);
        return WEFT_OVERLOADED;
    }
    taken->user = call->user;
    taken->started_ns = reactor_now_ns();
    taken->timer.fire = call->expired;
    reactor_set_timer(client->context, &taken->timer,
                      taken->started_ns + client_ms_to_ns(call->timeout_ms + CLIENT_GRACE_MS));
    reactor_make_ready(client->context, client);
    *slot = taken;
    return WEFT_OK;
}

/* Ends a request: its number is free before its callback runs. */
static void end(struct slot *slot, struct weft_response *response)
{
    struct weft_client *client = slot->client;
    weft_response_fn *callback = slot->of.response;
    void *user = slot->user;
    response->took_us = (reactor_now_ns() - slot->started_ns) / 1000;
    slots_give(&client->slots, slot);
    if (!client->is_destroyed)
        callback(client, response, user);
}

static void end_with(struct slot *slot, enum weft_error outcome)
{
    struct weft_response response = {
        .outcome = outcome,
        .message = client_text(span_text(weft_error_sentence(outcome))),
    };
    end(slot, &response);
}

static void expired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    end_with((struct slot *)timer, WEFT_TIMEOUT);
}

enum weft_error calls_request(struct weft_client *client, const char *path,
                              const struct weft_value *value,
                              const struct weft_request_options *options, struct request *fields,
                              struct call *call, struct slot **slot)
{
    uint8_t scratch[8];
    fields->timeout_ms = client->options.request_timeout_ms;
    if (options != NULL) {
        fields->is_idempotent = options->is_idempotent;
        if (options->timeout_ms > 0)
            fields->timeout_ms = options->timeout_ms;
    }
    if (!paths_normalise(path, &fields->path))
        return WEFT_INVALID_PATH;
    if (!calls_value_encode(value, scratch, &fields->type, &call->body))
        return WEFT_INVALID_ARGUMENT;
    call->kind = KIND_REQUEST;
    call->schema = &request_schema;
    call->fields = fields;
    call->timeout_ms = fields->timeout_ms;
    return calls_send(client, call, slot);
}

/* To a path, or to a session. */
static enum weft_error ask(struct weft_client *client, struct request *fields, const char *path,
                           const struct weft_value *value,
                           const struct weft_request_options *options, weft_response_fn *callback,
                           void *user, uint64_t *request)
{
    struct call call = {.slot_kind = SLOT_REQUEST, .expired = expired, .user = user};
    struct slot *slot = NULL;
    if (callback == NULL)
        return WEFT_INVALID_ARGUMENT;
    enum weft_error error = calls_request(client, path, value, options, fields, &call, &slot);
    if (error != WEFT_OK)
        return error;
    slot->of.response = callback;
    if (request != NULL)
        *request = slots_number(slot);
    return WEFT_OK;
}

enum weft_error weft_request(struct weft_client *client, const char *path,
                             const struct weft_value *value,
                             const struct weft_request_options *options, weft_response_fn *callback,
                             void *user, uint64_t *request)
{
    struct request fields = {.type = 0};
    return ask(client, &fields, path, value, options, callback, user, request);
}

enum weft_error weft_request_to(struct weft_client *client, struct weft_session_id session,
                                const char *path, const struct weft_value *value,
                                const struct weft_request_options *options,
                                weft_response_fn *callback, void *user, uint64_t *request)
{
    struct request fields = {.to = {.instance = session.instance, .serial = session.serial}};
    if (session_id_is_none(fields.to))
        return WEFT_INVALID_ARGUMENT;
    return ask(client, &fields, path, value, options, callback, user, request);
}

struct slot *calls_find(const struct weft_client *client, uint64_t number)
{
    struct slot *slot = slots_find(&client->slots, number, SLOT_REQUEST);
    return slot != NULL ? slot : slots_find(&client->slots, number, SLOT_MATCHING);
}

enum weft_error weft_cancel(struct weft_client *client, uint64_t request)
{
    if (calls_find(client, request) == NULL)
        return WEFT_INVALID_ARGUMENT;
    if (!batch_put(&client->batch, NULL, NULL, KIND_CANCEL, request, (struct span){0}))
        return WEFT_LIMIT_REACHED;
    reactor_make_ready(client->context, client);
    return WEFT_OK;
}

void calls_response(struct weft_client *client, const struct message *message)
{
    struct slot *slot = calls_find(client, message->correlation);
    struct response said;
    if (slot == NULL)
        return;
    if (slot->kind == SLOT_MATCHING) {
        matching_response(slot, message);
        return;
    }
    if (schema_decode(&response_schema, message->fields, &said) != ERROR_OK) {
        end_with(slot, WEFT_INVALID_MESSAGE);
        return;
    }
    struct weft_response response = {
        .outcome = (enum weft_error)said.outcome,
        .message = client_text(said.message),
    };
    if (said.outcome == ERROR_OK)
        response.value = calls_value_decode(said.type, message->body);
    end(slot, &response);
}

void calls_failed(struct weft_client *client, uint64_t number, const struct client_error *said)
{
    struct slot *slot = calls_find(client, number);
    if (slot == NULL)
        return;
    if (slot->kind == SLOT_MATCHING) {
        matching_failed(slot, said);
        return;
    }
    struct weft_response response = {
        .outcome = (enum weft_error)said->code,
        .message = client_text(said->text),
    };
    end(slot, &response);
}

void calls_end_all(struct weft_client *client, enum weft_error outcome, bool only_lost)
{
    uint32_t at = 0;
    bool was_destroyed = client->is_destroyed;
    for (struct slot *slot; (slot = slots_next(&client->slots, &at)) != NULL;) {
        if (only_lost && !slot->is_lost)
            continue;
        switch (slot->kind) {
        case SLOT_REQUEST:
            end_with(slot, outcome);
            break;
        case SLOT_MATCHING:
            matching_end(slot, outcome);
            break;
        case SLOT_COMMAND:
            query_end(slot, outcome);
            break;
        case SLOT_TOPIC:
        case SLOT_TOPICS:
            topics_end(slot, outcome);
            break;
        case SLOT_FREE:
        case SLOT_REGISTRATION:
        case SLOT_SUBSCRIPTION:
        case SLOT_LISTENING:
        case SLOT_LOGIN:
        case SLOT_INCOMING:
            slots_give(&client->slots, slot);
            break;
        }
        if (client->is_destroyed && !was_destroyed)
            return;
    }
}
