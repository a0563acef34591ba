#include "daemon/monitor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

void *monitor_open(void *context, void *socket, int events)
{
    static uint64_t serial; /* endpoints in one context must differ */
    char endpoint[48];
    snprintf(endpoint, sizeof(endpoint), "inproc://monitor-%" PRIu64, ++serial);
    if (zmq_socket_monitor(socket, endpoint, events) != 0)
        return NULL;
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    int none = 0;
    if (monitor == NULL || zmq_setsockopt(monitor, ZMQ_RCVHWM, &none, sizeof(none)) != 0 ||
        zmq_setsockopt(monitor, ZMQ_LINGER, &none, sizeof(none)) != 0 ||
        zmq_connect(monitor, endpoint) != 0) {
        monitor_stop(socket);
        monitor_close(&monitor);
        return NULL;
    }
    /* A pipe wakes only a reader that has found it empty once. Nothing is lost: the socket is
     * neither bound nor connected yet. */
    struct monitor_event none_yet;
    monitor_next(monitor, &none_yet);
    return monitor;
}

void monitor_stop(void *socket)
{
    zmq_socket_monitor(socket, NULL, 0);
}

void monitor_close(void **monitor)
{
    if (*monitor != NULL)
        zmq_close(*monitor);
    *monitor = NULL;
}

/* An event is a frame of 6 bytes, u16 and i32 in the machine's own order, and one of text. */
bool monitor_next(void *monitor, struct monitor_event *event)
{
    char bytes[6], endpoint[256];
    int read = zmq_recv(monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT);
    if (read < 0)
        return false;
    zmq_recv(monitor, endpoint, sizeof(endpoint), ZMQ_DONTWAIT);
    *event = (struct monitor_event){0};
    if (read == (int)sizeof(bytes)) {
        memcpy(&event->event, bytes, sizeof(event->event));
        memcpy(&event->value, bytes + 2, sizeof(event->value));
    }
    return true;
}

int monitor_fd(void *monitor)
{
    int fd = -1;
    size_t bytes = sizeof(fd);
    return zmq_getsockopt(monitor, ZMQ_FD, &fd, &bytes) == 0 ? fd : -1;
}
