/* happenings.c - see happenings.h. */
#include "tests/unit/mesh/membership/happenings.h"

#include <stdlib.h>

static bool is_before(const struct happening *a, const struct happening *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

void happenings_push(struct happenings *all, uint64_t now_ns, struct happening event,
                     uint64_t after_ns)
{
    event.at_ns = now_ns + after_ns;
    event.order = all->made++;
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 256 : all->capacity * 2;
        all->heap = realloc(all->heap, all->capacity * sizeof event);
    }
    uint32_t place = all->count++;
    while (place > 0 && is_before(&event, &all->heap[(place - 1) / 2])) {
        all->heap[place] = all->heap[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    all->heap[place] = event;
}

struct happening happenings_pop(struct happenings *all)
{
    struct happening first = all->heap[0];
    struct happening last = all->heap[--all->count];
    uint32_t place = 0;
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= all->count)
            break;
        if (child + 1 < all->count && is_before(&all->heap[child + 1], &all->heap[child]))
            child++;
        if (!is_before(&all->heap[child], &last))
            break;
        all->heap[place] = all->heap[child];
        place = child;
    }
    all->heap[place] = last;
    return first;
}
