/* losses.c - see losses.h. Each loss has the same two halves: what was never sent is routed again,
 * silently; what was sent is HANDLER_LOST. The first half comes first and takes its flights away
 * from the lost end, so that the second is whatever is left there. */
#include "mesh/routing/losses.h"

#include "mesh/base/bugs.h"
#include "mesh/base/path.h"
#include "mesh/base/sentence.h"
#include "mesh/routing/direct.h"
#include "mesh/routing/handover.h"
#include "mesh/routing/polls.h"
#include "mesh/routing/requests.h"
#include "mesh/routing/responses.h"
#include "mesh/routing/salvage.h"
#include "mesh/routing/shares.h"
#include "proto/kinds.h"

/* A request that was taken out of the queue of the end that served it: the next choice. One to a
 * session that was here has none. */
static void request_again(struct routing *routing, struct flight *flight,
                          const struct message *message)
{
    struct request request;
    struct parcel parcel = {.body = message->body};
    bool is_own = flight->ends[FLIGHT_CALLER].place == FLIGHT_AT_SESSION;
    require(schema_decode(&request_schema, message->fields, &request) == ERROR_OK); /* our own */
    require(path_parse(request.path, &parcel.path) == ERROR_OK);
    parcel.type = request.type;
    count(routing->context, COUNTER_requests_rerouted);
    if (flight->is_to_session && is_own)
        direct_route(routing, flight, &parcel);
    else if (flight->is_to_session)
        responses_say(routing, flight, ERROR_NO_SUCH_SESSION,
                      span_text("the session closed before it was asked"));
    else if (is_own)
        requests_route(routing, flight, &parcel);
    else
        responses_say_moved(routing, flight, &parcel, 0);
}

/* Detaches the salvaged flights from the lost end, all before one is routed again: the new choice
 * may be the same queue. */
static void detach(struct routing *routing, struct salvaged *salvaged)
{
    for (; salvaged != NULL; salvaged = salvaged->next) {
        struct flight *flight = flights_of_number(routing->flights, salvaged->message.correlation);
        if (flight != NULL && salvaged->message.kind == KIND_REQUEST)
            handover_withdrawn(routing, flight);
    }
}

/* Ends what was sent to the lost end. What may be asked again goes into a list instead, for
 * retry_all: also here the new choice may be the same queue. A flight that nobody serves has a
 * link to spare. */
static struct flight *handlers_lost(struct routing *routing, enum flight_place place, uint32_t slot,
                                    struct span text)
{
    struct flight *flight, *first = NULL;
    enum error outcome = bug_is_planted(BUG_FALSE_NO) ? ERROR_NO_HANDLER : ERROR_HANDLER_LOST;
    while ((flight = flights_first(routing->flights, FLIGHT_HANDLER, place, slot)) != NULL) {
        if (requests_may_retry(flight)) {
            responses_lost(routing, flight);
            flight->ends[FLIGHT_HANDLER].next = first == NULL ? FLIGHT_NONE : first->slot;
            first = flight;
        } else if (bug_is_planted(BUG_LOSS_UNNOTICED) &&
                   flight->ends[FLIGHT_CALLER].place == FLIGHT_AT_NODE) {
            responses_forget(routing, flight, outcome);
        } else {
            responses_say(routing, flight, outcome, text);
        }
    }
    return first;
}

static void retry_all(struct routing *routing, struct flight *flight)
{
    while (flight != NULL) {
        uint32_t next = flight->ends[FLIGHT_HANDLER].next;
        requests_retry(routing, flight);
        flight = next == FLIGHT_NONE ? NULL : flights_at(routing->flights, next);
    }
}

static void route_again(struct routing *routing, struct salvaged *salvaged)
{
    for (; salvaged != NULL; salvaged = salvaged->next) {
        struct flight *flight = flights_of_number(routing->flights, salvaged->message.correlation);
        if (flight != NULL && salvaged->message.kind == KIND_REQUEST)
            request_again(routing, flight, &salvaged->message);
    }
}

/* The callers there are gone: nobody waits for an answer. */
static void callers_lost(struct routing *routing, uint32_t slot)
{
    struct flight *flight;
    while ((flight = flights_first(routing->flights, FLIGHT_CALLER, FLIGHT_AT_SESSION, slot)) !=
           NULL) {
        handover_cancel(routing, flight);
        responses_forget(routing, flight, ERROR_CANCELLED);
    }
}

void losses_session(struct routing *routing, struct session *session)
{
    struct salvaged *salvaged = salvage_session(routing->context, &session->outbound);
    callers_lost(routing, session->slot);
    detach(routing, salvaged);
    struct flight *again =
        handlers_lost(routing, FLIGHT_AT_SESSION, session->slot,
                      span_text("the handler's session closed before it answered"));
    retry_all(routing, again);
    route_again(routing, salvaged);
}

static void node_text(struct sentence *text, const struct node *node, const char *words)
{
    sentence_start(text, "the node ");
    sentence_add_span(text, nodes_name(node));
    sentence_add(text, words);
}

void losses_link(struct routing *routing, struct node *node)
{
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    struct salvaged *salvaged = queue == NULL ? NULL : salvage_link(routing->context, queue);
    struct sentence text;
    node_text(&text, node, " lost its connection before the handler answered");
    detach(routing, salvaged);
    struct flight *again = handlers_lost(routing, FLIGHT_AT_NODE, node->slot, sentence_span(&text));
    polls_node_lost(routing, node);
    retry_all(routing, again);
    route_again(routing, salvaged);
}

/* The node of those callers is held dead. If it lives after all, and its link holds, it waits for
 * what has just been given up: it is told, in the last frame to it. */
static void callers_given_up(struct routing *routing, const struct node *node)
{
    struct flight *flight;
    while ((flight = flights_first(routing->flights, FLIGHT_CALLER, FLIGHT_AT_NODE, node->slot)) !=
           NULL) {
        handover_cancel(routing, flight);
        responses_say(routing, flight, ERROR_HANDLER_LOST,
                      span_text("the handler's node held the caller's node dead"));
    }
}

void losses_node(struct routing *routing, struct node *node)
{
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    struct salvaged *salvaged = queue == NULL ? NULL : salvage_link(routing->context, queue);
    struct sentence text;
    node_text(&text, node, " was lost before the handler answered");
    detach(routing, salvaged);
    struct flight *again = handlers_lost(routing, FLIGHT_AT_NODE, node->slot, sentence_span(&text));
    polls_node_lost(routing, node);
    shares_node_lost(routing, node->instance);
    callers_given_up(routing, node);
    nodes_gone(&routing->nodes, node->instance);
    retry_all(routing, again);
    route_again(routing, salvaged);
}

void losses_due(struct routing *routing, struct flight *flight)
{
    const struct flight_end *handler = &flight->ends[FLIGHT_HANDLER];
    if (bug_is_planted(BUG_OVERTAKEN) && flight->copy != NULL &&
        handler->place == FLIGHT_AT_NOBODY) {
        handover_deadline(routing, flight, routing->context->config->request_timeout_ms);
        requests_retry(routing, flight);
        routing->context->counters[COUNTER_requests_retried]--; /* nothing was lost */
        return;
    }
    handover_cancel(routing, flight);
    /* The caller's node has the same deadline and says so itself. */
    if (flight->ends[FLIGHT_CALLER].place == FLIGHT_AT_NODE || bug_is_planted(BUG_SILENT_TIMEOUT))
        responses_forget(routing, flight, ERROR_TIMEOUT);
    else
        responses_say(routing, flight, ERROR_TIMEOUT,
                      span_text("no answer within the request's time"));
}
