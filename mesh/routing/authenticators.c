/* authenticators.c - see authenticators.h.
 *
 *     login --- ask ---+---> put -> handler's session here          (question, asker 0)
 *                      +---> AUTHENTICATE -> its node -> put -> ..  (question, asker: that node)
 *
 * A handler whose session is disconnected is not asked: credentials would wait in a queue for
 * somebody who may never come back.
 *
 * (AT1) a login AT_SESSION has exactly one question, and a question with asker 0 exactly one login
 * (AT2) what is decided is what was asked, by whom it was asked: number and session both fit */
#include "mesh/routing/authenticators.h"

#include "mesh/base/wipe.h"
#include "mesh/routing/authentication.h"
#include "mesh/routing/choice.h"
#include "mesh/routing/served.h"
#include "proto/authentication.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

enum { TRIES_MAX = 2 };

static enum error message_send(struct routing *routing, struct outbound *queue, uint64_t number,
                               const struct authenticate *fields, struct span properties)
{
    struct outgoing message = {
        .kind = KIND_AUTHENTICATE,
        .flags = MESSAGE_WANTS_ANSWER,
        .correlation = number,
        .schema = &authenticate_schema,
        .fields = fields,
        .body = properties,
        .consumes_credit = true,
    };
    enum error error = outbound_send(queue, &message);
    if (error == ERROR_OK)
        count(routing->context, COUNTER_authenticators_asked);
    return error;
}

/* Puts the question to a handler's session here; NULL: it can't be. */
static struct question *put(struct routing *routing, uint64_t asker, uint64_t number,
                            const struct authenticate *said, struct session_id handler,
                            struct span properties)
{
    struct session *session = sessions_find(routing->sessions, handler);
    require(session != NULL); /* the choice looked */
    uint64_t ends_ns = routing->context->now_ns + said->timeout_ms * MS_NS;
    struct question *question = questions_take(routing->questions, asker, number, session->slot,
                                               ends_ns, ROUTING_QUESTION_DUE);
    if (question == NULL)
        return NULL;
    struct authenticate fields = *said;
    fields.handler = (struct session_id){0};
    if (message_send(routing, &session->outbound, questions_number(question), &fields,
                     properties) != ERROR_OK) {
        questions_release(routing->questions, question);
        return NULL;
    }
    struct served *served =
        served_find(routing->served, session->slot, HANDLER_AUTHENTICATION, said->name);
    question->served = served == NULL ? SERVED_NONE : served_number(served);
    question->asked_ns = routing->context->now_ns;
    if (served != NULL)
        served_began(served);
    return question;
}

/* Nobody waits for the handler's answer any more; OK: it is here, whatever it says. */
static void question_end(struct routing *routing, struct question *question, enum error outcome)
{
    struct served *served = served_of_number(routing->served, question->served);
    if (served != NULL)
        served_ended(routing->served, served, outcome, (struct span){0},
                     routing->context->now_ns - question->asked_ns);
    questions_release(routing->questions, question);
}

/* The same, when it is not known why: its time is over, or its asker has gone. */
static void question_drop(struct routing *routing, struct question *question)
{
    bool is_silent = question->deadline.at_ns <= routing->context->now_ns;
    question_end(routing, question, is_silent ? ERROR_TIMEOUT : ERROR_CANCELLED);
}

/* The session's fixed properties, and behind them what its client offered; data NULL: no memory. */
static struct span properties_of(struct routing *routing, const struct claim *claim)
{
    static const struct property_keys fixed = {.has_all_fixed = true};
    const struct properties *properties = &claim->session->properties;
    size_t bytes = properties_measure(properties, &fixed);
    uint8_t *all = scratch_new(&routing->context->scratch, bytes + claim->offered.bytes);
    struct writer writer;
    if (all == NULL)
        return (struct span){0};
    writer_init(&writer, all, bytes + claim->offered.bytes);
    properties_encode(properties, &fixed, &writer);
    writer_span(&writer, claim->offered);
    require(!writer.is_bad && writer.left == 0);
    return span_of(all, bytes + claim->offered.bytes);
}

/* false: it did not go out. */
static bool ask_chosen(struct routing *routing, struct login *login, struct span name,
                       const struct choice *choice)
{
    struct claim claim = logins_claim(routing->logins, login);
    struct span properties = properties_of(routing, &claim);
    struct authenticate fields = {
        .name = name,
        .principal = claim.principal,
        .credentials = claim.credentials,
        .timeout_ms = routing->context->config->auth_step_timeout_ms,
        .session = claim.session->id,
        .handler = choice->session,
    };
    if (properties.data == NULL)
        return false;
    logins_renumber(login); /* who was asked before is late from now on */
    if (choice->is_local) {
        struct question *question =
            put(routing, 0, logins_number(login), &fields, choice->session, properties);
        if (question == NULL)
            return false;
        login->state = LOGIN_AT_SESSION;
        login->question = question->slot;
        return true;
    }
    const struct node *node = nodes_find(&routing->nodes, choice->instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    require(queue != NULL); /* the choice looked */
    if (message_send(routing, queue, logins_number(login), &fields, properties) != ERROR_OK)
        return false;
    login->state = LOGIN_AT_NODE;
    login->node = choice->instance;
    return true;
}

enum authenticator_answer authenticators_ask(struct routing *routing, struct login *login,
                                             struct span name)
{
    struct context *context = routing->context;
    const struct choice_search search = {
        .kind = HANDLER_AUTHENTICATION,
        .path = name,
        .scope = CHOICE_MESH,
        .except = login->tries > 0 ? login->handler : (struct session_id){0},
        .needs_connected = true,
    };
    struct choice choice;
    if (login->tries == TRIES_MAX)
        return AUTHENTICATOR_SILENT;
    enum error error = choice_find(routing, &search, &choice);
    if (error == ERROR_NO_HANDLER && login->tries == 0)
        return AUTHENTICATOR_ABSTAINS;
    if (error != ERROR_OK)
        return AUTHENTICATOR_SILENT;
    login->tries++;
    login->handler = choice.session;
    if (!ask_chosen(routing, login, name, &choice))
        return AUTHENTICATOR_SILENT;
    uint64_t step_ns = context->now_ns + context->config->auth_step_timeout_ms * MS_NS;
    deadlines_set(context->deadlines, &login->deadline,
                  step_ns < login->ends_ns ? step_ns : login->ends_ns);
    return AUTHENTICATOR_ASKED;
}

void authenticators_withdraw(struct routing *routing, const struct login *login)
{
    require(login->state == LOGIN_AT_SESSION);
    question_drop(routing, questions_at(routing->questions, login->question));
}

/* ---- a handler here, for another node ---- */

static void say_to_node(struct routing *routing, uint64_t instance, uint64_t number,
                        enum decision_code code, struct span properties)
{
    const struct node *node = nodes_find(&routing->nodes, instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    struct decision decision = {.code = (uint8_t)code};
    struct outgoing message = {
        .kind = KIND_DECISION,
        .correlation = number,
        .schema = &decision_schema,
        .fields = &decision,
        .body = properties,
    };
    if (queue != NULL)
        (void)outbound_send(queue, &message); /* if not: silence, which its own deadline ends */
}

/* The handler that the login's node chose, if it still is one; else another one here. */
static bool local_choice(struct routing *routing, const struct authenticate *said,
                         struct session_id *handler)
{
    const struct choice_search search = {
        .kind = HANDLER_AUTHENTICATION,
        .path = said->name,
        .scope = CHOICE_LOCAL,
        .needs_connected = true,
    };
    const struct session *session = sessions_find(routing->sessions, said->handler);
    struct choice choice;
    bool is_there = session != NULL && !session->is_connection_lost &&
                    ownership_session_serves(routing->ownership, HANDLER_AUTHENTICATION, said->name,
                                             said->handler);
    *handler = said->handler;
    if (is_there)
        return true;
    if (choice_find(routing, &search, &choice) != ERROR_OK)
        return false;
    *handler = choice.session;
    return true;
}

enum error authenticators_from_node(struct routing *routing, struct node *node,
                                    const struct message *message)
{
    struct authenticate said;
    struct session_id handler;
    wipe_input(routing->context->outbox);
    enum error error = schema_decode(&authenticate_schema, message->fields, &said);
    if (error != ERROR_OK)
        return error;
    if (said.name.bytes == 0 || said.timeout_ms == 0)
        return ERROR_INVALID_MESSAGE;
    uint64_t number = message->correlation;
    if (questions_of_asker(routing->questions, node->instance, number) != NULL)
        return ERROR_OK; /* the frame came twice; it is being asked */
    if (!local_choice(routing, &said, &handler) ||
        put(routing, node->instance, number, &said, handler, message->body) == NULL)
        say_to_node(routing, node->instance, number, DECISION_LOST, (struct span){0});
    return ERROR_OK;
}

/* ---- decisions ---- */

/* Tells the login what was decided; its handler is not waited for any more. */
static void decide(struct routing *routing, struct login *login, enum decision_code code,
                   const struct allowance *allowance)
{
    login->state = LOGIN_AT_NOBODY;
    switch (code) {
    case DECISION_ALLOW:
        authentication_allowed(routing, login, allowance);
        break;
    case DECISION_DENY:
        authentication_denied(routing, login);
        break;
    case DECISION_ABSTAIN:
        authentication_abstained(routing, login);
        break;
    case DECISION_LOST:
        authentication_lost(routing, login);
        break;
    }
}

/* ERROR_OK: *code is one of enum decision_code; with ALLOW, *allowance is filled in. */
static enum error decision_read(const struct message *message, struct span claimed,
                                enum decision_code most, enum decision_code *code,
                                struct allowance *allowance)
{
    struct decision decision;
    enum error error = schema_decode(&decision_schema, message->fields, &decision);
    if (error != ERROR_OK)
        return error;
    if (decision.code < DECISION_ALLOW || decision.code > (unsigned)most)
        return ERROR_INVALID_MESSAGE;
    *code = (enum decision_code)decision.code;
    return *code == DECISION_ALLOW ? allowance_read(allowance, message->body, claimed) : ERROR_OK;
}

static void late(struct routing *routing)
{
    count(routing->context, COUNTER_authentication_answers_late);
}

enum error authenticators_decision_from_session(struct routing *routing,
                                                const struct session *session,
                                                const struct message *message)
{
    struct allowance allowance;
    enum decision_code code;
    struct question *question = questions_of_number(routing->questions, message->correlation);
    bool is_asked = question != NULL && question->handler == session->slot;
    struct login *login = is_asked && question->asker == 0
                              ? logins_of_number(routing->logins, question->number)
                              : NULL;
    struct span claimed = {0};
    if (login != NULL)
        claimed = span_of(login->principal, login->principal_bytes);
    enum error error = decision_read(message, claimed, DECISION_ABSTAIN, &code, &allowance);
    if (error != ERROR_OK)
        return error;
    if (!is_asked) {
        late(routing);
        return ERROR_OK;
    }
    uint64_t asker = question->asker, number = question->number;
    question_end(routing, question, ERROR_OK);
    if (asker != 0) {
        say_to_node(routing, asker, number, code,
                    code == DECISION_ALLOW ? message->body : (struct span){0});
        return ERROR_OK;
    }
    require(login != NULL && login->state == LOGIN_AT_SESSION); /* AT1 */
    decide(routing, login, code, &allowance);
    return ERROR_OK;
}

enum error authenticators_decision_from_node(struct routing *routing, const struct node *node,
                                             const struct message *message)
{
    struct allowance allowance;
    enum decision_code code;
    struct login *login = logins_of_number(routing->logins, message->correlation);
    bool is_asked = login != NULL && login->state == LOGIN_AT_NODE && login->node == node->instance;
    struct span claimed =
        is_asked ? span_of(login->principal, login->principal_bytes) : (struct span){0};
    enum error error = decision_read(message, claimed, DECISION_LOST, &code, &allowance);
    if (error != ERROR_OK)
        return error;
    if (is_asked)
        decide(routing, login, code, &allowance);
    else
        late(routing);
    return ERROR_OK;
}

/* ---- losses ---- */

void authenticators_session_ended(struct routing *routing, const struct session *session)
{
    struct question *question;
    while ((question = questions_of_handler(routing->questions, session->slot)) != NULL) {
        uint64_t asker = question->asker, number = question->number;
        question_end(routing, question, ERROR_HANDLER_LOST);
        if (asker != 0) {
            say_to_node(routing, asker, number, DECISION_LOST, (struct span){0});
            continue;
        }
        struct login *login = logins_of_number(routing->logins, number);
        require(login != NULL && login->state == LOGIN_AT_SESSION); /* AT1 */
        decide(routing, login, DECISION_LOST, NULL);
    }
}

void authenticators_link_lost(struct routing *routing, uint64_t instance)
{
    struct login *login = NULL;
    while ((login = logins_next(routing->logins, login)) != NULL) {
        if (login->state == LOGIN_AT_NODE && login->node == instance)
            decide(routing, login, DECISION_LOST, NULL);
    }
}

void authenticators_node_gone(struct routing *routing, uint64_t instance)
{
    struct question *question = NULL;
    authenticators_link_lost(routing, instance);
    while ((question = questions_next(routing->questions, question)) != NULL) {
        if (question->asker == instance)
            question_drop(routing, question);
    }
}

void authenticators_due(struct routing *routing, struct question *question)
{
    if (question->asker != 0) { /* its node has the same deadline */
        question_drop(routing, question);
        return;
    }
    struct login *login = logins_of_number(routing->logins, question->number);
    require(login != NULL && login->state == LOGIN_AT_SESSION); /* AT1 */
    authentication_due(routing, login);
}
