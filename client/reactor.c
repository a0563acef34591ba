/* reactor.c - see reactor.h.
 *
 * ZeroMQ's descriptors are edge-triggered: they tell once that something happened. Ours must be
 * level-triggered, so it is an epoll descriptor over three kinds: those of ZeroMQ, whose client is
 * put on the ready list and given a turn that ends with a look at the socket; a timerfd for the
 * first timer; and an eventfd that is raised as long as the ready list is not empty outside of
 * progress. A client without news is not touched, however many there are. */
#include "client/reactor.h"

#include "client/client.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    CLIENTS_DEFAULT = 1024,
    CLIENTS_MAX = 10000,    /* so that their sockets stay below libzmq's 65535 */
    SOCKETS_PER_CLIENT = 6, /* 3 while it dials, and those of the last try, which die slowly */
    SOCKETS_SPARE = 64,
    EVENTS_AT_ONCE = 256,
    PASSES_MAX = 8, /* over the ready list, before control returns to the caller */
};

uint64_t reactor_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t reactor_chance(struct weft_context *context)
{
    context->chance ^= context->chance << 13;
    context->chance ^= context->chance >> 7;
    context->chance ^= context->chance << 17;
    return context->chance;
}

static bool watch(const struct weft_context *context, int fd, const void *owner)
{
    struct epoll_event event = {.events = EPOLLIN};
    memcpy(&event.data.ptr, &owner, sizeof owner);
    return fd >= 0 && epoll_ctl(context->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void close_descriptor(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

struct weft_context *weft_context_new(uint32_t clients_max)
{
    struct weft_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    context->clients_max = clients_max == 0 ? CLIENTS_DEFAULT : clients_max;
    if (context->clients_max > CLIENTS_MAX)
        context->clients_max = CLIENTS_MAX;
    context->armed_ns = UINT64_MAX;
    context->epoll = epoll_create1(EPOLL_CLOEXEC);
    context->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    context->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (getrandom(&context->chance, sizeof context->chance, GRND_NONBLOCK) < 0)
        context->chance = reactor_now_ns();
    context->chance |= 1;
    context->zmq = zmq_ctx_new();
    if (context->zmq == NULL || context->epoll < 0 || !watch(context, context->wake, NULL) ||
        !watch(context, context->clock, NULL)) {
        weft_context_destroy(&context);
        return NULL;
    }
    (void)zmq_ctx_set(context->zmq, ZMQ_BLOCKY, 0);
    (void)zmq_ctx_set(context->zmq, ZMQ_MAX_SOCKETS,
                      (int)context->clients_max * SOCKETS_PER_CLIENT + SOCKETS_SPARE);
    return context;
}

void weft_context_destroy(struct weft_context **context_in)
{
    struct weft_context *context = *context_in;
    if (context == NULL)
        return;
    *context_in = NULL;
    while (context->clients != NULL) {
        struct weft_client *client = context->clients;
        client->owns_context = false;
        weft_destroy(&client);
    }
    if (context->zmq != NULL)
        (void)zmq_ctx_term(context->zmq);
    close_descriptor(context->epoll);
    close_descriptor(context->wake);
    close_descriptor(context->clock);
    timers_clear(&context->timers);
    free(context);
}

int weft_context_fd(const struct weft_context *context)
{
    return context->epoll;
}

bool reactor_add(struct weft_context *context, struct weft_client *client)
{
    if (context->clients_count >= context->clients_max || !timers_reserve(&context->timers, 1))
        return false;
    client->next = context->clients;
    if (client->next != NULL)
        client->next->previous = client;
    context->clients = client;
    context->clients_count++;
    return true;
}

static void leave_ready_list(struct weft_context *context, struct weft_client *client)
{
    struct weft_client *before = NULL;
    struct weft_client *at = context->ready_first;
    while (at != NULL && at != client) {
        before = at;
        at = at->next_ready;
    }
    if (at == NULL)
        return;
    if (before == NULL)
        context->ready_first = client->next_ready;
    else
        before->next_ready = client->next_ready;
    if (context->ready_last == client)
        context->ready_last = before;
}

void reactor_remove(struct weft_context *context, struct weft_client *client)
{
    if (client->is_ready)
        leave_ready_list(context, client);
    client->is_ready = false;
    timers_forget(&context->timers, &client->timer);
    timers_release(&context->timers, 1);
    if (client->next != NULL)
        client->next->previous = client->previous;
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        context->clients = client->next;
    context->clients_count--;
}

/* Makes the descriptor readable, or not, so that whoever polls it knows. */
static void set_awake(struct weft_context *context, bool is_awake)
{
    uint64_t count = 1;
    if (context->is_awake == is_awake)
        return;
    context->is_awake = is_awake;
    if (is_awake)
        (void)!write(context->wake, &count, sizeof count);
    else
        (void)!read(context->wake, &count, sizeof count);
}

void reactor_make_ready(struct weft_context *context, struct weft_client *client)
{
    if (client->is_ready)
        return;
    client->is_ready = true;
    client->next_ready = NULL;
    if (context->ready_last == NULL)
        context->ready_first = client;
    else
        context->ready_last->next_ready = client;
    context->ready_last = client;
    if (!context->is_progressing)
        set_awake(context, true);
}

void reactor_bury(struct weft_context *context, struct weft_client *client)
{
    if (!context->is_progressing) {
        client_free(client);
        return;
    }
    client->next = context->graves;
    context->graves = client;
}

static void arm(struct weft_context *context)
{
    uint64_t due_ns = timers_next_ns(&context->timers);
    if (due_ns >=
        context->armed_ns) /* a clock that goes off for nothing costs less than setting it */
        return;
    struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(due_ns / 1000000000U),
                     .tv_nsec = (long)(due_ns % 1000000000U)},
    };
    if (timerfd_settime(context->clock, TFD_TIMER_ABSTIME, &at, NULL) == 0)
        context->armed_ns = due_ns;
}

void reactor_set_timer(struct weft_context *context, struct timer *timer, uint64_t due_ns)
{
    timers_set(&context->timers, timer, due_ns);
    if (!context->is_progressing)
        arm(context);
}

/* Puts the clients that have news on the ready list; while that is empty, waits for some. */
static void gather(struct weft_context *context, int timeout_ms)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int wait_ms = context->ready_first == NULL ? timeout_ms : 0;
    int count = epoll_wait(context->epoll, events, EVENTS_AT_ONCE, wait_ms);
    for (int i = 0; i < count; i++) {
        struct weft_client *client = events[i].data.ptr;
        if (client == NULL)
            continue;
        client->is_woken = true;
        reactor_make_ready(context, client);
    }
}

static void fire_timers(struct weft_context *context)
{
    uint64_t now_ns = reactor_now_ns();
    if (now_ns >= context->armed_ns) {
        uint64_t times;
        (void)!read(context->clock, &times, sizeof times);
        context->armed_ns = UINT64_MAX;
    }
    for (;;) {
        struct timer *timer = timers_take(&context->timers, now_ns);
        if (timer == NULL)
            return;
        timer->fire(timer, now_ns);
    }
}

/* One turn for each client that is on the list now. */
static int give_turns(struct weft_context *context)
{
    int turns = 0;
    const struct weft_client *last = context->ready_last;
    int turns_max = (int)context->clients_count + 1; /* should the last one be destroyed */
    while (context->ready_first != NULL && turns < turns_max) {
        struct weft_client *client = context->ready_first;
        context->ready_first = client->next_ready;
        if (context->ready_first == NULL)
            context->ready_last = NULL;
        client->is_ready = false;
        client_turn(client);
        turns++;
        if (client == last)
            break;
    }
    return turns;
}

static void free_graves(struct weft_context *context)
{
    while (context->graves != NULL) {
        struct weft_client *client = context->graves;
        context->graves = client->next;
        client_free(client);
    }
}

/* The context may be gone afterwards: a callback may destroy the client that owns it. */
static int progress(struct weft_context *context, int timeout_ms)
{
    if (context->is_progressing)
        return 0;
    context->is_progressing = true;
    gather(context, timeout_ms);
    /* What has come is read before anything is too late: the process may have been asleep. */
    int turns = give_turns(context);
    fire_timers(context);
    for (int pass = 1; pass < PASSES_MAX && context->ready_first != NULL; pass++)
        turns += give_turns(context);
    arm(context);
    context->is_progressing = false;
    free_graves(context);
    set_awake(context, context->ready_first != NULL);
    if (context->is_doomed)
        weft_context_destroy(&context);
    return turns;
}

int weft_context_progress(struct weft_context *context)
{
    return progress(context, 0);
}

int weft_context_run(struct weft_context *context, int timeout_ms)
{
    return progress(context, timeout_ms);
}
