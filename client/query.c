/* query.c - see query.h. All verbs are one message; which of its fields they use is all that tells
 * them apart. */
#include "client/query.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/weft_requests.h"
#include "proto/command.h"
#include "proto/kinds.h"

#include <stdlib.h>
#include <string.h>

static void end(struct slot *slot, struct weft_result *result)
{
    struct weft_client *client = slot->client;
    weft_result_fn *callback = slot->of.result;
    void *user = slot->user;
    result->took_us = (reactor_now_ns() - slot->started_ns) / 1000;
    slots_give(&client->slots, slot);
    if (!client->is_destroyed)
        callback(client, result, user);
}

void query_end(struct slot *slot, enum weft_error error)
{
    struct weft_result result = {
        .error = error,
        .text = client_text(span_text(weft_error_sentence(error))),
    };
    end(slot, &result);
}

static void expired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    query_end((struct slot *)timer, WEFT_TIMEOUT);
}

static struct weft_rows rows_of(struct span span)
{
    return (struct weft_rows){.data = span.data, .bytes = span.bytes};
}

/* Whether the body holds the answers of several nodes; otherwise it holds rows. */
static bool is_of_nodes(const struct result *said)
{
    return said->nodes_asked > 0;
}

void query_result(struct weft_client *client, const struct message *message)
{
    struct slot *slot = slots_find(&client->slots, message->correlation, SLOT_COMMAND);
    struct result said;
    if (slot == NULL)
        return;
    if (schema_decode(&result_schema, message->fields, &said) != ERROR_OK) {
        query_end(slot, WEFT_INVALID_MESSAGE);
        return;
    }
    struct weft_result result = {
        .error = (enum weft_error)said.code,
        .text = client_text(said.text),
        .session = client_id(said.session),
        .node = client_text(said.node),
        .matched = said.matched,
        .applied = said.applied,
        .failed = said.failed,
        .total = said.total,
        .removed = said.removed,
        .nodes_asked = said.nodes_asked,
        .nodes_answered = said.nodes_answered,
        .is_complete = said.is_complete,
        .member_state = (enum weft_member_state)said.state,
    };
    if (said.id.bytes == sizeof result.id)
        memcpy(result.id, said.id.data, sizeof result.id);
    if (is_of_nodes(&said))
        result.nodes = rows_of(message->body);
    else
        result.rows = rows_of(message->body);
    end(slot, &result);
}

void query_failed(struct weft_client *client, uint64_t number, const struct client_error *said)
{
    struct slot *slot = slots_find(&client->slots, number, SLOT_COMMAND);
    if (slot == NULL)
        return;
    struct weft_result result = {
        .error = (enum weft_error)said->code,
        .text = client_text(said->text),
        .line = said->line,
        .column = said->column,
    };
    end(slot, &result);
}

enum weft_error query_send(struct weft_client *client, struct call *call, weft_result_fn *callback)
{
    struct slot *slot = NULL;
    call->slot_kind = SLOT_COMMAND;
    call->expired = expired;
    enum weft_error error = calls_send(client, call, &slot);
    if (error == WEFT_OK)
        slot->of.result = callback;
    return error;
}

enum weft_error query_ask(struct weft_client *client, struct command *command, struct span body,
                          uint32_t timeout_ms, weft_result_fn *callback, void *user)
{
    command->timeout_ms = timeout_ms > 0 ? timeout_ms : client->options.request_timeout_ms;
    if (callback == NULL || command->text.bytes > TEXT_BYTES_MAX ||
        command->node.bytes > NAME_BYTES_MAX || command->filter.bytes > FILTER_BYTES_MAX ||
        command->sort.bytes > PROPERTY_KEY_BYTES_MAX || !span_is_text(command->text) ||
        !span_is_text(command->keys) || !span_is_text(command->node) ||
        !span_is_text(command->filter) || !span_is_text(command->sort))
        return WEFT_INVALID_ARGUMENT;
    struct call call = {
        .kind = KIND_COMMAND,
        .schema = &command_schema,
        .fields = command,
        .body = body,
        .timeout_ms = command->timeout_ms,
        .user = user,
    };
    return query_send(client, &call, callback);
}

static struct session_id wire_id(struct weft_session_id id)
{
    return (struct session_id){.instance = id.instance, .serial = id.serial};
}

enum weft_error weft_close_session(struct weft_client *client, struct weft_session_id session,
                                   const char *reason, uint32_t timeout_ms,
                                   weft_result_fn *callback, void *user)
{
    struct command command = {
        .verb = COMMAND_CLOSE,
        .session = wire_id(session),
        .text = span_text(reason),
    };
    if (session_id_is_none(command.session))
        return WEFT_INVALID_ARGUMENT;
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_get_properties(struct weft_client *client, struct weft_session_id session,
                                    const char *keys, uint32_t timeout_ms, weft_result_fn *callback,
                                    void *user)
{
    struct command command = {
        .verb = COMMAND_GET_PROPERTIES,
        .session = wire_id(session),
        .keys = span_text(keys),
    };
    if (session_id_is_none(command.session))
        return WEFT_INVALID_ARGUMENT;
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_list_sessions(struct weft_client *client, const char *filter, const char *keys,
                                   const char *sort, uint32_t limit, uint32_t timeout_ms,
                                   weft_result_fn *callback, void *user)
{
    struct command command = {
        .verb = COMMAND_LIST_SESSIONS,
        .filter = span_text(filter == NULL ? "all" : filter),
        .keys = span_text(keys),
        .sort = span_text(sort),
        .limit = limit,
    };
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_members(struct weft_client *client, bool also_gone, uint32_t timeout_ms,
                             weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_MEMBERS, .includes_gone = also_gone};
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_handlers(struct weft_client *client, uint32_t timeout_ms,
                              weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_HANDLERS};
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_handler_stats(struct weft_client *client, uint32_t timeout_ms,
                                   weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_HANDLER_STATS};
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_status(struct weft_client *client, uint32_t timeout_ms,
                            weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_STATUS};
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_counters(struct weft_client *client, const char *node, uint32_t timeout_ms,
                              weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_COUNTERS, .node = span_text(node)};
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}

enum weft_error weft_verdicts(struct weft_client *client, const char *node, uint32_t timeout_ms,
                              weft_result_fn *callback, void *user)
{
    struct command command = {.verb = COMMAND_VERDICTS, .node = span_text(node)};
    return query_ask(client, &command, (struct span){0}, timeout_ms, callback, user);
}
