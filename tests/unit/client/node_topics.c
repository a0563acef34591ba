/* node_topics.c - see node_topics.h. */
#include "tests/unit/client/node_topics.h"

#include "mesh/base/selector.h"
#include "proto/command.h"
#include "proto/kinds.h"
#include "tests/unit/client/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct span nothing(void)
{
    return (struct span){0};
}

static struct node_topic *find(struct node *node, struct span path)
{
    for (int i = 0; i < node->topics.count; i++) {
        if (span_equal(span_text(node->topics.topics[i].path), path))
            return &node->topics.topics[i];
    }
    return NULL;
}

static struct span value_of(const struct node_topic *topic)
{
    return span_of(topic->value, topic->value_bytes);
}

static void tell(struct node *node, int session, const struct node_topic *topic, bool is_snapshot,
                 bool is_resync)
{
    const struct topic_update update = {
        .path = span_text(topic->path),
        .type = topic->type,
        .term = 1,
        .instance = NODE_TOPIC_INSTANCE,
        .n = topic->n,
        .is_snapshot = is_snapshot,
        .is_resync = is_resync,
    };
    node_say(node, session, &topic_update_schema, &update, KIND_UPDATE, 0, value_of(topic));
}

static bool is_selected(const struct node *node, int session, struct span path)
{
    for (int i = 0; i < node->topics.selections_count; i++) {
        const struct node_selection *selection = &node->topics.selections[i];
        if (selection->session == session && node->sessions[session].is_open &&
            selector_matches(span_text(selection->selector), path))
            return true;
    }
    return false;
}

static void tell_all(struct node *node, const struct node_topic *topic, bool is_resync)
{
    for (int i = 0; i < node->sessions_count; i++) {
        if (is_selected(node, i, span_text(topic->path)))
            tell(node, i, topic, false, is_resync);
    }
}

static struct node_topic *create(struct node *node, struct span path, uint8_t type, uint8_t policy)
{
    struct node_topic *topic = &node->topics.topics[node->topics.count++];
    *topic = (struct node_topic){.type = type, .policy = policy};
    (void)snprintf(topic->path, sizeof topic->path, "%.*s", (int)path.bytes,
                   (const char *)path.data);
    return topic;
}

static void change(struct node_topic *topic, struct span value)
{
    if (value.bytes > sizeof topic->value)
        abort();
    topic->value_bytes = value.bytes;
    if (value.bytes > 0)
        memcpy(topic->value, value.data, value.bytes);
    topic->n++;
}

void node_topics_put(struct node *node, const char *path, const char *value, bool is_resync)
{
    struct node_topic *topic = find(node, span_text(path));
    if (topic == NULL)
        topic = create(node, span_text(path), VALUE_STRING, TOPIC_POLICY_CONFLATE);
    change(topic, span_text(value));
    tell_all(node, topic, is_resync);
}

void node_topics_end(struct node *node, int session, const char *path, const char *selector,
                     enum unsubscribed_reason reason)
{
    const struct unsubscribed said = {
        .path = span_text(path),
        .selector = span_text(selector),
        .reason = (uint8_t)reason,
    };
    node_say(node, session, &unsubscribed_schema, &said, KIND_UNSUBSCRIBED, 0, nothing());
}

static void refuse(struct node *node, int session, uint64_t correlation, enum error code)
{
    const struct client_error error = {.code = (uint16_t)code, .text = span_text("not that one")};
    node_say(node, session, &client_error_schema, &error, KIND_ERROR, correlation, nothing());
}

static void hear_subscribe(struct node *node, int session, const struct message *message)
{
    struct subscription said;
    if (schema_decode(&subscription_schema, message->fields, &said) != ERROR_OK)
        abort();
    node->topics.subscribes++;
    if (span_equal(said.selector, span_text("forbidden"))) {
        refuse(node, session, message->correlation, ERROR_ACCESS_DENIED);
        return;
    }
    struct node_selection *selection = &node->topics.selections[node->topics.selections_count++];
    selection->session = session;
    (void)snprintf(selection->selector, sizeof selection->selector, "%.*s",
                   (int)said.selector.bytes, (const char *)said.selector.data);
    node_say(node, session, NULL, NULL, KIND_DONE, message->correlation, nothing());
    for (int i = 0; i < node->topics.count; i++) {
        if (selector_matches(said.selector, span_text(node->topics.topics[i].path)))
            tell(node, session, &node->topics.topics[i], true, false);
    }
}

static void hear_unsubscribe(struct node *node, int session, const struct message *message)
{
    struct subscription said;
    if (schema_decode(&subscription_schema, message->fields, &said) != ERROR_OK)
        abort();
    node->topics.unsubscribes++;
    for (int i = 0; i < node->topics.selections_count; i++) {
        struct node_selection *selection = &node->topics.selections[i];
        if (selection->session == session &&
            span_equal(span_text(selection->selector), said.selector))
            selection->session = -1;
    }
    node_say(node, session, NULL, NULL, KIND_DONE, message->correlation, nothing());
}

static enum error constraint_holds(const struct topic_set *set, const struct node_topic *topic,
                                   struct span expected)
{
    bool holds = true;
    if (set->constraint == TOPIC_CONSTRAINT_NO_TOPIC)
        holds = topic == NULL;
    if (set->constraint == TOPIC_CONSTRAINT_VALUE_IS)
        holds = topic != NULL && span_equal(value_of(topic), expected);
    if (set->constraint == TOPIC_CONSTRAINT_VERSION_IS)
        holds = topic != NULL && set->term == 1 && set->instance == NODE_TOPIC_INSTANCE &&
                set->n == topic->n;
    return holds ? ERROR_OK : ERROR_UNSATISFIED_CONSTRAINT;
}

static enum error judge(const struct topic_set *set, const struct node_topic *topic,
                        struct span expected)
{
    if (span_equal(set->path, span_text("forbidden")))
        return ERROR_ACCESS_DENIED;
    if (span_equal(set->path, span_text("moving")))
        return ERROR_CLUSTER_REPARTITION;
    if (topic == NULL && set->mode == TOPIC_SET_UPDATE)
        return ERROR_NO_SUCH_TOPIC;
    if (topic != NULL && topic->type != set->type)
        return ERROR_TOPIC_EXISTS_MISMATCH;
    return constraint_holds(set, topic, expected);
}

static void hear_set(struct node *node, int session, const struct message *message)
{
    struct topic_set set;
    struct span body = message->body;
    if (schema_decode(&topic_set_schema, message->fields, &set) != ERROR_OK ||
        set.expected_bytes > body.bytes)
        abort();
    node->topics.set = set;
    if (span_equal(set.path, span_text("silent")))
        return;
    struct node_topic *topic = find(node, set.path);
    struct topic_result result = {
        .code = (uint16_t)judge(&set, topic, span_of(body.data, set.expected_bytes)),
    };
    bool is_kept = topic != NULL && set.mode == TOPIC_SET_CREATE;
    if (result.code == ERROR_OK && !is_kept) {
        if (topic == NULL)
            topic = create(node, set.path, set.type, set.policy);
        change(topic, span_of(body.data + set.expected_bytes, body.bytes - set.expected_bytes));
        tell_all(node, topic, false);
    }
    if (topic != NULL) {
        result.term = 1;
        result.instance = NODE_TOPIC_INSTANCE;
        result.n = topic->n;
    }
    node_say(node, session, &topic_result_schema, &result, KIND_TOPIC, message->correlation,
             nothing());
}

static void hear_remove(struct node *node, int session, const struct message *message)
{
    struct topic_remove said;
    struct topic_result result = {.code = ERROR_OK};
    if (schema_decode(&topic_remove_schema, message->fields, &said) != ERROR_OK)
        abort();
    for (int i = node->topics.count; i > 0; i--) {
        struct node_topic *topic = &node->topics.topics[i - 1];
        if (!selector_matches(said.selector, span_text(topic->path)))
            continue;
        for (int to = 0; to < node->sessions_count; to++) {
            if (is_selected(node, to, span_text(topic->path)))
                node_topics_end(node, to, topic->path, NULL, UNSUBSCRIBED_REMOVED);
        }
        *topic = node->topics.topics[--node->topics.count];
        result.count++;
    }
    node_say(node, session, &topic_result_schema, &result, KIND_TOPIC, message->correlation,
             nothing());
}

static int by_path(const void *one, const void *other)
{
    const struct node_topic *a = one, *b = other;
    return strcmp(a->path, b->path);
}

static void hear_fetch(struct node *node, int session, const struct message *message)
{
    struct topic_fetch said;
    struct topic_rows rows = {.code = ERROR_OK};
    uint8_t buffer[4096];
    struct writer writer;
    uint32_t taken = 0;
    if (schema_decode(&topic_fetch_schema, message->fields, &said) != ERROR_OK)
        abort();
    qsort(node->topics.topics, (size_t)node->topics.count, sizeof *node->topics.topics, by_path);
    writer_init(&writer, buffer, sizeof buffer);
    for (int i = 0; i < node->topics.count; i++) {
        const struct node_topic *topic = &node->topics.topics[i];
        char after[64];
        (void)snprintf(after, sizeof after, "%.*s", (int)said.after.bytes,
                       (const char *)said.after.data);
        if (!selector_matches(said.selector, span_text(topic->path)) ||
            strcmp(topic->path, after) <= 0)
            continue;
        rows.total++;
        if (taken++ >= (said.limit == 0 ? 100 : said.limit))
            continue;
        const struct topic_row row = {
            .path = span_text(topic->path),
            .type = topic->type,
            .policy = topic->policy,
            .term = 1,
            .instance = NODE_TOPIC_INSTANCE,
            .n = topic->n,
            .value = said.without_values ? nothing() : value_of(topic),
            .value_bytes = (uint32_t)topic->value_bytes,
        };
        group_encode(&topic_row_schema, &row, &writer);
    }
    node_say(node, session, &topic_rows_schema, &rows, KIND_TOPICS, message->correlation,
             span_of(buffer, sizeof buffer - writer.left));
}

bool node_topics_hear(struct node *node, int session, const struct message *message)
{
    switch (message->kind) {
    case KIND_SUBSCRIBE:
        hear_subscribe(node, session, message);
        return true;
    case KIND_UNSUBSCRIBE:
        hear_unsubscribe(node, session, message);
        return true;
    case KIND_SET:
        hear_set(node, session, message);
        return true;
    case KIND_REMOVE:
        hear_remove(node, session, message);
        return true;
    case KIND_FETCH:
        hear_fetch(node, session, message);
        return true;
    default:
        return false;
    }
}
