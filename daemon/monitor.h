/* monitor.h - listens to what libzmq says of a socket's connections: a raw PAIR without a limit on
 * what waits in it, because a full one stops libzmq's I/O thread. Whoever has one drains it.
 * Memory: one socket. Thread: that of the watched socket. */
#ifndef WEFT_DAEMON_MONITOR_H
#define WEFT_DAEMON_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct monitor_event {
    uint16_t event; /* ZMQ_EVENT_.. */
    int32_t value;  /* a descriptor, or an errno */
};

/* Watches the socket, not bound or connected yet, for these events. NULL: errno says why. */
void *monitor_open(void *context, void *socket, int events);

/* No more events of that socket. To be called before the socket is closed, which lives on in
 * libzmq's threads for a while, and before its monitor is: what is told to nobody stops them. */
void monitor_stop(void *socket);
void monitor_close(void **monitor);

/* Takes the next event; false: none now. */
bool monitor_next(void *monitor, struct monitor_event *event);

/* The descriptor to watch. */
int monitor_fd(void *monitor);

#endif
