/* served.c - see served.h.
 *
 * (V1) a record is in the list of its session and found by (session, kind, path)
 * (V2) requests = ended + in_flight, for each record */
#include "mesh/routing/served.h"

#include "mesh/base/path.h"
#include "mesh/base/require.h"

/* Records are kept in chunks that never move: a flight's number leads to its record in O(1). */
enum { CHUNK = 256, CHUNKS_MAX = 16384, P99_PERCENT = 99 };

struct served_table {
    struct context *context;
    struct served *chunks[CHUNKS_MAX];
    uint32_t used, count, first_free; /* slot + 1 */
    uint32_t sessions;
    struct served_list {
        uint32_t first, count; /* slot + 1 */
    } * of_session;
    struct hashmap by_path; /* session, kind and path -> slot of the first under that hash */
};

struct served_table *served_new(struct context *context, uint32_t sessions)
{
    struct memory *memory = &context->memory;
    struct served_table *table = memory_new(memory, MEMORY_TABLES, sizeof *table);
    if (table == NULL)
        return NULL;
    table->context = context;
    table->sessions = sessions;
    table->of_session = memory_new(memory, MEMORY_TABLES, sessions * sizeof *table->of_session);
    hashmap_init_dealt(&table->by_path, memory, MEMORY_PROPERTIES, random_u64(&context->random));
    if (table->of_session == NULL)
        served_destroy(&table);
    return table;
}

static struct served *at(const struct served_table *table, uint32_t slot)
{
    return &table->chunks[slot / CHUNK][slot % CHUNK];
}

static void content_free(struct memory *memory, struct served *served)
{
    size_t text_bytes = (size_t)served->path_bytes + served->keys_bytes;
    memory_free(memory, MEMORY_PROPERTIES, served->text, text_bytes);
    memory_free(memory, MEMORY_PROPERTIES, served->times, SERVED_BUCKETS * sizeof(uint32_t));
    served->text = NULL;
    served->times = NULL;
}

void served_destroy(struct served_table **table)
{
    struct served_table *self = *table;
    if (self == NULL)
        return;
    struct memory *memory = &self->context->memory;
    for (uint32_t slot = 0; slot < self->used; slot++)
        content_free(memory, at(self, slot));
    for (uint32_t chunk = 0; chunk < CHUNKS_MAX; chunk++)
        memory_free(memory, MEMORY_PROPERTIES, self->chunks[chunk], CHUNK * sizeof(struct served));
    hashmap_clear(&self->by_path);
    memory_free(memory, MEMORY_TABLES, self->of_session, self->sessions * sizeof *self->of_session);
    memory_free(memory, MEMORY_TABLES, self, sizeof *self);
    *table = NULL;
}

struct span served_path(const struct served *served)
{
    return span_of(served->text, served->path_bytes);
}

struct span served_keys(const struct served *served)
{
    return span_of(served->text + served->path_bytes, served->keys_bytes);
}

/* Two registrations may share a key now and then: paths are compared after the look-up. */
static struct hashmap_key key_of(const struct served_table *table, uint32_t session, uint8_t kind,
                                 struct span path)
{
    struct hashmap_key key = hashmap_key_of_bytes(&table->by_path, path);
    key.high ^= (uint64_t)session << 8 | kind;
    return key;
}

static uint32_t first_of_key(const struct served_table *table, struct hashmap_key key)
{
    uint32_t slot = hashmap_get(&table->by_path, key);
    return slot == HASHMAP_NONE ? 0 : slot + 1;
}

struct served *served_find(const struct served_table *table, uint32_t session,
                           enum handler_kind kind, struct span path)
{
    const struct served_list *list = &table->of_session[session];
    bool is_only = list->count <= 1; /* as most have: then there is nothing to search */
    uint32_t next =
        is_only ? list->first : first_of_key(table, key_of(table, session, (uint8_t)kind, path));
    while (next != 0) {
        struct served *served = at(table, next - 1);
        if (served->session == session && served->kind == (uint8_t)kind &&
            span_equal(served_path(served), path))
            return served;
        next = is_only ? 0 : served->next_of_key;
    }
    return NULL;
}

struct served *served_find_above(const struct served_table *table, uint32_t session,
                                 enum handler_kind kind, struct span path)
{
    for (; path.bytes > 0; path = path_parent(path)) {
        struct served *served = served_find(table, session, kind, path);
        if (served != NULL)
            return served;
    }
    return NULL;
}

/* NULL: no memory, or as many records as numbers. */
static struct served *slot_take(struct served_table *table)
{
    if (table->first_free != 0) {
        struct served *free = at(table, table->first_free - 1);
        table->first_free = free->next;
        return free;
    }
    uint32_t slot = table->used;
    if (slot == CHUNK * CHUNKS_MAX)
        return NULL;
    if (table->chunks[slot / CHUNK] == NULL)
        table->chunks[slot / CHUNK] =
            memory_new(&table->context->memory, MEMORY_PROPERTIES, CHUNK * sizeof(struct served));
    if (table->chunks[slot / CHUNK] == NULL)
        return NULL;
    table->used++;
    at(table, slot)->slot = slot;
    return at(table, slot);
}

static void slot_give(struct served_table *table, struct served *served)
{
    content_free(&table->context->memory, served);
    served->is_used = false;
    served->next = table->first_free;
    table->first_free = served->slot + 1;
}

static void session_link(struct served_table *table, struct served *served)
{
    struct served_list *list = &table->of_session[served->session];
    served->previous = 0;
    served->next = list->first;
    if (list->first != 0)
        at(table, list->first - 1)->previous = served->slot + 1;
    list->first = served->slot + 1;
    list->count++;
}

static void session_unlink(struct served_table *table, const struct served *served)
{
    struct served_list *list = &table->of_session[served->session];
    if (served->previous != 0)
        at(table, served->previous - 1)->next = served->next;
    else
        list->first = served->next;
    if (served->next != 0)
        at(table, served->next - 1)->previous = served->previous;
    list->count--;
}

enum error served_add(struct served_table *table, uint32_t session, enum handler_kind kind,
                      struct span path, struct span keys)
{
    require(session < table->sessions && path.bytes > 0);
    if (served_find(table, session, kind, path) != NULL)
        return ERROR_HANDLER_CONFLICT;
    struct served *served =
        table->of_session[session].count < SERVED_OF_ONE_MAX ? slot_take(table) : NULL;
    if (served == NULL)
        return ERROR_LIMIT_REACHED;
    uint32_t slot = served->slot, generation = served->generation + 1;
    struct hashmap_key key = key_of(table, session, (uint8_t)kind, path);
    *served = (struct served){
        .slot = slot,
        .generation = generation == 0 ? 1 : generation,
        .session = session,
        .next_of_key = first_of_key(table, key),
        .kind = (uint8_t)kind,
        .path_bytes = (uint16_t)path.bytes,
        .keys_bytes = (uint16_t)keys.bytes,
        .text = memory_new(&table->context->memory, MEMORY_PROPERTIES, path.bytes + keys.bytes),
    };
    if (served->text == NULL || !hashmap_put(&table->by_path, key, slot)) {
        slot_give(table, served);
        return ERROR_LIMIT_REACHED;
    }
    memcpy(served->text, path.data, path.bytes);
    if (keys.bytes > 0)
        memcpy(served->text + path.bytes, keys.data, keys.bytes);
    served->is_used = true;
    session_link(table, served);
    table->count++;
    return ERROR_OK;
}

static void key_unlink(struct served_table *table, const struct served *served)
{
    struct hashmap_key key = key_of(table, served->session, served->kind, served_path(served));
    uint32_t next = first_of_key(table, key);
    if (next == served->slot + 1 && served->next_of_key == 0) {
        hashmap_remove(&table->by_path, key);
    } else if (next == served->slot + 1) {
        require(hashmap_put(&table->by_path, key, served->next_of_key - 1)); /* no new key */
    } else {
        while (at(table, next - 1)->next_of_key != served->slot + 1)
            next = at(table, next - 1)->next_of_key;
        at(table, next - 1)->next_of_key = served->next_of_key;
    }
}

static void record_remove(struct served_table *table, struct served *served)
{
    key_unlink(table, served);
    session_unlink(table, served);
    slot_give(table, served);
    table->count--;
}

bool served_remove(struct served_table *table, uint32_t session, enum handler_kind kind,
                   struct span path)
{
    struct served *served = served_find(table, session, kind, path);
    if (served != NULL)
        record_remove(table, served);
    return served != NULL;
}

void served_session_ended(struct served_table *table, uint32_t session)
{
    while (table->of_session[session].first != 0)
        record_remove(table, at(table, table->of_session[session].first - 1));
}

uint64_t served_number(const struct served *served)
{
    return (uint64_t)served->generation << 32 | served->slot;
}

struct served *served_of_number(struct served_table *table, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    if (number == SERVED_NONE || slot >= table->used)
        return NULL;
    struct served *served = at(table, slot);
    return served->is_used && served_number(served) == number ? served : NULL;
}

void served_began(struct served *served)
{
    served->requests++;
    served->in_flight++;
}

void served_withdrawn(struct served *served)
{
    require(served->in_flight > 0);
    served->requests--;
    served->in_flight--;
}

void served_told(struct served *served)
{
    served->requests++;
    served->ended++;
}

static void error_keep(struct served *served, enum error outcome, struct span words)
{
    size_t bytes = words.bytes < SERVED_ERROR_BYTES ? words.bytes : SERVED_ERROR_BYTES;
    while (bytes < words.bytes && bytes > 0 && (words.data[bytes] & 0xc0) == 0x80)
        bytes--; /* a character is kept whole */
    served->errors++;
    served->last_error = (uint16_t)outcome;
    served->last_bytes = (uint8_t)bytes;
    if (bytes > 0)
        memcpy(served->last_words, words.data, bytes);
}

void served_ended(struct served_table *table, struct served *served, enum error outcome,
                  struct span words, uint64_t took_ns)
{
    require(served->in_flight > 0);
    uint64_t took_us = took_ns / 1000;
    served->in_flight--;
    served->ended++;
    served->sum_us += took_us;
    if (served->times == NULL)
        served->times = memory_new(&table->context->memory, MEMORY_PROPERTIES,
                                   SERVED_BUCKETS * sizeof(uint32_t));
    if (served->times != NULL)
        served->times[loglinear_bucket(SERVED_BITS, SERVED_BUCKETS, took_us)]++;
    if (outcome != ERROR_OK)
        error_keep(served, outcome, words);
}

uint64_t served_mean_us(const struct served *served)
{
    return served->ended == 0 ? 0 : served->sum_us / served->ended;
}

uint64_t served_p99_us(const struct served *served)
{
    uint64_t counted = 0, seen = 0;
    for (uint32_t i = 0; served->times != NULL && i < SERVED_BUCKETS; i++)
        counted += served->times[i];
    uint64_t wanted = counted - counted * (100 - P99_PERCENT) / 100;
    for (uint32_t i = 0; counted > 0 && i < SERVED_BUCKETS; i++) {
        seen += served->times[i];
        if (seen >= wanted)
            return loglinear_top(SERVED_BITS, i);
    }
    return 0;
}

const struct served *served_next(const struct served_table *table, const struct served *after)
{
    for (uint32_t slot = after == NULL ? 0 : after->slot + 1; slot < table->used; slot++) {
        if (at(table, slot)->is_used)
            return at(table, slot);
    }
    return NULL;
}

uint32_t served_count(const struct served_table *table)
{
    return table->count;
}

void served_check(const struct served_table *table)
{
    uint32_t count = 0;
    const struct served *served = NULL;
    while ((served = served_next(table, served)) != NULL) {
        count++;
        require(served->requests == served->ended + served->in_flight);
        require(served_find(table, served->session, (enum handler_kind)served->kind,
                            served_path(served)) == served);
    }
    require(count == table->count && count <= table->used);
}
