/* by_id.c - see by_id.h.
 *
 *     here? -> done here, no peer hears of it
 *     else the directory's node, else the node in the id's high half -> COMMAND
 *     RESULT, or `moved` with the owner it knows: asked once more
 *
 * (C1) a session that is here is never looked for elsewhere
 * (C2) NO_SUCH_SESSION is said only after the whole look-up (lookup.h)
 * (C3) an answer is queued before the close it speaks of, so whoever closes himself gets it
 * (C4) what is asked for is judged before anybody is asked: no frame to a peer for a mistake */
#include "mesh/routing/by_id.h"

#include "mesh/routing/applied.h"
#include "mesh/routing/commands.h"
#include "mesh/routing/deeds.h"
#include "mesh/routing/lookup.h"

/* What any answer without rows fits into: the text is one of ours. */
enum { ANSWER_BYTES = 512 };

static void not_found_say(struct answer *answer, enum error code)
{
    answers_refuse(answer, code, lookup_sentence(code));
}

/* What doing it will be answered with, if all goes well. */
static void done_say(struct routing *routing, const struct deed *deed,
                     const struct session *session, struct answer *answer)
{
    *answer = (struct answer){
        .result = {.session = session->id,
                   .node = span_text(routing->context->config->name),
                   .matched = 1,
                   .applied = 1},
    };
    if (!deeds_previous(routing, deed, session, &answer->rows))
        answers_refuse(answer, ERROR_LIMIT_REACHED, "no memory for the answer (memory.queues)");
}

static const char *limit_of(uint8_t verb)
{
    if (verb == COMMAND_CHANGE_ROLES)
        return "the session would have more roles than 32; nothing was changed";
    if (verb == COMMAND_SUBSCRIBE)
        return "the session would have more selectors than 10,000, or its node than 1,048,576; "
               "nothing was changed";
    return "the session would have more properties than 128, or memory.properties is full; "
           "nothing was changed";
}

/* Does it, but a close, which comes behind its answer; what fails is the answer then. */
static void do_now(struct routing *routing, const struct deed *deed, struct session *session,
                   struct answer *answer)
{
    if (deed->verb == COMMAND_CLOSE || answer->result.code != ERROR_OK)
        return;
    if (deeds_do(routing, deed, session, &answer->result.removed) != ERROR_OK)
        answers_refuse(answer, ERROR_LIMIT_REACHED, limit_of(deed->verb));
}

/* The close, behind its answer. */
static void close_now(struct routing *routing, const struct deed *deed, struct session *session,
                      const struct answer *answer)
{
    uint32_t removed = 0;
    if (deed->verb == COMMAND_CLOSE && answer->result.code == ERROR_OK)
        (void)deeds_do(routing, deed, session, &removed);
}

static void read_here(struct routing *routing, struct session *asker, const struct session *session,
                      const struct command *command, uint64_t correlation)
{
    struct answer answer;
    answers_session(routing, session, command, &answer);
    commands_reply(routing, asker, correlation, &answer);
}

static void change_here(struct routing *routing, struct session *asker, struct session *session,
                        const struct deed *deed, uint64_t correlation)
{
    struct answer answer;
    done_say(routing, deed, session, &answer);
    do_now(routing, deed, session, &answer);
    commands_reply(routing, asker, correlation, &answer);
    close_now(routing, deed, session, &answer);
}

static void finish(struct routing *routing, struct inquiry *inquiry, struct answer *answer)
{
    answer->result.owner = 0;
    answer->result.took_us = (routing->context->now_ns - inquiry->started_ns) / 1000;
    commands_reply(routing, sessions_at(routing->sessions, inquiry->asker),
                   inquiry->asker_correlation, answer);
    inquiries_release(routing, inquiry);
}

void by_id_unreachable(struct routing *routing, struct inquiry *inquiry)
{
    struct answer answer;
    not_found_say(&answer, ERROR_CLUSTER_ROUTING);
    finish(routing, inquiry, &answer);
}

static void send(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                 const struct command *command, struct span body)
{
    struct command forwarded;
    commands_prepare(routing, inquiry, command, &forwarded);
    inquiries_wait_for(inquiry, node->instance);
    if (!commands_forward(routing, inquiry, node, &forwarded, body))
        by_id_unreachable(routing, inquiry);
}

static void ask(struct routing *routing, struct session *asker, const struct command *command,
                const struct message *message, uint32_t timeout_ms)
{
    enum error code;
    struct answer answer;
    const struct node *node = lookup_node(routing, command->session, &code);
    if (node == NULL) {
        not_found_say(&answer, code);
        commands_reply(routing, asker, message->correlation, &answer);
        return;
    }
    struct inquiry *inquiry = inquiries_take(routing, asker, message, 1, timeout_ms);
    if (inquiry == NULL) {
        commands_refuse(routing, asker, message->correlation, ERROR_LIMIT_REACHED,
                        "too many commands of this node wait for other nodes, or memory.queues "
                        "is full");
        return;
    }
    inquiry->verb = command->verb;
    inquiry->session = command->session;
    send(routing, inquiry, node, command, message->body);
}

/* What is wrong with the command before anybody looks for the session; NULL: nothing. */
static const char *fault_of(const struct command *command)
{
    if (session_id_is_none(command->session))
        return "the command names no session: it needs an id, or a filter";
    if (command->filter.bytes > 0)
        return "the command names a session and a filter; it takes one of them";
    if (command->dry_run || command->expect_max > 0)
        return "dry_run and expect_max are for commands by filter";
    return NULL;
}

enum error by_id_from_session(struct routing *routing, struct session *asker,
                              const struct command *command, const struct message *message,
                              uint32_t timeout_ms)
{
    struct deed deed;
    struct sentence why;
    const char *fault = fault_of(command);
    if (fault != NULL) {
        commands_refuse(routing, asker, message->correlation, ERROR_INVALID_ARGUMENT, fault);
        return ERROR_OK;
    }
    bool is_change = deeds_is_one(command->verb);
    if (is_change) {
        enum error error = deeds_read(&deed, command, message->body, &why);
        if (error == ERROR_INVALID_ARGUMENT)
            commands_refuse_in_words(routing, asker, message->correlation, error, &why);
        if (error != ERROR_OK)
            return error == ERROR_INVALID_ARGUMENT ? ERROR_OK : error;
    }
    struct session *here = sessions_find(routing->sessions, command->session);
    if (here == NULL)
        ask(routing, asker, command, message, timeout_ms);
    else if (is_change)
        change_here(routing, asker, here, &deed, message->correlation);
    else
        read_here(routing, asker, here, command, message->correlation);
    return ERROR_OK;
}

/* "Not mine", and who has it as far as this node knows. */
static void moved_say(const struct routing *routing, struct session_id id, struct answer *answer)
{
    not_found_say(answer, ERROR_MOVED);
    answer->result.owner = lookup_owner(routing, id);
}

/* A change for another node's session: once for each command id. */
static enum error deed_from_node(struct routing *routing, const struct node *node,
                                 const struct command *command, const struct message *message,
                                 struct session *session)
{
    struct deed deed;
    struct sentence why;
    struct answer answer;
    uint32_t entry;
    if (command->id.bytes != COMMAND_ID_BYTES ||
        deeds_read(&deed, command, message->body, &why) != ERROR_OK)
        return ERROR_INVALID_MESSAGE; /* that node has read it too */
    if (session == NULL)
        moved_say(routing, command->session, &answer);
    else
        done_say(routing, &deed, session, &answer);
    size_t room = schema_measure(&result_schema, &answer.result) + answer.rows.bytes;
    if (!commands_begin_once(routing, node, message->correlation, command->id,
                             room < ANSWER_BYTES ? ANSWER_BYTES : room, &entry))
        return ERROR_OK;
    if (session != NULL)
        do_now(routing, &deed, session, &answer);
    applied_answer(routing->applied, entry, &answer.result, answer.rows);
    commands_reply_to_node(routing, node, message->correlation, &answer);
    if (session != NULL)
        close_now(routing, &deed, session, &answer);
    return ERROR_OK;
}

enum error by_id_from_node(struct routing *routing, const struct node *node,
                           const struct command *command, const struct message *message)
{
    struct answer answer;
    struct session *session = sessions_find(routing->sessions, command->session);
    if (fault_of(command) != NULL)
        return ERROR_INVALID_MESSAGE;
    if (deeds_is_one(command->verb))
        return deed_from_node(routing, node, command, message, session);
    if (session != NULL)
        answers_session(routing, session, command, &answer);
    else
        moved_say(routing, command->session, &answer);
    commands_reply_to_node(routing, node, message->correlation, &answer);
    return ERROR_OK;
}

/* "Not mine", with the owner that node knows, or 0: asked there, or at the node in the id, once. */
static void moved(struct routing *routing, struct inquiry *inquiry, const struct node *asked,
                  uint64_t owner)
{
    struct answer answer;
    enum error code;
    const struct node *node =
        lookup_next(routing, inquiry->session, asked, owner, inquiry->is_redirected, &code);
    if (node == NULL) {
        not_found_say(&answer, code);
        finish(routing, inquiry, &answer);
        return;
    }
    struct command command;
    struct span body;
    inquiries_command(inquiry, &command, &body);
    inquiry->is_redirected = true;
    /* The inquiry may end before the pull does. */
    struct span kept = scratch_copy(&routing->context->scratch, body);
    if (kept.data == NULL)
        by_id_unreachable(routing, inquiry);
    else
        send(routing, inquiry, node, &command, kept);
}

void by_id_answered(struct routing *routing, struct inquiry *inquiry, const struct node *node,
                    struct answer *answer)
{
    if (!inquiries_waited_for(inquiry, node->instance))
        return;
    if (answer->result.code == ERROR_MOVED)
        moved(routing, inquiry, node, answer->result.owner);
    else
        finish(routing, inquiry, answer);
}
