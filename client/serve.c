/* serve.c - see serve.h. */
#include "client/serve.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/paths.h"
#include "proto/kinds.h"
#include "proto/request.h"

#include <stdlib.h>
#include <string.h>

void serve_clear(struct serve *serve)
{
    for (uint32_t i = 0; i < serve->count; i++) {
        free(serve->handlers[i].path);
        free(serve->handlers[i].keys);
    }
    free(serve->handlers);
    *serve = (struct serve){0};
}

static int compare(struct span a, struct span b)
{
    size_t bytes = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = bytes == 0 ? 0 : memcmp(a.data, b.data, bytes);
    if (order != 0)
        return order;
    return a.bytes < b.bytes ? -1 : a.bytes > b.bytes;
}

/* Where the handler is, or belongs. */
static uint32_t position(const struct serve *serve, enum handler_kind kind, struct span path,
                         bool *is_there)
{
    uint32_t from = 0;
    uint32_t to = serve->count;
    *is_there = false;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        const struct serve_handler *handler = &serve->handlers[middle];
        int order = kind != handler->kind ? (int)kind - (int)handler->kind
                                          : compare(path, span_text(handler->path));
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

const struct serve_handler *serve_find(const struct serve *serve, enum handler_kind kind,
                                       struct span path)
{
    bool is_there;
    uint32_t at = position(serve, kind, path, &is_there);
    return is_there ? &serve->handlers[at] : NULL;
}

/* The most specific handler at or above the path, or the direct one at it; NULL: none. */
static const struct serve_handler *handler_for(const struct serve *serve, struct span path,
                                               bool is_direct)
{
    const struct serve_handler *handler = NULL;
    if (is_direct)
        return serve_find(serve, HANDLER_DIRECT, path);
    for (; handler == NULL && path.bytes > 0; path = paths_parent(path))
        handler = serve_find(serve, HANDLER_REQUEST, path);
    return handler;
}

static struct serve_handler *handler_numbered(const struct serve *serve, uint64_t number)
{
    for (uint32_t i = 0; i < serve->count; i++) {
        if (serve->handlers[i].number == number)
            return &serve->handlers[i];
    }
    return NULL;
}

/* Says REGISTER or UNREGISTER. */
static bool tell(struct weft_client *client, enum kind kind, struct serve_handler *handler)
{
    handler->is_answered = false;
    const struct registration registration = {
        .kind = (uint8_t)handler->kind,
        .path = span_text(handler->path),
        .keys = span_text(handler->keys),
    };
    struct timers *timers = &client->context->timers;
    struct slot *slot = slots_take(&client->slots, timers, client, SLOT_REGISTRATION);
    if (slot == NULL)
        return false;
    slot->of.handler = kind == KIND_REGISTER ? handler->number : 0;
    if (!batch_put(&client->batch, &registration_schema, &registration, (uint8_t)kind,
                   slots_number(slot), (struct span){0})) {
        slots_give(&client->slots, slot);
        return false;
    }
    reactor_make_ready(client->context, client);
    return true;
}

void serve_register_all(struct weft_client *client)
{
    for (uint32_t i = 0; i < client->serve.count; i++)
        (void)tell(client, KIND_REGISTER, &client->serve.handlers[i]);
}

void serve_registered(struct weft_client *client, uint64_t number, const struct client_error *said)
{
    struct slot *slot = slots_find(&client->slots, number, SLOT_REGISTRATION);
    uint64_t handler_number = slot->of.handler;
    slots_give(&client->slots, slot);
    struct serve_handler *handler = handler_numbered(&client->serve, handler_number);
    if (handler == NULL)
        return;
    handler->is_answered = true;
    handler->answer = (enum weft_error)said->code;
    if (handler->registered != NULL)
        handler->registered(client, (enum weft_error)said->code, client_text(said->text),
                            handler->user);
}

void serve_taken_back(struct weft_client *client, const struct message *message)
{
    struct registration said;
    bool is_there = false;
    if (schema_decode(&registration_schema, message->fields, &said) != ERROR_OK)
        return;
    uint32_t at = position(&client->serve, (enum handler_kind)said.kind, said.path, &is_there);
    if (!is_there)
        return;
    struct serve_handler *handler = &client->serve.handlers[at];
    handler->is_answered = true;
    handler->answer = WEFT_ACCESS_DENIED;
    if (handler->registered != NULL)
        handler->registered(
            client, WEFT_ACCESS_DENIED,
            client_text(span_text("the session may not serve this path any more: its roles or the "
                                  "node's permissions have changed")),
            handler->user);
}

bool serve_is_answered(const struct weft_client *client, const char *path, bool is_direct,
                       enum weft_error *answer)
{
    struct span normal;
    bool is_there = false;
    uint32_t at = 0;
    if (paths_normalise(path, &normal))
        at = position(&client->serve, is_direct ? HANDLER_DIRECT : HANDLER_REQUEST, normal,
                      &is_there);
    if (!is_there || !client->serve.handlers[at].is_answered)
        return false;
    *answer = client->serve.handlers[at].answer;
    return true;
}

static bool insert(struct serve *serve, uint32_t at, struct serve_handler handler)
{
    struct serve_handler *handlers =
        realloc(serve->handlers, (serve->count + 1) * sizeof *handlers);
    if (handlers == NULL)
        return false;
    memmove(&handlers[at + 1], &handlers[at], (serve->count - at) * sizeof *handlers);
    handlers[at] = handler;
    serve->handlers = handlers;
    serve->count++;
    return true;
}

static void take_out(struct serve *serve, uint32_t at)
{
    free(serve->handlers[at].path);
    free(serve->handlers[at].keys);
    serve->count--;
    memmove(&serve->handlers[at], &serve->handlers[at + 1],
            (serve->count - at) * sizeof *serve->handlers);
}

enum weft_error serve_add(struct weft_client *client, const char *path, const char *keys,
                          struct serve_handler handler)
{
    struct serve *serve = &client->serve;
    struct span normal;
    bool is_there;
    if (!paths_normalise(path, &normal))
        return WEFT_INVALID_PATH;
    if (client->state == CLIENT_CLOSED || client->is_closing)
        return WEFT_SESSION_CLOSED;
    uint32_t at = position(serve, handler.kind, normal, &is_there);
    if (is_there)
        return WEFT_HANDLER_CONFLICT;
    if (serve->count >= SERVE_HANDLERS_MAX)
        return WEFT_LIMIT_REACHED;
    handler.path = strndup((const char *)normal.data, normal.bytes);
    handler.keys = strdup(keys == NULL ? "" : keys);
    handler.number = ++serve->last_number;
    if (handler.path == NULL || handler.keys == NULL || !insert(serve, at, handler)) {
        free(handler.path);
        free(handler.keys);
        return WEFT_LIMIT_REACHED;
    }
    if (client_is_in_session(client) && !tell(client, KIND_REGISTER, &serve->handlers[at])) {
        take_out(serve, at);
        return WEFT_LIMIT_REACHED;
    }
    return WEFT_OK;
}

enum weft_error weft_handle_with(struct weft_client *client, const char *path,
                                 const struct weft_handler_options *options,
                                 weft_request_fn *callback, weft_registered_fn *registered,
                                 void *user)
{
    bool is_direct = options != NULL && options->is_direct;
    const char *keys = options == NULL ? NULL : options->keys;
    struct span normal;
    if (!paths_normalise(path, &normal))
        return WEFT_INVALID_PATH;
    if (callback == NULL || span_text(keys).bytes > REGISTRATION_KEYS_BYTES_MAX)
        return WEFT_INVALID_ARGUMENT;
    const struct serve_handler handler = {
        .kind = is_direct ? HANDLER_DIRECT : HANDLER_REQUEST,
        .of.request = callback,
        .registered = registered,
        .user = user,
    };
    return serve_add(client, path, keys, handler);
}

enum weft_error weft_handle(struct weft_client *client, const char *path, weft_request_fn *callback,
                            weft_registered_fn *registered, void *user)
{
    return weft_handle_with(client, path, NULL, callback, registered, user);
}

enum weft_error serve_remove(struct weft_client *client, enum handler_kind kind, const char *path)
{
    struct span normal;
    bool is_there;
    if (!paths_normalise(path, &normal))
        return WEFT_INVALID_PATH;
    uint32_t at = position(&client->serve, kind, normal, &is_there);
    if (!is_there)
        return WEFT_INVALID_ARGUMENT;
    if (client_is_in_session(client) && !tell(client, KIND_UNREGISTER, &client->serve.handlers[at]))
        return WEFT_LIMIT_REACHED;
    take_out(&client->serve, at);
    return WEFT_OK;
}

enum weft_error weft_unhandle(struct weft_client *client, const char *path)
{
    return serve_remove(client, HANDLER_REQUEST, path);
}

enum weft_error weft_unhandle_direct(struct weft_client *client, const char *path)
{
    return serve_remove(client, HANDLER_DIRECT, path);
}

static bool respond(struct weft_client *client, uint64_t correlation,
                    const struct response *response, struct span body)
{
    reactor_make_ready(client->context, client);
    return batch_put(&client->batch, &response_schema, response, KIND_RESPONSE, correlation, body);
}

/* No callback saw the request; REJECTED is the one outcome of a handler that can say so. */
static void refuse(struct weft_client *client, uint64_t correlation, const char *why)
{
    const struct response response = {.outcome = ERROR_REJECTED, .message = span_text(why)};
    (void)respond(client, correlation, &response, (struct span){0});
}

/* The request's time is over: whoever asked knows by now, and the handler may forget it. */
static void expired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    struct slot *slot = (struct slot *)timer;
    slots_give(&slot->client->slots, slot);
}

void serve_request(struct weft_client *client, const struct message *message)
{
    struct request said;
    if (schema_decode(&request_schema, message->fields, &said) != ERROR_OK) {
        refuse(client, message->correlation, "the request could not be read; not executed");
        return;
    }
    bool is_direct = !session_id_is_none(said.to);
    const struct serve_handler *handler = handler_for(&client->serve, said.path, is_direct);
    if (handler == NULL) {
        refuse(client, message->correlation, "the handler has just left the path; not executed");
        return;
    }
    struct timers *timers = &client->context->timers;
    struct slot *slot = slots_take(&client->slots, timers, client, SLOT_INCOMING);
    if (slot == NULL) {
        refuse(client, message->correlation, "too many requests are in hand here; not executed");
        return;
    }
    slot->of.correlation = message->correlation;
    uint64_t responder = slots_number(slot);
    const struct weft_incoming incoming = {
        .responder = responder,
        .path = client_text(said.path),
        .value = calls_value_decode(said.type, message->body),
        .sender = client_id(said.sender),
        .timeout_ms = said.timeout_ms,
        .is_direct = is_direct,
        .properties = {.data = said.properties.data, .bytes = said.properties.bytes},
    };
    handler->of.request(client, &incoming, handler->user);
    if (client->is_destroyed)
        return;
    slot = slots_find(&client->slots, responder, SLOT_INCOMING);
    if (slot == NULL) /* answered at once, as most are: no timer was needed */
        return;
    slot->timer.fire = expired;
    uint64_t time_ms = said.timeout_ms == 0 ? REQUEST_TIMEOUT_MS_MAX : said.timeout_ms;
    reactor_set_timer(client->context, &slot->timer,
                      reactor_now_ns() + client_ms_to_ns(time_ms + CLIENT_GRACE_MS));
}

void serve_cancelled(struct weft_client *client, uint64_t correlation)
{
    uint32_t at = 0;
    for (struct slot *slot; (slot = slots_next(&client->slots, &at)) != NULL;) {
        if (slot->kind == SLOT_INCOMING && slot->of.correlation == correlation) {
            slots_give(&client->slots, slot);
            return;
        }
    }
}

/* Ends a request in hand with this response. */
static enum weft_error answer(struct weft_client *client, uint64_t responder,
                              const struct response *response, struct span body)
{
    struct slot *slot = slots_find(&client->slots, responder, SLOT_INCOMING);
    if (slot == NULL)
        return WEFT_CANCELLED;
    if (message_measure(&response_schema, response) + body.bytes > client->message_bytes_max)
        return WEFT_LIMIT_REACHED;
    if (!respond(client, slot->of.correlation, response, body))
        return WEFT_LIMIT_REACHED;
    slots_give(&client->slots, slot);
    return WEFT_OK;
}

enum weft_error weft_respond(struct weft_client *client, uint64_t responder,
                             const struct weft_value *value)
{
    struct response response = {.outcome = ERROR_OK};
    struct span body;
    uint8_t scratch[8];
    if (!calls_value_encode(value, scratch, &response.type, &body))
        return WEFT_INVALID_ARGUMENT;
    return answer(client, responder, &response, body);
}

/* The text's first bytes, as many as are sent, cut between characters. */
static struct span shortened(const char *text)
{
    struct span span = span_text(text);
    if (span.bytes > TEXT_BYTES_MAX) {
        span.bytes = TEXT_BYTES_MAX;
        while (span.bytes > 0 && (span.data[span.bytes] & 0xc0) == 0x80)
            span.bytes--;
    }
    return span;
}

static enum weft_error decline(struct weft_client *client, uint64_t responder, enum error outcome,
                               const char *text)
{
    const struct response response = {.outcome = (uint16_t)outcome, .message = shortened(text)};
    if (!span_is_text(response.message))
        return WEFT_INVALID_ARGUMENT;
    return answer(client, responder, &response, (struct span){0});
}

enum weft_error weft_reject(struct weft_client *client, uint64_t responder, const char *text)
{
    return decline(client, responder, ERROR_REJECTED, text);
}

enum weft_error weft_fail(struct weft_client *client, uint64_t responder, const char *text)
{
    return decline(client, responder, ERROR_HANDLER_ERROR, text);
}
