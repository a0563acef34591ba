/* questions.c - see questions.h. */
#include "mesh/routing/questions.h"

#define QUESTION_NONE UINT32_MAX

struct questions {
    struct context *context;
    struct question *slots;
    uint32_t used, count, first_free;
    uint32_t sessions;
    uint32_t *of_handler;    /* slot + 1 of the first, by slot of the session; 0: none */
    struct hashmap by_asker; /* -> slot */
};

struct questions *questions_new(struct context *context, uint32_t sessions)
{
    struct memory *memory = &context->memory;
    struct questions *questions = memory_new(memory, MEMORY_TABLES, sizeof *questions);
    if (questions == NULL)
        return NULL;
    *questions = (struct questions){
        .context = context,
        .slots = memory_new(memory, MEMORY_TABLES, QUESTIONS_MAX * sizeof(struct question)),
        .first_free = QUESTION_NONE,
        .sessions = sessions,
        .of_handler = memory_new(memory, MEMORY_TABLES, sessions * sizeof(uint32_t)),
    };
    hashmap_init(&questions->by_asker, memory, MEMORY_TABLES, random_u64(&context->random));
    if (questions->slots == NULL || questions->of_handler == NULL ||
        !hashmap_reserve(&questions->by_asker, QUESTIONS_MAX))
        questions_destroy(&questions);
    return questions;
}

void questions_destroy(struct questions **questions)
{
    struct questions *self = *questions;
    if (self == NULL)
        return;
    struct memory *memory = &self->context->memory;
    for (uint32_t slot = 0; slot < self->used; slot++)
        deadlines_cancel(self->context->deadlines, &self->slots[slot].deadline);
    hashmap_clear(&self->by_asker);
    memory_free(memory, MEMORY_TABLES, self->of_handler, self->sessions * sizeof(uint32_t));
    memory_free(memory, MEMORY_TABLES, self->slots, QUESTIONS_MAX * sizeof(struct question));
    memory_free(memory, MEMORY_TABLES, self, sizeof *self);
    *questions = NULL;
}

static struct hashmap_key asker_key(uint64_t asker, uint64_t number)
{
    return (struct hashmap_key){.high = asker, .low = number};
}

static void link_do(struct questions *questions, struct question *question)
{
    uint32_t *head = &questions->of_handler[question->handler];
    question->previous = QUESTION_NONE;
    question->next = *head == 0 ? QUESTION_NONE : *head - 1;
    if (*head != 0)
        questions->slots[*head - 1].previous = question->slot;
    *head = question->slot + 1;
}

static void link_undo(struct questions *questions, const struct question *question)
{
    if (question->previous == QUESTION_NONE)
        questions->of_handler[question->handler] =
            question->next == QUESTION_NONE ? 0 : question->next + 1;
    else
        questions->slots[question->previous].next = question->next;
    if (question->next != QUESTION_NONE)
        questions->slots[question->next].previous = question->previous;
}

struct question *questions_take(struct questions *questions, uint64_t asker, uint64_t number,
                                uint32_t handler, uint64_t ends_ns, uint8_t purpose)
{
    require(handler < questions->sessions);
    if (questions->count == QUESTIONS_MAX)
        return NULL;
    uint32_t slot = questions->first_free;
    if (slot == QUESTION_NONE)
        slot = questions->used++;
    else
        questions->first_free = questions->slots[slot].next;
    struct question *question = &questions->slots[slot];
    uint32_t generation = question->generation + 1;
    *question = (struct question){
        .slot = slot,
        .generation = generation == 0 ? 1 : generation,
        .is_open = true,
        .handler = handler,
        .asker = asker,
        .number = number,
        .deadline = {.room = DEADLINE_ROUTING, .purpose = purpose, .slot = slot},
    };
    require(hashmap_put(&questions->by_asker, asker_key(asker, number), slot));
    questions->count++;
    link_do(questions, question);
    deadlines_set(questions->context->deadlines, &question->deadline, ends_ns);
    return question;
}

void questions_release(struct questions *questions, struct question *question)
{
    require(question->is_open);
    deadlines_cancel(questions->context->deadlines, &question->deadline);
    hashmap_remove(&questions->by_asker, asker_key(question->asker, question->number));
    link_undo(questions, question);
    question->is_open = false;
    question->next = questions->first_free;
    questions->first_free = question->slot;
    questions->count--;
}

uint64_t questions_number(const struct question *question)
{
    return (uint64_t)question->generation << 32 | question->slot;
}

struct question *questions_of_number(struct questions *questions, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    if (slot >= questions->used)
        return NULL;
    struct question *question = &questions->slots[slot];
    return question->is_open && questions_number(question) == number ? question : NULL;
}

struct question *questions_of_asker(struct questions *questions, uint64_t asker, uint64_t number)
{
    uint32_t slot = hashmap_get(&questions->by_asker, asker_key(asker, number));
    return slot == HASHMAP_NONE ? NULL : &questions->slots[slot];
}

struct question *questions_at(struct questions *questions, uint32_t slot)
{
    require(slot < questions->used);
    return &questions->slots[slot];
}

struct question *questions_of_handler(struct questions *questions, uint32_t handler)
{
    uint32_t head = questions->of_handler[handler];
    return head == 0 ? NULL : &questions->slots[head - 1];
}

struct question *questions_next(struct questions *questions, const struct question *after)
{
    uint32_t slot = after == NULL ? 0 : after->slot + 1;
    for (; questions->count > 0 && slot < questions->used; slot++) {
        if (questions->slots[slot].is_open)
            return &questions->slots[slot];
    }
    return NULL;
}

void questions_check(const struct questions *questions)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < questions->used; slot++) {
        const struct question *question = &questions->slots[slot];
        if (!question->is_open)
            continue;
        count++;
        require(deadline_is_set(&question->deadline));
        require(hashmap_get(&questions->by_asker, asker_key(question->asker, question->number)) ==
                slot);
    }
    require(count == questions->count && count == questions->by_asker.count);
}
