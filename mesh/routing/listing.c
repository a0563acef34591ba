/* listing.c - see listing.h. Of those that match only as many as the page holds are ever sorted: a
 * heap keeps the best so far, the worst of them on top. */
#include "mesh/routing/listing.h"

#include "mesh/filter/filter.h"
#include "mesh/routing/matching.h"

/* More rows than this do not fit into an answer, however short they are. */
enum { PAGE_MAX = 16384 };

struct candidate {
    struct span value;
    uint32_t age; /* place among those that match: the oldest session first */
};

/* Whether a stands behind b: by value, byte by byte; among equals by age. */
static bool is_behind(const struct candidate *a, const struct candidate *b)
{
    size_t shorter = a->value.bytes < b->value.bytes ? a->value.bytes : b->value.bytes;
    int order = shorter == 0 ? 0 : memcmp(a->value.data, b->value.data, shorter);
    if (order != 0)
        return order > 0;
    if (a->value.bytes != b->value.bytes)
        return a->value.bytes > b->value.bytes;
    return a->age > b->age;
}

/* Lets the one at `at` sink to where it belongs among the first `count`. */
static void sink(struct candidate *heap, uint32_t count, uint32_t at)
{
    struct candidate sinking = heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < count && is_behind(&heap[child + 1], &heap[child]))
            child++;
        if (child >= count || !is_behind(&heap[child], &sinking))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

/* Makes a heap of the first `most`, and lets each of the others in that stands before its worst. */
static void choose(struct candidate *heap, uint32_t most, const struct candidate *next)
{
    if (next->age < most) {
        heap[next->age] = *next;
        for (uint32_t at = most / 2; next->age == most - 1 && at > 0; at--)
            sink(heap, most, at - 1);
    } else if (is_behind(&heap[0], next)) {
        heap[0] = *next;
        sink(heap, most, 0);
    }
}

static void sort(struct candidate *heap, uint32_t count)
{
    for (uint32_t left = count; left > 1; left--) {
        struct candidate worst = heap[0];
        heap[0] = heap[left - 1];
        heap[left - 1] = worst;
        sink(heap, left - 1, 0);
    }
}

/* The page's sessions, in order, at the front of `ids`. False: no memory. */
static bool order_by(struct routing *routing, struct span key, struct matching *matching,
                     uint32_t most)
{
    struct scratch *scratch = &routing->context->scratch;
    struct candidate *heap = scratch_new(scratch, most * sizeof *heap);
    struct session_id *page = scratch_new(scratch, most * sizeof *page);
    if (heap == NULL || page == NULL)
        return false;
    for (uint32_t i = 0; i < matching->count; i++) {
        const struct session *session = sessions_find(routing->sessions, matching->ids[i]);
        struct candidate next = {.age = i};
        (void)properties_find(&session->properties, key, &next.value);
        choose(heap, most, &next);
    }
    sort(heap, most);
    for (uint32_t i = 0; i < most; i++)
        page[i] = matching->ids[heap[i].age];
    memcpy(matching->ids, page, most * sizeof *page);
    return true;
}

void listing_make(struct routing *routing, const struct command *command, struct answer *answer)
{
    struct filter *filter = NULL;
    struct matching matching = {0};
    uint32_t limit = command->limit == 0 ? ANSWERS_LIMIT_DEFAULT : command->limit;
    bool is_found = matching_parse(routing, command->filter, &filter, answer) &&
                    matching_find(routing, filter, &matching, answer);
    filter_destroy(&filter);
    if (is_found) {
        uint32_t most = limit < matching.count ? limit : matching.count;
        most = most < PAGE_MAX ? most : PAGE_MAX;
        answer->result.total = answer->result.matched = matching.count;
        if (command->sort.bytes > 0 && most > 0 &&
            !order_by(routing, command->sort, &matching, most))
            answers_refuse(answer, ERROR_LIMIT_REACHED, "no memory to sort (memory.queues)");
        else
            answers_page(routing, command, matching.ids, most, answer);
    }
    matching_clear(routing, &matching);
}
