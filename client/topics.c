/* topics.c - see topics.h. */
#include "client/topics.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/paths.h"
#include "proto/kinds.h"
#include "proto/topic.h"

#include <stdlib.h>

/* The public numbers are the wire's; whoever adds one here or there hears of the other. */
#define POLICY_SAME(name)                                                                          \
    _Static_assert((int)WEFT_POLICY_##name == (int)TOPIC_POLICY_##name, #name " differs")
POLICY_SAME(CONFLATE);
POLICY_SAME(ALWAYS);
POLICY_SAME(OFF);
POLICY_SAME(UNSUBSCRIBE);

#define MODE_SAME(name)                                                                            \
    _Static_assert((int)WEFT_SET_##name == (int)TOPIC_SET_##name, #name " differs")
MODE_SAME(ANY);
MODE_SAME(CREATE);
MODE_SAME(UPDATE);

/* ---- answers ---- */

static uint64_t took_us(const struct slot *slot)
{
    return (reactor_now_ns() - slot->started_ns) / 1000;
}

static void end_topic(struct slot *slot, struct weft_topic_result *result)
{
    struct weft_client *client = slot->client;
    weft_topic_result_fn *callback = slot->of.topic;
    void *user = slot->user;
    result->took_us = took_us(slot);
    slots_give(&client->slots, slot);
    if (!client->is_destroyed)
        callback(client, result, user);
}

static void end_topics(struct slot *slot, struct weft_topics *topics)
{
    struct weft_client *client = slot->client;
    weft_topics_fn *callback = slot->of.topics;
    void *user = slot->user;
    topics->took_us = took_us(slot);
    slots_give(&client->slots, slot);
    if (!client->is_destroyed)
        callback(client, topics, user);
}

/* Ends either with an error alone. */
static void end_with(struct slot *slot, enum weft_error error, struct weft_text text)
{
    if (slot->kind == SLOT_TOPIC) {
        struct weft_topic_result result = {.error = error, .text = text};
        end_topic(slot, &result);
    } else {
        struct weft_topics topics = {.error = error, .text = text};
        end_topics(slot, &topics);
    }
}

void topics_end(struct slot *slot, enum weft_error error)
{
    end_with(slot, error, client_text(span_text(weft_error_sentence(error))));
}

static void expired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    topics_end((struct slot *)timer, WEFT_TIMEOUT);
}

bool topics_failed(struct weft_client *client, uint64_t number, const struct client_error *said)
{
    struct slot *slot = slots_find(&client->slots, number, SLOT_TOPIC);
    if (slot == NULL)
        slot = slots_find(&client->slots, number, SLOT_TOPICS);
    if (slot != NULL)
        end_with(slot, (enum weft_error)said->code, client_text(said->text));
    return slot != NULL;
}

void topics_result(struct weft_client *client, const struct message *message)
{
    struct slot *slot = slots_find(&client->slots, message->correlation, SLOT_TOPIC);
    struct topic_result said;
    if (slot == NULL)
        return;
    if (schema_decode(&topic_result_schema, message->fields, &said) != ERROR_OK) {
        topics_end(slot, WEFT_INVALID_MESSAGE);
        return;
    }
    struct weft_topic_result result = {
        .error = (enum weft_error)said.code,
        .text = client_text(said.text),
        .version = {said.term, said.instance, said.n},
        .removed = said.count,
    };
    end_topic(slot, &result);
}

void topics_fetched(struct weft_client *client, const struct message *message)
{
    struct slot *slot = slots_find(&client->slots, message->correlation, SLOT_TOPICS);
    struct topic_rows said;
    if (slot == NULL)
        return;
    if (schema_decode(&topic_rows_schema, message->fields, &said) != ERROR_OK) {
        topics_end(slot, WEFT_INVALID_MESSAGE);
        return;
    }
    struct weft_topics topics = {
        .error = (enum weft_error)said.code,
        .text = client_text(said.text),
        .total = said.total,
        .rows = {.data = message->body.data, .bytes = message->body.bytes},
    };
    end_topics(slot, &topics);
}

/* ---- setting ---- */

/* What SET says, and its body: the value, behind the one expected. */
struct setting {
    struct topic_set fields;
    struct span value, expected;
    uint8_t value_scratch[8], expected_scratch[8];
};

static bool put_constraint(struct setting *setting, const struct weft_set_options *options)
{
    struct topic_set *fields = &setting->fields;
    uint8_t expected_type = 0;
    if (options->if_absent + (options->if_value != NULL) + (options->if_version != NULL) > 1)
        return false;
    if (options->if_absent)
        fields->constraint = TOPIC_CONSTRAINT_NO_TOPIC;
    if (options->if_version != NULL) {
        fields->constraint = TOPIC_CONSTRAINT_VERSION_IS;
        fields->term = options->if_version->term;
        fields->instance = options->if_version->instance;
        fields->n = options->if_version->n;
    }
    if (options->if_value == NULL)
        return true;
    fields->constraint = TOPIC_CONSTRAINT_VALUE_IS;
    if (!calls_value_encode(options->if_value, setting->expected_scratch, &expected_type,
                            &setting->expected) ||
        expected_type != fields->type || setting->expected.bytes > TOPIC_VALUE_BYTES_MAX)
        return false;
    fields->expected_bytes = (uint32_t)setting->expected.bytes;
    return true;
}

static enum weft_error put_setting(struct setting *setting, const char *path,
                                   const struct weft_value *value,
                                   const struct weft_set_options *options)
{
    *setting = (struct setting){
        .fields = {.policy = (uint8_t)options->policy,
                   .mode = (uint8_t)options->mode,
                   .remove_with_session = options->remove_with_session},
    };
    if (!paths_normalise(path, &setting->fields.path))
        return WEFT_INVALID_PATH;
    bool is_in_range =
        (unsigned)options->policy < TOPIC_POLICIES && (unsigned)options->mode < TOPIC_SET_MODES;
    if (!is_in_range ||
        !calls_value_encode(value, setting->value_scratch, &setting->fields.type,
                            &setting->value) ||
        !put_constraint(setting, options))
        return WEFT_INVALID_ARGUMENT;
    return setting->value.bytes > TOPIC_VALUE_BYTES_MAX ? WEFT_LIMIT_REACHED : WEFT_OK;
}

static enum weft_error ask_topic(struct weft_client *client, struct call *call,
                                 weft_topic_result_fn *callback)
{
    struct slot *slot = NULL;
    call->slot_kind = SLOT_TOPIC;
    call->expired = expired;
    if (call->timeout_ms == 0)
        call->timeout_ms = client->options.request_timeout_ms;
    if (callback == NULL)
        return WEFT_INVALID_ARGUMENT;
    enum weft_error error = calls_send(client, call, &slot);
    if (error == WEFT_OK)
        slot->of.topic = callback;
    return error;
}

/* With the value expected before the new one, in memory of their own: only such a SET needs it. */
static enum weft_error ask_expecting(struct weft_client *client, const struct setting *setting,
                                     struct call *call, weft_topic_result_fn *callback)
{
    size_t bytes = setting->expected.bytes + setting->value.bytes;
    uint8_t *body = malloc(bytes + 1);
    if (body == NULL)
        return WEFT_OVERLOADED;
    struct writer writer;
    writer_init(&writer, body, bytes);
    writer_span(&writer, setting->expected);
    writer_span(&writer, setting->value);
    call->body = span_of(body, bytes);
    enum weft_error error = ask_topic(client, call, callback);
    free(body);
    return error;
}

enum weft_error weft_set_topic(struct weft_client *client, const char *path,
                               const struct weft_value *value,
                               const struct weft_set_options *options,
                               weft_topic_result_fn *callback, void *user)
{
    static const struct weft_set_options defaults;
    struct setting setting;
    if (options == NULL)
        options = &defaults;
    enum weft_error error = put_setting(&setting, path, value, options);
    if (error != WEFT_OK)
        return error;
    struct call call = {
        .kind = KIND_SET,
        .schema = &topic_set_schema,
        .fields = &setting.fields,
        .body = setting.value,
        .timeout_ms = options->timeout_ms,
        .user = user,
    };
    if (setting.expected.bytes > 0)
        return ask_expecting(client, &setting, &call, callback);
    return ask_topic(client, &call, callback);
}

enum weft_error weft_remove_topics(struct weft_client *client, const char *selector,
                                   uint32_t timeout_ms, weft_topic_result_fn *callback, void *user)
{
    struct topic_remove fields;
    if (!paths_normalise(selector, &fields.selector))
        return WEFT_INVALID_PATH;
    struct call call = {
        .kind = KIND_REMOVE,
        .schema = &topic_remove_schema,
        .fields = &fields,
        .timeout_ms = timeout_ms,
        .user = user,
    };
    return ask_topic(client, &call, callback);
}

/* ---- looking once ---- */

enum weft_error weft_fetch_topics(struct weft_client *client, const char *selector,
                                  const struct weft_fetch_options *options,
                                  weft_topics_fn *callback, void *user)
{
    static const struct weft_fetch_options defaults;
    struct slot *slot = NULL;
    if (options == NULL)
        options = &defaults;
    struct topic_fetch fields = {.limit = options->limit,
                                 .without_values = options->without_values};
    if (!paths_normalise(selector, &fields.selector) ||
        (options->after != NULL && !paths_normalise(options->after, &fields.after)))
        return WEFT_INVALID_PATH;
    if (callback == NULL)
        return WEFT_INVALID_ARGUMENT;
    const struct call call = {
        .slot_kind = SLOT_TOPICS,
        .kind = KIND_FETCH,
        .schema = &topic_fetch_schema,
        .fields = &fields,
        .timeout_ms =
            options->timeout_ms > 0 ? options->timeout_ms : client->options.request_timeout_ms,
        .expired = expired,
        .user = user,
    };
    enum weft_error error = calls_send(client, &call, &slot);
    if (error == WEFT_OK)
        slot->of.topics = callback;
    return error;
}
