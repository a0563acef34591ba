/* operations.c - see operations.h.
 *
 * (W1) a session's SET or REMOVE that was taken is answered once, unless its session is over
 * (W2) CLUSTER_REPARTITION is said only of what no sequencer has seen or will see, or what one
 *      refused
 * (W3) a SET that is answered OK is in this node's replica */
#include "mesh/topics/operations.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/base/selector.h"
#include "mesh/base/waiting.h"
#include "mesh/topics/authors.h"
#include "mesh/topics/pending.h"
#include "mesh/topics/removals.h"
#include "mesh/topics/sequence.h"
#include "mesh/topics/sequencers.h"
#include "proto/kinds.h"

static const char *const nobody_sequences = "no node of the mesh sequences topics yet; try again";
static const char *const too_many_wait =
    "too many updates wait for other nodes: 4,096 of this session, or 16,384 of its node";
static const char *const was_not_sent =
    "the topic's sequencer changes just now, and nothing was done; try again";
static const char *const is_unknown =
    "the topic's sequencer was lost before it answered; it may have set it";

static void finish_code(struct topics *topics, struct operation *operation, enum error code,
                        const char *text)
{
    uint32_t removed = operation->is_remove ? operation->result.count : 0;
    if (removed > 0)
        code = ERROR_OUTCOME_UNKNOWN; /* some are removed: that is not nothing */
    operation->result =
        (struct topic_result){.code = (uint16_t)code, .text = span_text(text), .count = removed};
    pending_finish(topics, operation);
}

/* The node is gone, or does not answer. */
static void give_up(struct topics *topics, struct operation *operation)
{
    finish_code(topics, operation, ERROR_OUTCOME_UNKNOWN, is_unknown);
}

static uint8_t rights_of(const struct topics *topics, const struct session *session,
                         struct span path)
{
    bool may_update = sessions_may(topics->sessions, session, PERMISSION_UPDATE_TOPIC, path);
    bool may_modify = sessions_may(topics->sessions, session, PERMISSION_MODIFY_TOPIC, path);
    return (uint8_t)((may_update ? TOPIC_RIGHT_UPDATE : 0) | (may_modify ? TOPIC_RIGHT_MODIFY : 0));
}

static void answer_now(struct topics *topics, struct session *session, uint64_t correlation,
                       enum error code, const char *text)
{
    struct topic_result result = {.code = (uint16_t)code, .text = span_text(text)};
    pending_reply(topics, session, correlation, &result);
}

static void deny(struct topics *topics, struct session *session, uint64_t correlation,
                 struct span path)
{
    struct sentence text;
    permissions_say_denied(&text, PERMISSION_UPDATE_TOPIC, path);
    struct topic_result result = {.code = ERROR_ACCESS_DENIED, .text = sentence_span(&text)};
    pending_reply(topics, session, correlation, &result);
}

/* Another node sequences it. */
static void ask(struct topics *topics, struct session *session, uint64_t target,
                const struct topic_set *set, const struct message *message)
{
    struct operation *operation = pending_take(topics, session, message->correlation);
    if (operation == NULL) {
        answer_now(topics, session, message->correlation, ERROR_LIMIT_REACHED, too_many_wait);
        return;
    }
    struct outgoing outgoing = {.kind = KIND_SET,
                                .flags = MESSAGE_WANTS_ANSWER,
                                .correlation = operation->number,
                                .schema = &topic_set_schema,
                                .fields = set,
                                .body = message->body};
    if (!pending_ask(topics, operation, target, &outgoing))
        finish_code(topics, operation, ERROR_CLUSTER_REPARTITION, was_not_sent);
}

/* What to do with a SET for which nothing speaks so far. */
static void set_route(struct topics *topics, struct session *session, const struct topic_set *set,
                      const struct message *message)
{
    uint64_t hash = topic_path_hash(set->path);
    uint64_t target = sequencers_find(topics, hash);
    if (target == 0) {
        answer_now(topics, session, message->correlation, ERROR_CLUSTER_REPARTITION,
                   nobody_sequences);
    } else if (target != topics->own.instance) {
        ask(topics, session, target, set, message);
    } else if (sequencers_must_wait(topics, hash)) {
        struct operation *operation = pending_take(topics, session, message->correlation);
        if (operation == NULL || !pending_park(topics, operation, set, message->body)) {
            if (operation != NULL)
                pending_release(topics, operation);
            answer_now(topics, session, message->correlation, ERROR_CLUSTER_REPARTITION,
                       was_not_sent);
        }
    } else {
        struct topic_result result;
        sequence_set(topics, set, message->body, &result);
        pending_reply(topics, session, message->correlation, &result);
    }
}

enum error operations_set_from_session(struct topics *topics, struct session *session,
                                       const struct message *message)
{
    struct topic_set set;
    enum error error = schema_decode(&topic_set_schema, message->fields, &set);
    if (error != ERROR_OK)
        return error;
    const char *fault = NULL;
    if (path_parse(set.path, &set.path) != ERROR_OK) {
        error = ERROR_INVALID_PATH;
        fault = "a path is 1 to 255 bytes of UTF-8 a segment, joined by '/', 1,024 bytes at most";
    } else if (!selector_is_path(set.path)) { /* nobody could fetch or remove it by its name */
        error = ERROR_INVALID_PATH;
        fault = "a topic's path has no star and no `+` as a segment: these are for selectors";
    } else {
        fault = sequence_fault(&set, message->body, &error);
        set.asker = session->id;
        set.rights = rights_of(topics, session, set.path);
    }
    if (fault != NULL)
        answer_now(topics, session, message->correlation, error, fault);
    else if (set.rights == 0)
        deny(topics, session, message->correlation, set.path);
    else
        set_route(topics, session, &set, message);
    return ERROR_OK;
}

static void reply_to_node(struct topics *topics, uint64_t instance, uint64_t correlation,
                          struct topic_result *result)
{
    struct link *link = links_of_instance(topics->context->links, instance);
    struct outgoing outgoing = {.kind = KIND_TOPIC,
                                .correlation = correlation,
                                .schema = &topic_result_schema,
                                .fields = result};
    result->position = log_head(&topics->log);
    /* No way back, or a full one: the asker gives us up by its own deadline. */
    if (link != NULL && link->forward_open)
        (void)outbound_send(&link->forward, &outgoing);
}

static void refuse_node(struct topics *topics, uint64_t instance, uint64_t correlation)
{
    struct topic_result result = {.code = ERROR_CLUSTER_REPARTITION,
                                  .text = span_text(was_not_sent)};
    reply_to_node(topics, instance, correlation, &result);
}

static enum error set_from_node(struct topics *topics, struct author *author,
                                const struct message *message)
{
    struct topic_set set;
    struct topic_result result;
    if (schema_decode(&topic_set_schema, message->fields, &set) != ERROR_OK ||
        path_parse(set.path, &set.path) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    uint64_t hash = topic_path_hash(set.path);
    if (sequencers_find(topics, hash) != topics->own.instance) {
        refuse_node(topics, author->instance, message->correlation);
    } else if (sequencers_must_wait(topics, hash)) {
        struct operation *operation = pending_take(topics, NULL, message->correlation);
        if (operation != NULL)
            operation->from = author->instance;
        if (operation == NULL || !pending_park(topics, operation, &set, message->body)) {
            if (operation != NULL)
                pending_release(topics, operation);
            refuse_node(topics, author->instance, message->correlation);
        }
    } else {
        sequence_set(topics, &set, message->body, &result);
        reply_to_node(topics, author->instance, message->correlation, &result);
    }
    return ERROR_OK;
}

static enum error remove_from_node(struct topics *topics, struct author *author,
                                   const struct message *message)
{
    struct topic_result result = {0};
    struct topic_path path;
    struct span body = message->body;
    enum error error;
    while (group_next(&topic_path_schema, &body, &path, &error)) {
        enum error verdict = sequence_remove(topics, path.path);
        if (verdict == ERROR_OK)
            result.count++;
        else if (verdict != ERROR_NO_SUCH_TOPIC)
            result.code = (uint16_t)verdict;
    }
    if (error != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    if (result.code != ERROR_OK)
        result.text = span_text(error_sentence(result.code));
    reply_to_node(topics, author->instance, message->correlation, &result);
    return ERROR_OK;
}

/* It is in the sequencer's log up to `position`; is it here? */
static void applied_or_await(struct topics *topics, struct operation *operation)
{
    struct author *author = authors_find(topics, operation->target);
    bool is_here = author == NULL || author->replica.have >= operation->position ||
                   bug_is_planted(BUG_SET_UNREAD);
    if (!is_here)
        pending_await_log(topics, operation, author);
    else if (operation->is_remove)
        removals_go_on(topics, operation);
    else
        pending_finish(topics, operation);
}

static enum error result_from_node(struct topics *topics, const struct author *author,
                                   const struct message *message)
{
    struct topic_result result;
    if (schema_decode(&topic_result_schema, message->fields, &result) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    struct operation *operation = pending_find(topics, message->correlation);
    if (operation == NULL || operation->state != OPERATION_ASKED ||
        operation->target != author->instance)
        return ERROR_OK; /* late */
    pending_unask(topics, operation);
    operation->position = result.position;
    if (operation->is_remove) {
        removals_answered(topics, operation, &result);
        if (result.code != ERROR_OK)
            return ERROR_OK;
    } else {
        operation->result = result;
    }
    if (result.code == ERROR_OK)
        applied_or_await(topics, operation);
    else
        pending_finish(topics, operation);
    return ERROR_OK;
}

enum error operations_from_node(struct topics *topics, struct author *author,
                                const struct message *message)
{
    if (message->kind == KIND_TOPIC)
        return result_from_node(topics, author, message);
    if (message->correlation <= author->last_number)
        return ERROR_OK; /* a repeat: done, and answered */
    author->last_number = message->correlation;
    return message->kind == KIND_SET ? set_from_node(topics, author, message)
                                     : remove_from_node(topics, author, message);
}

/* Done now, or never. */
static void unpark_one(struct topics *topics, struct operation *operation)
{
    struct topic_set set;
    struct span body;
    pending_parked(operation, &set, &body);
    uint64_t hash = topic_path_hash(set.path);
    if (sequencers_find(topics, hash) == topics->own.instance &&
        !sequencers_must_wait(topics, hash))
        sequence_set(topics, &set, body, &operation->result);
    else
        operation->result = (struct topic_result){.code = ERROR_CLUSTER_REPARTITION,
                                                  .text = span_text(was_not_sent)};
    if (operation->from == 0) {
        pending_finish(topics, operation);
        return;
    }
    reply_to_node(topics, operation->from, operation->correlation, &operation->result);
    pending_release(topics, operation);
}

void operations_unpark(struct topics *topics)
{
    struct operation *operation;
    while ((operation = pending_first_parked(topics)) != NULL)
        unpark_one(topics, operation);
}

void operations_log_advanced(struct topics *topics, struct author *author)
{
    struct operation *operation;
    while ((operation = pending_next_applied(topics, author)) != NULL) {
        if (operation->is_remove)
            removals_go_on(topics, operation);
        else
            pending_finish(topics, operation);
    }
}

/* Whether it still waits in the queue to its sequencer; then it never leaves: what takes its place
 * there asks for nothing. */
static bool take_back(struct topics *topics, const struct operation *operation)
{
    struct link *link = links_of_instance(topics->context->links, operation->target);
    uint8_t kind = operation->is_remove ? KIND_REMOVE : KIND_SET;
    if (operation->state != OPERATION_ASKED || link == NULL)
        return false;
    return waiting_replace(&link->forward, operation->queued, kind, operation->number, KIND_REMOVE);
}

void operations_node_lost(struct topics *topics, uint64_t instance)
{
    struct operation *operation;
    uint32_t slot = 0;
    while ((operation = pending_next_asked(topics, instance, &slot)) != NULL) {
        if (take_back(topics, operation))
            finish_code(topics, operation, ERROR_CLUSTER_REPARTITION, was_not_sent);
        else
            give_up(topics, operation);
    }
}

void operations_link_lost(struct topics *topics, uint64_t instance)
{
    struct operation *operation;
    uint32_t slot = 0;
    while ((operation = pending_next_asked(topics, instance, &slot)) != NULL) {
        if (take_back(topics, operation))
            finish_code(topics, operation, ERROR_CLUSTER_REPARTITION, was_not_sent);
    }
}

void operations_session_ended(struct topics *topics, const struct session *session)
{
    struct operation *operation;
    uint32_t slot = 0;
    while ((operation = pending_next_of_session(topics, session->slot, &slot)) != NULL)
        pending_release(topics, operation);
}

void operations_due(struct topics *topics, uint32_t slot)
{
    struct operation *operation = pending_at(topics, slot);
    if (operation->is_remove && operation->state == OPERATION_AT_WORK)
        removals_go_on(topics, operation);
    else
        give_up(topics, operation);
}
