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
    bool is_set;
    size_t place; /* in the heap, from 1; 0: not there */
};

struct timers_entry {
    uint64_t look_ns; /* never later than the timer is due */
    struct timer *timer;
};

struct timers {
    struct timers_entry *heap;
    size_t count;
    size_t reserved; /* how many timers may be set at once */
    size_t room;     /* of the allocation, >= reserved */
};

void timers_clear(struct timers *timers);

/* Makes places for so many more timers. Returns false, and nothing changed, without memory. */
bool timers_reserve(struct timers *timers, size_t count);

/* Gives places back; their timers are forgotten before. */
void timers_release(struct timers *timers, size_t count);

/* Sets the timer, or moves it. O(1) when it had a place already, for a time no later; else
 * O(log count). */
void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns);

/* Nothing for a timer that is not set. Its place is kept for when it is set again. O(1). */
void timers_cancel(struct timer *timer);

/* Cancels it and takes it out, before its memory goes elsewhere. O(log count). */
void timers_forget(struct timers *timers, struct timer *timer);

/* When to look next: the first one is due then, or later when it was moved or cancelled meanwhile.
 * UINT64_MAX: none is set. */
uint64_t timers_next_ns(const struct timers *timers);

/* Takes off one timer that is due; NULL: none is. */
struct timer *timers_take(struct timers *timers, uint64_t now_ns);

#endif
