/* handover.c - see handover.h.
 *
 * (R2) a request is handed over at most once: only handover_here queues it to a handler, and who
 *      routes it again has taken it out of that queue, or heard "moved" from the node that did
 *      not; an idempotent one also after a loss */
#include "mesh/routing/handover.h"

#include "mesh/base/waiting.h"
#include "mesh/routing/senders.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

void handover_deadline(struct routing *routing, struct flight *flight, uint32_t timeout_ms)
{
    flight->deadline.purpose = ROUTING_FLIGHT_DUE;
    deadlines_set(routing->context->deadlines, &flight->deadline,
                  routing->context->now_ns + timeout_ms * MS_NS);
}

/* The time that remains, rounded up: a request that is not due yet never says 0. */
static uint32_t left_ms(const struct routing *routing, const struct flight *flight)
{
    uint64_t now_ns = routing->context->now_ns, end_ns = flight->deadline.at_ns;
    return end_ns <= now_ns ? 1 : (uint32_t)((end_ns - now_ns + MS_NS - 1) / MS_NS);
}

/* The request as it goes on; what it says of its target is filled in. */
static enum error request_send(struct routing *routing, struct flight *flight,
                               const struct parcel *parcel, struct outbound *queue,
                               struct request *request)
{
    request->path = parcel->path;
    request->type = parcel->type;
    request->timeout_ms = left_ms(routing, flight);
    request->is_idempotent = flight->is_idempotent;
    request->sender = flight->sender;
    struct outgoing message = {
        .kind = KIND_REQUEST,
        .flags = MESSAGE_WANTS_ANSWER,
        .correlation = flights_number(flight),
        .schema = &request_schema,
        .fields = request,
        .body = parcel->body,
        .consumes_credit = true,
    };
    enum error error = outbound_send(queue, &message);
    flight->queued = queue->queued_total;
    return error;
}

static struct span properties_for(struct routing *routing, const struct flight *flight,
                                  const struct parcel *parcel, const struct served *served)
{
    const struct flight_end *caller = &flight->ends[FLIGHT_CALLER];
    if (served->keys_bytes == 0)
        return (struct span){0};
    if (caller->place == FLIGHT_AT_SESSION)
        return senders_properties(routing, sessions_at(routing->sessions, caller->slot),
                                  served_keys(served));
    return senders_pick(routing, parcel->properties, served_keys(served));
}

enum error handover_here(struct routing *routing, struct flight *flight,
                         const struct parcel *parcel, struct session *session,
                         struct served *served)
{
    struct request request = {
        .to = served->kind == HANDLER_DIRECT ? session->id : (struct session_id){0},
        .properties = properties_for(routing, flight, parcel, served),
    };
    enum error error = request_send(routing, flight, parcel, &session->outbound, &request);
    if (error != ERROR_OK)
        return error;
    flights_give(routing->flights, flight, FLIGHT_AT_SESSION, session->slot, session->id);
    flight->handed_ns = routing->context->now_ns;
    flight->served = served_number(served);
    served_began(served);
    count(routing->context, COUNTER_requests_handed_over);
    return ERROR_OK;
}

enum error handover_to_node(struct routing *routing, struct flight *flight,
                            const struct parcel *parcel, const struct node *node,
                            struct session_id handler)
{
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    struct request request = {.properties = parcel->properties};
    if (queue == NULL)
        return ERROR_CLUSTER_ROUTING;
    if (flight->is_to_session)
        request.to = handler;
    else
        request.handler = handler;
    enum error error = request_send(routing, flight, parcel, queue, &request);
    if (error != ERROR_OK)
        return error;
    flights_give(routing->flights, flight, FLIGHT_AT_NODE, node->slot, handler);
    count(routing->context, COUNTER_requests_forwarded);
    return ERROR_OK;
}

void handover_cancel(struct routing *routing, struct flight *flight)
{
    const struct flight_end *handler = &flight->ends[FLIGHT_HANDLER];
    uint64_t number = flights_number(flight);
    struct session *session =
        handler->place == FLIGHT_AT_SESSION ? sessions_at(routing->sessions, handler->slot) : NULL;
    struct outbound *queue = NULL;
    if (session != NULL && session->phase == SESSION_PHASE_OPEN)
        queue = &session->outbound;
    else if (handler->place == FLIGHT_AT_NODE)
        queue = nodes_queue(&routing->nodes, &routing->nodes.slots[handler->slot]);
    if (queue == NULL)
        return;
    if (waiting_replace(queue, flight->queued, KIND_REQUEST, number, KIND_CANCEL)) {
        count(routing->context, COUNTER_requests_withdrawn);
        return;
    }
    struct outgoing cancel = {
        .kind = KIND_CANCEL,
        .correlation = number,
        .consumes_credit = session != NULL,
    };
    /* Not sessions_send: a full queue would end the handler, and callers who give up are no reason
     * for that. What is not cancelled is answered to nobody; a node has the deadline itself. */
    (void)outbound_send(queue, &cancel);
}

void handover_withdrawn(struct routing *routing, struct flight *flight)
{
    struct served *served = served_of_number(routing->served, flight->served);
    if (served != NULL)
        served_withdrawn(served);
    flight->served = SERVED_NONE;
    flights_give(routing->flights, flight, FLIGHT_AT_NOBODY, 0, (struct session_id){0});
}
