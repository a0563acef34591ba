/* timers.c - a binary heap of pointers; each timer knows its place, so it can be moved or taken
 * out from the middle. Requests come and go by the thousand and few of their deadlines are ever
 * reached: both ends of a timer's life cost O(log count) and no allocation. */
#include "client/timers.h"

#include <stdlib.h>

enum { TIMERS_ROOM_FIRST = 64 };

void timers_clear(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}

bool timers_reserve(struct timers *timers, size_t count)
{
    size_t wanted = timers->reserved + count;
    if (wanted > timers->room) {
        size_t room = timers->room == 0 ? TIMERS_ROOM_FIRST : timers->room;
        while (room < wanted)
            room *= 2;
        struct timer **heap = realloc(timers->heap, room * sizeof *heap);
        if (heap == NULL)
            return false;
        timers->heap = heap;
        timers->room = room;
    }
    timers->reserved = wanted;
    return true;
}

void timers_release(struct timers *timers, size_t count)
{
    timers->reserved -= count;
}

static void place(struct timers *timers, struct timer *timer, size_t index)
{
    timers->heap[index] = timer;
    timer->place = index + 1;
}

static void sift_up(struct timers *timers, struct timer *timer, size_t index)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (timers->heap[parent]->due_ns <= timer->due_ns)
            break;
        place(timers, timers->heap[parent], index);
        index = parent;
    }
    place(timers, timer, index);
}

static void sift_down(struct timers *timers, struct timer *timer, size_t index)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->due_ns < timers->heap[child]->due_ns)
            child++;
        if (timer->due_ns <= timers->heap[child]->due_ns)
            break;
        place(timers, timers->heap[child], index);
        index = child;
    }
    place(timers, timer, index);
}

void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns)
{
    timers_cancel(timers, timer);
    timer->due_ns = due_ns;
    timers->count++;
    sift_up(timers, timer, timers->count - 1);
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0)
        return;
    size_t index = timer->place - 1;
    timer->place = 0;
    timers->count--;
    struct timer *last = timers->heap[timers->count];
    if (last == timer)
        return;
    if (last->due_ns < timer->due_ns)
        sift_up(timers, last, index);
    else
        sift_down(timers, last, index);
}

uint64_t timers_next_ns(const struct timers *timers)
{
    return timers->count == 0 ? UINT64_MAX : timers->heap[0]->due_ns;
}

struct timer *timers_take(struct timers *timers, uint64_t now_ns)
{
    if (timers_next_ns(timers) > now_ns)
        return NULL;
    struct timer *timer = timers->heap[0];
    timers_cancel(timers, timer);
    return timer;
}
