/* requests.c - the way of a request: caller -> this node -> [the handler's node] -> handler.
 *
 *     session ---> requests_from_session -> requests_route -+-> hand_over -> handler's session here
 *     moved, lost ------------------------------^           +-> forward ---> the handler's node
 *
 *     node ------> requests_from_node ------------------------> hand_over -> handler's session here
 *                                         \--> moved: the request goes back for another choice
 *
 * There is one hop: a node that was chosen never forwards. The body is never copied here; a request
 * that waits in a queue longer than its frame lives is copied by the queue.
 *
 * (R2) a request is handed over at most once: only hand_over queues it to a handler, and who routes
 *      it again has taken it out of that queue or heard "moved" from the node that did not.
 * (R3) an outcome that says "not executed" is only said before hand_over and forward, or after
 *      "moved". */
#include "mesh/routing/requests.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/base/sentence.h"
#include "mesh/routing/choice.h"
#include "mesh/routing/responses.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

enum { NUMBER_BYTES = 8 };

bool requests_value_is_valid(uint8_t type, struct span body)
{
    if (type == VALUE_INT64 || type == VALUE_DOUBLE)
        return body.bytes == NUMBER_BYTES;
    return type == VALUE_JSON || type == VALUE_STRING || type == VALUE_BINARY;
}

/* The time that remains, rounded up: a request that is not due yet never says 0. */
static uint32_t remaining_ms(const struct routing *routing, const struct flight *flight)
{
    uint64_t now_ns = routing->context->now_ns;
    return flight->deadline_ns <= now_ns
               ? 1
               : (uint32_t)((flight->deadline_ns - now_ns + MS_NS - 1) / MS_NS);
}

static void deadline_start(struct routing *routing, struct flight *flight, uint32_t timeout_ms)
{
    flight->deadline_ns = routing->context->now_ns + timeout_ms * MS_NS;
    flight->deadline.purpose = ROUTING_FLIGHT_DUE;
    deadlines_set(routing->context->deadlines, &flight->deadline, flight->deadline_ns);
}

/* The request as it goes on, to a handler or to its node. */
static enum error request_send(struct routing *routing, const struct flight *flight,
                               const struct parcel *parcel, struct outbound *queue,
                               struct session_id handler)
{
    struct request request = {
        .path = parcel->path,
        .type = parcel->type,
        .timeout_ms = remaining_ms(routing, flight),
        .is_idempotent = flight->is_idempotent,
        .sender = flight->sender,
        .handler = handler,
    };
    struct outgoing message = {
        .kind = KIND_REQUEST,
        .flags = MESSAGE_WANTS_ANSWER,
        .correlation = flights_number(flight),
        .schema = &request_schema,
        .fields = &request,
        .body = parcel->body,
        .consumes_credit = true,
    };
    return outbound_send(queue, &message);
}

static enum error hand_over(struct routing *routing, struct flight *flight,
                            const struct parcel *parcel, struct session_id handler)
{
    struct session *session = sessions_find(routing->sessions, handler);
    require(session != NULL); /* the choice looked */
    enum error error =
        request_send(routing, flight, parcel, &session->outbound, (struct session_id){0});
    if (error != ERROR_OK)
        return error;
    flights_give(routing->flights, flight, FLIGHT_AT_SESSION, session->slot, handler);
    count(routing->context, COUNTER_requests_handed_over);
    return ERROR_OK;
}

static enum error forward(struct routing *routing, struct flight *flight,
                          const struct parcel *parcel, const struct choice *choice)
{
    const struct node *node = nodes_find(&routing->nodes, choice->instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    require(queue != NULL); /* the choice looked */
    enum error error = request_send(routing, flight, parcel, queue, choice->session);
    if (error != ERROR_OK)
        return error;
    flights_give(routing->flights, flight, FLIGHT_AT_NODE, node->slot, choice->session);
    count(routing->context, COUNTER_requests_forwarded);
    return ERROR_OK;
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
    responses_say(routing, flight, ERROR_NO_HANDLER, sentence_span(&text));
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
        responses_say(routing, flight, error,
                      span_text("the nodes that serve the path can't be reached now; try again"));
        return;
    }
    error = choice.is_local ? hand_over(routing, flight, parcel, choice.session)
                            : forward(routing, flight, parcel, &choice);
    if (error != ERROR_OK)
        responses_say(routing, flight, ERROR_OVERLOADED,
                      span_text("the queue to the handler is full; try again later"));
}

/* Answers a request that never became a flight. */
static void refuse(struct routing *routing, struct session *session, uint64_t correlation,
                   enum error outcome, struct span text)
{
    struct response response = {.outcome = (uint16_t)outcome, .message = text};
    struct outgoing message = {
        .kind = KIND_RESPONSE,
        .correlation = correlation,
        .schema = &response_schema,
        .fields = &response,
        .consumes_credit = true,
    };
    count(routing->context, responses_counter(outcome));
    sessions_send(routing->sessions, session, &message);
}

/* Before any look-up: whoever may not ask does not learn who serves. */
static void deny(struct routing *routing, struct session *session, uint64_t correlation,
                 struct span path)
{
    struct sentence text;
    permissions_say_denied(&text, PERMISSION_SEND_TO_HANDLER, path);
    refuse(routing, session, correlation, ERROR_DENIED, sentence_span(&text));
}

/* A flight for the session's request; NULL: it was refused. All outcomes of a session may come at
 * once, and have to find room in its queue, beside the refusals of what it asks beyond that. */
static struct flight *flight_begin(struct routing *routing, struct session *session,
                                   uint64_t number)
{
    const struct outbound *queue = &session->outbound;
    uint32_t most = queue->messages_max - queue->messages_max / 4;
    if (flights_of_session(routing->flights, session->slot) + queue->messages >= most) {
        refuse(routing, session, number, ERROR_OVERLOADED,
               span_text("the session has as many requests in flight, and answers that wait to be "
                         "read, as its queue has room for (sessions.queue_messages)"));
        return NULL;
    }
    struct flight *flight = flights_take(routing->flights, FLIGHT_AT_SESSION, session->slot,
                                         session->id.serial, number);
    if (flight == NULL)
        refuse(routing, session, number, ERROR_OVERLOADED,
               span_text("as many requests are in flight here as requests.in_flight allows"));
    return flight;
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
    if (number == 0 || flights_of_caller(routing->flights, session->id.serial, number) != NULL)
        return ERROR_INVALID_MESSAGE;
    count(routing->context, COUNTER_requests_received);
    struct parcel parcel = {.type = request.type, .body = message->body};
    if (path_parse(request.path, &parcel.path) != ERROR_OK) {
        refuse(routing, session, number, ERROR_INVALID_PATH,
               span_text("the path must be segments of 1 to 255 bytes joined by /, at most 1024 "
                         "in all"));
        return ERROR_OK;
    }
    if (!sessions_may(routing->sessions, session, PERMISSION_SEND_TO_HANDLER, parcel.path)) {
        deny(routing, session, number, parcel.path);
        return ERROR_OK;
    }
    if (!requests_value_is_valid(request.type, message->body)) {
        refuse(routing, session, number, ERROR_INVALID_ARGUMENT,
               span_text("the value's type is none of 1 to 5, or its size is not the type's"));
        return ERROR_OK;
    }
    struct flight *flight = flight_begin(routing, session, number);
    if (flight == NULL)
        return ERROR_OK;
    flight->sender = session->id;
    flight->is_idempotent = request.is_idempotent;
    uint32_t timeout_ms = request.timeout_ms;
    deadline_start(routing, flight,
                   timeout_ms > 0 ? timeout_ms : routing->context->config->request_timeout_ms);
    requests_route(routing, flight, &parcel);
    return ERROR_OK;
}

/* The handler that the origin chose, if it still serves the path; else another one here. */
static enum error local_choice(struct routing *routing, const struct flight *flight,
                               struct span path, struct session_id chosen, struct choice *choice)
{
    if (!choice_serves(routing, path, chosen))
        return choice_make(routing, path, flight, CHOICE_LOCAL, choice);
    *choice = (struct choice){.session = chosen, .is_local = true};
    return ERROR_OK;
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

enum error requests_from_node(struct routing *routing, struct node *node,
                              const struct message *message)
{
    struct request request;
    struct parcel parcel = {.body = message->body};
    enum error error = schema_decode(&request_schema, message->fields, &request);
    if (error != ERROR_OK)
        return error;
    if (path_parse(request.path, &parcel.path) != ERROR_OK ||
        !requests_value_is_valid(request.type, message->body) || request.timeout_ms == 0)
        return ERROR_INVALID_MESSAGE;
    parcel.type = request.type;
    if (flights_of_caller(routing->flights, node->instance, message->correlation) != NULL &&
        !bug_is_planted(BUG_HANDED_AGAIN))
        return ERROR_OK; /* the frame came twice; it is in flight */
    struct flight *flight = flights_take(routing->flights, FLIGHT_AT_NODE, node->slot,
                                         node->instance, message->correlation);
    if (flight == NULL) {
        refuse_node(routing, node, message->correlation);
        return ERROR_OK;
    }
    flight->sender = request.sender;
    flight->is_idempotent = request.is_idempotent;
    deadline_start(routing, flight, request.timeout_ms);
    struct choice choice;
    if (local_choice(routing, flight, parcel.path, request.handler, &choice) != ERROR_OK)
        responses_say_moved(routing, flight, &parcel);
    else if (hand_over(routing, flight, &parcel, choice.session) != ERROR_OK)
        responses_say(routing, flight, ERROR_OVERLOADED,
                      span_text("the handler's queue is full; try again later"));
    return ERROR_OK;
}

void requests_cancel_from_session(struct routing *routing, const struct session *session,
                                  uint64_t correlation)
{
    struct flight *flight = flights_of_caller(routing->flights, session->id.serial, correlation);
    if (flight == NULL)
        return; /* its outcome is on its way already */
    responses_cancel_handler(routing, flight);
    responses_say(routing, flight, ERROR_CANCELLED, span_text("cancelled by the caller"));
}

void requests_cancel_from_node(struct routing *routing, const struct node *node,
                               uint64_t correlation)
{
    struct flight *flight = flights_of_caller(routing->flights, node->instance, correlation);
    if (flight == NULL)
        return;
    responses_cancel_handler(routing, flight);
    responses_forget(routing, flight, ERROR_CANCELLED);
}
