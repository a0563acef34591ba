/* responses.c - the way back of a request: handler -> its node -> caller's node -> caller. The
 * response's fields and body pass through as they came; only the number in the header changes.
 *
 * (R1) requests_received = the sum of the outcome counters + the flights that began here */
#include "mesh/routing/responses.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/routing/direct.h"
#include "mesh/routing/requests.h"
#include "mesh/routing/served.h"
#include "mesh/routing/shares.h"
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

/* What the registration it was handed over for has to remember, once. */
static void outcome_keep(struct routing *routing, struct flight *flight, enum error outcome,
                         struct span words)
{
    struct served *served = served_of_number(routing->served, flight->served);
    if (served != NULL)
        served_ended(routing->served, served, outcome, words,
                     routing->context->now_ns - flight->handed_ns);
    flight->served = SERVED_NONE;
}

void responses_forget(struct routing *routing, struct flight *flight, enum error outcome)
{
    const struct flight_end caller = flight->ends[FLIGHT_CALLER];
    outcome_keep(routing, flight, outcome, (struct span){0});
    if (caller.place == FLIGHT_AT_SESSION)
        count(routing->context, responses_counter(outcome));
    flights_release(routing->flights, flight);
    if (caller.place == FLIGHT_AT_SHARE)
        shares_flight_ended(routing, caller.slot);
}

void responses_lost(struct routing *routing, struct flight *flight)
{
    outcome_keep(routing, flight, ERROR_HANDLER_LOST, (struct span){0});
    flights_give(routing->flights, flight, FLIGHT_AT_NOBODY, 0, (struct session_id){0});
}

/* Queues the response to the caller, under the caller's own number. `encoded`: its fields as they
 * came, to be passed on; empty: they are made. */
static void send_to_caller(struct routing *routing, const struct flight *flight,
                           const struct response *response, struct span encoded, struct span body)
{
    const struct flight_end *caller = &flight->ends[FLIGHT_CALLER];
    struct outgoing message = {
        .kind = KIND_RESPONSE,
        .correlation = flight->caller_correlation,
        .schema = encoded.bytes > 0 ? NULL : &response_schema,
        .fields = response,
        .encoded_fields = encoded,
        .body = body,
    };
    if (bug_is_planted(BUG_OTHERS_ANSWER) && caller->place == FLIGHT_AT_SESSION)
        message.correlation--;
    if (caller->place == FLIGHT_AT_SHARE) {
        shares_answer(routing, flight, response, body);
        return;
    }
    if (caller->place == FLIGHT_AT_SESSION) {
        message.consumes_credit = true;
        sessions_send(routing->sessions, sessions_at(routing->sessions, caller->slot), &message);
        return;
    }
    struct outbound *queue = nodes_queue(&routing->nodes, &routing->nodes.slots[caller->slot]);
    /* No way back, or a full one: the caller's node ends the request by its own deadline. */
    if (queue != NULL && outbound_send(queue, &message) == ERROR_OK)
        count(routing->context, COUNTER_responses_forwarded);
}

void responses_say(struct routing *routing, struct flight *flight, enum error outcome,
                   struct span text)
{
    struct response response = {.outcome = (uint16_t)outcome, .message = text};
    outcome_keep(routing, flight, outcome, text);
    send_to_caller(routing, flight, &response, (struct span){0}, (struct span){0});
    responses_forget(routing, flight, outcome);
}

void responses_say_moved(struct routing *routing, struct flight *flight,
                         const struct parcel *parcel, uint64_t owner)
{
    struct response response = {
        .outcome = ERROR_MOVED,
        .type = parcel->type,
        .message = parcel->path,
        .owner = owner,
    };
    send_to_caller(routing, flight, &response, (struct span){0}, parcel->body);
    responses_forget(routing, flight, ERROR_MOVED);
}

void responses_refuse(struct routing *routing, struct session *session, uint64_t correlation,
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
                    const struct response *response)
{
    enum error outcome = (enum error)response->outcome;
    outcome_keep(routing, flight, outcome, response->message);
    send_to_caller(routing, flight, response, message->fields, message->body);
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
        pass_on(routing, flight, message, &response);
    return ERROR_OK;
}

/* "Not here": the request came back with the answer, and another handler may have it. */
static enum error moved(struct routing *routing, struct flight *flight, const struct node *node,
                        const struct response *response, struct span body)
{
    struct parcel parcel = {.type = response->type, .body = body};
    if (path_parse(response->message, &parcel.path) != ERROR_OK)
        return ERROR_INVALID_MESSAGE;
    flights_give(routing->flights, flight, FLIGHT_AT_NOBODY, 0, (struct session_id){0});
    if (flight->is_to_session) {
        direct_moved(routing, flight, node, response->owner, &parcel);
        return ERROR_OK;
    }
    if (flight->moves == FLIGHT_MOVES_MAX) {
        responses_say(routing, flight,
                      flight->retries > 0 ? ERROR_HANDLER_LOST : ERROR_CLUSTER_ROUTING,
                      span_text("the handlers of the path are changing nodes; try again"));
        return ERROR_OK;
    }
    flight->moved_from[flight->moves++] = node->instance;
    count(routing->context, COUNTER_requests_rerouted);
    requests_route(routing, flight, &parcel);
    return ERROR_OK;
}

static bool is_a_no(enum error outcome)
{
    return outcome != ERROR_OK && outcome != ERROR_REJECTED && outcome != ERROR_HANDLER_ERROR &&
           outcome != ERROR_TIMEOUT;
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
        return moved(routing, flight, node, &response, message->body);
    if (response.outcome == ERROR_HANDLER_LOST && requests_may_retry(flight)) {
        responses_lost(routing, flight);
        requests_retry(routing, flight);
        return ERROR_OK;
    }
    /* It was asked before, and lost: "not executed" would be true of this node only. */
    if (flight->retries > 0 && is_a_no((enum error)response.outcome)) {
        responses_say(routing, flight, ERROR_HANDLER_LOST, response.message);
        return ERROR_OK;
    }
    pass_on(routing, flight, message, &response);
    return ERROR_OK;
}
