/* path_order.c - see path_order.h. */
#include "mesh/ownership/path_order.h"

#include "mesh/ownership/handlers.h"

enum { RUNS = 32 }; /* run i holds 2^i paths: more than there can be */

void path_order_insert(struct handler_path **list, struct handler_path *path)
{
    path->previous = NULL;
    path->next = *list;
    if (*list != NULL)
        (*list)->previous = path;
    *list = path;
}

void path_order_remove(struct handler_path **list, struct handler_path *path)
{
    *(path->previous == NULL ? list : &path->previous->next) = path->next;
    if (path->next != NULL)
        path->next->previous = path->previous;
}

static bool is_before(const struct handler_path *a, const struct handler_path *b)
{
    return handlers_compare_paths(a->kind, handlers_path(a), b->kind, handlers_path(b)) < 0;
}

/* One list of two that are in order, along `next` only. */
static struct handler_path *merge(struct handler_path *a, struct handler_path *b)
{
    struct handler_path *first = NULL;
    struct handler_path **end = &first;
    while (a != NULL && b != NULL) {
        struct handler_path **lower = is_before(a, b) ? &a : &b;
        *end = *lower;
        *lower = (*lower)->next;
        end = &(*end)->next;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Merge sort from the bottom: run i is empty or holds 2^i paths, like the bits of a counter. */
static struct handler_path *sort(struct handler_path *list)
{
    struct handler_path *runs[RUNS] = {0};
    while (list != NULL) {
        struct handler_path *run = list;
        list = list->next;
        run->next = NULL;
        int i = 0;
        for (; i < RUNS - 1 && runs[i] != NULL; i++) {
            run = merge(runs[i], run);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    struct handler_path *sorted = NULL;
    for (int i = 0; i < RUNS; i++)
        sorted = merge(sorted, runs[i]);
    return sorted;
}

void path_order_merge(struct handler_path **ordered, struct handler_path **unordered)
{
    if (*unordered == NULL)
        return;
    *ordered = merge(*ordered, sort(*unordered));
    *unordered = NULL;
    struct handler_path *previous = NULL;
    for (struct handler_path *path = *ordered; path != NULL; path = path->next) {
        path->previous = previous;
        path->is_ordered = true;
        previous = path;
    }
}
