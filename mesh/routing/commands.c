/* commands.c - see commands.h: which file decides about which command, and what they all say.
 *
 *     by_id.c      on one session: here, or on the node that hosts it
 *     by_filter.c  on every session that matches: judged here, then asked of every member
 *     gather.c     questions to every member, and how their answers become one
 *     here         MEMBERS, HANDLERS, VERDICTS: from memory */
#include "mesh/routing/commands.h"

#include "mesh/base/bugs.h"
#include "mesh/routing/applied.h"
#include "mesh/routing/by_filter.h"
#include "mesh/routing/by_id.h"
#include "mesh/routing/deeds.h"
#include "mesh/routing/gather.h"
#include "mesh/routing/rights.h"
#include "mesh/routing/sweeps.h"
#include "proto/kinds.h"

enum { TIMEOUT_DEFAULT_MS = 10000 }; /* as for requests: long enough for a mesh under load */

static struct outgoing result_message(const struct answer *answer, uint64_t correlation)
{
    return (struct outgoing){
        .kind = KIND_RESULT,
        .correlation = correlation,
        .schema = &result_schema,
        .fields = &answer->result,
        .body = answer->rows,
    };
}

void commands_reply(struct routing *routing, struct session *session, uint64_t correlation,
                    const struct answer *answer)
{
    struct outgoing message = result_message(answer, correlation);
    sessions_send(routing->sessions, session, &message);
}

void commands_refuse(struct routing *routing, struct session *session, uint64_t correlation,
                     enum error code, const char *text)
{
    struct answer answer;
    answers_refuse(&answer, code, text);
    commands_reply(routing, session, correlation, &answer);
}

void commands_refuse_in_words(struct routing *routing, struct session *session,
                              uint64_t correlation, enum error code, const struct sentence *why)
{
    struct answer answer = {.result = {.code = (uint16_t)code, .text = sentence_span(why)}};
    commands_reply(routing, session, correlation, &answer);
}

/* Before any look-up: whoever may not ask does not learn which sessions exist. */
static void deny(struct routing *routing, struct session *session, uint64_t correlation,
                 enum permission permission)
{
    struct sentence text;
    permissions_say_denied(&text, permission, (struct span){0});
    commands_refuse_in_words(routing, session, correlation, ERROR_ACCESS_DENIED, &text);
}

void commands_prepare(const struct routing *routing, const struct inquiry *inquiry,
                      const struct command *command, struct command *forwarded)
{
    *forwarded = *command;
    forwarded->id = span_of(inquiry->id, sizeof inquiry->id);
    forwarded->timeout_ms = inquiries_left_ms(routing, inquiry);
    forwarded->asker = sessions_at(routing->sessions, inquiry->asker)->id;
    forwarded->phase = inquiry->phase;
    forwarded->expect_max = 0; /* who asked for it adds up the counts */
}

bool commands_forward(struct routing *routing, const struct inquiry *inquiry,
                      const struct node *node, const struct command *forwarded, struct span body)
{
    struct outgoing message = {
        .kind = KIND_COMMAND,
        .flags = MESSAGE_WANTS_ANSWER,
        .correlation = inquiries_number(inquiry),
        .schema = &command_schema,
        .fields = forwarded,
        .body = body,
    };
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    if (queue == NULL || outbound_send(queue, &message) != ERROR_OK)
        return false;
    count(routing->context, COUNTER_commands_forwarded);
    return true;
}

/* One member alone, by its name, or all. */
static void question(struct routing *routing, struct session *asker, const struct command *command,
                     const struct message *message, uint32_t timeout_ms)
{
    const struct node *only = NULL;
    if (command->verb == COMMAND_COUNTERS && command->node.bytes > 0) {
        only = nodes_named(&routing->nodes, command->node);
        if (only == NULL) {
            commands_refuse(routing, asker, message->correlation, ERROR_INVALID_ARGUMENT,
                            "no living member has that name; MEMBERS lists them");
            return;
        }
    }
    gather_start(routing, asker, command, message, only, timeout_ms);
}

enum error commands_from_session(struct routing *routing, struct session *session,
                                 const struct message *message)
{
    struct command command;
    struct answer answer;
    enum error error = schema_decode(&command_schema, message->fields, &command);
    if (error != ERROR_OK)
        return error;
    count(routing->context, COUNTER_commands_received);
    enum permission permission = rights_of_command(command.verb);
    if (!sessions_may(routing->sessions, session, permission, (struct span){0})) {
        deny(routing, session, message->correlation, permission);
        return ERROR_OK;
    }
    uint32_t timeout_ms = command.timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : command.timeout_ms;
    switch (command.verb) {
    case COMMAND_CLOSE:
    case COMMAND_SET_PROPERTIES:
    case COMMAND_CHANGE_ROLES:
    case COMMAND_SET_CONFLATED:
    case COMMAND_SUBSCRIBE:
    case COMMAND_UNSUBSCRIBE:
        if (command.filter.bytes > 0)
            return by_filter_from_session(routing, session, &command, message, timeout_ms);
        return by_id_from_session(routing, session, &command, message, timeout_ms);
    case COMMAND_GET_PROPERTIES:
        return by_id_from_session(routing, session, &command, message, timeout_ms);
    case COMMAND_LIST_SESSIONS:
        return by_filter_from_session(routing, session, &command, message, timeout_ms);
    case COMMAND_STATUS:
    case COMMAND_COUNTERS:
    case COMMAND_HANDLER_STATS:
        question(routing, session, &command, message, timeout_ms);
        break;
    case COMMAND_MEMBERS:
    case COMMAND_VERDICTS:
        routing->question = (struct door_question){
            .is_open = true,
            .command = command,
            .asker = session->slot,
            .correlation = message->correlation,
        };
        break;
    case COMMAND_HANDLERS:
        answers_make(routing, &command, &answer);
        commands_reply(routing, session, message->correlation, &answer);
        break;
    default: /* a number from outside */
        commands_refuse(routing, session, message->correlation, ERROR_VERSION_MISMATCH,
                        "this node does not know the command");
        break;
    }
    return ERROR_OK;
}

const struct command *commands_question(const struct routing *routing)
{
    return routing->question.is_open ? &routing->question.command : NULL;
}

void commands_tell(struct routing *routing, struct answer *answer)
{
    answer->result.node = span_text(routing->context->config->name);
    routing->question.is_open = false;
    commands_reply(routing, sessions_at(routing->sessions, routing->question.asker),
                   routing->question.correlation, answer);
}

void commands_reply_to_node(struct routing *routing, const struct node *node, uint64_t correlation,
                            const struct answer *answer)
{
    struct outgoing message = result_message(answer, correlation);
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    /* No way back, or a full one: the asker's node gives us up by its own deadline. */
    if (queue != NULL)
        (void)outbound_send(queue, &message);
}

static void repeat_to_node(struct routing *routing, const struct node *node, uint64_t correlation,
                           uint32_t entry)
{
    struct outgoing message;
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    applied_recall(routing->applied, entry, &message);
    message.kind = KIND_RESULT;
    message.correlation = correlation;
    message.body = scratch_copy(&routing->context->scratch, message.body);
    if (queue != NULL && message.body.data != NULL)
        (void)outbound_send(queue, &message);
}

bool commands_begin_once(struct routing *routing, const struct node *node, uint64_t correlation,
                         struct span id, size_t answer_bytes, uint32_t *entry)
{
    struct answer answer;
    switch (applied_begin(routing->applied, id, answer_bytes, entry)) {
    case APPLIED_FRESH:
        return true;
    case APPLIED_ANSWERED:
        repeat_to_node(routing, node, correlation, *entry);
        return false;
    case APPLIED_AT_WORK:
        return false;
    case APPLIED_FULL:
        answers_refuse(&answer, ERROR_LIMIT_REACHED,
                       "more commands within a minute than a node remembers; nothing was done");
        commands_reply_to_node(routing, node, correlation, &answer);
        return false;
    }
    return false;
}

enum error commands_from_node(struct routing *routing, const struct node *node,
                              const struct message *message)
{
    struct command command;
    struct answer answer;
    enum error error = schema_decode(&command_schema, message->fields, &command);
    if (error ==
        ERROR_VERSION_MISMATCH) { /* a newer node's: it must hear why, and is no stranger */
        answers_refuse(&answer, error,
                       "a field of the command is not known here; nothing was done");
        commands_reply_to_node(routing, node, message->correlation, &answer);
        return ERROR_OK;
    }
    if (error != ERROR_OK)
        return error;
    if (deeds_is_one(command.verb) && command.filter.bytes > 0)
        return by_filter_from_node(routing, node, &command, message);
    if (deeds_is_one(command.verb) || command.verb == COMMAND_GET_PROPERTIES)
        return by_id_from_node(routing, node, &command, message);
    answers_make(routing, &command, &answer);
    commands_reply_to_node(routing, node, message->correlation, &answer);
    return ERROR_OK;
}

enum error commands_result_from_node(struct routing *routing, const struct node *node,
                                     const struct message *message)
{
    struct answer answer = {.rows = message->body};
    enum error error = schema_decode(&result_schema, message->fields, &answer.result);
    if (error != ERROR_OK)
        return error;
    struct inquiry *inquiry = inquiries_of_number(routing, message->correlation);
    if (inquiry == NULL)
        return ERROR_OK; /* late: it was given up, or the asker is gone */
    if (inquiry->is_to_all)
        gather_answered(routing, inquiry, node, &answer.result, message->body);
    else
        by_id_answered(routing, inquiry, node, &answer);
    return ERROR_OK;
}

void commands_node_lost(struct routing *routing, const struct node *node, const char *why)
{
    struct inquiry *inquiry = NULL;
    while ((inquiry = inquiries_next(routing, inquiry)) != NULL) {
        if (inquiry->is_to_all) {
            gather_given_up(routing, inquiry, node, why);
        } else if (inquiries_waited_for(inquiry, node->instance) &&
                   !bug_is_planted(BUG_DEAD_AWAITED)) {
            by_id_unreachable(routing, inquiry);
        }
    }
}

void commands_session_ended(struct routing *routing, const struct session *session)
{
    struct inquiry *inquiry = NULL;
    while ((inquiry = inquiries_next(routing, inquiry)) != NULL) {
        if (inquiry->asker == session->slot)
            inquiries_release(routing, inquiry);
    }
}

void commands_due(struct routing *routing, struct inquiry *inquiry)
{
    if (inquiry->is_to_all)
        gather_due(routing, inquiry);
    else
        by_id_unreachable(routing, inquiry);
}
