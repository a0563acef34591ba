/* missing.c - see missing.h.
 *
 *     subscriber's node --- find ---+---> tell -> handler's session here
 *                                   +---> MISSING_TOPIC -> its node -> tell -> ..
 *
 * A disconnected handler is told only when no other is there: the notice waits for it. */
#include "mesh/routing/missing.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/base/selector.h"
#include "mesh/base/sentence.h"
#include "mesh/routing/choice.h"
#include "mesh/routing/served.h"
#include "proto/kinds.h"
#include "proto/missing.h"
#include "proto/request.h"

struct told_selector {
    struct hashmap_key key;
    uint64_t told_ns;
    uint32_t coalesced; /* since then */
    uint16_t bytes;     /* 0: unused */
    uint8_t text[PATH_BYTES_MAX];
};

struct missing {
    struct context *context;
    struct told_selector *told;
    uint32_t next; /* the one to be forgotten next */
    struct hashmap by_selector;
};

struct missing *missing_new(struct context *context)
{
    struct memory *memory = &context->memory;
    struct missing *missing = memory_new(memory, MEMORY_TABLES, sizeof *missing);
    if (missing == NULL)
        return NULL;
    *missing = (struct missing){
        .context = context,
        .told = memory_new(memory, MEMORY_TABLES, MISSING_MAX * sizeof(struct told_selector)),
    };
    hashmap_init(&missing->by_selector, memory, MEMORY_TABLES, random_u64(&context->random));
    if (missing->told == NULL || !hashmap_reserve(&missing->by_selector, MISSING_MAX))
        missing_destroy(&missing);
    return missing;
}

void missing_destroy(struct missing **missing)
{
    struct missing *self = *missing;
    if (self == NULL)
        return;
    struct memory *memory = &self->context->memory;
    hashmap_clear(&self->by_selector);
    memory_free(memory, MEMORY_TABLES, self->told, MISSING_MAX * sizeof(struct told_selector));
    memory_free(memory, MEMORY_TABLES, self, sizeof *self);
    *missing = NULL;
}

/* The record of that selector, a new one if need be. */
static struct told_selector *told_of(struct missing *missing, struct span selector, bool *is_new)
{
    struct hashmap_key key = hashmap_key_of_bytes(&missing->by_selector, selector);
    uint32_t slot = hashmap_get(&missing->by_selector, key);
    struct told_selector *told = slot == HASHMAP_NONE ? NULL : &missing->told[slot];
    *is_new = told == NULL || !span_equal(span_of(told->text, told->bytes), selector);
    if (!*is_new)
        return told;
    if (told == NULL) {
        slot = missing->next;
        missing->next = slot + 1 == MISSING_MAX ? 0 : slot + 1;
        told = &missing->told[slot];
        if (told->bytes > 0)
            (void)hashmap_remove(&missing->by_selector, told->key);
        require(hashmap_put(&missing->by_selector, key, slot)); /* there is room for all */
    }
    *told = (struct told_selector){.key = key, .bytes = (uint16_t)selector.bytes};
    memcpy(told->text, selector.data, selector.bytes);
    return told;
}

static enum error notice_send(struct outbound *queue, const struct missing_topic *fields,
                              struct span properties)
{
    struct outgoing message = {
        .kind = KIND_MISSING_TOPIC,
        .schema = &missing_topic_schema,
        .fields = fields,
        .body = properties,
        .consumes_credit = true,
    };
    return outbound_send(queue, &message);
}

/* Tells the handler, unless it was told the same just now. */
static void tell(struct routing *routing, struct session_id handler,
                 const struct missing_topic *notice, struct span properties)
{
    struct context *context = routing->context;
    struct session *session = sessions_find(routing->sessions, handler);
    bool is_new;
    require(session != NULL); /* the choice looked */
    struct told_selector *told = told_of(routing->missing, notice->selector, &is_new);
    bool is_quiet = !is_new && context->now_ns - told->told_ns < MISSING_QUIET_NS;
    if (is_quiet && !bug_is_planted(BUG_MISSED_EACH)) {
        told->coalesced += told->coalesced < UINT32_MAX;
        count(context, COUNTER_missing_topics_coalesced);
        return;
    }
    struct missing_topic fields = *notice;
    fields.handler = (struct session_id){0};
    fields.coalesced = told->coalesced;
    if (notice_send(&session->outbound, &fields, properties) != ERROR_OK) {
        count(context, COUNTER_missing_topics_unheard); /* its queue is full */
        return;
    }
    struct served *served = served_find_above(routing->served, session->slot, HANDLER_MISSING_TOPIC,
                                              selector_prefix(notice->selector));
    if (served != NULL)
        served_told(served);
    told->told_ns = context->now_ns;
    told->coalesced = 0;
    count(context, COUNTER_missing_topics_told);
}

static enum error find(struct routing *routing, struct span selector, enum choice_scope scope,
                       struct choice *choice)
{
    const struct choice_search search = {
        .kind = HANDLER_MISSING_TOPIC,
        .path = selector_prefix(selector),
        .scope = scope,
    };
    return choice_find(routing, &search, choice);
}

/* All that the subscriber has; empty: no memory. */
static struct span properties_of(struct routing *routing, const struct session *session)
{
    static const struct property_keys all = {.has_all_fixed = true, .has_all_user = true};
    size_t bytes = properties_measure(&session->properties, &all);
    uint8_t *groups = scratch_new(&routing->context->scratch, bytes);
    struct writer writer;
    if (groups == NULL)
        return (struct span){0};
    writer_init(&writer, groups, bytes);
    properties_encode(&session->properties, &all, &writer);
    return span_of(groups, bytes);
}

void missing_subscribed(struct routing *routing, const struct session *subscriber,
                        struct span selector)
{
    struct context *context = routing->context;
    struct choice choice;
    if (find(routing, selector, CHOICE_MESH, &choice) != ERROR_OK) {
        count(context, COUNTER_missing_topics_unheard);
        return;
    }
    const struct missing_topic notice = {
        .selector = selector,
        .session = subscriber->id,
        .nodes = span_text(context->config->name),
        .handler = choice.session,
    };
    struct span properties = properties_of(routing, subscriber);
    if (choice.is_local) {
        tell(routing, choice.session, &notice, properties);
        return;
    }
    if (bug_is_planted(BUG_MISSED_HERE))
        return;
    const struct node *node = nodes_find(&routing->nodes, choice.instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    require(queue != NULL); /* the choice looked */
    bool is_sent = notice_send(queue, &notice, properties) == ERROR_OK;
    count(context, is_sent ? COUNTER_missing_topics_forwarded : COUNTER_missing_topics_unheard);
}

enum error missing_from_node(struct routing *routing, const struct message *message)
{
    struct missing_topic notice;
    struct span selector;
    struct choice choice = {0};
    struct sentence nodes;
    enum error error = schema_decode(&missing_topic_schema, message->fields, &notice);
    if (error != ERROR_OK || selector_parse(notice.selector, &selector) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    notice.selector = selector;
    struct span prefix = selector_prefix(selector);
    choice.session = notice.handler;
    bool is_there =
        sessions_find(routing->sessions, notice.handler) != NULL &&
        ownership_session_serves(routing->ownership, HANDLER_MISSING_TOPIC, prefix, notice.handler);
    if (!is_there && find(routing, selector, CHOICE_LOCAL, &choice) != ERROR_OK) {
        count(routing->context, COUNTER_missing_topics_unheard);
        return ERROR_OK;
    }
    sentence_start(&nodes, "");
    sentence_add_span(&nodes, notice.nodes);
    sentence_add(&nodes, ",");
    sentence_add(&nodes, routing->context->config->name);
    notice.nodes = sentence_span(&nodes);
    tell(routing, choice.session, &notice, message->body);
    return ERROR_OK;
}
