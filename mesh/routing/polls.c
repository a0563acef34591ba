/* polls.c - see polls.h.
 *
 *     REQUEST -> [polls_from_session] every member: REQUEST, filter     COUNTING
 *     SPREAD: how many -> all have counted -> SPREAD to the caller      ASKING
 *     [allow_more] SPREAD: so many may be asked -> PART -> caller
 *     all that were sent have ended, or are given up -> RESPONSE
 *
 * Every answer finds room, whatever its size, because no more sessions are asked than the caller's
 * queue takes: `window` bounds those that may answer at any time, and is not used while the queue
 * is half full. It begins small, and doubles with the answers and with time, up to a quarter of the
 * queue's messages, and of its bytes by the largest answer so far; so sessions that say nothing
 * hold up the others only when there are more of them than that.
 *
 * (P1) of each member: sent = answered + failed + those that are still out (ballots.h)
 * (P2) the caller gets one SPREAD, then at most one PART a session, then one RESPONSE
 * (P3) its queue is never closed for a PART: one without room is told without its value, or counted
 *      as failed */
#include "mesh/routing/polls.h"

#include "mesh/base/bugs.h"
#include "mesh/filter/filter.h"
#include "mesh/routing/ballots.h"
#include "mesh/routing/by_filter.h"
#include "mesh/routing/handover.h"
#include "mesh/routing/responses.h"
#include "mesh/routing/senders.h"
#include "mesh/routing/shares.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

bool polls_has(const struct routing *routing, const struct session *session, uint64_t number)
{
    return ballots_of_session(routing, session->slot, number) != NULL;
}

static struct share_origin origin_of(const struct routing *routing, const struct poll *poll)
{
    return (struct share_origin){
        .instance = routing->context->instance,
        .number = ballots_number(poll),
    };
}

/* The member is to stop: it had not come to the end. */
static void part_cancel(struct routing *routing, const struct poll *poll,
                        const struct poll_node *part)
{
    const struct node *node = nodes_find(&routing->nodes, part->instance);
    if (part->instance == routing->context->instance) {
        shares_cancel(routing, origin_of(routing, poll));
        return;
    }
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    struct outgoing cancel = {.kind = KIND_CANCEL, .correlation = ballots_number(poll)};
    if (queue != NULL)
        (void)outbound_send(queue, &cancel); /* it has the deadline itself */
}

/* The end marker. */
static void finish(struct routing *routing, struct poll *poll, enum error outcome)
{
    if (bug_is_planted(BUG_ALL_WELL) && outcome == ERROR_CLUSTER_ROUTING)
        outcome = ERROR_OK;
    uint32_t answered = 0;
    for (uint32_t i = 0; i < poll->nodes_count; i++)
        answered += poll->nodes[i].answered;
    struct response response = {
        .outcome = (uint16_t)outcome,
        .message = span_text(outcome == ERROR_OK ? NULL : error_sentence(outcome)),
        .sent = poll->sent,
        .answered = answered,
        .nodes_asked = poll->nodes_count,
        .nodes_answered = ballots_done(poll),
    };
    struct outgoing message = {
        .kind = KIND_RESPONSE,
        .correlation = poll->correlation,
        .schema = &response_schema,
        .fields = &response,
        .body = ballots_answers(routing, poll),
        .consumes_credit = true,
    };
    struct session *asker = sessions_at(routing->sessions, poll->asker);
    count(routing->context, responses_counter(outcome));
    ballots_release(routing, poll);
    sessions_send(routing->sessions, asker, &message);
}

/* Ends it before all have answered. */
static void end_early(struct routing *routing, struct poll *poll, enum error outcome,
                      const char *why)
{
    for (uint32_t i = 0; i < poll->nodes_count; i++) {
        struct poll_node *part = &poll->nodes[i];
        bool is_open = part->state == PART_COUNTING ||
                       (part->state == PART_ASKING && part->answered + part->failed < part->sent);
        if (!is_open)
            continue;
        part_cancel(routing, poll, part);
        ballots_give_up(routing, poll, part, outcome, why);
    }
}

static void look_at(struct routing *routing, struct poll *poll, uint64_t at_ns)
{
    deadlines_set(routing->context->deadlines, &poll->deadline,
                  at_ns < poll->ends_ns ? at_ns : poll->ends_ns);
}

/* How many may be asked and silent at a time. */
static uint32_t window_most(const struct poll *poll, const struct outbound *queue)
{
    uint64_t by_bytes = queue->bytes_max / 4 / poll->largest_bytes;
    uint64_t by_messages = queue->messages_max / 4;
    uint64_t most = by_bytes < by_messages ? by_bytes : by_messages;
    return most == 0 ? 1 : (uint32_t)most;
}

/* Tells a member of another node how far it may go; false: there is no way now. */
static bool allow_node(struct routing *routing, const struct poll *poll, uint64_t instance,
                       uint32_t allowed)
{
    const struct node *node = nodes_find(&routing->nodes, instance);
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    struct spread spread = {.allowed = allowed};
    struct outgoing message = {
        .kind = KIND_SPREAD,
        .correlation = ballots_number(poll),
        .schema = &spread_schema,
        .fields = &spread,
    };
    return queue != NULL && outbound_send(queue, &message) == ERROR_OK;
}

/* Gives `room` to the members that have somebody left to ask, in turn. This node's own share asks
 * at once, and the poll may be over then: it is told last, by the caller. */
static void give(struct routing *routing, struct poll *poll, uint32_t room, uint32_t *here)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < poll->nodes_count; i++)
        waiting +=
            poll->nodes[i].state == PART_ASKING && poll->nodes[i].allowed < poll->nodes[i].sent;
    uint32_t each = waiting == 0 || room < waiting ? 1 : room / waiting;
    for (uint32_t i = 0; i < poll->nodes_count && room > 0; i++) {
        struct poll_node *part = &poll->nodes[(poll->turn + i) % poll->nodes_count];
        uint32_t more = part->state == PART_ASKING ? part->sent - part->allowed : 0;
        more = more < each ? more : each;
        more = more < room ? more : room;
        bool is_here = part->instance == routing->context->instance;
        if (more == 0 ||
            (!is_here && !allow_node(routing, poll, part->instance, part->allowed + more)))
            continue;
        part->allowed += more;
        poll->allowed += more;
        poll->may_answer += more;
        room -= more;
        if (is_here)
            *here = part->allowed;
    }
    require(poll->nodes_count > 0); /* this node is one of them */
    poll->turn = (poll->turn + 1) % poll->nodes_count;
}

/* Lets members ask as many as the caller has room for. The poll may be over when it returns. */
static void allow_more(struct routing *routing, struct poll *poll)
{
    const struct outbound *queue = &sessions_at(routing->sessions, poll->asker)->outbound;
    struct share_origin origin = origin_of(routing, poll);
    uint32_t here = 0, most = window_most(poll, queue);
    bool has_room =
        queue->messages < queue->messages_max / 2 && queue->bytes < queue->bytes_max / 2;
    if (poll->allowed == poll->sent) {
        look_at(routing, poll, poll->ends_ns);
        return;
    }
    if (has_room)
        poll->window = poll->window > most / 2 ? most : 2 * poll->window;
    if (has_room && poll->may_answer < poll->window)
        give(routing, poll, poll->window - poll->may_answer, &here);
    look_at(routing, poll, routing->context->now_ns + POLL_LOOK_MS * MS_NS);
    if (here > 0)
        shares_allow(routing, origin, here);
}

/* All have said how many match: the caller hears it, and they may begin. */
static void counted_if_all(struct routing *routing, struct poll *poll)
{
    if (poll->is_asking || poll->counting > 0)
        return;
    struct spread spread = {
        .sent = poll->sent,
        .nodes_asked = poll->nodes_count,
        .nodes_answered = ballots_done(poll),
    };
    struct outgoing message = {
        .kind = KIND_SPREAD,
        .correlation = poll->correlation,
        .schema = &spread_schema,
        .fields = &spread,
        .body = ballots_answers(routing, poll),
        .consumes_credit = true,
    };
    poll->is_asking = true;
    routing->context->counters[COUNTER_parts_sent] += poll->sent;
    routing->context->counters[COUNTER_parts_failed] += poll->ended; /* of members lost meanwhile */
    sessions_send(routing->sessions, sessions_at(routing->sessions, poll->asker), &message);
    if (poll->ended == poll->sent)
        finish(routing, poll, ballots_outcome(poll));
    else
        allow_more(routing, poll);
}

/* Asks a member who matches; this one knows at once. */
static void ask(struct routing *routing, struct poll *poll, struct poll_node *part,
                const struct node *node, const struct request *request, const struct parcel *parcel)
{
    struct span why;
    uint32_t sent;
    if (node->instance == routing->context->instance) {
        enum error error =
            shares_begin(routing, origin_of(routing, poll), request, parcel, &sent, &why);
        if (error == ERROR_OK && !ballots_counted(routing, poll, part, sent)) {
            shares_cancel(routing, origin_of(routing, poll));
            error = ERROR_LIMIT_REACHED;
        }
        if (error != ERROR_OK)
            ballots_give_up(routing, poll, part, error, error_sentence(error));
        return;
    }
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    struct outgoing message = {
        .kind = KIND_REQUEST,
        .flags = MESSAGE_WANTS_ANSWER,
        .correlation = ballots_number(poll),
        .schema = &request_schema,
        .fields = request,
        .body = parcel->body,
    };
    if (queue == NULL || outbound_send(queue, &message) != ERROR_OK)
        ballots_give_up(routing, poll, part, ERROR_CLUSTER_ROUTING, "can't be reached now");
    else
        count(routing->context, COUNTER_requests_forwarded);
}

/* Whether the filter can be read; if not, the caller has been told. */
static bool filter_judge(struct routing *routing, struct session *session, struct span text,
                         uint64_t number)
{
    struct complaints complaints = {.count = 0};
    struct filter *filter;
    enum error error = filter_parse(routing->filters, text, &filter, &complaints);
    if (error == ERROR_INVALID_FILTER) {
        count(routing->context, COUNTER_requests_other);
        by_filter_refuse(routing, session, number, &complaints);
    } else if (error != ERROR_OK) {
        responses_refuse(routing, session, number, ERROR_OVERLOADED,
                         span_text("no memory for the filter"));
    }
    filter_destroy(&filter);
    return error == ERROR_OK;
}

void polls_from_session(struct routing *routing, struct session *session, struct request *request,
                        struct parcel *parcel, uint64_t number, uint32_t timeout_ms)
{
    if (!filter_judge(routing, session, request->filter, number))
        return;
    struct poll *poll = ballots_take(routing, session, number);
    if (poll == NULL) {
        responses_refuse(routing, session, number, ERROR_OVERLOADED,
                         span_text("too many requests to filters are at work, of this session or "
                                   "on this node, or memory.queues is full"));
        return;
    }
    /* Each handler's node alone knows what was asked for of the sender: it gets all. */
    parcel->properties = senders_properties(routing, session, span_text("*F,*U"));
    request->path = parcel->path;
    request->timeout_ms = timeout_ms;
    request->sender = session->id;
    request->handler = (struct session_id){0};
    request->properties = parcel->properties;
    poll->ends_ns = routing->context->now_ns + (uint64_t)(timeout_ms + POLL_GRACE_MS) * MS_NS;
    poll->window = POLL_WINDOW_FIRST / 2;
    look_at(routing, poll, poll->ends_ns);
    for (uint32_t i = 0; i < poll->nodes_count; i++) {
        const struct node *node = nodes_find(&routing->nodes, poll->nodes[i].instance);
        ask(routing, poll, &poll->nodes[i], node, request, parcel);
    }
    counted_if_all(routing, poll);
}

void polls_cancel(struct routing *routing, const struct session *session, uint64_t number)
{
    struct poll *poll = ballots_of_session(routing, session->slot, number);
    if (poll == NULL)
        return; /* its end is on its way already */
    end_early(routing, poll, ERROR_CANCELLED, "cancelled by the caller");
    finish(routing, poll, ERROR_CANCELLED);
}

enum error polls_spread_from_node(struct routing *routing, const struct node *node,
                                  const struct message *message)
{
    struct spread spread;
    enum error error = schema_decode(&spread_schema, message->fields, &spread);
    if (error != ERROR_OK)
        return error;
    if (spread.allowed > 0) { /* it is the caller's node, and ours a share */
        struct share_origin origin = {.instance = node->instance, .number = message->correlation};
        shares_allow(routing, origin, spread.allowed);
        return ERROR_OK;
    }
    struct poll *poll = ballots_of_number(routing, message->correlation);
    struct poll_node *part = poll == NULL ? NULL : ballots_part(poll, node->instance);
    if (part == NULL || part->state != PART_COUNTING)
        return ERROR_OK; /* late: it was given up */
    enum error code = (enum error)spread.code;
    if (spread.sent > BALLOTS_SENT_MAX || poll->sent > UINT32_MAX - BALLOTS_SENT_MAX)
        return ERROR_INVALID_MESSAGE;
    if (code == ERROR_OK && !ballots_counted(routing, poll, part, spread.sent)) {
        part_cancel(routing, poll, part);
        code = ERROR_LIMIT_REACHED;
    }
    if (code != ERROR_OK)
        ballots_give_up(routing, poll, part, code, error_sentence(code));
    counted_if_all(routing, poll);
    return ERROR_OK;
}

/* Tells the caller of one session; false: there is no room. */
static bool part_pass_on(struct routing *routing, struct poll *poll, const struct part *part,
                         struct span body)
{
    struct session *asker = sessions_at(routing->sessions, poll->asker);
    struct outbound *queue = &asker->outbound;
    struct part as_it_came = *part;
    as_it_came.number = 0; /* the members' own */
    struct part without_value = {
        .session = part->session,
        .outcome = ERROR_LIMIT_REACHED,
        .message = span_text("it answered, and its answer found no room in the caller's queue"),
    };
    struct outgoing message = {
        .kind = KIND_PART,
        .correlation = poll->correlation,
        .schema = &part_schema,
        .fields = &as_it_came,
        .body = body,
        .consumes_credit = true,
    };
    size_t bytes = message_measure(&part_schema, part) + body.bytes;
    if (bytes > poll->largest_bytes)
        poll->largest_bytes = bytes;
    if (asker->phase != SESSION_PHASE_OPEN)
        return false;
    /* The last quarter of the queue is for what is said to the caller beside this. */
    bool has_room = queue->bytes + bytes <= queue->bytes_max - queue->bytes_max / 4;
    if ((has_room || body.bytes == 0) && outbound_send(queue, &message) == ERROR_OK)
        return true;
    message.fields = &without_value;
    message.body = (struct span){0};
    return outbound_send(queue, &message) == ERROR_OK;
}

void polls_part(struct routing *routing, const struct node *node, uint64_t number,
                const struct part *part, struct span body)
{
    struct poll *poll = ballots_of_number(routing, number);
    struct poll_node *from = poll == NULL ? NULL : ballots_part(poll, node->instance);
    if (from == NULL || !ballots_hear(from, part->number)) {
        count(routing->context, COUNTER_responses_late);
        return;
    }
    poll->ended++;
    poll->may_answer--;
    if (bug_is_planted(BUG_PART_TWICE))
        (void)part_pass_on(routing, poll, part, body);
    if (part_pass_on(routing, poll, part, body)) {
        from->answered++;
        count(routing->context, COUNTER_parts_answered);
    } else {
        from->failed++;
        from->code = ERROR_LIMIT_REACHED;
        from->why = "an answer found no room in the caller's queue";
        count(routing->context, COUNTER_parts_failed);
    }
    if (poll->ended == poll->sent)
        finish(routing, poll, ballots_outcome(poll));
    else if (poll->allowed < poll->sent && poll->may_answer <= poll->window / 2)
        look_at(routing, poll, routing->context->now_ns); /* not here: a share may be at work */
}

enum error polls_part_from_node(struct routing *routing, const struct node *node,
                                const struct message *message)
{
    struct part part;
    enum error error = schema_decode(&part_schema, message->fields, &part);
    if (error != ERROR_OK)
        return error;
    polls_part(routing, node, message->correlation, &part, message->body);
    return ERROR_OK;
}

void polls_node_lost(struct routing *routing, const struct node *node)
{
    struct poll *poll = NULL;
    while ((poll = ballots_next(routing, poll)) != NULL) {
        struct poll_node *part = ballots_part(poll, node->instance);
        if (part == NULL || part->state == PART_OVER)
            continue;
        if (part->state == PART_COUNTING) {
            ballots_give_up(routing, poll, part, ERROR_CLUSTER_ROUTING,
                            "was lost before it said how many match; it asked nobody");
            counted_if_all(routing, poll);
        } else if (!poll->is_asking) {
            ballots_give_up(routing, poll, part, ERROR_CLUSTER_ROUTING,
                            "was lost before it asked anybody");
        } else if (part->answered + part->failed < part->sent) {
            ballots_give_up(routing, poll, part, ERROR_HANDLER_LOST,
                            "was lost before all that it asked had answered");
            if (poll->ended == poll->sent)
                finish(routing, poll, ballots_outcome(poll));
        }
    }
}

void polls_session_ended(struct routing *routing, const struct session *session)
{
    struct poll *poll = NULL;
    while ((poll = ballots_next(routing, poll)) != NULL) {
        if (poll->asker != session->slot)
            continue;
        end_early(routing, poll, ERROR_CANCELLED, NULL);
        count(routing->context, COUNTER_requests_cancelled);
        ballots_release(routing, poll);
    }
}

void polls_due(struct routing *routing, uint32_t slot)
{
    struct poll *poll = ballots_at(routing, slot);
    if (routing->context->now_ns < poll->ends_ns) {
        allow_more(routing, poll);
        return;
    }
    end_early(routing, poll, ERROR_TIMEOUT, "did not come to the end within the request's time");
    finish(routing, poll, ERROR_TIMEOUT);
}
