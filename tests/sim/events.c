#include "tests/sim/events.h"

#include <stdlib.h>

#include "mesh/base/require.h"

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap(struct event *a, struct event *b)
{
    struct event held = *a;
    *a = *b;
    *b = held;
}

void events_plan(struct events *events, struct event event)
{
    if (events->count == events->capacity) {
        events->capacity = events->capacity == 0 ? 1024 : events->capacity * 2;
        events->heap = realloc(events->heap, events->capacity * sizeof *events->heap);
        require(events->heap != NULL);
    }
    if (event.order == 0)
        event.order = ++events->planned;
    size_t at = events->count++;
    events->heap[at] = event;
    while (at > 0 && is_before(&events->heap[at], &events->heap[(at - 1) / 2])) {
        swap(&events->heap[at], &events->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

const struct event *events_first(const struct events *events)
{
    return events->count == 0 ? NULL : &events->heap[0];
}

struct event events_take(struct events *events)
{
    require(events->count > 0);
    struct event first = events->heap[0];
    events->heap[0] = events->heap[--events->count];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < events->count && is_before(&events->heap[child], &events->heap[least]))
                least = child;
        if (least == at)
            return first;
        swap(&events->heap[at], &events->heap[least]);
        at = least;
    }
}

void events_clear(struct events *events)
{
    for (size_t i = 0; i < events->count; i++)
        free(events->heap[i].frame);
    free(events->heap);
    *events = (struct events){.heap = NULL};
}
