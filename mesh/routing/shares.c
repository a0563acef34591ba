/* shares.c - see shares.h.
 *
 *     REQUEST -> [shares_begin] ids of who matches -> SPREAD: how many
 *     SPREAD allowed -> [ask_some] a slice of them: a flight each -> handover.h
 *     the flight's outcome -> [shares_answer] -> PART
 *
 * (H1) who matches is found at one instant, and each is asked at most once, in that order
 * (H2) a share lasts while somebody is to be asked or a flight of it is out
 * (H3) the loop turns between two slices */
#include "mesh/routing/shares.h"

#include "mesh/base/bugs.h"
#include "mesh/filter/filter.h"
#include "mesh/routing/direct.h"
#include "mesh/routing/handover.h"
#include "mesh/routing/matching.h"
#include "mesh/routing/polls.h"
#include "mesh/routing/responses.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

/* A slice: half a millisecond of work, or as many bytes as two frames to a node take. */
enum { SLICE_SESSIONS = 128, SLICE_BYTES = 512 * 1024 };

struct share {
    bool is_used, is_working;
    uint32_t slot;
    struct share_origin origin;
    struct session_id sender;
    bool is_idempotent;
    uint8_t type;
    uint32_t next, allowed; /* of matching: asked so far; and how far that may go */
    uint32_t in_flight;
    uint64_t ends_ns;
    struct deadline deadline;
    struct matching matching;
    size_t path_bytes, body_bytes, properties_bytes;
    uint8_t *content; /* path, body, properties: one copy for all */
};

struct shares {
    uint32_t count;
    struct share slots[SHARES_MAX];
};

bool shares_init(struct routing *routing)
{
    routing->shares = memory_new(&routing->context->memory, MEMORY_TABLES, sizeof(struct shares));
    return routing->shares != NULL;
}

static size_t content_bytes(const struct share *share)
{
    return share->path_bytes + share->body_bytes + share->properties_bytes;
}

static void release(struct routing *routing, struct share *share)
{
    require(share->in_flight == 0);
    deadlines_cancel(routing->context->deadlines, &share->deadline);
    matching_clear(routing, &share->matching);
    memory_free(&routing->context->memory, MEMORY_QUEUES, share->content, content_bytes(share));
    share->content = NULL;
    share->is_used = false;
    routing->shares->count--;
}

void shares_clear(struct routing *routing)
{
    if (routing->shares == NULL)
        return;
    for (uint32_t slot = 0; slot < SHARES_MAX; slot++) {
        routing->shares->slots[slot].in_flight = 0; /* the flights were destroyed before */
        if (routing->shares->slots[slot].is_used)
            release(routing, &routing->shares->slots[slot]);
    }
    memory_free(&routing->context->memory, MEMORY_TABLES, routing->shares, sizeof(struct shares));
    routing->shares = NULL;
}

static struct share *find(struct routing *routing, struct share_origin origin)
{
    for (uint32_t slot = 0; slot < SHARES_MAX; slot++) {
        struct share *share = &routing->shares->slots[slot];
        if (share->is_used && share->origin.instance == origin.instance &&
            share->origin.number == origin.number)
            return share;
    }
    return NULL;
}

static struct share *slot_take(struct routing *routing)
{
    for (uint32_t slot = 0; slot < SHARES_MAX; slot++) {
        struct share *share = &routing->shares->slots[slot];
        if (!share->is_used) {
            *share = (struct share){.is_used = true, .slot = slot};
            routing->shares->count++;
            return share;
        }
    }
    return NULL;
}

/* The sessions that match now; false: the answer says why there are none to be had. */
static bool matching_make(struct routing *routing, struct span text, struct matching *matching,
                          struct answer *answer)
{
    struct filter *filter = NULL;
    bool is_found = matching_parse(routing, text, &filter, answer) &&
                    matching_find(routing, filter, matching, answer);
    filter_destroy(&filter);
    return is_found;
}

static bool content_keep(struct routing *routing, struct share *share, const struct parcel *parcel)
{
    share->path_bytes = parcel->path.bytes;
    share->body_bytes = parcel->body.bytes;
    share->properties_bytes = parcel->properties.bytes;
    share->content = memory_new(&routing->context->memory, MEMORY_QUEUES, content_bytes(share));
    if (share->content == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, share->content, content_bytes(share));
    writer_span(&writer, parcel->path);
    writer_span(&writer, parcel->body);
    writer_span(&writer, parcel->properties);
    require(!writer.is_bad && writer.left == 0);
    return true;
}

static void look_at(struct routing *routing, struct share *share, uint64_t at_ns)
{
    deadlines_set(routing->context->deadlines, &share->deadline, at_ns);
}

enum error shares_begin(struct routing *routing, struct share_origin origin,
                        const struct request *request, const struct parcel *parcel, uint32_t *sent,
                        struct span *why)
{
    struct answer answer;
    struct matching matching = {0};
    *sent = 0;
    if (!matching_make(routing, request->filter, &matching, &answer)) {
        matching_clear(routing, &matching);
        *why = answer.result.text;
        return (enum error)answer.result.code;
    }
    if (matching.count == 0) {
        matching_clear(routing, &matching);
        return ERROR_OK;
    }
    struct share *share = slot_take(routing);
    if (share == NULL) {
        matching_clear(routing, &matching);
        *why = span_text("as many requests to filters are at work here as a node takes; nobody "
                         "was asked");
        return ERROR_LIMIT_REACHED;
    }
    share->origin = origin;
    share->sender = request->sender;
    share->is_idempotent = request->is_idempotent;
    share->type = parcel->type;
    share->matching = matching;
    share->ends_ns = routing->context->now_ns + request->timeout_ms * MS_NS;
    share->deadline = (struct deadline){
        .room = DEADLINE_ROUTING, .purpose = ROUTING_SHARE_DUE, .slot = share->slot};
    if (!content_keep(routing, share, parcel)) {
        release(routing, share);
        *why = span_text("no memory for the request (memory.queues); nobody was asked");
        return ERROR_LIMIT_REACHED;
    }
    look_at(routing, share, share->ends_ns);
    *sent = matching.count;
    return ERROR_OK;
}

void shares_from_node(struct routing *routing, const struct node *node,
                      const struct request *request, const struct parcel *parcel, uint64_t number)
{
    struct span why;
    struct share_origin origin = {.instance = node->instance, .number = number};
    struct spread spread = {0};
    if (find(routing, origin) != NULL)
        return; /* the frame came twice */
    enum error error = shares_begin(routing, origin, request, parcel, &spread.sent, &why);
    if (error != ERROR_OK) {
        spread.code = (uint16_t)error;
        spread.text = why;
    }
    struct outgoing message = {
        .kind = KIND_SPREAD,
        .correlation = number,
        .schema = &spread_schema,
        .fields = &spread,
    };
    struct outbound *queue = nodes_queue(&routing->nodes, node);
    /* No way back, or a full one: the caller's node ends the matter by its own deadline. */
    if (queue != NULL && outbound_send(queue, &message) == ERROR_OK)
        count(routing->context, COUNTER_responses_forwarded);
}

/* The outcome of one session, to whoever asked. */
static void part_send(struct routing *routing, const struct share *share, const struct part *part,
                      struct span body)
{
    struct share_origin origin = share->origin;
    const struct node *node = nodes_find(&routing->nodes, origin.instance);
    if (origin.instance == routing->context->instance) {
        polls_part(routing, node, origin.number, part, body);
        return;
    }
    struct outbound *queue = node == NULL ? NULL : nodes_queue(&routing->nodes, node);
    struct outgoing message = {
        .kind = KIND_PART,
        .correlation = origin.number,
        .schema = &part_schema,
        .fields = part,
        .body = body,
    };
    if (queue != NULL && outbound_send(queue, &message) == ERROR_OK)
        count(routing->context, COUNTER_responses_forwarded);
}

void shares_answer(struct routing *routing, const struct flight *flight,
                   const struct response *response, struct span body)
{
    const struct share *share = &routing->shares->slots[flight->ends[FLIGHT_CALLER].slot];
    struct part part = {
        .session = flight->to,
        .number = (uint32_t)flight->caller_key,
        .outcome = response->outcome,
        .type = response->type,
        .message = response->message,
    };
    part_send(routing, share, &part, body);
}

static void release_if_over(struct routing *routing, struct share *share)
{
    if (share->is_used && !share->is_working && share->in_flight == 0 &&
        share->next == share->matching.count)
        release(routing, share);
}

void shares_flight_ended(struct routing *routing, uint32_t slot)
{
    struct share *share = &routing->shares->slots[slot];
    require(share->is_used && share->in_flight > 0);
    share->in_flight--;
    release_if_over(routing, share);
}

/* Of the one that is asked just now. */
static void refuse(struct routing *routing, const struct share *share, enum error outcome,
                   struct span text)
{
    struct part part = {
        .session = share->matching.ids[share->next - 1],
        .number = share->next,
        .outcome = (uint16_t)outcome,
        .message = text,
    };
    part_send(routing, share, &part, (struct span){0});
}

/* Asks the next one of those that matched, or says why not. */
static void ask(struct routing *routing, struct share *share, const struct parcel *parcel)
{
    struct sentence text;
    struct session_id id = share->matching.ids[share->next - 1];
    struct session *session = sessions_find(routing->sessions, id);
    if (session == NULL) {
        refuse(routing, share, ERROR_NO_SUCH_SESSION,
               span_text("the session closed before it was asked"));
        return;
    }
    struct served *served =
        served_find(routing->served, session->slot, HANDLER_DIRECT, parcel->path);
    if (served == NULL) {
        direct_unhandled_say(&text, parcel->path);
        refuse(routing, share, ERROR_UNHANDLED, sentence_span(&text));
        return;
    }
    struct flight *flight =
        flights_take(routing->flights, FLIGHT_AT_SHARE, share->slot, share->next, 0);
    if (flight == NULL) {
        refuse(routing, share, ERROR_OVERLOADED,
               span_text("the session's node has too many requests in flight"));
        return;
    }
    share->in_flight++;
    flight->sender = share->sender;
    flight->is_idempotent = share->is_idempotent;
    flight->is_to_session = true;
    flight->to = id;
    uint64_t left_ms = (share->ends_ns - routing->context->now_ns + MS_NS - 1) / MS_NS;
    handover_deadline(routing, flight, (uint32_t)left_ms);
    if (handover_here(routing, flight, parcel, session, served) != ERROR_OK)
        responses_say(routing, flight, ERROR_OVERLOADED,
                      span_text("the session's queue is full; try again later"));
}

/* The request as it lies in the share, copied for this pull: the share may end before that does. */
static bool parcel_make(struct routing *routing, const struct share *share, struct parcel *parcel)
{
    struct span content =
        scratch_copy(&routing->context->scratch, span_of(share->content, content_bytes(share)));
    if (content.data == NULL)
        return false;
    *parcel = (struct parcel){
        .path = span_of(content.data, share->path_bytes),
        .type = share->type,
        .body = span_of(content.data + share->path_bytes, share->body_bytes),
        .properties =
            span_of(content.data + share->path_bytes + share->body_bytes, share->properties_bytes),
    };
    return true;
}

/* Whom it did not ask yet it asks no more. */
static void stop(struct share *share)
{
    share->matching.count = share->next;
    share->allowed = share->next;
}

/* One slice of those that may be asked; the next one in the next turn of the wheel. */
static void ask_some(struct routing *routing, struct share *share)
{
    struct parcel parcel;
    if (routing->context->now_ns >= share->ends_ns) {
        stop(share); /* those that were asked have the same deadline */
        release_if_over(routing, share);
        return;
    }
    uint32_t most =
        share->body_bytes == 0 ? SLICE_SESSIONS : (uint32_t)(SLICE_BYTES / share->body_bytes) + 1;
    bool has_parcel = share->next < share->allowed && parcel_make(routing, share, &parcel);
    share->is_working = true;
    for (uint32_t asked = 0; asked < SLICE_SESSIONS && asked < most; asked++) {
        if (share->next >= share->allowed)
            break;
        share->next++;
        if (has_parcel)
            ask(routing, share, &parcel);
        else
            refuse(routing, share, ERROR_OVERLOADED,
                   span_text("no memory for the request (memory.queues)"));
    }
    share->is_working = false;
    look_at(routing, share,
            share->next < share->allowed ? routing->context->now_ns : share->ends_ns);
    release_if_over(routing, share);
}

void shares_allow(struct routing *routing, struct share_origin origin, uint32_t allowed)
{
    struct share *share = find(routing, origin);
    if (share == NULL || allowed <= share->allowed)
        return;
    bool is_at_work = share->next < share->allowed; /* a slice is due already */
    share->allowed = allowed < share->matching.count ? allowed : share->matching.count;
    if (!is_at_work && !share->is_working)
        ask_some(routing, share);
}

static void abandon(struct routing *routing, struct share *share)
{
    struct flight *flight;
    stop(share);
    share->is_working = true; /* it must not go while its flights are walked */
    while ((flight = flights_first(routing->flights, FLIGHT_CALLER, FLIGHT_AT_SHARE,
                                   share->slot)) != NULL) {
        handover_cancel(routing, flight);
        responses_forget(routing, flight, ERROR_CANCELLED);
    }
    share->is_working = false;
    release_if_over(routing, share);
}

void shares_cancel(struct routing *routing, struct share_origin origin)
{
    struct share *share = find(routing, origin);
    if (share != NULL)
        abandon(routing, share);
}

void shares_node_lost(struct routing *routing, uint64_t instance)
{
    for (uint32_t slot = 0; routing->shares->count > 0 && slot < SHARES_MAX; slot++) {
        struct share *share = &routing->shares->slots[slot];
        if (share->is_used && share->origin.instance == instance)
            abandon(routing, share);
    }
}

void shares_due(struct routing *routing, uint32_t slot)
{
    struct share *share = &routing->shares->slots[slot];
    require(share->is_used);
    ask_some(routing, share);
}

void shares_check(const struct routing *routing)
{
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < SHARES_MAX; slot++) {
        const struct share *share = &routing->shares->slots[slot];
        used += share->is_used;
        if (!share->is_used)
            continue;
        require(!share->is_working && share->next <= share->allowed);
        require(share->allowed <= share->matching.count);
        require(share->in_flight > 0 || share->next < share->matching.count);
    }
    require(used == routing->shares->count);
}
