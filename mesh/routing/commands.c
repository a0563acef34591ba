/* commands.c - see commands.h.
 *
 *     by id       here? -> done here, no peer hears of it
 *                 else the directory's node, else the node in the id's high half -> COMMAND
 *                 RESULT, or `moved` with the owner it knows: asked once more
 *     to all      gather.c
 *     here        MEMBERS, HANDLERS, VERDICTS: from memory
 *
 * (C1) a session that is here is never looked for elsewhere
 * (C2) NO_SUCH_SESSION is said only when no directory entry has the id and the node in the id is
 *      this one, or is gone (with this version its sessions went with it), or said "not mine"
 * (C3) an answer is queued before the close it speaks of, so whoever closes himself gets it */
#include "mesh/routing/commands.h"

#include "mesh/base/sentence.h"
#include "mesh/routing/applied.h"
#include "mesh/routing/gather.h"
#include "mesh/routing/rights.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

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

static void refuse(struct routing *routing, struct session *session, uint64_t correlation,
                   enum error code, const char *text)
{
    struct answer answer;
    answers_refuse(&answer, code, text);
    commands_reply(routing, session, correlation, &answer);
}

/* Before any look-up: whoever may not ask does not learn which sessions exist. */
static void deny(struct routing *routing, struct session *session, uint64_t correlation,
                 enum permission permission)
{
    struct sentence text;
    struct answer answer;
    permissions_say_denied(&text, permission, (struct span){0});
    answers_refuse(&answer, ERROR_ACCESS_DENIED, "");
    answer.result.text = sentence_span(&text);
    commands_reply(routing, session, correlation, &answer);
}

bool commands_forward(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                      const struct command *command, uint32_t timeout_ms)
{
    struct command forwarded = *command;
    forwarded.id = span_of(inquiry->id, sizeof inquiry->id);
    forwarded.timeout_ms = timeout_ms;
    forwarded.asker = sessions_at(routing->sessions, inquiry->asker)->id;
    struct outgoing message = {
        .kind = KIND_COMMAND,
        .flags = MESSAGE_WANTS_ANSWER,
        .correlation = inquiries_number(inquiry),
        .schema = &command_schema,
        .fields = &forwarded,
    };
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    if (queue == NULL || outbound_send(queue, &message) != ERROR_OK)
        return false;
    count(routing->context, COUNTER_commands_forwarded);
    return true;
}

static void not_found_say(struct answer *answer, enum error code)
{
    answers_refuse(answer, code,
                   code == ERROR_NO_SUCH_SESSION
                       ? "no node hosts that session: it is closed, or the id is wrong"
                       : "the session's node can't be reached now; try again");
}

/* Closes a session here; the caller has answered. */
static void close_here(struct routing *routing, struct session *session,
                       const struct command *command)
{
    count(routing->context, COUNTER_commands_applied);
    sessions_close(routing->sessions, session, CLOSE_REASON_CLOSED_BY_CONTROLLER, command->text);
}

static void closed_say(const struct routing *routing, struct session_id id, struct answer *answer)
{
    *answer = (struct answer){
        .result = {.session = id,
                   .node = span_text(routing->context->config->name),
                   .matched = 1,
                   .applied = 1},
    };
}

static void carry_out_here(struct routing *routing, struct session *asker, struct session *session,
                           const struct command *command, uint64_t correlation)
{
    struct answer answer;
    if (command->verb == COMMAND_CLOSE)
        closed_say(routing, session->id, &answer);
    else
        answers_session(routing, session, command, &answer);
    commands_reply(routing, asker, correlation, &answer);
    if (command->verb == COMMAND_CLOSE)
        close_here(routing, session, command);
}

/* The node to ask for a session that is not here; NULL: *code says why there is none. */
static const struct node *node_of_session(const struct routing *routing, struct session_id id,
                                          enum error *code)
{
    bool is_shaded = false;
    uint64_t self = routing->context->instance;
    uint64_t owner = ownership_find_session(routing->ownership, id, &is_shaded);
    *code = owner != 0 && owner != self ? ERROR_CLUSTER_ROUTING : ERROR_NO_SUCH_SESSION;
    if (is_shaded)
        return NULL;
    if (owner == 0)
        owner = id.instance;
    return owner == self ? NULL : nodes_find(&routing->nodes, owner);
}

/* The end of a by-id command that went to another node. */
static void by_id_finish(struct routing *routing, struct inquiry *inquiry, struct answer *answer)
{
    answer->result.owner = 0;
    answer->result.took_us = (routing->context->now_ns - inquiry->started_ns) / 1000;
    commands_reply(routing, sessions_at(routing->sessions, inquiry->asker),
                   inquiry->asker_correlation, answer);
    inquiries_release(routing, inquiry);
}

static void by_id_unreachable(struct routing *routing, struct inquiry *inquiry)
{
    struct answer answer;
    not_found_say(&answer, ERROR_CLUSTER_ROUTING);
    by_id_finish(routing, inquiry, &answer);
}

static void by_id(struct routing *routing, struct session *asker, const struct command *command,
                  const struct message *message, uint32_t timeout_ms)
{
    if (session_id_is_none(command->session)) {
        refuse(routing, asker, message->correlation, ERROR_INVALID_ARGUMENT,
               "this version closes and reads one session, by its id; filters come later");
        return;
    }
    struct session *here = sessions_find(routing->sessions, command->session);
    if (here != NULL) {
        carry_out_here(routing, asker, here, command, message->correlation);
        return;
    }
    struct answer answer;
    enum error code;
    const struct node *node = node_of_session(routing, command->session, &code);
    if (node == NULL) {
        not_found_say(&answer, code);
        commands_reply(routing, asker, message->correlation, &answer);
        return;
    }
    struct inquiry *inquiry = inquiries_take(routing, asker, message, 1, timeout_ms);
    if (inquiry == NULL) {
        refuse(routing, asker, message->correlation, ERROR_LIMIT_REACHED,
               "too many commands of this node wait for other nodes");
        return;
    }
    inquiry->verb = command->verb;
    inquiry->session = command->session;
    inquiries_wait_for(inquiry, node->instance);
    if (!commands_forward(routing, inquiry, node, command, timeout_ms))
        by_id_unreachable(routing, inquiry);
}

static bool is_all(struct span filter)
{
    static const char all[] = "all";
    if (filter.bytes != sizeof all - 1)
        return false;
    for (size_t i = 0; i < filter.bytes; i++) {
        if ((filter.data[i] | 0x20) != all[i])
            return false;
    }
    return true;
}

static void to_all(struct routing *routing, struct session *asker, const struct command *command,
                   const struct message *message, uint32_t timeout_ms)
{
    const struct node *only = NULL;
    if (command->verb == COMMAND_LIST_SESSIONS && !is_all(command->filter)) {
        refuse(routing, asker, message->correlation, ERROR_INVALID_ARGUMENT,
               "this version lists all sessions only: the filter must be `all`");
        return;
    }
    if (command->verb == COMMAND_COUNTERS && command->node.bytes > 0) {
        only = nodes_named(&routing->nodes, command->node);
        if (only == NULL) {
            refuse(routing, asker, message->correlation, ERROR_INVALID_ARGUMENT,
                   "no living member has that name; MEMBERS lists them");
            return;
        }
    }
    if (gather_start(routing, asker, command, message, only, timeout_ms) != ERROR_OK)
        refuse(routing, asker, message->correlation, ERROR_LIMIT_REACHED,
               "too many commands of this node wait for other nodes, or memory.queues is full");
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
    case COMMAND_GET_PROPERTIES:
        by_id(routing, session, &command, message, timeout_ms);
        break;
    case COMMAND_LIST_SESSIONS:
    case COMMAND_STATUS:
    case COMMAND_COUNTERS:
        to_all(routing, session, &command, message, timeout_ms);
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
        refuse(routing, session, message->correlation, ERROR_VERSION_MISMATCH,
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

static void reply_to_node(struct routing *routing, const struct node *node, uint64_t correlation,
                          const struct answer *answer)
{
    struct outgoing message = result_message(answer, correlation);
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    /* No way back, or a full one: the asker's node gives us up by its own deadline. */
    if (queue != NULL)
        (void)outbound_send(queue, &message);
}

/* CLOSE for another node: once for each command id. */
static enum error close_for_node(struct routing *routing, const struct node *node,
                                 const struct command *command, uint64_t correlation,
                                 struct session *session)
{
    bool is_repeat = false;
    enum error first = ERROR_OK;
    struct answer answer;
    if (command->id.bytes != COMMAND_ID_BYTES)
        return ERROR_INVALID_MESSAGE;
    if (applied_begin(routing->applied, command->id, &is_repeat, &first) != ERROR_OK) {
        answers_refuse(&answer, ERROR_LIMIT_REACHED, "too many commands within a minute");
    } else if (is_repeat && first != ERROR_OK) {
        not_found_say(&answer, first);
    } else if (is_repeat || session != NULL) {
        closed_say(routing, command->session, &answer);
    } else {
        bool is_shaded;
        not_found_say(&answer, ERROR_MOVED);
        answer.result.owner =
            ownership_find_session(routing->ownership, command->session, &is_shaded);
        applied_answer(routing->applied, ERROR_MOVED);
    }
    reply_to_node(routing, node, correlation, &answer);
    if (session != NULL && !is_repeat && answer.result.code == ERROR_OK)
        close_here(routing, session, command);
    return ERROR_OK;
}

enum error commands_from_node(struct routing *routing, const struct node *node,
                              const struct message *message)
{
    struct command command;
    struct answer answer;
    enum error error = schema_decode(&command_schema, message->fields, &command);
    if (error != ERROR_OK)
        return error;
    struct session *session = sessions_find(routing->sessions, command.session);
    if (command.verb == COMMAND_CLOSE)
        return close_for_node(routing, node, &command, message->correlation, session);
    if (command.verb == COMMAND_GET_PROPERTIES && session != NULL) {
        answers_session(routing, session, &command, &answer);
    } else if (command.verb == COMMAND_GET_PROPERTIES) {
        bool is_shaded;
        not_found_say(&answer, ERROR_MOVED);
        answer.result.owner =
            ownership_find_session(routing->ownership, command.session, &is_shaded);
    } else {
        answers_make(routing, &command, &answer);
    }
    reply_to_node(routing, node, message->correlation, &answer);
    return ERROR_OK;
}

/* "Not mine", with the owner that node knows, or 0: asked there, or at the node in the id, once. */
static void by_id_moved(struct routing *routing, struct inquiry *inquiry, const struct node *asked,
                        uint64_t owner)
{
    struct answer answer;
    uint64_t next = owner != 0 && owner != asked->instance ? owner : inquiry->session.instance;
    const struct node *node = next == asked->instance ? NULL : nodes_find(&routing->nodes, next);
    bool is_nowhere = owner == 0 && node == NULL;
    if (inquiry->is_redirected || node == NULL || next == routing->context->instance) {
        not_found_say(&answer, is_nowhere && !inquiry->is_redirected ? ERROR_NO_SUCH_SESSION
                                                                     : ERROR_CLUSTER_ROUTING);
        by_id_finish(routing, inquiry, &answer);
        return;
    }
    struct command command;
    struct span fields = span_of(inquiry->fields, inquiry->fields_bytes);
    require(schema_decode(&command_schema, fields, &command) == ERROR_OK); /* it was once */
    uint64_t now_ns = routing->context->now_ns;
    uint64_t left_ns = inquiry->deadline.at_ns > now_ns ? inquiry->deadline.at_ns - now_ns : 0;
    inquiry->is_redirected = true;
    inquiries_wait_for(inquiry, node->instance);
    if (!commands_forward(routing, inquiry, node, &command, (uint32_t)(left_ns / MS_NS) + 1))
        by_id_unreachable(routing, inquiry);
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
    else if (!inquiries_waited_for(inquiry, node->instance))
        return ERROR_OK;
    else if (answer.result.code == ERROR_MOVED)
        by_id_moved(routing, inquiry, node, answer.result.owner);
    else
        by_id_finish(routing, inquiry, &answer);
    return ERROR_OK;
}

void commands_node_lost(struct routing *routing, const struct node *node, const char *why)
{
    struct inquiry *inquiry = NULL;
    while ((inquiry = inquiries_next(routing, inquiry)) != NULL) {
        if (inquiry->is_to_all) {
            gather_given_up(routing, inquiry, node, why);
        } else if (inquiries_waited_for(inquiry, node->instance)) {
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
