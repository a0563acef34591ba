/* pending.c - see pending.h. */
#include "mesh/topics/pending.h"

#include "mesh/topics/authors.h"
#include "mesh/topics/operations.h"
#include "proto/kinds.h"

#define MS_NS UINT64_C(1000000)

_Static_assert(OPERATIONS_MAX == 16384 && OPERATIONS_OF_ONE_MAX == 4096,
               "refusals say the numbers");

/* A sequencer answers within milliseconds, or after a collecting; whoever has not answered by then
 * has lost the question or is lost. */
#define ANSWER_NS (10000 * MS_NS)

struct operations {
    struct operation *slots;
    uint32_t used; /* slots from here on were never touched */
    uint32_t count;
    uint32_t first_free;
    uint32_t first_parked, last_parked, parked;
    size_t parked_bytes;
    uint32_t walking;
    uint64_t number;
};

bool pending_init(struct topics *topics)
{
    struct memory *memory = &topics->context->memory;
    struct operations *all = memory_new(memory, MEMORY_TABLES, sizeof *all);
    topics->operations = all;
    if (all == NULL)
        return false;
    all->first_free = all->first_parked = all->last_parked = OPERATION_NONE;
    all->slots = memory_new(memory, MEMORY_TABLES, OPERATIONS_MAX * sizeof all->slots[0]);
    return all->slots != NULL;
}

static void bytes_free(struct topics *topics, struct operation *operation)
{
    memory_free(&topics->context->memory, MEMORY_QUEUES, operation->bytes, operation->bytes_count);
    operation->bytes = NULL;
    operation->bytes_count = 0;
}

void pending_clear(struct topics *topics)
{
    struct operations *all = topics->operations;
    if (all == NULL)
        return;
    for (uint32_t i = 0; i < all->used; i++) {
        if (all->slots[i].state != OPERATION_FREE)
            pending_release(topics, &all->slots[i]);
    }
    struct memory *memory = &topics->context->memory;
    memory_free(memory, MEMORY_TABLES, all->slots, OPERATIONS_MAX * sizeof all->slots[0]);
    memory_free(memory, MEMORY_TABLES, all, sizeof *all);
    topics->operations = NULL;
}

struct operation *pending_at(const struct topics *topics, uint32_t slot)
{
    require(slot < topics->operations->used);
    return &topics->operations->slots[slot];
}

struct operation *pending_take(struct topics *topics, struct session *session, uint64_t correlation)
{
    struct operations *all = topics->operations;
    uint32_t slot = all->first_free;
    if (session != NULL && session->operations == OPERATIONS_OF_ONE_MAX)
        return NULL;
    if (slot != OPERATION_NONE)
        all->first_free = all->slots[slot].next;
    else if (all->used < OPERATIONS_MAX)
        slot = all->used++;
    else
        return NULL;
    struct operation *operation = &all->slots[slot];
    all->count++;
    if (session != NULL)
        session->operations++;
    *operation = (struct operation){
        .state = OPERATION_AT_WORK,
        .slot = slot,
        .session = session == NULL ? SESSION_NONE : session->slot,
        .correlation = correlation,
        .next = OPERATION_NONE,
        .previous = OPERATION_NONE,
        .deadline = {.room = DEADLINE_TOPICS, .purpose = TOPICS_OPERATION, .slot = slot},
    };
    (void)pending_renumber(topics, operation);
    return operation;
}

uint64_t pending_renumber(struct topics *topics, struct operation *operation)
{
    operation->number = ++topics->operations->number * OPERATIONS_MAX + operation->slot;
    return operation->number;
}

struct operation *pending_take_removal(struct topics *topics, struct session *session,
                                       uint64_t correlation, struct span selector)
{
    struct operation *operation = pending_take(topics, session, correlation);
    if (operation == NULL)
        return NULL;
    operation->is_remove = true;
    operation->bytes_count = (size_t)2 * PATH_BYTES_MAX;
    operation->bytes = memory_new(&topics->context->memory, MEMORY_QUEUES, operation->bytes_count);
    if (operation->bytes == NULL) {
        operation->bytes_count = 0;
        pending_release(topics, operation);
        return NULL;
    }
    memcpy(operation->bytes, selector.data, selector.bytes);
    operation->first_bytes = selector.bytes;
    return operation;
}

/* The lists of those that wait for the same: parked ones, or for one author's log. */
static void enter(struct topics *topics, struct operation *operation, uint32_t *first)
{
    operation->previous = OPERATION_NONE;
    operation->next = *first;
    if (*first != OPERATION_NONE)
        pending_at(topics, *first)->previous = operation->slot;
    *first = operation->slot;
}

static void leave(struct topics *topics, struct operation *operation, uint32_t *first)
{
    if (operation->previous == OPERATION_NONE)
        *first = operation->next;
    else
        pending_at(topics, operation->previous)->next = operation->next;
    if (operation->next != OPERATION_NONE)
        pending_at(topics, operation->next)->previous = operation->previous;
    operation->next = operation->previous = OPERATION_NONE;
}

static void unpark(struct topics *topics, struct operation *operation)
{
    struct operations *all = topics->operations;
    if (all->last_parked == operation->slot)
        all->last_parked = operation->previous;
    leave(topics, operation, &all->first_parked);
    all->parked--;
    all->parked_bytes -= operation->bytes_count;
}

/* Out of whatever list it is in. */
static void settle(struct topics *topics, struct operation *operation)
{
    struct author *author =
        operation->state == OPERATION_AWAITS_LOG ? authors_find(topics, operation->target) : NULL;
    if (operation->state == OPERATION_PARKED)
        unpark(topics, operation);
    if (author != NULL)
        leave(topics, operation, &author->waiting);
    deadlines_cancel(topics->context->deadlines, &operation->deadline);
    operation->state = OPERATION_AT_WORK;
}

void pending_release(struct topics *topics, struct operation *operation)
{
    struct operations *all = topics->operations;
    settle(topics, operation);
    bytes_free(topics, operation);
    all->walking -= operation->is_walking ? 1 : 0;
    if (operation->session != SESSION_NONE)
        sessions_at(topics->sessions, operation->session)->operations--;
    operation->state = OPERATION_FREE;
    operation->number = 0;
    operation->next = all->first_free;
    all->first_free = operation->slot;
    all->count--;
}

void pending_reply(struct topics *topics, struct session *session, uint64_t correlation,
                   const struct topic_result *result)
{
    struct topic_result said = *result;
    struct outgoing message = {.kind = KIND_TOPIC,
                               .correlation = correlation,
                               .schema = &topic_result_schema,
                               .fields = &said};
    said.position = 0;
    sessions_send(topics->sessions, session, &message);
}

void pending_finish(struct topics *topics, struct operation *operation)
{
    struct session *session = sessions_at(topics->sessions, operation->session);
    pending_reply(topics, session, operation->correlation, &operation->result);
    pending_release(topics, operation);
}

static void wait_at_most(struct topics *topics, struct operation *operation, uint64_t ns)
{
    struct context *context = topics->context;
    deadlines_set(context->deadlines, &operation->deadline, context->now_ns + ns);
}

bool pending_ask(struct topics *topics, struct operation *operation, uint64_t target,
                 const struct outgoing *message)
{
    struct link *link = links_of_instance(topics->context->links, target);
    if (link == NULL || !link->forward_up || outbound_send(&link->forward, message) != ERROR_OK)
        return false;
    operation->target = target;
    operation->queued = link->forward.queued_total;
    operation->state = OPERATION_ASKED;
    count(topics->context, COUNTER_topic_updates_forwarded);
    wait_at_most(topics, operation, ANSWER_NS);
    return true;
}

void pending_unask(struct topics *topics, struct operation *operation)
{
    settle(topics, operation);
}

void pending_await_log(struct topics *topics, struct operation *operation, struct author *author)
{
    operation->state = OPERATION_AWAITS_LOG;
    enter(topics, operation, &author->waiting);
    wait_at_most(topics, operation, ANSWER_NS);
}

struct operation *pending_next_applied(struct topics *topics, struct author *author)
{
    uint32_t slot = author->waiting;
    while (slot != OPERATION_NONE) {
        struct operation *operation = pending_at(topics, slot);
        if (operation->position <= author->replica.have) {
            settle(topics, operation);
            return operation;
        }
        slot = operation->next;
    }
    return NULL;
}

bool pending_park(struct topics *topics, struct operation *operation, const struct topic_set *set,
                  struct span body)
{
    struct operations *all = topics->operations;
    size_t fields = schema_measure(&topic_set_schema, set);
    size_t bytes = fields + body.bytes;
    if (all->parked >= PARKED_MAX || bytes > PARKED_BYTES_MAX - all->parked_bytes)
        return false;
    operation->bytes = memory_new(&topics->context->memory, MEMORY_QUEUES, bytes);
    if (operation->bytes == NULL)
        return false;
    struct writer writer;
    writer_init(&writer, operation->bytes, bytes);
    schema_encode(&topic_set_schema, set, &writer);
    writer_span(&writer, body);
    operation->bytes_count = bytes;
    operation->first_bytes = fields;
    operation->state = OPERATION_PARKED;
    operation->previous = all->last_parked;
    *(all->last_parked == OPERATION_NONE ? &all->first_parked
                                         : &pending_at(topics, all->last_parked)->next) =
        operation->slot;
    all->last_parked = operation->slot;
    all->parked++;
    all->parked_bytes += bytes;
    count(topics->context, COUNTER_topic_updates_parked);
    return true;
}

struct operation *pending_first_parked(struct topics *topics)
{
    if (topics->operations->first_parked == OPERATION_NONE)
        return NULL;
    struct operation *operation = pending_at(topics, topics->operations->first_parked);
    settle(topics, operation);
    return operation;
}

void pending_parked(const struct operation *operation, struct topic_set *set, struct span *body)
{
    struct span fields = span_of(operation->bytes, operation->first_bytes);
    enum error error = schema_decode(&topic_set_schema, fields, set);
    require(error == ERROR_OK); /* it was encoded here */
    *body = span_of(operation->bytes + operation->first_bytes,
                    operation->bytes_count - operation->first_bytes);
}

/* How many of the session's walk. */
static uint32_t walking_of(const struct operations *all, uint32_t session)
{
    uint32_t walking = 0;
    for (uint32_t i = 0; all->walking > 0 && i < all->used; i++) {
        const struct operation *operation = &all->slots[i];
        walking += operation->state != OPERATION_FREE && operation->is_walking &&
                           operation->session == session
                       ? 1
                       : 0;
    }
    return walking;
}

bool pending_go_on_soon(struct topics *topics, struct operation *operation)
{
    struct operations *all = topics->operations;
    if (!operation->is_walking) {
        if (all->walking == WALKING_MAX ||
            walking_of(all, operation->session) == WALKING_OF_ONE_MAX)
            return false;
        operation->is_walking = true;
        all->walking++;
    }
    operation->state = OPERATION_AT_WORK;
    wait_at_most(topics, operation, (all->walking - 1) * MS_NS);
    return true;
}

struct operation *pending_find(const struct topics *topics, uint64_t number)
{
    uint32_t slot = (uint32_t)(number % OPERATIONS_MAX);
    if (number == 0 || slot >= topics->operations->used)
        return NULL;
    struct operation *operation = &topics->operations->slots[slot];
    return operation->number == number ? operation : NULL;
}

struct operation *pending_next_asked(struct topics *topics, uint64_t target, uint32_t *slot)
{
    struct operations *all = topics->operations;
    while (all->count > 0 && *slot < all->used) {
        struct operation *operation = &all->slots[(*slot)++];
        bool waits =
            operation->state == OPERATION_ASKED || operation->state == OPERATION_AWAITS_LOG;
        if (waits && operation->target == target)
            return operation;
    }
    return NULL;
}

struct operation *pending_next_of_session(struct topics *topics, uint32_t session, uint32_t *slot)
{
    struct operations *all = topics->operations;
    while (all->count > 0 && *slot < all->used) {
        struct operation *operation = &all->slots[(*slot)++];
        if (operation->state != OPERATION_FREE && operation->session == session)
            return operation;
    }
    return NULL;
}

void pending_check(const struct topics *topics)
{
    const struct operations *all = topics->operations;
    uint32_t count = 0;
    uint32_t parked = 0, walking = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < all->used; i++) {
        const struct operation *operation = &all->slots[i];
        bool is_parked = operation->state == OPERATION_PARKED;
        count += operation->state != OPERATION_FREE ? 1 : 0;
        parked += is_parked ? 1 : 0;
        walking += operation->state != OPERATION_FREE && operation->is_walking ? 1 : 0;
        bytes += is_parked ? operation->bytes_count : 0;
        require(operation->state == OPERATION_FREE || is_parked ||
                deadline_is_set(&operation->deadline));
        require(operation->state == OPERATION_FREE || operation->session == SESSION_NONE ||
                sessions_at(topics->sessions, operation->session)->operations > 0);
    }
    require(count == all->count && parked == all->parked && bytes == all->parked_bytes);
    require(parked == 0 || topics->sequencers.is_collecting);
    require(walking == all->walking);
}
