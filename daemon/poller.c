#include "daemon/poller.h"

#include "daemon/clock.h"

#include <sys/epoll.h>
#include <unistd.h>

bool poller_open(struct poller *poller)
{
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    return poller->fd >= 0;
}

void poller_close(struct poller *poller)
{
    if (poller->fd >= 0)
        close(poller->fd);
    poller->fd = -1;
}

static bool poller_watch(struct poller *poller, int fd, uint32_t events, enum poller_source source,
                         uint32_t number)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)source << 32 | number};
    return epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool poller_add(struct poller *poller, int fd, enum poller_source source, uint32_t number)
{
    return poller_watch(poller, fd, EPOLLIN, source, number);
}

bool poller_add_writable(struct poller *poller, int fd, enum poller_source source, uint32_t number)
{
    return poller_watch(poller, fd, EPOLLOUT, source, number);
}

void poller_remove(struct poller *poller, int fd)
{
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Rounded up: a sleep that ends a little early would be a turn of the loop for nothing. */
static int poller_ms(uint64_t timeout_ns)
{
    uint64_t ms = timeout_ns / CLOCK_MS_NS + (timeout_ns % CLOCK_MS_NS != 0);
    return ms > 60000 ? 60000 : (int)ms;
}

unsigned poller_wait(struct poller *poller, uint64_t timeout_ns,
                     struct poller_event events[POLLER_EVENTS_MAX])
{
    struct epoll_event happened[POLLER_EVENTS_MAX];
    int count = epoll_wait(poller->fd, happened, POLLER_EVENTS_MAX, poller_ms(timeout_ns));
    for (int i = 0; i < count; i++) {
        events[i].source = (enum poller_source)(happened[i].data.u64 >> 32);
        events[i].number = (uint32_t)happened[i].data.u64;
    }
    return count > 0 ? (unsigned)count : 0;
}
