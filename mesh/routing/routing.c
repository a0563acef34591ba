/* routing.c - the room's birth, and facts that concern all of it. */
#include "mesh/routing/routing.h"

#include "mesh/filter/filter.h"
#include "mesh/routing/applied.h"
#include "mesh/routing/authentication.h"
#include "mesh/routing/authenticators.h"
#include "mesh/routing/ballots.h"
#include "mesh/routing/by_filter.h"
#include "mesh/routing/commands.h"
#include "mesh/routing/listeners.h"
#include "mesh/routing/losses.h"
#include "mesh/routing/missing.h"
#include "mesh/routing/polls.h"
#include "mesh/routing/rights.h"
#include "mesh/routing/room.h"
#include "mesh/routing/served.h"
#include "mesh/routing/shares.h"
#include "mesh/routing/streams.h"
#include "mesh/routing/sweeps.h"
#include "mesh/routing/watches.h"

struct routing *routing_new(struct context *context, struct sessions *sessions,
                            struct ownership *ownership, struct topics *topics)
{
    struct routing *routing = memory_new(&context->memory, MEMORY_TABLES, sizeof *routing);
    if (routing == NULL)
        return NULL;
    *routing = (struct routing){
        .context = context,
        .sessions = sessions,
        .ownership = ownership,
        .topics = topics,
    };
    /* A node's handlers are worked for by all others, so what begins elsewhere has a table of the
     * same size: neither can crowd the other out. */
    uint32_t most = context->config->requests_in_flight_max;
    bool is_whole = nodes_init(&routing->nodes, context) && inquiries_init(routing) &&
                    sweeps_init(routing) && listeners_init(routing) && watches_init(routing) &&
                    streams_init(routing) && ballots_init(routing) && shares_init(routing);
    routing->applied = applied_new(context);
    routing->logins = logins_new(context, sessions);
    routing->questions = questions_new(context, sessions_capacity(sessions));
    routing->missing = missing_new(context);
    routing->filters = filter_engine_new(&context->memory);
    routing->flights = flights_new(context, most, most, sessions_capacity(sessions),
                                   context->config->gossip.members_max + 1, SHARES_MAX);
    routing->served = served_new(context, sessions_capacity(sessions));
    if (!is_whole || routing->served == NULL || routing->filters == NULL ||
        routing->applied == NULL || routing->flights == NULL || routing->logins == NULL ||
        routing->questions == NULL || routing->missing == NULL)
        routing_destroy(&routing);
    return routing;
}

void routing_destroy(struct routing **routing)
{
    struct routing *self = *routing;
    if (self == NULL)
        return;
    flights_destroy(&self->flights);
    ballots_clear(self);
    shares_clear(self);
    served_destroy(&self->served);
    logins_destroy(&self->logins);
    questions_destroy(&self->questions);
    missing_destroy(&self->missing);
    inquiries_clear(self);
    sweeps_clear(self);
    listeners_clear(self);
    watches_clear(self);
    streams_clear(self);
    applied_destroy(&self->applied);
    filter_engine_destroy(&self->filters);
    nodes_clear(&self->nodes);
    memory_free(&self->context->memory, MEMORY_TABLES, self, sizeof *self);
    *routing = NULL;
}

void routing_set_status(struct routing *routing, const struct routing_status *status)
{
    routing->status = *status;
}

void routing_node_joined(struct routing *routing, uint64_t instance, struct span name,
                         struct span zone)
{
    /* The table holds as many as membership's: it cannot be full before that is. Without memory
     * for it the node is not asked and not chosen, which is what CLUSTER_ROUTING says. */
    if (nodes_joined(&routing->nodes, instance, name, zone))
        listeners_tell(routing, MEMBER_NEWS_JOINED, nodes_find(&routing->nodes, instance));
    watches_node_joined(routing, instance);
}

void routing_node_suspected(struct routing *routing, uint64_t instance, bool is_suspected)
{
    struct node *node = nodes_find(&routing->nodes, instance);
    if (node == NULL)
        return;
    node->is_suspected = is_suspected;
    listeners_tell(routing, is_suspected ? MEMBER_NEWS_SUSPECTED : MEMBER_NEWS_REFUTED, node);
}

struct node *routing_node(struct routing *routing, uint64_t instance)
{
    return nodes_find(&routing->nodes, instance);
}

void routing_node_gone(struct routing *routing, uint64_t instance, enum member_news news)
{
    struct node *node = nodes_find(&routing->nodes, instance);
    watches_node_gone(routing, instance, news != MEMBER_NEWS_FAILED);
    if (node == NULL || instance == routing->context->instance)
        return;
    listeners_tell(routing, news, node);
    commands_node_lost(routing, node, "was lost before it answered");
    losses_node(routing, node); /* and with it the node's slot */
    authenticators_node_gone(routing, instance);
}

void routing_link_lost(struct routing *routing, uint64_t instance)
{
    struct node *node = nodes_find(&routing->nodes, instance);
    if (node == NULL)
        return;
    commands_node_lost(routing, node, "lost its connection before it answered");
    losses_link(routing, node);
    authenticators_link_lost(routing, instance);
    streams_link_lost(routing, instance);
}

void routing_session_opened(struct routing *routing, struct session *session)
{
    streams_session_opened(routing, session);
}

void routing_session_changed(struct routing *routing, struct session *session, unsigned changes)
{
    streams_session_changed(routing, session, changes);
}

void routing_look(struct routing *routing)
{
    watches_look(routing);
    streams_look(routing);
}

void routing_session_ended(struct routing *routing, struct session *session)
{
    listeners_session_ended(routing, session);
    streams_session_ended(routing, session);
    commands_session_ended(routing, session);
    polls_session_ended(routing, session);
    authentication_abandon(routing, session);
    authenticators_session_ended(routing, session);
    losses_session(routing, session);
    served_session_ended(routing->served, session->slot);
}

void routing_rights_changed(struct routing *routing, struct session *session)
{
    if (session != NULL)
        rights_session_changed(routing, session);
    else
        rights_all_changed(routing);
}

void routing_due(struct routing *routing, const struct deadline *due)
{
    switch ((enum routing_purpose)due->purpose) {
    case ROUTING_FLIGHT_DUE:
        losses_due(routing, flights_at(routing->flights, due->slot));
        break;
    case ROUTING_INQUIRY_DUE:
        commands_due(routing, inquiries_at(routing, due->slot));
        break;
    case ROUTING_FEED_DUE:
        watches_due(routing, due);
        break;
    case ROUTING_STREAM_DUE:
        streams_due(routing, due);
        break;
    case ROUTING_SWEEP_DUE:
        by_filter_due(routing, due->slot);
        break;
    case ROUTING_POLL_DUE:
        polls_due(routing, due->slot);
        break;
    case ROUTING_SHARE_DUE:
        shares_due(routing, due->slot);
        break;
    case ROUTING_LOGIN_DUE:
        authentication_due(routing, logins_at(routing->logins, due->slot));
        break;
    case ROUTING_QUESTION_DUE:
        authenticators_due(routing, questions_at(routing->questions, due->slot));
        break;
    }
}

void routing_check(const struct routing *routing)
{
    const uint64_t *counters = routing->context->counters;
    uint64_t outcomes = (uint64_t)flights_own(routing->flights) + ballots_count(routing);
    for (int i = COUNTER_requests_ok; i <= COUNTER_requests_other; i++)
        outcomes += counters[i];
    require(outcomes == counters[COUNTER_requests_received]);
    require(!routing->question.is_open);
    flights_check(routing->flights);
    ballots_check(routing);
    shares_check(routing);
    served_check(routing->served);
    authentication_check(routing);
    questions_check(routing->questions);
    watches_check(routing);
    streams_check(routing);
    applied_check(routing->applied);
    sweeps_check(routing);
}
