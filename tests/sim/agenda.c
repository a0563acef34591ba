#include "tests/sim/agenda.h"

#include <stdlib.h>

#include "mesh/base/require.h"

static bool is_before(const struct agenda_event *a, const struct agenda_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void agenda_plan(struct agenda *agenda, struct agenda_event event)
{
    if (agenda->count == agenda->capacity) {
        agenda->capacity = agenda->capacity == 0 ? 1024 : agenda->capacity * 2;
        agenda->heap = realloc(agenda->heap, agenda->capacity * sizeof *agenda->heap);
        require(agenda->heap != NULL);
    }
    if (event.order == 0)
        event.order = ++agenda->planned;
    size_t at = agenda->count++;
    while (at > 0 && is_before(&event, &agenda->heap[(at - 1) / 2])) {
        agenda->heap[at] = agenda->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    agenda->heap[at] = event;
}

const struct agenda_event *agenda_first(const struct agenda *agenda)
{
    return agenda->count == 0 ? NULL : &agenda->heap[0];
}

/* Puts an event where nothing below it is earlier, from a place that is free. */
static void sink(struct agenda *agenda, size_t at, struct agenda_event event)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < agenda->count && is_before(&agenda->heap[child + 1], &agenda->heap[child]))
            child++;
        if (child >= agenda->count || !is_before(&agenda->heap[child], &event))
            break;
        agenda->heap[at] = agenda->heap[child];
        at = child;
    }
    agenda->heap[at] = event;
}

struct agenda_event agenda_take(struct agenda *agenda)
{
    require(agenda->count > 0);
    struct agenda_event first = agenda->heap[0];
    struct agenda_event last = agenda->heap[--agenda->count];
    sink(agenda, 0, last);
    return first;
}

static int by_turn(const void *a, const void *b)
{
    return is_before(*(struct agenda_event *const *)a, *(struct agenda_event *const *)b) ? -1 : 1;
}

uint64_t agenda_hasten(struct agenda *agenda, uint32_t node, uint64_t now_ns, uint64_t each_ns)
{
    struct agenda_event **turns = calloc(agenda->count + 1, sizeof(struct agenda_event *));
    size_t count = 0;
    require(turns != NULL);
    for (size_t i = 0; i < agenda->count; i++)
        if (agenda->heap[i].node == node && agenda->heap[i].has_slot)
            turns[count++] = &agenda->heap[i];
    qsort(turns, count, sizeof(struct agenda_event *), by_turn);
    for (size_t i = 0; i < count; i++)
        turns[i]->at_ns = now_ns + i * each_ns;
    free(turns);
    for (size_t i = agenda->count; i > 0; i--)
        sink(agenda, i - 1, agenda->heap[i - 1]);
    return now_ns + count * each_ns;
}

void agenda_clear(struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->count; i++)
        free(agenda->heap[i].frame);
    free(agenda->heap);
    *agenda = (struct agenda){.heap = NULL};
}
