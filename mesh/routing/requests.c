/* requests.c - the way of a request: caller -> this node -> [the handler's node] -> handler.
 *
 *     session ---> requests_from_session -> requests_route -+-> hand_over -> handler's session here
 *     moved, lost ------------------------------^           +-> forward ---> the handler's node
 *
 *     node ------> requests_from_node ------------------------> hand_over -> handler's session here
 *                                         \--> moved: the request goes back for another choice
 *
 * There is one hop: a node that was chosen never forwards. The body is never copied here; a request
 * that waits in a queue longer than its frame lives is copied by the queue, and an idempotent one
 * is kept by its flight.
 *
 * (R3) an outcome that says "not executed" is only said before the first hand-over (handover.h), or
 *      after "moved" */
#include "mesh/routing/requests.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/base/sentence.h"
#include "mesh/routing/choice.h"
#include "mesh/routing/direct.h"
#include "mesh/routing/handover.h"
#include "mesh/routing/polls.h"
#include "mesh/routing/responses.h"
#include "mesh/routing/senders.h"
#include "mesh/routing/shares.h"
#include "proto/kinds.h"

enum { NUMBER_BYTES = 8 };

bool requests_value_is_valid(uint8_t type, struct span body)
{
    if (type == VALUE_INT64 || type == VALUE_DOUBLE)
        return body.bytes == NUMBER_BYTES;
    return type == VALUE_JSON || type == VALUE_STRING || type == VALUE_BINARY;
}

/* The choice is a handler here. */
static enum error hand_over(struct routing *routing, struct flight *flight,
                            const struct parcel *parcel, const struct choice *choice)
{
    struct session *session = sessions_find(routing->sessions, choice->session);
    require(session != NULL); /* the choice looked */
    struct served *served =
        served_find(routing->served, session->slot, HANDLER_REQUEST, choice->path);
    require(served != NULL); /* what a session here registers is in the log and there */
    return handover_here(routing, flight, parcel, session, served);
}

/* Or on another node, which is told what the handler asked to know of the caller. */
static enum error forward(struct routing *routing, struct flight *flight,
                          const struct parcel *parcel, const struct choice *choice)
{
    const struct node *node = nodes_find(&routing->nodes, choice->instance);
    require(node != NULL); /* the choice looked */
    const struct session *caller = sessions_at(routing->sessions, flight->ends[FLIGHT_CALLER].slot);
    struct parcel forwarded = *parcel;
    forwarded.properties = senders_properties(routing, caller, choice->keys);
    return handover_to_node(routing, flight, &forwarded, node, choice->session);
}

/* It goes to nobody. One that was lost once and asked again was perhaps executed, whatever is found
 * now (R3). */
static void not_served(struct routing *routing, struct flight *flight, enum error outcome,
                       struct span text)
{
    if (flight->retries > 0)
        responses_say(routing, flight, ERROR_HANDLER_LOST,
                      span_text("the handler was lost before it answered, and no other could be "
                                "asked"));
    else
        responses_say(routing, flight, outcome, text);
}

static void no_handler_say(struct routing *routing, struct flight *flight, struct span path)
{
    struct sentence text;
    sentence_start(&text, "no handler for ");
    sentence_add_span(&text, path);
    sentence_add(&text, " on ");
    sentence_add_number(&text, routing->nodes.count);
    sentence_add(&text, " of ");
    sentence_add_number(&text, routing->nodes.count);
    sentence_add(&text, " nodes");
    not_served(routing, flight, ERROR_NO_HANDLER, sentence_span(&text));
}

void requests_route(struct routing *routing, struct flight *flight, const struct parcel *parcel)
{
    struct choice choice;
    enum error error = choice_make(routing, parcel->path, flight, CHOICE_MESH, &choice);
    if (error == ERROR_NO_HANDLER) {
        no_handler_say(routing, flight, parcel->path);
        return;
    }
    if (error == ERROR_CLUSTER_ROUTING) {
        not_served(routing, flight, error,
                   span_text("the nodes that serve the path can't be reached now; try again"));
        return;
    }
    error = choice.is_local ? hand_over(routing, flight, parcel, &choice)
                            : forward(routing, flight, parcel, &choice);
    if (error != ERROR_OK)
        not_served(routing, flight, ERROR_OVERLOADED,
                   span_text("the queue to the handler is full; try again later"));
}

bool requests_may_retry(const struct flight *flight)
{
    return flight->copy != NULL && flight->retries < FLIGHT_RETRIES_MAX;
}

void requests_retry(struct routing *routing, struct flight *flight)
{
    struct parcel parcel = {.properties = {0}};
    struct context *context = routing->context;
    flights_copied(flight, &parcel.path, &parcel.type, &parcel.body);
    /* The flight and its copy may end before the pull does. */
    parcel.path = scratch_copy(&context->scratch, parcel.path);
    parcel.body = scratch_copy(&context->scratch, parcel.body);
    flight->retries++;
    if (parcel.path.data == NULL || parcel.body.data == NULL) {
        not_served(routing, flight, ERROR_HANDLER_LOST, (struct span){0});
        return;
    }
    count(context, COUNTER_requests_retried);
    requests_route(routing, flight, &parcel);
}

/* Before any look-up: whoever may not ask does not learn who serves. */
static void deny(struct routing *routing, struct session *session, uint64_t correlation,
                 enum permission permission, struct span path)
{
    struct sentence text;
    permissions_say_denied(&text, permission, path);
    responses_refuse(routing, session, correlation, ERROR_DENIED, sentence_span(&text));
}

/* A flight for the session's request; NULL: it was refused. All outcomes of a session may come at
 * once, and have to find room in its queue, beside the refusals of what it asks beyond that. */
static struct flight *flight_begin(struct routing *routing, struct session *session,
                                   uint64_t number)
{
    const struct outbound *queue = &session->outbound;
    uint32_t most = queue->messages_max - queue->messages_max / 4;
    if (flights_of_session(routing->flights, session->slot) + queue->messages >= most) {
        responses_refuse(
            routing, session, number, ERROR_OVERLOADED,
            span_text("the session has as many requests in flight, and answers that wait to be "
                      "read, as its queue has room for (sessions.queue_messages)"));
        return NULL;
    }
    struct flight *flight = flights_take(routing->flights, FLIGHT_AT_SESSION, session->slot,
                                         session->id.serial, number);
    if (flight == NULL)
        responses_refuse(
            routing, session, number, ERROR_OVERLOADED,
            span_text("as many requests are in flight here as requests.in_flight allows"));
    return flight;
}

/* What is wrong with a request whose fields could be read; true: it has been refused. */
static bool is_refused(struct routing *routing, struct session *session, uint64_t number,
                       const struct request *request, struct parcel *parcel)
{
    bool is_to_path = session_id_is_none(request->to) && request->filter.bytes == 0;
    enum permission permission =
        is_to_path ? PERMISSION_SEND_TO_HANDLER : PERMISSION_SEND_TO_SESSION;
    if (path_parse(request->path, &parcel->path) != ERROR_OK) {
        responses_refuse(routing, session, number, ERROR_INVALID_PATH,
                         span_text("the path must be segments of 1 to 255 bytes joined by /, at "
                                   "most 1024 in all"));
        return true;
    }
    if (!sessions_may(routing->sessions, session, permission, parcel->path)) {
        deny(routing, session, number, permission, parcel->path);
        return true;
    }
    if (!requests_value_is_valid(request->type, parcel->body)) {
        responses_refuse(routing, session, number, ERROR_INVALID_ARGUMENT,
                         span_text("the value's type is none of 1 to 5, or its size is not the "
                                   "type's"));
        return true;
    }
    if (!session_id_is_none(request->to) && request->filter.bytes > 0) {
        responses_refuse(routing, session, number, ERROR_INVALID_ARGUMENT,
                         span_text("a request goes to a session or to a filter, not to both"));
        return true;
    }
    return false;
}

/* So that it can be asked again after a loss. */
static void copy_keep(struct routing *routing, struct flight *flight, const struct parcel *parcel)
{
    bool may_repeat = flight->is_idempotent || bug_is_planted(BUG_ASKED_AGAIN);
    if (may_repeat && !flight->is_to_session &&
        !flights_copy(routing->flights, flight, parcel->path, parcel->type, parcel->body))
        count(routing->context, COUNTER_requests_not_copied);
}

enum error requests_from_session(struct routing *routing, struct session *session,
                                 const struct message *message)
{
    struct request request;
    enum error error = schema_decode(&request_schema, message->fields, &request);
    if (error != ERROR_OK)
        return error;
    uint64_t number = message->correlation;
    /* 0 is nobody's, and of two outcomes of one number nobody could tell which is which. */
    if (number == 0 ||
        flights_of_caller(routing->flights, FLIGHT_AT_SESSION, session->id.serial, number) !=
            NULL ||
        polls_has(routing, session, number))
        return ERROR_INVALID_MESSAGE;
    struct parcel parcel = {.type = request.type, .body = message->body};
    uint32_t timeout_ms =
        request.timeout_ms > 0 ? request.timeout_ms : routing->context->config->request_timeout_ms;
    count(routing->context, COUNTER_requests_received);
    if (is_refused(routing, session, number, &request, &parcel))
        return ERROR_OK;
    if (request.filter.bytes > 0) {
        polls_from_session(routing, session, &request, &parcel, number, timeout_ms);
        return ERROR_OK;
    }
    struct flight *flight = flight_begin(routing, session, number);
    if (flight == NULL)
        return ERROR_OK;
    flight->sender = session->id;
    flight->is_idempotent = request.is_idempotent;
    flight->is_to_session = !session_id_is_none(request.to);
    handover_deadline(routing, flight, timeout_ms);
    copy_keep(routing, flight, &parcel);
    if (flight->is_to_session) {
        flight->to = request.to;
        direct_route(routing, flight, &parcel);
    } else if (bug_is_planted(BUG_OVERTAKEN) && flight->copy != NULL) {
        handover_deadline(routing, flight, timeout_ms / 4); /* see losses_due */
    } else {
        requests_route(routing, flight, &parcel);
    }
    return ERROR_OK;
}

/* To the handler that the origin chose, if it still serves the path; else to another one here. */
static enum error hand_over_chosen(struct routing *routing, struct flight *flight,
                                   const struct parcel *parcel, struct session_id chosen)
{
    struct choice choice;
    struct session *session = sessions_find(routing->sessions, chosen);
    struct served *served = session == NULL ? NULL
                                            : served_find_above(routing->served, session->slot,
                                                                HANDLER_REQUEST, parcel->path);
    if (served != NULL)
        return handover_here(routing, flight, parcel, session, served);
    enum error error = choice_make(routing, parcel->path, flight, CHOICE_LOCAL, &choice);
    return error == ERROR_OK ? hand_over(routing, flight, parcel, &choice) : ERROR_MOVED;
}

static void refuse_node(struct routing *routing, const struct node *node, uint64_t correlation)
{
    struct response response = {
        .outcome = ERROR_OVERLOADED,
        .message = span_text("the handler's node has too many requests in flight"),
    };
    struct outgoing message = {
        .kind = KIND_RESPONSE,
        .correlation = correlation,
        .schema = &response_schema,
        .fields = &response,
    };
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    if (queue != NULL && outbound_send(queue, &message) == ERROR_OK)
        count(routing->context, COUNTER_responses_forwarded);
}

/* A flight for another node's request; NULL: it is in flight, or was refused. */
static struct flight *flight_of_node(struct routing *routing, const struct node *node,
                                     const struct request *request, uint64_t number)
{
    if (flights_of_caller(routing->flights, FLIGHT_AT_NODE, node->instance, number) != NULL &&
        !bug_is_planted(BUG_HANDED_AGAIN))
        return NULL; /* the frame came twice */
    struct flight *flight =
        flights_take(routing->flights, FLIGHT_AT_NODE, node->slot, node->instance, number);
    if (flight == NULL) {
        refuse_node(routing, node, number);
        return NULL;
    }
    flight->sender = request->sender;
    flight->is_idempotent = request->is_idempotent;
    handover_deadline(routing, flight, request->timeout_ms);
    return flight;
}

enum error requests_from_node(struct routing *routing, struct node *node,
                              const struct message *message)
{
    struct request request;
    struct parcel parcel = {.body = message->body};
    enum error error = schema_decode(&request_schema, message->fields, &request);
    if (error != ERROR_OK)
        return error;
    bool is_to_filter = request.filter.bytes > 0;
    bool is_poll = (message->correlation & FLIGHT_NUMBER_FOREIGN) != 0;
    if (path_parse(request.path, &parcel.path) != ERROR_OK || message->correlation == 0 ||
        !requests_value_is_valid(request.type, message->body) || request.timeout_ms == 0 ||
        is_to_filter != is_poll)
        return ERROR_INVALID_MESSAGE;
    parcel.type = request.type;
    parcel.properties = request.properties;
    if (is_to_filter) {
        shares_from_node(routing, node, &request, &parcel, message->correlation);
        return ERROR_OK;
    }
    struct flight *flight = flight_of_node(routing, node, &request, message->correlation);
    if (flight == NULL)
        return ERROR_OK;
    if (!session_id_is_none(request.to)) {
        flight->is_to_session = true;
        flight->to = request.to;
        direct_take(routing, flight, &parcel);
        return ERROR_OK;
    }
    error = hand_over_chosen(routing, flight, &parcel, request.handler);
    if (error == ERROR_MOVED)
        responses_say_moved(routing, flight, &parcel, 0);
    else if (error != ERROR_OK)
        responses_say(routing, flight, ERROR_OVERLOADED,
                      span_text("the handler's queue is full; try again later"));
    return ERROR_OK;
}

void requests_cancel_from_session(struct routing *routing, const struct session *session,
                                  uint64_t correlation)
{
    struct flight *flight =
        flights_of_caller(routing->flights, FLIGHT_AT_SESSION, session->id.serial, correlation);
    if (flight == NULL) { /* or its outcome is on its way already */
        polls_cancel(routing, session, correlation);
        return;
    }
    handover_cancel(routing, flight);
    responses_say(routing, flight, ERROR_CANCELLED, span_text("cancelled by the caller"));
}

void requests_cancel_from_node(struct routing *routing, const struct node *node,
                               uint64_t correlation)
{
    struct flight *flight =
        flights_of_caller(routing->flights, FLIGHT_AT_NODE, node->instance, correlation);
    if (flight == NULL) {
        shares_cancel(routing, (struct share_origin){node->instance, correlation});
        return;
    }
    handover_cancel(routing, flight);
    responses_forget(routing, flight, ERROR_CANCELLED);
}
