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

struct agenda_event agenda_take(struct agenda *agenda)
{
    require(agenda->count > 0);
    struct agenda_event first = agenda->heap[0];
    struct agenda_event last = agenda->heap[--agenda->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < agenda->count && is_before(&agenda->heap[child + 1], &agenda->heap[child]))
            child++;
        if (child >= agenda->count || !is_before(&agenda->heap[child], &last))
            break;
        agenda->heap[at] = agenda->heap[child];
        at = child;
    }
    agenda->heap[at] = last;
    return first;
}

void agenda_clear(struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->count; i++)
        free(agenda->heap[i].frame);
    free(agenda->heap);
    *agenda = (struct agenda){.heap = NULL};
}
