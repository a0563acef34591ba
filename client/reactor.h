/* reactor.h - decides which client's turn it is: the set of clients that share one ZeroMQ context,
 * one epoll descriptor and one clock. Public as struct weft_context.
 * Memory: the set and its descriptors; clients own themselves. Thread: one owner. */
#ifndef WEFT_CLIENT_REACTOR_H
#define WEFT_CLIENT_REACTOR_H

#include "client/timers.h"

#include "client/weft.h"

struct weft_context {
    void *zmq;
    int epoll; /* what users poll: readable while one of its descriptors is */
    int wake;  /* eventfd: a client has something to do, and nobody is making progress */
    int clock; /* timerfd: the first timer is due */
    bool is_awake;
    bool is_progressing;
    bool is_doomed;    /* destroyed in a callback with the client that owns it */
    uint64_t armed_ns; /* what the clock is set to; UINT64_MAX: off */
    struct timers timers;
    struct weft_client *clients; /* all */
    uint32_t clients_count, clients_max;
    struct weft_client *ready_first, *ready_last; /* those with something to do */
    struct weft_client *graves; /* destroyed in a callback: freed when progress ends */
    uint64_t chance;            /* state of the generator */
};

uint64_t reactor_now_ns(void);

/* 64 random bits: for spreading, not for secrets. */
uint64_t reactor_chance(struct weft_context *context);

/* Takes a client in: with a place for its one timer. Returns false when the context is full. */
bool reactor_add(struct weft_context *context, struct weft_client *client);
void reactor_remove(struct weft_context *context, struct weft_client *client);

/* The client gets a turn at this progress or the next. */
void reactor_make_ready(struct weft_context *context, struct weft_client *client);

/* Frees a client that was removed: now, or when progress ends. */
void reactor_bury(struct weft_context *context, struct weft_client *client);

/* Sets a timer of one of the context's clients. */
void reactor_set_timer(struct weft_context *context, struct timer *timer, uint64_t due_ns);

#endif
