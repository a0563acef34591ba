/* sweeps.c - see sweeps.h.
 *
 * (W1) what matched is found at one instant; nobody is added later, who is gone counts as failed
 * (W2) a slice ends after so many sessions or bytes, and the loop turns before the next one
 * (W3) the asker's own session is not closed here: it is closed last, behind its answer */
#include "mesh/routing/sweeps.h"

#include "mesh/routing/deeds.h"

#define MS_NS UINT64_C(1000000)

enum {
    /* Under a millisecond of closing sessions. Half of it doubles the turns of a large command, of
     * about a millisecond each; twice of it lets a ping wait that long. */
    SLICE_SESSIONS = 128,
    SLICE_BYTES = 512 * 1024, /* of properties written anew: as long as copying these takes */
    PIN_MS = 5000,
};

struct sweeps {
    uint32_t used; /* slots from here on were never touched */
    struct sweep slots[SWEEPS_MAX];
};

bool sweeps_init(struct routing *routing)
{
    routing->sweeps = memory_new(&routing->context->memory, MEMORY_TABLES, sizeof *routing->sweeps);
    return routing->sweeps != NULL;
}

static void release(struct routing *routing, struct sweep *sweep)
{
    deadlines_cancel(routing->context->deadlines, &sweep->deadline);
    memory_free(&routing->context->memory, MEMORY_QUEUES, sweep->bytes,
                sweep->fields_bytes + sweep->body_bytes);
    matching_clear(routing, &sweep->matching);
    sweep->is_used = false;
}

void sweeps_clear(struct routing *routing)
{
    struct sweeps *sweeps = routing->sweeps;
    if (sweeps == NULL)
        return;
    for (uint32_t slot = 0; slot < sweeps->used; slot++) {
        if (sweeps->slots[slot].is_used)
            release(routing, &sweeps->slots[slot]);
    }
    memory_free(&routing->context->memory, MEMORY_TABLES, sweeps, sizeof *sweeps);
    routing->sweeps = NULL;
}

/* A sweep of that order with what matched; NULL: too many, and what matched is freed. */
static struct sweep *take(struct routing *routing, const struct sweep_order *order,
                          struct matching *matching)
{
    struct sweeps *sweeps = routing->sweeps;
    uint32_t slot = 0;
    while (slot < sweeps->used && sweeps->slots[slot].is_used)
        slot++;
    if (slot == SWEEPS_MAX) {
        matching_clear(routing, matching);
        return NULL;
    }
    struct sweep *sweep = &sweeps->slots[slot];
    *sweep = (struct sweep){
        .is_used = true,
        .slot = slot,
        .from = order->from,
        .correlation = order->correlation,
        .asker = order->asker,
        .matching = *matching,
        .deadline = {.room = DEADLINE_ROUTING, .purpose = ROUTING_SWEEP_DUE, .slot = slot},
    };
    if (slot == sweeps->used)
        sweeps->used++;
    *matching = (struct matching){0};
    memcpy(sweep->id, order->command->id.data, COMMAND_ID_BYTES);
    return sweep;
}

static bool keep_command(struct routing *routing, struct sweep *sweep,
                         const struct message *message)
{
    size_t bytes = message->fields.bytes + message->body.bytes;
    sweep->bytes = memory_new(&routing->context->memory, MEMORY_QUEUES, bytes);
    if (sweep->bytes == NULL)
        return false;
    sweep->fields_bytes = message->fields.bytes;
    sweep->body_bytes = message->body.bytes;
    memcpy(sweep->bytes, message->fields.data, message->fields.bytes);
    if (message->body.bytes > 0)
        memcpy(sweep->bytes + message->fields.bytes, message->body.data, message->body.bytes);
    return true;
}

static void deed_of(const struct sweep *sweep, struct command *command, struct deed *deed)
{
    struct sentence why;
    struct span fields = span_of(sweep->bytes, sweep->fields_bytes);
    struct span body = span_of(sweep->bytes + sweep->fields_bytes, sweep->body_bytes);
    require(schema_decode(&command_schema, fields, command) == ERROR_OK); /* it was once */
    require(deeds_read(deed, command, body, &why) == ERROR_OK);
}

bool sweeps_is_done(const struct sweep *sweep)
{
    return !sweep->is_pinned && sweep->at == sweep->matching.count;
}

static void work(struct routing *routing, struct sweep *sweep)
{
    struct command command;
    struct deed deed;
    size_t bytes = 0;
    bool is_own = sweep->from == routing->context->instance;
    deed_of(sweep, &command, &deed);
    for (uint32_t i = 0; i < SLICE_SESSIONS && bytes < SLICE_BYTES && !sweeps_is_done(sweep); i++) {
        struct session_id id = sweep->matching.ids[sweep->at++];
        struct session *session = sessions_find(routing->sessions, id);
        if (session != NULL && is_own && deed.verb == COMMAND_CLOSE &&
            session_id_equal(id, sweep->asker)) {
            sweep->closes_asker = true;
            sweep->applied++;
            continue;
        }
        bytes += session == NULL ? 0 : deeds_weight(&deed, session);
        bool is_done =
            session != NULL && deeds_do(routing, &deed, session, &sweep->removed) == ERROR_OK;
        sweep->applied += is_done;
        sweep->failed += !is_done;
    }
    /* Due at the wheel's next step, so that what has come in meanwhile is heard first. */
    if (!sweeps_is_done(sweep))
        deadlines_set(routing->context->deadlines, &sweep->deadline, routing->context->now_ns);
}

struct sweep *sweeps_begin(struct routing *routing, const struct sweep_order *order,
                           struct matching *matching, struct answer *answer)
{
    struct sweep *sweep = take(routing, order, matching);
    if (sweep == NULL || !keep_command(routing, sweep, order->message)) {
        if (sweep != NULL)
            release(routing, sweep);
        answers_refuse(answer, ERROR_LIMIT_REACHED,
                       "too many commands by filter are at work here, or memory.queues is full; "
                       "nothing was changed");
        return NULL;
    }
    work(routing, sweep);
    return sweep;
}

bool sweeps_pin(struct routing *routing, const struct sweep_order *order, struct matching *matching,
                struct answer *answer)
{
    struct sweep *sweep = take(routing, order, matching);
    if (sweep == NULL) {
        answers_refuse(answer, ERROR_LIMIT_REACHED,
                       "too many commands by filter wait here; nothing was changed");
        return false;
    }
    sweep->is_pinned = true;
    deadlines_set(routing->context->deadlines, &sweep->deadline,
                  routing->context->now_ns + PIN_MS * MS_NS);
    return true;
}

static struct sweep *find_pinned(const struct routing *routing, const struct sweep_order *order)
{
    struct sweeps *sweeps = routing->sweeps;
    for (uint32_t slot = 0; slot < sweeps->used; slot++) {
        struct sweep *sweep = &sweeps->slots[slot];
        if (sweep->is_used && sweep->is_pinned && sweep->from == order->from &&
            memcmp(sweep->id, order->command->id.data, COMMAND_ID_BYTES) == 0)
            return sweep;
    }
    return NULL;
}

bool sweeps_take_pinned(struct routing *routing, const struct sweep_order *order,
                        struct matching *matching)
{
    struct sweep *sweep = find_pinned(routing, order);
    if (sweep == NULL)
        return false;
    *matching = sweep->matching;
    sweep->matching = (struct matching){0};
    release(routing, sweep);
    return true;
}

bool sweeps_count_pinned(const struct routing *routing, const struct sweep_order *order,
                         uint32_t *count)
{
    const struct sweep *sweep = find_pinned(routing, order);
    if (sweep != NULL)
        *count = sweep->matching.count;
    return sweep != NULL;
}

struct sweep *sweeps_due(struct routing *routing, uint32_t slot)
{
    struct sweep *sweep = &routing->sweeps->slots[slot];
    require(slot < routing->sweeps->used && sweep->is_used);
    if (sweep->is_pinned) {
        release(routing, sweep);
        return NULL;
    }
    work(routing, sweep);
    return sweeps_is_done(sweep) ? sweep : NULL;
}

void sweeps_finish(struct routing *routing, struct sweep *sweep, struct answer *answer)
{
    require(sweeps_is_done(sweep));
    *answer = (struct answer){
        .result = {.node = span_text(routing->context->config->name),
                   .matched = sweep->matching.count,
                   .applied = sweep->applied,
                   .failed = sweep->failed,
                   .removed = sweep->removed},
    };
    require(sweep->applied + sweep->failed == sweep->matching.count);
    release(routing, sweep);
}

void sweeps_check(const struct routing *routing)
{
    const struct sweeps *sweeps = routing->sweeps;
    for (uint32_t slot = 0; slot < sweeps->used; slot++) {
        const struct sweep *sweep = &sweeps->slots[slot];
        if (!sweep->is_used)
            continue;
        require(sweep->slot == slot && deadline_is_set(&sweep->deadline));
        require(sweep->at <= sweep->matching.count);
        require(sweep->applied + sweep->failed == sweep->at);
    }
}
