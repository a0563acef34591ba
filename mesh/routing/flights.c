/* flights.c - see flights.h.
 *
 * (F1) a flight is in exactly one list for each of its ends that is somewhere
 * (F2) by_caller of its caller's place holds each flight whose caller has a number for it, once,
 *      under (caller_key, caller_correlation)
 * (F3) loads holds, for each handler session, how many flights it serves; no zeros */
#include "mesh/routing/flights.h"

struct flight_copy {
    size_t path_bytes, body_bytes;
    uint8_t type;
    uint8_t content[]; /* path, body */
};

struct flights {
    struct context *context;
    uint64_t copies_bytes;
    struct flight *slots;
    uint32_t capacity, used, first_free; /* free ones are linked by the caller's next */
    uint32_t own, own_most, foreign, foreign_most;
    uint32_t *first[FLIGHT_SIDES][FLIGHT_PLACES]; /* heads, by slot of the session or node */
    uint32_t places[FLIGHT_PLACES];               /* how many heads there are */
    uint32_t *begun;                              /* by slot of the caller's session: how many */
    struct hashmap by_caller[FLIGHT_PLACES];      /* AT_SESSION, AT_NODE -> slot */
    struct hashmap_key asked_key;                 /* the last one looked for there, and its hash: */
    enum flight_place asked_place;                /* what is not there yet is taken next */
    uint32_t asked_hash;
    struct hashmap loads; /* handler session -> how many */
};

static bool heads_new(struct flights *flights)
{
    struct memory *memory = &flights->context->memory;
    size_t begun_bytes = flights->places[FLIGHT_AT_SESSION] * sizeof(uint32_t);
    flights->begun = memory_new(memory, MEMORY_TABLES, begun_bytes);
    if (flights->begun == NULL)
        return false;
    for (int side = 0; side < FLIGHT_SIDES; side++) {
        for (int place = FLIGHT_AT_SESSION; place < FLIGHT_PLACES; place++) {
            size_t bytes = flights->places[place] * sizeof(uint32_t);
            uint32_t *heads = memory_new(memory, MEMORY_TABLES, bytes);
            flights->first[side][place] = heads;
            if (heads == NULL)
                return false;
        }
    }
    return true;
}

struct flights *flights_new(struct context *context, uint32_t own_most, uint32_t foreign_most,
                            uint32_t sessions, uint32_t nodes, uint32_t shares)
{
    struct memory *memory = &context->memory;
    struct flights *flights = memory_new(memory, MEMORY_TABLES, sizeof *flights);
    if (flights == NULL)
        return NULL;
    uint32_t capacity = own_most + foreign_most;
    *flights = (struct flights){
        .context = context,
        .slots = memory_new(memory, MEMORY_TABLES, capacity * sizeof(struct flight)),
        .capacity = capacity,
        .first_free = FLIGHT_NONE,
        .own_most = own_most,
        .foreign_most = foreign_most,
        .places =
            {[FLIGHT_AT_SESSION] = sessions, [FLIGHT_AT_NODE] = nodes, [FLIGHT_AT_SHARE] = shares},
    };
    /* Sessions choose their numbers; a node's are its flights'. */
    struct hashmap *by_session = &flights->by_caller[FLIGHT_AT_SESSION];
    struct hashmap *by_node = &flights->by_caller[FLIGHT_AT_NODE];
    hashmap_init(by_session, memory, MEMORY_TABLES, random_u64(&context->random));
    hashmap_init_dealt(by_node, memory, MEMORY_TABLES, random_u64(&context->random));
    hashmap_init_dealt(&flights->loads, memory, MEMORY_TABLES, random_u64(&context->random));
    if (flights->slots == NULL || !heads_new(flights))
        flights_destroy(&flights);
    return flights;
}

static size_t copy_bytes(size_t path_bytes, size_t body_bytes)
{
    return sizeof(struct flight_copy) + path_bytes + body_bytes;
}

static void copy_free(struct flights *flights, struct flight *flight)
{
    struct flight_copy *copy = flight->copy;
    if (copy == NULL)
        return;
    size_t bytes = copy_bytes(copy->path_bytes, copy->body_bytes);
    flights->copies_bytes -= bytes;
    memory_free(&flights->context->memory, MEMORY_QUEUES, copy, bytes);
    flight->copy = NULL;
}

void flights_destroy(struct flights **flights)
{
    struct flights *self = *flights;
    if (self == NULL)
        return;
    struct memory *memory = &self->context->memory;
    for (uint32_t slot = 0; self->slots != NULL && slot < self->used; slot++) {
        deadlines_cancel(self->context->deadlines, &self->slots[slot].deadline);
        copy_free(self, &self->slots[slot]);
    }
    for (int side = 0; side < FLIGHT_SIDES; side++) {
        for (int place = FLIGHT_AT_SESSION; place < FLIGHT_PLACES; place++)
            memory_free(memory, MEMORY_TABLES, self->first[side][place],
                        self->places[place] * sizeof(uint32_t));
    }
    memory_free(memory, MEMORY_TABLES, self->begun,
                self->places[FLIGHT_AT_SESSION] * sizeof(uint32_t));
    hashmap_clear(&self->by_caller[FLIGHT_AT_SESSION]);
    hashmap_clear(&self->by_caller[FLIGHT_AT_NODE]);
    hashmap_clear(&self->loads);
    memory_free(memory, MEMORY_TABLES, self->slots, self->capacity * sizeof(struct flight));
    memory_free(memory, MEMORY_TABLES, self, sizeof *self);
    *flights = NULL;
}

/* Heads are zeroed memory, so they hold slot + 1. */
static uint32_t *head_of(struct flights *flights, enum flight_side side,
                         const struct flight_end *end)
{
    require(end->slot < flights->places[end->place]);
    return &flights->first[side][end->place][end->slot];
}

static void end_link(struct flights *flights, struct flight *flight, enum flight_side side,
                     enum flight_place place, uint32_t slot)
{
    struct flight_end *end = &flight->ends[side];
    *end = (struct flight_end){.place = place, .slot = slot, .previous = FLIGHT_NONE};
    end->next = FLIGHT_NONE;
    if (place == FLIGHT_AT_NOBODY)
        return;
    uint32_t *head = head_of(flights, side, end);
    if (*head != 0) {
        end->next = *head - 1;
        flights->slots[end->next].ends[side].previous = flight->slot;
    }
    *head = flight->slot + 1;
}

static void end_unlink(struct flights *flights, struct flight *flight, enum flight_side side)
{
    struct flight_end *end = &flight->ends[side];
    if (end->place == FLIGHT_AT_NOBODY)
        return;
    if (end->previous != FLIGHT_NONE)
        flights->slots[end->previous].ends[side].next = end->next;
    else
        *head_of(flights, side, end) = end->next == FLIGHT_NONE ? 0 : end->next + 1;
    if (end->next != FLIGHT_NONE)
        flights->slots[end->next].ends[side].previous = end->previous;
    end->place = FLIGHT_AT_NOBODY;
}

static struct hashmap_key caller_key(uint64_t key, uint64_t correlation)
{
    return (struct hashmap_key){.high = key, .low = correlation};
}

static uint32_t caller_hash(struct flights *flights, enum flight_place place,
                            struct hashmap_key key)
{
    const struct hashmap_key *asked = &flights->asked_key;
    if (place != flights->asked_place || key.high != asked->high || key.low != asked->low) {
        flights->asked_key = key;
        flights->asked_place = place;
        flights->asked_hash = hashmap_hash(&flights->by_caller[place], key);
    }
    return flights->asked_hash;
}

/* The maps grow with what is in flight at once, not with what may be: one that fits the cache costs
 * a look-up a tenth of what a miss in one for the most would. */
static bool has_room(struct flights *flights, enum flight_place place)
{
    bool is_own = place == FLIGHT_AT_SESSION;
    if (is_own ? flights->own == flights->own_most : flights->foreign == flights->foreign_most)
        return false;
    struct hashmap *by_caller = &flights->by_caller[place];
    return hashmap_reserve(&flights->loads, flights->own + flights->foreign + 1) &&
           (place == FLIGHT_AT_SHARE || hashmap_reserve(by_caller, by_caller->count + 1));
}

struct flight *flights_take(struct flights *flights, enum flight_place place, uint32_t slot,
                            uint64_t key, uint64_t correlation)
{
    if (!has_room(flights, place))
        return NULL;
    uint32_t free = flights->first_free;
    if (free == FLIGHT_NONE)
        free = flights->used++;
    else
        flights->first_free = flights->slots[free].ends[FLIGHT_CALLER].next;
    struct flight *flight = &flights->slots[free];
    uint32_t generation = (flight->generation + 1) & (UINT32_MAX >> 1);
    *flight = (struct flight){
        .slot = free,
        .generation = generation == 0 ? 1 : generation,
        .caller_key = key,
        .caller_correlation = correlation,
        .deadline = {.room = DEADLINE_ROUTING, .slot = free},
    };
    end_link(flights, flight, FLIGHT_CALLER, place, slot);
    end_link(flights, flight, FLIGHT_HANDLER, FLIGHT_AT_NOBODY, 0);
    if (correlation != 0) {
        struct hashmap_key number = caller_key(key, correlation);
        flight->caller_hash = caller_hash(flights, place, number);
        require(hashmap_put_hashed(&flights->by_caller[place], number, flight->caller_hash, free));
    }
    if (place == FLIGHT_AT_SESSION) {
        flights->own++;
        flights->begun[slot]++;
    } else {
        flights->foreign++;
    }
    return flight;
}

static struct hashmap_key load_key(struct session_id handler)
{
    return (struct hashmap_key){.high = handler.instance, .low = handler.serial};
}

uint32_t flights_load(const struct flights *flights, struct session_id handler)
{
    uint32_t load = hashmap_get(&flights->loads, load_key(handler));
    return load == HASHMAP_NONE ? 0 : load;
}

void flights_give(struct flights *flights, struct flight *flight, enum flight_place place,
                  uint32_t slot, struct session_id handler)
{
    if (flight->ends[FLIGHT_HANDLER].place != FLIGHT_AT_NOBODY) {
        uint32_t *load = hashmap_slot(&flights->loads, load_key(flight->handler));
        require(load != NULL && *load > 0);
        if (--*load == 0)
            hashmap_remove(&flights->loads, load_key(flight->handler));
    }
    end_unlink(flights, flight, FLIGHT_HANDLER);
    end_link(flights, flight, FLIGHT_HANDLER, place, slot);
    flight->handler = handler;
    if (place == FLIGHT_AT_NOBODY)
        return;
    uint32_t *load = hashmap_slot(&flights->loads, load_key(handler));
    if (load != NULL)
        ++*load;
    else
        require(hashmap_put(&flights->loads, load_key(handler), 1));
}

void flights_release(struct flights *flights, struct flight *flight)
{
    const enum flight_place place = flight->ends[FLIGHT_CALLER].place;
    if (place == FLIGHT_AT_SESSION) {
        flights->own--;
        flights->begun[flight->ends[FLIGHT_CALLER].slot]--;
    } else {
        flights->foreign--;
    }
    flights_give(flights, flight, FLIGHT_AT_NOBODY, 0, (struct session_id){0});
    end_unlink(flights, flight, FLIGHT_CALLER);
    deadlines_cancel(flights->context->deadlines, &flight->deadline);
    copy_free(flights, flight);
    if (flight->caller_correlation != 0)
        hashmap_remove_hashed(&flights->by_caller[place],
                              caller_key(flight->caller_key, flight->caller_correlation),
                              flight->caller_hash);
    flight->ends[FLIGHT_CALLER].next = flights->first_free;
    flights->first_free = flight->slot;
}

bool flights_copy(struct flights *flights, struct flight *flight, struct span path, uint8_t type,
                  struct span body)
{
    struct memory *memory = &flights->context->memory;
    size_t bytes = copy_bytes(path.bytes, body.bytes);
    uint64_t most = memory->limit[MEMORY_QUEUES] / FLIGHT_COPIES_SHARE;
    require(flight->copy == NULL);
    if (bytes > most || flights->copies_bytes > most - bytes)
        return false;
    struct flight_copy *copy = memory_new(memory, MEMORY_QUEUES, bytes);
    if (copy == NULL)
        return false;
    *copy = (struct flight_copy){.path_bytes = path.bytes, .body_bytes = body.bytes, .type = type};
    memcpy(copy->content, path.data, path.bytes);
    if (body.bytes > 0)
        memcpy(copy->content + path.bytes, body.data, body.bytes);
    flight->copy = copy;
    flights->copies_bytes += bytes;
    return true;
}

void flights_copied(const struct flight *flight, struct span *path, uint8_t *type,
                    struct span *body)
{
    const struct flight_copy *copy = flight->copy;
    *path = span_of(copy->content, copy->path_bytes);
    *type = copy->type;
    *body = span_of(copy->content + copy->path_bytes, copy->body_bytes);
}

uint64_t flights_number(const struct flight *flight)
{
    return (uint64_t)flight->generation << 32 | flight->slot;
}

struct flight *flights_of_number(struct flights *flights, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    if (slot >= flights->used)
        return NULL;
    struct flight *flight = &flights->slots[slot];
    bool is_over = flight->ends[FLIGHT_CALLER].place == FLIGHT_AT_NOBODY;
    return is_over || flights_number(flight) != number ? NULL : flight;
}

struct flight *flights_of_caller(struct flights *flights, enum flight_place place, uint64_t key,
                                 uint64_t correlation)
{
    struct hashmap_key number = caller_key(key, correlation);
    uint32_t hash = caller_hash(flights, place, number);
    uint32_t slot = hashmap_get_hashed(&flights->by_caller[place], number, hash);
    return slot == HASHMAP_NONE ? NULL : &flights->slots[slot];
}

struct flight *flights_at(struct flights *flights, uint32_t slot)
{
    require(slot < flights->used);
    return &flights->slots[slot];
}

struct flight *flights_first(struct flights *flights, enum flight_side side,
                             enum flight_place place, uint32_t slot)
{
    struct flight_end end = {.place = place, .slot = slot};
    uint32_t head = *head_of(flights, side, &end);
    return head == 0 ? NULL : &flights->slots[head - 1];
}

uint32_t flights_of_session(const struct flights *flights, uint32_t slot)
{
    require(slot < flights->places[FLIGHT_AT_SESSION]);
    return flights->begun[slot];
}

uint32_t flights_own(const struct flights *flights)
{
    return flights->own;
}

void flights_check(const struct flights *flights)
{
    uint32_t own = 0, foreign = 0, served = 0, numbered = 0;
    for (uint32_t slot = 0; slot < flights->used; slot++) {
        const struct flight *flight = &flights->slots[slot];
        enum flight_place caller = flight->ends[FLIGHT_CALLER].place;
        if (caller == FLIGHT_AT_NOBODY)
            continue;
        own += caller == FLIGHT_AT_SESSION;
        if (caller == FLIGHT_AT_SESSION)
            require(flights->begun[flight->ends[FLIGHT_CALLER].slot] > 0);
        foreign += caller != FLIGHT_AT_SESSION;
        served += flight->ends[FLIGHT_HANDLER].place != FLIGHT_AT_NOBODY;
        struct hashmap_key key = caller_key(flight->caller_key, flight->caller_correlation);
        numbered += flight->caller_correlation != 0;
        if (flight->caller_correlation != 0)
            require(hashmap_get(&flights->by_caller[caller], key) == slot);
        require(deadline_is_set(&flight->deadline));
        require(flights_load(flights, flight->handler) > 0);
    }
    require(own == flights->own && own <= flights->own_most);
    require(foreign == flights->foreign && foreign <= flights->foreign_most);
    require(numbered ==
            flights->by_caller[FLIGHT_AT_SESSION].count + flights->by_caller[FLIGHT_AT_NODE].count);
    require(served == own + foreign);
}
