/* matching.c - see matching.h. */
#include "mesh/routing/matching.h"

#include "mesh/base/bugs.h"
#include "mesh/filter/filter.h"
#include "mesh/sessions/principals.h"

/* Room for the first ids; it doubles. */
enum { ROOM_FIRST = 64 };

bool matching_parse(struct routing *routing, struct span text, struct filter **filter,
                    struct answer *answer)
{
    struct complaints complaints = {.count = 0};
    enum error error = filter_parse(routing->filters, text, filter, &complaints);
    if (error == ERROR_INVALID_FILTER)
        answers_refuse(answer, error, "this node can't read the filter; it may be older");
    else if (error != ERROR_OK)
        answers_refuse(answer, ERROR_LIMIT_REACHED, "no memory for the filter");
    return error == ERROR_OK;
}

static bool add(struct routing *routing, struct matching *matching, struct session_id id)
{
    struct memory *memory = &routing->context->memory;
    if (matching->count == matching->room) {
        uint32_t room = matching->room == 0 ? ROOM_FIRST : 2 * matching->room;
        size_t old_bytes = matching->room * sizeof *matching->ids;
        size_t bytes = room * sizeof *matching->ids;
        void *ids = matching->ids == NULL
                        ? memory_new(memory, MEMORY_QUEUES, bytes)
                        : memory_resize(memory, MEMORY_QUEUES, matching->ids, old_bytes, bytes);
        if (ids == NULL)
            return false;
        matching->ids = ids;
        matching->room = room;
    }
    matching->ids[matching->count++] = id;
    return true;
}

/* Whether the session matches. */
static bool ask(const struct filter *filter, const struct session *session,
                struct filter_budget *budget)
{
    return session != NULL && filter_matches(filter, session->properties.subject, budget);
}

/* Sixteen lower-case hexadecimal digits; false: something else. */
static bool half_parse(struct span text, uint64_t *half)
{
    *half = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        uint8_t byte = text.data[i];
        bool is_digit = byte >= '0' && byte <= '9', is_letter = byte >= 'a' && byte <= 'f';
        if (!is_digit && !is_letter)
            return false;
        *half = *half << 4 | (uint64_t)(is_digit ? byte - '0' : byte - 'a' + 10);
    }
    return true;
}

/* An id as it is printed. */
static bool id_parse(struct span text, struct session_id *id)
{
    enum { HALF = 16 };
    return text.bytes == 2 * HALF + 1 && text.data[HALF] == '-' &&
           half_parse(span_of(text.data, HALF), &id->instance) &&
           half_parse(span_of(text.data + HALF + 1, HALF), &id->serial);
}

/* Only sessions with one of these ids can match. */
static bool find_pinned(struct routing *routing, const struct filter_pins *pins,
                        struct filter_budget *budget, struct matching *matching)
{
    bool has_room = true;
    for (uint32_t i = 0; i < pins->count && has_room; i++) {
        struct session_id id;
        if (!id_parse(filter_pin(pins, i), &id))
            continue; /* nobody has such an id */
        if (ask(pins->filter, sessions_find(routing->sessions, id), budget))
            has_room = add(routing, matching, id);
    }
    return has_room;
}

/* Only sessions of one of these principals can match. */
static bool find_of_principals(struct routing *routing, const struct filter_pins *pins,
                               struct filter_budget *budget, struct matching *matching)
{
    bool has_room = true;
    for (uint32_t i = 0; i < pins->count && has_room; i++) {
        struct span principal = filter_pin(pins, i);
        const struct session *session = NULL;
        while (has_room && !budget->is_spent &&
               (session = principals_next(routing->sessions, principal, session)) != NULL) {
            if (ask(pins->filter, session, budget))
                has_room = add(routing, matching, session->id);
        }
    }
    return has_room;
}

static bool find_among_all(struct routing *routing, const struct filter *filter,
                           struct filter_budget *budget, struct matching *matching)
{
    const struct session *session = NULL;
    bool has_room = true, is_missed = bug_is_planted(BUG_MISSED_ONE);
    while (has_room && !budget->is_spent &&
           (session = sessions_next(routing->sessions, session)) != NULL) {
        if (!ask(filter, session, budget))
            continue;
        if (!is_missed)
            has_room = add(routing, matching, session->id);
        is_missed = false;
    }
    return has_room;
}

/* Says why there is no result; true: there is one. */
static bool judge(const struct filter_budget *budget, bool has_room, struct answer *answer)
{
    if (budget->is_spent && budget->is_short)
        answers_refuse(answer, ERROR_LIMIT_REACHED,
                       "patterns of filters have taken too many steps on this node just now; "
                       "nothing was changed here: try again in a moment");
    else if (budget->is_spent)
        answers_refuse(answer, ERROR_LIMIT_REACHED,
                       "the filter's patterns take too many steps over this node's sessions; "
                       "nothing was changed here: make them simpler");
    else if (!has_room)
        answers_refuse(answer, ERROR_LIMIT_REACHED,
                       "no memory for what matches (memory.queues); nothing was changed here");
    return has_room && !budget->is_spent;
}

bool matching_find(struct routing *routing, const struct filter *filter, struct matching *matching,
                   struct answer *answer)
{
    struct filter_budget budget;
    struct filter_pins pins;
    bool has_room;
    filter_budget_share(&budget, routing->filters, routing->context->now_ns);
    if (filter_pins(filter, KEY_SESSION_ID, &pins))
        has_room = find_pinned(routing, &pins, &budget, matching);
    else if (filter_pins(filter, KEY_PRINCIPAL, &pins))
        has_room = find_of_principals(routing, &pins, &budget, matching);
    else
        has_room = find_among_all(routing, filter, &budget, matching);
    routing->context->counters[COUNTER_filter_matches_limited] += budget.exceeded;
    return judge(&budget, has_room, answer);
}

bool matching_keep(struct routing *routing, const struct filter *filter, struct matching *matching,
                   struct answer *answer)
{
    struct filter_budget budget;
    uint32_t kept = 0;
    filter_budget_share(&budget, routing->filters, routing->context->now_ns);
    for (uint32_t i = 0; i < matching->count && !budget.is_spent; i++) {
        if (ask(filter, sessions_find(routing->sessions, matching->ids[i]), &budget))
            matching->ids[kept++] = matching->ids[i];
    }
    matching->count = kept;
    routing->context->counters[COUNTER_filter_matches_limited] += budget.exceeded;
    return judge(&budget, true, answer);
}

void matching_clear(struct routing *routing, struct matching *matching)
{
    memory_free(&routing->context->memory, MEMORY_QUEUES, matching->ids,
                matching->room * sizeof *matching->ids);
    *matching = (struct matching){0};
}
