/* applied.c - a ring in order of time, and a map over it.
 *
 * (A1) an entry leaves the ring when it is a minute old, and not before it is answered
 * (A2) the room for an answer is taken before the command is applied: an answer that can't be
 *      remembered belongs to a command that was not begun */
#include "mesh/routing/applied.h"

#include "mesh/base/bugs.h"
#include "mesh/base/hashmap.h"

/* A minute is longer than any command lives; 16,384 are 270 a second from all other nodes. */
#define KEEP_NS (UINT64_C(60) * 1000000000)
enum {
    APPLIED_MAX = 16384,
    APPLIED_BYTES_MAX = 64 * 1024 * 1024, /* 4 KiB each: only previous values are ever longer */
};

struct entry {
    struct hashmap_key id;
    uint64_t at_ns;
    bool is_answered;
    uint8_t *answer; /* fields, then rows */
    size_t fields_bytes, answer_bytes, room;
};

struct applied {
    struct context *context;
    uint32_t first, count;
    size_t bytes; /* of all answers' rooms */
    struct hashmap by_id;
    struct entry entries[APPLIED_MAX];
};

struct applied *applied_new(struct context *context)
{
    struct applied *applied = memory_new(&context->memory, MEMORY_TABLES, sizeof *applied);
    if (applied == NULL)
        return NULL;
    applied->context = context;
    hashmap_init(&applied->by_id, &context->memory, MEMORY_TABLES, random_u64(&context->random));
    return applied;
}

static void forget_first(struct applied *applied)
{
    struct entry *entry = &applied->entries[applied->first];
    hashmap_remove(&applied->by_id, entry->id);
    memory_free(&applied->context->memory, MEMORY_QUEUES, entry->answer, entry->room);
    applied->bytes -= entry->room;
    *entry = (struct entry){0};
    applied->first = (applied->first + 1) % APPLIED_MAX;
    applied->count--;
}

void applied_destroy(struct applied **applied)
{
    struct applied *self = *applied;
    if (self == NULL)
        return;
    while (self->count > 0)
        forget_first(self);
    hashmap_clear(&self->by_id);
    memory_free(&self->context->memory, MEMORY_TABLES, self, sizeof *self);
    *applied = NULL;
}

static void forget_old(struct applied *applied)
{
    uint64_t now_ns = applied->context->now_ns;
    while (applied->count > 0 && applied->entries[applied->first].is_answered &&
           now_ns - applied->entries[applied->first].at_ns >= KEEP_NS)
        forget_first(applied);
}

static struct hashmap_key key_of(struct span id)
{
    struct reader reader;
    reader_init(&reader, id);
    struct hashmap_key key = {.high = reader_u64(&reader)};
    key.low = reader_u64(&reader);
    return key;
}

enum applied_verdict applied_begin(struct applied *applied, struct span id, size_t answer_bytes,
                                   uint32_t *entry)
{
    struct memory *memory = &applied->context->memory;
    forget_old(applied);
    struct hashmap_key key = key_of(id);
    *entry = hashmap_get(&applied->by_id, key);
    if (bug_is_planted(BUG_APPLIED_AGAIN) && *entry != HASHMAP_NONE) {
        key.low += applied->count;
        *entry = hashmap_get(&applied->by_id, key);
    }
    if (*entry != HASHMAP_NONE)
        return applied->entries[*entry].is_answered ? APPLIED_ANSWERED : APPLIED_AT_WORK;
    if (applied->count == APPLIED_MAX || answer_bytes > APPLIED_BYTES_MAX - applied->bytes)
        return APPLIED_FULL;
    uint8_t *room = memory_new(memory, MEMORY_QUEUES, answer_bytes);
    *entry = (applied->first + applied->count) % APPLIED_MAX;
    if (room == NULL || !hashmap_put(&applied->by_id, key, *entry)) {
        memory_free(memory, MEMORY_QUEUES, room, answer_bytes);
        return APPLIED_FULL;
    }
    applied->entries[*entry] = (struct entry){
        .id = key,
        .at_ns = applied->context->now_ns,
        .answer = room,
        .room = answer_bytes,
    };
    applied->bytes += answer_bytes;
    applied->count++;
    return APPLIED_FRESH;
}

void applied_answer(struct applied *applied, uint32_t entry, const struct result *result,
                    struct span rows)
{
    struct entry *own = &applied->entries[entry];
    struct writer writer;
    require(entry < APPLIED_MAX && own->answer != NULL && !own->is_answered);
    writer_init(&writer, own->answer, own->room);
    schema_encode(&result_schema, result, &writer);
    own->fields_bytes = own->room - writer.left;
    writer_span(&writer, rows);
    require(!writer.is_bad);
    own->answer_bytes = own->room - writer.left;
    own->is_answered = true;
}

void applied_recall(struct applied *applied, uint32_t entry, struct outgoing *message)
{
    struct entry *own = &applied->entries[entry];
    require(entry < APPLIED_MAX && own->is_answered);
    size_t rows_bytes = own->answer_bytes - own->fields_bytes;
    *message = (struct outgoing){
        .encoded_fields = span_of(own->answer, own->fields_bytes),
        .body = span_of(own->answer + own->fields_bytes, rows_bytes),
    };
}

void applied_check(const struct applied *applied)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < applied->count; i++)
        bytes += applied->entries[(applied->first + i) % APPLIED_MAX].room;
    require(bytes == applied->bytes && applied->count == applied->by_id.count);
}
