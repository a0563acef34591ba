/* wait.c - the calls of weft.h that wait: the same calls, with the context run until their answer
 * is there. The answer is copied, because what a callback is shown ends with it. */
#include "client/client.h"
#include "client/weft_auth.h"
#include "client/weft_control.h"
#include "client/weft_requests.h"

#include <stdlib.h>
#include <string.h>

static bool may_wait(const struct weft_client *client)
{
    return !client->context->is_progressing;
}

enum weft_error weft_connect(struct weft_client *client, int timeout_ms)
{
    if (!may_wait(client))
        return WEFT_INVALID_ARGUMENT;
    uint64_t end_ns =
        timeout_ms < 0 ? UINT64_MAX : reactor_now_ns() + client_ms_to_ns((uint64_t)timeout_ms);
    while (client->state != CLIENT_OPEN && client->state != CLIENT_CLOSED) {
        uint64_t now_ns = reactor_now_ns();
        if (now_ns >= end_ns)
            return WEFT_TIMEOUT;
        /* At most a second at a time: the difference may be larger than an int. */
        uint64_t left_ms = (end_ns - now_ns) / 1000000U + 1;
        (void)weft_context_run(client->context, left_ms > 1000 ? 1000 : (int)left_ms);
    }
    return client->state == CLIENT_OPEN ? WEFT_OK : client->close_error;
}

static void wait_for_answer(struct weft_client *client)
{
    while (!client->answer.is_there)
        (void)weft_context_run(client->context, -1);
}

/* Starts an answer over; the bytes of the one before end here. */
static struct client_answer *answer_begin(struct weft_client *client)
{
    free(client->answer.memory);
    client->answer = (struct client_answer){0};
    return &client->answer;
}

/* Copies a run into the answer's memory at *used. */
static const void *keep(struct client_answer *answer, size_t *used, const void *data, size_t bytes)
{
    if (bytes == 0)
        return NULL;
    char *at = (char *)answer->memory + *used;
    memcpy(at, data, bytes);
    *used += bytes;
    return at;
}

static struct weft_text keep_text(struct client_answer *answer, size_t *used, struct weft_text text)
{
    text.data = keep(answer, used, text.data, text.bytes);
    return text;
}

static struct weft_rows keep_rows(struct client_answer *answer, size_t *used, struct weft_rows rows)
{
    rows.data = keep(answer, used, rows.data, rows.bytes);
    return rows;
}

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user)
{
    (void)user;
    struct client_answer *answer = &client->answer;
    size_t used = 0;
    answer->is_there = true;
    answer->response = *response;
    answer->memory = malloc(response->value.bytes + response->message.bytes + 1);
    if (answer->memory == NULL) {
        answer->response = (struct weft_response){.outcome = WEFT_INTERNAL};
        return;
    }
    answer->response.value.data = keep(answer, &used, response->value.data, response->value.bytes);
    answer->response.message = keep_text(answer, &used, response->message);
}

const struct weft_response *weft_request_wait(struct weft_client *client, const char *path,
                                              const struct weft_value *value,
                                              const struct weft_request_options *options)
{
    static const struct weft_response inside = {.outcome = WEFT_INVALID_ARGUMENT};
    if (!may_wait(client))
        return &inside;
    struct client_answer *answer = answer_begin(client);
    answer->response.outcome = weft_request(client, path, value, options, on_response, NULL, NULL);
    if (answer->response.outcome == WEFT_OK)
        wait_for_answer(client);
    return &answer->response;
}

const struct weft_response *weft_request_to_wait(struct weft_client *client,
                                                 struct weft_session_id session, const char *path,
                                                 const struct weft_value *value,
                                                 const struct weft_request_options *options)
{
    static const struct weft_response inside = {.outcome = WEFT_INVALID_ARGUMENT};
    if (!may_wait(client))
        return &inside;
    struct client_answer *answer = answer_begin(client);
    answer->response.outcome =
        weft_request_to(client, session, path, value, options, on_response, NULL, NULL);
    if (answer->response.outcome == WEFT_OK)
        wait_for_answer(client);
    return &answer->response;
}

static void on_result(struct weft_client *client, const struct weft_result *result, void *user)
{
    (void)user;
    struct client_answer *answer = &client->answer;
    size_t used = 0;
    answer->is_there = true;
    answer->result = *result;
    answer->memory = malloc(result->text.bytes + result->node.bytes + result->rows.bytes +
                            result->nodes.bytes + 1);
    if (answer->memory == NULL) {
        answer->result = (struct weft_result){.error = WEFT_INTERNAL};
        return;
    }
    answer->result.text = keep_text(answer, &used, result->text);
    answer->result.node = keep_text(answer, &used, result->node);
    answer->result.rows = keep_rows(answer, &used, result->rows);
    answer->result.nodes = keep_rows(answer, &used, result->nodes);
}

static const struct weft_result result_inside = {.error = WEFT_INVALID_ARGUMENT};

/* Waits for a command that was given, or tells why it was not. */
static const struct weft_result *wait_for_result(struct weft_client *client, enum weft_error error)
{
    client->answer.result.error = error;
    if (error == WEFT_OK)
        wait_for_answer(client);
    return &client->answer.result;
}

const struct weft_result *weft_close_session_wait(struct weft_client *client,
                                                  struct weft_session_id session,
                                                  const char *reason, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_close_session(client, session, reason, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_get_properties_wait(struct weft_client *client,
                                                   struct weft_session_id session, const char *keys,
                                                   uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client,
                           weft_get_properties(client, session, keys, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_list_sessions_wait(struct weft_client *client, const char *filter,
                                                  const char *keys, const char *sort,
                                                  uint32_t limit, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_list_sessions(client, filter, keys, sort, limit, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_set_properties_wait(struct weft_client *client,
                                                   struct weft_session_id session,
                                                   const struct weft_property *properties,
                                                   size_t count, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_set_properties(client, session, properties, count,
                                                       timeout_ms, on_result, NULL));
}

const struct weft_result *weft_change_roles_wait(struct weft_client *client,
                                                 struct weft_session_id session, const char *add,
                                                 const char *remove, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_change_roles(client, session, add, remove, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_set_conflated_wait(struct weft_client *client,
                                                  struct weft_session_id session, bool is_conflated,
                                                  uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_set_conflated(client, session, is_conflated, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_close_matching_wait(struct weft_client *client,
                                                   const struct weft_matching *matching,
                                                   const char *reason, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_close_matching(client, matching, reason, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_set_properties_matching_wait(struct weft_client *client,
                                                            const struct weft_matching *matching,
                                                            const struct weft_property *properties,
                                                            size_t count, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_set_properties_matching(client, matching, properties, count,
                                                                timeout_ms, on_result, NULL));
}

const struct weft_result *weft_change_roles_matching_wait(struct weft_client *client,
                                                          const struct weft_matching *matching,
                                                          const char *add, const char *remove,
                                                          uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_change_roles_matching(client, matching, add, remove,
                                                              timeout_ms, on_result, NULL));
}

const struct weft_result *weft_set_conflated_matching_wait(struct weft_client *client,
                                                           const struct weft_matching *matching,
                                                           bool is_conflated, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_set_conflated_matching(client, matching, is_conflated,
                                                               timeout_ms, on_result, NULL));
}

const struct weft_result *weft_subscribe_session_wait(struct weft_client *client,
                                                      struct weft_session_id session,
                                                      const char *selector, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_subscribe_session(client, session, selector, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_subscribe_matching_wait(struct weft_client *client,
                                                       const struct weft_matching *matching,
                                                       const char *selector, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_subscribe_matching(client, matching, selector, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_unsubscribe_session_wait(struct weft_client *client,
                                                        struct weft_session_id session,
                                                        const char *selector, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_unsubscribe_session(client, session, selector, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_unsubscribe_matching_wait(struct weft_client *client,
                                                         const struct weft_matching *matching,
                                                         const char *selector, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(
        client, weft_unsubscribe_matching(client, matching, selector, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_members_wait(struct weft_client *client, bool also_gone,
                                            uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_members(client, also_gone, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_handlers_wait(struct weft_client *client, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_handlers(client, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_handler_stats_wait(struct weft_client *client, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_handler_stats(client, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_status_wait(struct weft_client *client, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_status(client, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_counters_wait(struct weft_client *client, const char *node,
                                             uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_counters(client, node, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_verdicts_wait(struct weft_client *client, const char *node,
                                             uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client, weft_verdicts(client, node, timeout_ms, on_result, NULL));
}

const struct weft_result *weft_reauthenticate_wait(struct weft_client *client,
                                                   const char *principal, const void *credentials,
                                                   size_t credentials_bytes, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &result_inside;
    (void)answer_begin(client);
    return wait_for_result(client,
                           weft_reauthenticate(client, principal, credentials, credentials_bytes,
                                               timeout_ms, on_result, NULL));
}

/* ---- topics ---- */

static void on_topic(struct weft_client *client, const struct weft_topic_result *result, void *user)
{
    (void)user;
    struct client_answer *answer = &client->answer;
    size_t used = 0;
    answer->is_there = true;
    answer->topic = *result;
    answer->memory = malloc(result->text.bytes + 1);
    if (answer->memory == NULL)
        answer->topic.text = (struct weft_text){0};
    else
        answer->topic.text = keep_text(answer, &used, result->text);
}

static void on_topics(struct weft_client *client, const struct weft_topics *topics, void *user)
{
    (void)user;
    struct client_answer *answer = &client->answer;
    size_t used = 0;
    answer->is_there = true;
    answer->topics = *topics;
    answer->memory = malloc(topics->text.bytes + topics->rows.bytes + 1);
    if (answer->memory == NULL) {
        answer->topics = (struct weft_topics){.error = WEFT_INTERNAL};
        return;
    }
    answer->topics.text = keep_text(answer, &used, topics->text);
    answer->topics.rows = keep_rows(answer, &used, topics->rows);
}

static const struct weft_topic_result topic_inside = {.error = WEFT_INVALID_ARGUMENT};

static const struct weft_topic_result *wait_for_topic(struct weft_client *client,
                                                      enum weft_error error)
{
    client->answer.topic.error = error;
    if (error == WEFT_OK)
        wait_for_answer(client);
    return &client->answer.topic;
}

const struct weft_topic_result *weft_set_topic_wait(struct weft_client *client, const char *path,
                                                    const struct weft_value *value,
                                                    const struct weft_set_options *options)
{
    if (!may_wait(client))
        return &topic_inside;
    (void)answer_begin(client);
    return wait_for_topic(client, weft_set_topic(client, path, value, options, on_topic, NULL));
}

const struct weft_topic_result *weft_remove_topics_wait(struct weft_client *client,
                                                        const char *selector, uint32_t timeout_ms)
{
    if (!may_wait(client))
        return &topic_inside;
    (void)answer_begin(client);
    return wait_for_topic(client, weft_remove_topics(client, selector, timeout_ms, on_topic, NULL));
}

const struct weft_topics *weft_fetch_topics_wait(struct weft_client *client, const char *selector,
                                                 const struct weft_fetch_options *options)
{
    static const struct weft_topics inside = {.error = WEFT_INVALID_ARGUMENT};
    if (!may_wait(client))
        return &inside;
    struct client_answer *answer = answer_begin(client);
    answer->topics.error = weft_fetch_topics(client, selector, options, on_topics, NULL);
    if (answer->topics.error == WEFT_OK)
        wait_for_answer(client);
    return &answer->topics;
}

/* ---- what stands ---- */

/* Waits until the node has answered what is_answered asks of; the answer, or why none came. */
static enum weft_error wait_until_answered(struct weft_client *client, const char *name,
                                           bool (*is_answered)(const struct weft_client *client,
                                                               const char *name,
                                                               enum weft_error *answer))
{
    enum weft_error error = WEFT_OK;
    uint64_t end_ns = reactor_now_ns() + client_ms_to_ns(client->options.request_timeout_ms);
    while (!is_answered(client, name, &error)) {
        if (client->state == CLIENT_CLOSED)
            return WEFT_SESSION_CLOSED;
        if (reactor_now_ns() >= end_ns)
            return WEFT_TIMEOUT;
        (void)weft_context_run(client->context, 100);
    }
    return error;
}

enum weft_error weft_handle_with_wait(struct weft_client *client, const char *path,
                                      const struct weft_handler_options *options,
                                      weft_request_fn *callback, void *user)
{
    bool is_direct = options != NULL && options->is_direct;
    if (!may_wait(client))
        return WEFT_INVALID_ARGUMENT;
    enum weft_error error = weft_handle_with(client, path, options, callback, NULL, user);
    if (error != WEFT_OK)
        return error;
    uint64_t end_ns = reactor_now_ns() + client_ms_to_ns(client->options.request_timeout_ms);
    while (!serve_is_answered(client, path, is_direct, &error)) {
        if (client->state == CLIENT_CLOSED)
            return WEFT_SESSION_CLOSED;
        if (reactor_now_ns() >= end_ns) {
            error = WEFT_TIMEOUT;
            break;
        }
        (void)weft_context_run(client->context, 100);
    }
    if (error != WEFT_OK)
        (void)(is_direct ? weft_unhandle_direct(client, path) : weft_unhandle(client, path));
    return error;
}

enum weft_error weft_handle_wait(struct weft_client *client, const char *path,
                                 weft_request_fn *callback, void *user)
{
    return weft_handle_with_wait(client, path, NULL, callback, user);
}

enum weft_error weft_subscribe_wait(struct weft_client *client, const char *selector)
{
    if (!may_wait(client))
        return WEFT_INVALID_ARGUMENT;
    enum weft_error error = weft_subscribe(client, selector, NULL, NULL);
    if (error != WEFT_OK)
        return error;
    error = wait_until_answered(client, selector, subscriptions_is_answered);
    if (error != WEFT_OK)
        (void)weft_unsubscribe(client, selector);
    return error;
}
