/* timers.c - a binary heap; each timer knows its place, so it can be moved or taken out from the
 * middle. Requests come and go by the thousand and few of their deadlines are ever reached: a
 * timer that is cancelled stays where it is, and when it is set again, later as a rule, its entry
 * is not touched. Only when its old time has come it is looked at, and moved or thrown out. */
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
        struct timers_entry *heap = realloc(timers->heap, room * sizeof *heap);
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

static void place(struct timers *timers, struct timers_entry entry, size_t index)
{
    timers->heap[index] = entry;
    entry.timer->place = index + 1;
}

static void sift_up(struct timers *timers, struct timers_entry entry, size_t index)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (timers->heap[parent].look_ns <= entry.look_ns)
            break;
        place(timers, timers->heap[parent], index);
        index = parent;
    }
    place(timers, entry, index);
}

static void sift_down(struct timers *timers, struct timers_entry entry, size_t index)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1].look_ns < timers->heap[child].look_ns)
            child++;
        if (entry.look_ns <= timers->heap[child].look_ns)
            break;
        place(timers, timers->heap[child], index);
        index = child;
    }
    place(timers, entry, index);
}

void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns)
{
    struct timers_entry entry = {due_ns, timer};
    timer->due_ns = due_ns;
    timer->is_set = true;
    if (timer->place == 0)
        sift_up(timers, entry, timers->count++);
    else if (due_ns < timers->heap[timer->place - 1].look_ns)
        sift_up(timers, entry, timer->place - 1);
}

void timers_cancel(struct timer *timer)
{
    timer->is_set = false;
}

void timers_forget(struct timers *timers, struct timer *timer)
{
    timer->is_set = false;
    if (timer->place == 0)
        return;
    size_t index = timer->place - 1;
    timer->place = 0;
    timers->count--;
    struct timers_entry last = timers->heap[timers->count];
    if (last.timer == timer)
        return;
    if (last.look_ns < timers->heap[index].look_ns)
        sift_up(timers, last, index);
    else
        sift_down(timers, last, index);
}

uint64_t timers_next_ns(const struct timers *timers)
{
    return timers->count == 0 ? UINT64_MAX : timers->heap[0].look_ns;
}

struct timer *timers_take(struct timers *timers, uint64_t now_ns)
{
    while (timers_next_ns(timers) <= now_ns) {
        struct timer *timer = timers->heap[0].timer;
        bool is_due = timer->is_set && timer->due_ns <= now_ns;
        if (timer->is_set && !is_due)
            sift_down(timers, (struct timers_entry){timer->due_ns, timer}, 0);
        else
            timers_forget(timers, timer);
        if (is_due)
            return timer;
    }
    return NULL;
}
