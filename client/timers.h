/* timers.h - decides what is due: the deadlines of all clients of a context in one heap.
 * A timer lives inside the thing it wakes. Setting one can't fail: whoever owns timers reserves
 * their places first.
 * Memory: the heap is the struct's, the timers are their owners'. Thread: one owner. */
#ifndef WEFT_CLIENT_TIMERS_H
#define WEFT_CLIENT_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in its owner; all zero is a timer that is not set. */
struct timer {
    void (*fire)(struct timer *timer, uint64_t now_ns);
    uint64_t due_ns;
    size_t place; /* in the heap, from 1; 0: not set */
};

struct timers {
    struct timer **heap;
    size_t count;
    size_t reserved; /* how many timers may be set at once */
    size_t room;     /* of the allocation, >= reserved */
};

void timers_clear(struct timers *timers);

/* Makes places for so many more timers. Returns false, and nothing changed, without memory. */
bool timers_reserve(struct timers *timers, size_t count);

/* Gives places back; their timers must not be set. */
void timers_release(struct timers *timers, size_t count);

/* Sets the timer, or moves it. O(log count). */
void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns);

/* Nothing for a timer that is not set. O(log count). */
void timers_cancel(struct timers *timers, struct timer *timer);

/* When the next one is due; UINT64_MAX: none is set. */
uint64_t timers_next_ns(const struct timers *timers);

/* Takes off one timer that is due; NULL: none is. */
struct timer *timers_take(struct timers *timers, uint64_t now_ns);

#endif
