/* responses.c - the way back of a request: handler -> its node -> caller's node -> caller. The
 * response's fields and body pass through as they came; only the number in the header changes.
 *
 * (R1) requests_received = the sum of the outcome counters + the flights that began here */
#include "mesh/routing/responses.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/routing/requests.h"
#include "proto/kinds.h"

enum counter responses_counter(enum error outcome)
{
    static const enum counter counters[] = {
        [ERROR_OK] = COUNTER_requests_ok,
        [ERROR_REJECTED] = COUNTER_requests_rejected,
        [ERROR_HANDLER_ERROR] = COUNTER_requests_handler_error,
        [ERROR_NO_HANDLER] = COUNTER_requests_no_handler,
        [ERROR_UNHANDLED] = COUNTER_requests_unhandled,
        [ERROR_NO_SUCH_SESSION] = COUNTER_requests_no_such_session,
        [ERROR_DENIED] = COUNTER_requests_denied,
        [ERROR_OVERLOADED] = COUNTER_requests_overloaded,
        [ERROR_HANDLER_LOST] = COUNTER_requests_handler_lost,
        [ERROR_TIMEOUT] = COUNTER_requests_timeout,
        [ERROR_CANCELLED] = COUNTER_requests_cancelled,
    };
    size_t count = sizeof counters / sizeof counters[0];
    return (size_t)outcome < count ? counters[outcome] : COUNTER_requests_other;
}

void responses_forget(struct routing *routing, struct flight *flight, enum error outcome)
{
    if (flight->ends[FLIGHT_CALLER].place == FLIGHT_AT_SESSION)
        count(routing->context, responses_counter(outcome));
    flights_release(routing->flights, flight);
}

/* Queues the message to the caller, under the caller's own number. */
static void send_to_caller(struct routing *routing, const struct flight *flight,
                           struct outgoing *message)
{
    const struct flight_end *caller = &flight->ends[FLIGHT_CALLER];
    message->kind = KIND_RESPONSE;
    message->correlation = flight->caller_correlation;
    if (bug_is_planted(BUG_OTHERS_ANSWER) && caller->place == FLIGHT_AT_SESSION)
        message->correlation--;
    if (caller->place == FLIGHT_AT_SESSION) {
        message->consumes_credit = true;
        sessions_send(routing->sessions, sessions_at(routing->sessions, caller->slot), message);
        return;
    }
    struct outbound *queue = nodes_queue(&routing->nodes, &routing->nodes.slots[caller->slot]);
    /* No way back, or a full one: the caller's node ends the request by its own deadline. */
    if (queue != NULL && outbound_send(queue, message) == ERROR_OK)
        count(routing->context, COUNTER_responses_forwarded);
}

void responses_say(struct routing *routing, struct flight *flight, enum error outcome,
                   struct span text)
{
    struct response response = {.outcome = (uint16_t)outcome, .message = text};
    struct outgoing message = {.schema = &response_schema, .fields = &response};
    send_to_caller(routing, flight, &message);
    responses_forget(routing, flight, outcome);
}

void responses_say_moved(struct routing *routing, struct flight *flight,
                         const struct parcel *parcel)
{
    struct response response = {
        .outcome = ERROR_MOVED,
        .type = parcel->type,
        .message = parcel->path,
    };
    struct outgoing message = {
        .schema = &response_schema,
        .fields = &response,
        .body = parcel->body,
    };
    send_to_caller(routing, flight, &message);
    responses_forget(routing, flight, ERROR_MOVED);
}

void responses_cancel_handler(struct routing *routing, struct flight *flight)
{
    const struct flight_end *handler = &flight->ends[FLIGHT_HANDLER];
    struct outgoing cancel = {.kind = KIND_CANCEL, .correlation = flights_number(flight)};
    if (handler->place == FLIGHT_AT_SESSION) {
        /* Not sessions_send: a full queue would end the handler, and callers who give up are no
         * reason for that. What is not cancelled is answered to nobody. */
        struct session *session = sessions_at(routing->sessions, handler->slot);
        cancel.consumes_credit = true;
        if (session->phase == SESSION_PHASE_OPEN)
            (void)outbound_send(&session->outbound, &cancel);
    } else if (handler->place == FLIGHT_AT_NODE) {
        const struct node *node = &routing->nodes.slots[handler->slot];
        struct outbound *queue = nodes_queue(&routing->nodes, node);
        if (queue != NULL)
            (void)outbound_send(queue, &cancel); /* it only saves work; its node has the deadline */
    }
}

/* The flight that this end serves; NULL: over, or another's: late. */
static struct flight *flight_served(struct routing *routing, enum flight_place place, uint32_t slot,
                                    uint64_t number)
{
    struct flight *flight = flights_of_number(routing->flights, number);
    const struct flight_end *handler = flight == NULL ? NULL : &flight->ends[FLIGHT_HANDLER];
    if (handler == NULL || handler->place != place || handler->slot != slot) {
        count(routing->context, COUNTER_responses_late);
        return NULL;
    }
    return flight;
}

static void pass_on(struct routing *routing, struct flight *flight, const struct message *message,
                    enum error outcome)
{
    struct outgoing outgoing = {.encoded_fields = message->fields, .body = message->body};
    send_to_caller(routing, flight, &outgoing);
    responses_forget(routing, flight, outcome);
}

enum error responses_from_session(struct routing *routing, struct session *session,
                                  const struct message *message)
{
    struct response response;
    enum error error = schema_decode(&response_schema, message->fields, &response);
    if (error != ERROR_OK)
        return error;
    bool is_handlers_own = response.outcome == ERROR_OK || response.outcome == ERROR_REJECTED ||
                           response.outcome == ERROR_HANDLER_ERROR;
    if (!is_handlers_own ||
        (response.outcome == ERROR_OK && !requests_value_is_valid(response.type, message->body)))
        return ERROR_INVALID_MESSAGE;
    struct flight *flight =
        flight_served(routing, FLIGHT_AT_SESSION, session->slot, message->correlation);
    if (flight != NULL)
        pass_on(routing, flight, message, (enum error)response.outcome);
    return ERROR_OK;
}

/* "Not here": the request came back with the answer, and another handler may have it. */
static enum error moved(struct routing *routing, struct flight *flight, uint64_t instance,
                        const struct response *response, struct span body)
{
    struct parcel parcel = {.type = response->type, .body = body};
    if (path_parse(response->message, &parcel.path) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    flights_give(routing->flights, flight, FLIGHT_AT_NOBODY, 0, (struct session_id){0});
    if (flight->moves == FLIGHT_MOVES_MAX) {
        responses_say(routing, flight, ERROR_CLUSTER_ROUTING,
                      span_text("the handlers of the path are changing nodes; try again"));
        return ERROR_OK;
    }
    flight->moved_from[flight->moves++] = instance;
    count(routing->context, COUNTER_requests_rerouted);
    requests_route(routing, flight, &parcel);
    return ERROR_OK;
}

enum error responses_from_node(struct routing *routing, struct node *node,
                               const struct message *message)
{
    struct response response;
    enum error error = schema_decode(&response_schema, message->fields, &response);
    if (error != ERROR_OK)
        return error;
    struct flight *flight =
        flight_served(routing, FLIGHT_AT_NODE, node->slot, message->correlation);
    if (flight == NULL)
        return ERROR_OK;
    if (response.outcome == ERROR_MOVED)
        return moved(routing, flight, node->instance, &response, message->body);
    pass_on(routing, flight, message, (enum error)response.outcome);
    return ERROR_OK;
}
