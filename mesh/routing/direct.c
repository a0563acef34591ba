/* direct.c - see direct.h. */
#include "mesh/routing/direct.h"

#include "mesh/base/sentence.h"
#include "mesh/routing/handover.h"
#include "mesh/routing/lookup.h"
#include "mesh/routing/responses.h"
#include "mesh/routing/senders.h"

void direct_unhandled_say(struct sentence *text, struct span path)
{
    sentence_start(text, "the session does not listen on ");
    sentence_add_span(text, path);
}

/* The session is here. */
static void hand_over(struct routing *routing, struct flight *flight, const struct parcel *parcel,
                      struct session *session)
{
    struct sentence text;
    struct served *served =
        served_find(routing->served, session->slot, HANDLER_DIRECT, parcel->path);
    if (served == NULL) {
        direct_unhandled_say(&text, parcel->path);
        responses_say(routing, flight, ERROR_UNHANDLED, sentence_span(&text));
    } else if (handover_here(routing, flight, parcel, session, served) != ERROR_OK) {
        responses_say(routing, flight, ERROR_OVERLOADED,
                      span_text("the session's queue is full; try again later"));
    }
}

static void not_found(struct routing *routing, struct flight *flight, enum error code)
{
    responses_say(routing, flight, code, span_text(lookup_sentence(code)));
}

/* The handler's node alone knows what was asked for of the sender: it gets all. */
static void forward(struct routing *routing, struct flight *flight, const struct parcel *parcel,
                    const struct node *node)
{
    const struct session *caller = sessions_at(routing->sessions, flight->ends[FLIGHT_CALLER].slot);
    struct parcel forwarded = *parcel;
    forwarded.properties = senders_properties(routing, caller, span_text("*F,*U"));
    enum error error = handover_to_node(routing, flight, &forwarded, node, flight->to);
    if (error == ERROR_CLUSTER_ROUTING)
        not_found(routing, flight, error);
    else if (error != ERROR_OK)
        responses_say(routing, flight, ERROR_OVERLOADED,
                      span_text("the queue to the session's node is full; try again later"));
}

void direct_route(struct routing *routing, struct flight *flight, const struct parcel *parcel)
{
    enum error code;
    struct session *here = sessions_find(routing->sessions, flight->to);
    if (here != NULL) {
        hand_over(routing, flight, parcel, here);
        return;
    }
    const struct node *node = lookup_node(routing, flight->to, &code);
    if (node == NULL)
        not_found(routing, flight, code);
    else
        forward(routing, flight, parcel, node);
}

void direct_take(struct routing *routing, struct flight *flight, const struct parcel *parcel)
{
    struct session *here = sessions_find(routing->sessions, flight->to);
    if (here != NULL)
        hand_over(routing, flight, parcel, here);
    else
        responses_say_moved(routing, flight, parcel, lookup_owner(routing, flight->to));
}

void direct_moved(struct routing *routing, struct flight *flight, const struct node *asked,
                  uint64_t owner, const struct parcel *parcel)
{
    enum error code;
    const struct node *node =
        lookup_next(routing, flight->to, asked, owner, flight->moves > 0, &code);
    flight->moves++;
    count(routing->context, COUNTER_requests_rerouted);
    if (node == NULL)
        not_found(routing, flight, code);
    else
        forward(routing, flight, parcel, node);
}
