/* inquiries.c - see inquiries.h. */
#include "mesh/routing/inquiries.h"

#include "mesh/base/bugs.h"
#include "mesh/routing/answers.h"

#define MS_NS UINT64_C(1000000)

struct inquiries {
    uint32_t used; /* slots from here on were never touched */
    struct inquiry slots[INQUIRIES_MAX];
};

bool inquiries_init(struct routing *routing)
{
    routing->inquiries =
        memory_new(&routing->context->memory, MEMORY_TABLES, sizeof *routing->inquiries);
    return routing->inquiries != NULL;
}

void inquiries_clear(struct routing *routing)
{
    if (routing->inquiries == NULL)
        return;
    struct inquiry *inquiry = NULL;
    while ((inquiry = inquiries_next(routing, inquiry)) != NULL)
        inquiries_release(routing, inquiry);
    memory_free(&routing->context->memory, MEMORY_TABLES, routing->inquiries,
                sizeof *routing->inquiries);
    routing->inquiries = NULL;
}

/* A free one, unless the asker has its share: one session must not take what all need. */
static struct inquiry *slot_find(struct inquiries *inquiries, uint32_t asker)
{
    struct inquiry *unused = NULL;
    uint32_t share = 0;
    for (uint32_t slot = 0; slot < inquiries->used; slot++) {
        struct inquiry *inquiry = &inquiries->slots[slot];
        if (!inquiry->is_used)
            unused = inquiry;
        else if (inquiry->asker == asker)
            share++;
    }
    if (share >= INQUIRIES_OF_ONE_MAX)
        return NULL;
    if (unused != NULL || inquiries->used == INQUIRIES_MAX)
        return unused;
    inquiries->slots[inquiries->used].slot = inquiries->used;
    return &inquiries->slots[inquiries->used++];
}

struct inquiry *inquiries_take(struct routing *routing, const struct session *session,
                               const struct message *command, uint32_t nodes, uint32_t timeout_ms)
{
    struct context *context = routing->context;
    struct memory *memory = &context->memory;
    struct inquiry *inquiry = slot_find(routing->inquiries, session->slot);
    if (inquiry == NULL)
        return NULL;
    *inquiry = (struct inquiry){
        .is_used = true,
        .slot = inquiry->slot,
        .generation = inquiry->generation + 1,
        .asker = session->slot,
        .asker_correlation = command->correlation,
        .started_ns = context->now_ns,
        .deadline = {.room = DEADLINE_ROUTING,
                     .purpose = ROUTING_INQUIRY_DUE,
                     .slot = inquiry->slot},
        .fields_bytes = command->fields.bytes,
        .body_bytes = command->body.bytes,
        .fields = memory_new(memory, MEMORY_QUEUES, command->fields.bytes + command->body.bytes),
        .asked = nodes,
        .waiting = memory_new(memory, MEMORY_QUEUES, 2 * nodes * sizeof(uint64_t)),
    };
    if (inquiry->fields == NULL || inquiry->waiting == NULL) {
        inquiries_release(routing, inquiry);
        return NULL;
    }
    memcpy(inquiry->fields, command->fields.data, command->fields.bytes);
    if (command->body.bytes > 0)
        memcpy(inquiry->fields + command->fields.bytes, command->body.data, command->body.bytes);
    inquiry->members = inquiry->waiting + nodes;
    random_bytes(&context->random, inquiry->id, sizeof inquiry->id);
    deadlines_set(context->deadlines, &inquiry->deadline, context->now_ns + timeout_ms * MS_NS);
    return inquiry;
}

void inquiries_release(struct routing *routing, struct inquiry *inquiry)
{
    struct memory *memory = &routing->context->memory;
    deadlines_cancel(routing->context->deadlines, &inquiry->deadline);
    memory_free(memory, MEMORY_QUEUES, inquiry->fields,
                inquiry->fields_bytes + inquiry->body_bytes);
    memory_free(memory, MEMORY_QUEUES, inquiry->waiting, 2 * inquiry->asked * sizeof(uint64_t));
    memory_free(memory, MEMORY_QUEUES, inquiry->answers, inquiry->answers_room);
    inquiry->fields = NULL;
    inquiry->waiting = NULL;
    inquiry->answers = NULL;
    inquiry->is_used = false;
}

void inquiries_command(const struct inquiry *inquiry, struct command *command, struct span *body)
{
    struct span fields = span_of(inquiry->fields, inquiry->fields_bytes);
    *body = span_of(inquiry->fields + inquiry->fields_bytes, inquiry->body_bytes);
    require(schema_decode(&command_schema, fields, command) == ERROR_OK); /* it was once */
}

uint32_t inquiries_left_ms(const struct routing *routing, const struct inquiry *inquiry)
{
    uint64_t now_ns = routing->context->now_ns;
    uint64_t left_ns = inquiry->deadline.at_ns > now_ns ? inquiry->deadline.at_ns - now_ns : 0;
    return (uint32_t)(left_ns / MS_NS) + 1;
}

void inquiries_start_over(struct inquiry *inquiry)
{
    require(inquiry->waiting_count == 0);
    inquiry->generation++; /* an answer to the first round that comes twice is none to the second */
    inquiry->answers_bytes = 0;
    inquiry->answered = 0;
    inquiry->matched = inquiry->applied = inquiry->failed = 0;
    inquiry->total = inquiry->removed = 0;
    inquiry->first_error = ERROR_OK;
}

uint64_t inquiries_number(const struct inquiry *inquiry)
{
    return (uint64_t)inquiry->generation << 32 | inquiry->slot;
}

struct inquiry *inquiries_of_number(struct routing *routing, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    if (slot >= routing->inquiries->used)
        return NULL;
    struct inquiry *inquiry = &routing->inquiries->slots[slot];
    return inquiry->is_used && inquiries_number(inquiry) == number ? inquiry : NULL;
}

struct inquiry *inquiries_at(struct routing *routing, uint32_t slot)
{
    require(slot < routing->inquiries->used);
    return &routing->inquiries->slots[slot];
}

struct inquiry *inquiries_next(struct routing *routing, const struct inquiry *after)
{
    for (uint32_t slot = after == NULL ? 0 : after->slot + 1; slot < routing->inquiries->used;
         slot++) {
        if (routing->inquiries->slots[slot].is_used)
            return &routing->inquiries->slots[slot];
    }
    return NULL;
}

void inquiries_wait_for(struct inquiry *inquiry, uint64_t instance)
{
    for (uint32_t i = 0; i < inquiry->asked; i++) {
        if (inquiry->waiting[i] == 0) {
            inquiry->waiting[i] = instance;
            inquiry->waiting_count++;
            return;
        }
    }
    require(false);
}

bool inquiries_waited_for(struct inquiry *inquiry, uint64_t instance)
{
    for (uint32_t i = 0; i < inquiry->asked; i++) {
        if (inquiry->waiting[i] == instance) {
            inquiry->waiting[i] = 0;
            inquiry->waiting_count--;
            return true;
        }
    }
    return false;
}

/* Makes room for so many more bytes of answers. */
static bool answers_grow(struct memory *memory, struct inquiry *inquiry, size_t bytes)
{
    size_t needed = inquiry->answers_bytes + bytes;
    if (needed > ANSWERS_ROWS_BYTES_MAX)
        return false;
    if (needed <= inquiry->answers_room)
        return true;
    size_t room = needed < 4096 ? 4096 : 2 * needed;
    void *block = inquiry->answers == NULL ? memory_new(memory, MEMORY_QUEUES, room)
                                           : memory_resize(memory, MEMORY_QUEUES, inquiry->answers,
                                                           inquiry->answers_room, room);
    if (block == NULL)
        return false;
    inquiry->answers = block;
    inquiry->answers_room = room;
    return true;
}

void inquiries_add(struct routing *routing, struct inquiry *inquiry,
                   const struct node_answer *answer)
{
    struct node_answer part = *answer;
    struct memory *memory = &routing->context->memory;
    size_t bytes = 4 + schema_measure(&node_answer_schema, &part);
    if (!answers_grow(memory, inquiry, bytes)) {
        part.rows = (struct span){0};
        bytes = 4 + schema_measure(&node_answer_schema, &part);
        if (!answers_grow(memory, inquiry, bytes))
            return; /* nodes_asked still counts it, and the result is not complete */
    }
    struct writer writer;
    writer_init(&writer, inquiry->answers + inquiry->answers_bytes, bytes);
    group_encode(&node_answer_schema, &part, &writer);
    require(!writer.is_bad && writer.left == 0);
    inquiry->answers_bytes += bytes;
    inquiry->matched += part.matched + (bug_is_planted(BUG_FALSE_SUM) && part.matched > 1);
    inquiry->applied += part.applied;
    inquiry->failed += part.failed;
    inquiry->total += part.total;
    inquiry->removed += part.removed;
    if (inquiry->first_error == ERROR_OK)
        inquiry->first_error = (enum error)part.code;
    inquiry->answered += part.code != ERROR_CLUSTER_ROUTING;
}
