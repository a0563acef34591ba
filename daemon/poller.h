/* poller.h - sleeps until something happens: epoll, with a tag that says what.
 * ZeroMQ's descriptors say "look at me", not "readable": whoever is woken drains.
 * Memory: one descriptor. Thread: one owner. */
#ifndef WEFT_DAEMON_POLLER_H
#define WEFT_DAEMON_POLLER_H

#include <stdbool.h>
#include <stdint.h>

enum poller_source {
    POLLER_INBOX,        /* number: channel */
    POLLER_MONITOR,      /* number: channel */
    POLLER_LINK,         /* number: link and channel, as dealers.c packs them */
    POLLER_LINK_MONITOR, /* the same */
    POLLER_RESOLVER,
    POLLER_HASHER,
    POLLER_REFUSED, /* number: slot */
    POLLER_SIGNALS,
};

struct poller_event {
    enum poller_source source;
    uint32_t number;
};

enum { POLLER_EVENTS_MAX = 256 };

struct poller {
    int fd;
};

/* false: errno says why. */
bool poller_open(struct poller *poller);
void poller_close(struct poller *poller);

/* Watches a descriptor, to be read or (writable) to be written; level-triggered. false: errno. */
bool poller_add(struct poller *poller, int fd, enum poller_source source, uint32_t number);
bool poller_add_writable(struct poller *poller, int fd, enum poller_source source, uint32_t number);
void poller_remove(struct poller *poller, int fd);

/* Sleeps at most so long. Returns how many events there are; 0 also after a signal. */
unsigned poller_wait(struct poller *poller, uint64_t timeout_ns,
                     struct poller_event events[POLLER_EVENTS_MAX]);

#endif
