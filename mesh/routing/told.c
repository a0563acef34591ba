/* told.c - see told.h.
 *
 * (T1) every number below `used` is in by_id and in one list, or among the free ones
 * (T2) a list's count is its length */
#include "mesh/routing/told.h"

#include "mesh/base/require.h"

enum { CAPACITY_FIRST = 16 };

static struct hashmap_key key_of(struct session_id id)
{
    return (struct hashmap_key){.high = id.instance, .low = id.serial};
}

void told_init(struct told *told, struct memory *memory, uint64_t salt)
{
    *told = (struct told){.memory = memory, .first_free = TOLD_NONE};
    hashmap_init(&told->by_id, memory, MEMORY_TABLES, salt);
}

void told_clear(struct told *told)
{
    if (told->memory == NULL)
        return;
    hashmap_clear(&told->by_id);
    memory_free(told->memory, MEMORY_TABLES, told->sessions,
                told->capacity * sizeof told->sessions[0]);
    *told = (struct told){0};
}

void told_list_init(struct told_list *list)
{
    *list = (struct told_list){.first = TOLD_NONE, .last = TOLD_NONE};
}

uint32_t told_find(const struct told *told, struct session_id id)
{
    uint32_t number = hashmap_get(&told->by_id, key_of(id));
    return number == HASHMAP_NONE ? TOLD_NONE : number;
}

struct told_session *told_at(const struct told *told, uint32_t number)
{
    require(number < told->used);
    return &told->sessions[number];
}

static bool grow(struct told *told)
{
    if (told->first_free != TOLD_NONE || told->used < told->capacity)
        return true;
    uint32_t capacity = told->capacity == 0 ? CAPACITY_FIRST : 2 * told->capacity;
    struct told_session *sessions =
        memory_resize(told->memory, MEMORY_TABLES, told->sessions,
                      told->capacity * sizeof sessions[0], capacity * sizeof sessions[0]);
    if (sessions == NULL)
        return false;
    told->sessions = sessions;
    told->capacity = capacity;
    return true;
}

static void list_link(struct told *told, struct told_list *list, uint32_t number)
{
    struct told_session *session = &told->sessions[number];
    session->list = list;
    session->next = TOLD_NONE;
    session->previous = list->last;
    if (list->last == TOLD_NONE)
        list->first = number;
    else
        told->sessions[list->last].next = number;
    list->last = number;
    list->count++;
}

uint32_t told_add(struct told *told, struct told_list *list, struct session_id id)
{
    if (!grow(told))
        return TOLD_NONE;
    bool is_reused = told->first_free != TOLD_NONE;
    uint32_t number = is_reused ? told->first_free : told->used;
    if (!hashmap_put(&told->by_id, key_of(id), number))
        return TOLD_NONE;
    struct told_session *session = &told->sessions[number];
    if (is_reused)
        told->first_free = session->next;
    else
        told->used++;
    *session = (struct told_session){.id = id};
    list_link(told, list, number);
    return number;
}

static void list_unlink(struct told *told, uint32_t number)
{
    struct told_session *session = told_at(told, number);
    struct told_list *list = session->list;
    if (session->previous == TOLD_NONE)
        list->first = session->next;
    else
        told->sessions[session->previous].next = session->next;
    if (session->next == TOLD_NONE)
        list->last = session->previous;
    else
        told->sessions[session->next].previous = session->previous;
    list->count--;
    session->list = NULL;
}

void told_move(struct told *told, struct told_list *list, uint32_t number)
{
    list_unlink(told, number);
    list_link(told, list, number);
}

void told_remove(struct told *told, uint32_t number)
{
    struct told_session *session = told_at(told, number);
    list_unlink(told, number);
    hashmap_remove(&told->by_id, key_of(session->id));
    session->next = told->first_free;
    told->first_free = number;
}

uint64_t told_hash(const struct told *told, struct span properties)
{
    return hashmap_key_of_bytes(&told->by_id, properties).low;
}
