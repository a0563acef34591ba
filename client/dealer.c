/* dealer.c - see dealer.h.
 *
 * libzmq's own reconnecting is off (RECONNECT_IVL -1): it would bring us back to the same node,
 * under another routing id, without a word. With IMMEDIATE a DEALER without a dealer has no
 * POLLOUT, so "down" is seen a millisecond after the peer closes. One that is merely full has none
 * either; then TCP itself is asked, through the descriptor that frames name as their source.
 *
 * A refused dial shows nowhere but on a monitor; it lives only until the handshake is done, since
 * it costs two descriptors. Its queue is unlimited and it reports few events: it can't block
 * libzmq's thread. */
#include "client/dealer.h"

#include "proto/envelope.h"

#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    ENDPOINT_BYTES = 300,
    HWM_FRAMES = 64,           /* 64 KiB each: 4 MiB on the way, more would only wait elsewhere */
    CONNECT_TIMEOUT_MS = 3000, /* 1 s would allow for no lost SYN */
    HANDSHAKE_MS = 5000,
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_COUNT = 3,
    RETRANSMIT_MS = 30000, /* a host that vanished while we were sending */
};

static const int monitored_events = ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                                    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

static void set_int(void *socket, int option, int value)
{
    (void)zmq_setsockopt(socket, option, &value, sizeof value);
}

static void set_options(void *socket)
{
    set_int(socket, ZMQ_LINGER, 0);
    set_int(socket, ZMQ_IPV6, 1);
    set_int(socket, ZMQ_IMMEDIATE, 1);
    set_int(socket, ZMQ_RECONNECT_IVL, -1);
    set_int(socket, ZMQ_SNDHWM, HWM_FRAMES);
    set_int(socket, ZMQ_RCVHWM, HWM_FRAMES);
    set_int(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS);
    set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set_int(socket, ZMQ_TCP_KEEPALIVE, 1);
    set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
    set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S);
    set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT);
    set_int(socket, ZMQ_TCP_MAXRT, RETRANSMIT_MS);
    int64_t frame_bytes_max = CLIENT_FRAME_BYTES_MAX + 64; /* 64: what encryption adds */
    (void)zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max, sizeof frame_bytes_max);
}

static int descriptor(void *socket)
{
    int fd = -1;
    size_t bytes = sizeof fd;
    (void)zmq_getsockopt(socket, ZMQ_FD, &fd, &bytes);
    return fd;
}

static bool watch(const struct dealer *dealer, void *socket, void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    return epoll_ctl(dealer->epoll, EPOLL_CTL_ADD, descriptor(socket), &event) == 0;
}

static void hang_up(const struct dealer *dealer, void *socket)
{
    (void)epoll_ctl(dealer->epoll, EPOLL_CTL_DEL, descriptor(socket), NULL);
    (void)zmq_close(socket);
}

/* Opens our end of the monitor: unlimited before it connects, so that it never blocks. */
static bool open_monitor(struct dealer *dealer, void *zmq, void *owner)
{
    /* A number that was never used: libzmq forgets an endpoint some time after its socket, so
     * the socket's address would soon be in use twice. */
    static atomic_ullong monitors;
    char endpoint[ENDPOINT_BYTES];
    (void)snprintf(endpoint, sizeof endpoint, "inproc://weft-monitor-%llu",
                   atomic_fetch_add(&monitors, 1));
    if (zmq_socket_monitor(dealer->socket, endpoint, monitored_events) != 0)
        return false;
    dealer->monitor = zmq_socket(zmq, ZMQ_PAIR);
    if (dealer->monitor == NULL)
        return false;
    set_int(dealer->monitor, ZMQ_LINGER, 0);
    set_int(dealer->monitor, ZMQ_RCVHWM, 0);
    return zmq_connect(dealer->monitor, endpoint) == 0 && watch(dealer, dealer->monitor, owner);
}

static void close_monitor(struct dealer *dealer)
{
    if (dealer->monitor == NULL)
        return;
    (void)zmq_socket_monitor(dealer->socket, NULL, 0);
    hang_up(dealer, dealer->monitor);
    dealer->monitor = NULL;
}

/* The keys were judged when they were read. */
static void set_keys(void *socket, const struct dealer_keys *keys)
{
    (void)zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->server_key,
                         strlen(keys->server_key) + 1);
    (void)zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key,
                         strlen(keys->public_key) + 1);
    (void)zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key,
                         strlen(keys->secret_key) + 1);
}

bool dealer_open(struct dealer *dealer, void *zmq, int epoll, void *owner, const char *address,
                 const struct dealer_keys *keys)
{
    *dealer = (struct dealer){.state = DEALER_DIALING, .epoll = epoll, .tcp = -1};
    dealer->socket = zmq_socket(zmq, ZMQ_DEALER);
    if (dealer->socket == NULL) {
        dealer->state = DEALER_NONE;
        return false;
    }
    set_options(dealer->socket);
    if (keys != NULL)
        set_keys(dealer->socket, keys);
    char endpoint[ENDPOINT_BYTES];
    (void)snprintf(endpoint, sizeof endpoint, "tcp://%s", address);
    if (!watch(dealer, dealer->socket, owner) || !open_monitor(dealer, zmq, owner)) {
        dealer_close(dealer, 0);
        return false;
    }
    if (zmq_connect(dealer->socket, endpoint) != 0)
        dealer->state = DEALER_LOST; /* not an address that can be dialled */
    return true;
}

void dealer_close(struct dealer *dealer, int linger_ms)
{
    if (dealer->socket != NULL) {
        close_monitor(dealer);
        set_int(dealer->socket, ZMQ_LINGER, linger_ms);
        hang_up(dealer, dealer->socket);
    }
    *dealer = (struct dealer){.state = DEALER_NONE, .tcp = -1};
}

static enum dealer_failure failure_of(unsigned event)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return DEALER_REFUSED;
    return event == ZMQ_EVENT_CLOSED ? DEALER_UNREACHABLE : DEALER_BROKEN_OFF;
}

/* Whether the monitor has spoken: each event it is asked for means that the dial failed, and the
 * worst of them says why. An event's first part is its number, u16, and a value; then a text. */
static bool dial_failed(struct dealer *dealer)
{
    bool failed = false;
    zmq_msg_t part;
    (void)zmq_msg_init(&part);
    while (zmq_msg_recv(&part, dealer->monitor, ZMQ_DONTWAIT) >= 0) {
        uint16_t event = 0;
        failed = true;
        if (!zmq_msg_more(&part) || zmq_msg_size(&part) < sizeof event)
            continue;
        memcpy(&event, zmq_msg_data(&part), sizeof event);
        if (failure_of(event) > dealer->failure)
            dealer->failure = failure_of(event);
    }
    (void)zmq_msg_close(&part);
    return failed;
}

static in_port_t local_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &bytes) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ((const struct sockaddr_in6 *)&address)->sin6_port;
    return address.ss_family == AF_INET ? ((const struct sockaddr_in *)&address)->sin_port : 0;
}

/* Whether the TCP dealer that our frames came over still stands. */
static bool is_established(const struct dealer *dealer)
{
    struct tcp_info info = {0};
    socklen_t bytes = sizeof info;
    return dealer->tcp >= 0 && local_port(dealer->tcp) == dealer->tcp_port &&
           getsockopt(dealer->tcp, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0 &&
           info.tcpi_state == TCP_ESTABLISHED;
}

void dealer_check(struct dealer *dealer)
{
    if (dealer->state == DEALER_NONE || dealer->state == DEALER_LOST)
        return;
    int events = 0;
    size_t bytes = sizeof events;
    if (zmq_getsockopt(dealer->socket, ZMQ_EVENTS, &events, &bytes) != 0)
        return;
    dealer->has_more = (events & ZMQ_POLLIN) != 0;
    if ((events & ZMQ_POLLOUT) != 0) {
        close_monitor(dealer);
        dealer->state = DEALER_UP;
    } else if (dealer->state == DEALER_DIALING) {
        if (dial_failed(dealer))
            dealer->state = DEALER_LOST;
    } else if (!dealer->has_more) { /* what came before the end is read first */
        dealer->state = is_established(dealer) ? DEALER_FULL : DEALER_LOST;
    }
}

static void note_source(struct dealer *dealer, zmq_msg_t *frame)
{
    dealer->tcp = zmq_msg_get(frame, ZMQ_SRCFD);
    if (dealer->tcp >= 0)
        dealer->tcp_port = local_port(dealer->tcp);
}

bool dealer_receive(struct dealer *dealer, zmq_msg_t *frame)
{
    if (dealer->state == DEALER_NONE || dealer->state == DEALER_DIALING)
        return false;
    bool is_whole;
    do {
        is_whole = true;
        if (zmq_msg_recv(frame, dealer->socket, ZMQ_DONTWAIT) < 0)
            return false;
        while (zmq_msg_more(frame)) {
            is_whole = false;
            if (zmq_msg_recv(frame, dealer->socket, ZMQ_DONTWAIT) < 0)
                return false;
        }
    } while (!is_whole);
    if (dealer->tcp < 0)
        note_source(dealer, frame);
    return true;
}

static void *writable(struct span bytes)
{
    void *data;
    memcpy(&data, &bytes.data, sizeof data);
    return data;
}

/* dealer_send for bytes that are handed over. Whatever happens, release is called once: by libzmq,
 * or here when it never got the bytes. */
static bool hand_over(struct dealer *dealer, struct span frame,
                      void (*release)(void *data, void *hint), void *hint)
{
    zmq_msg_t message;
    if (dealer->state != DEALER_UP ||
        zmq_msg_init_data(&message, writable(frame), frame.bytes, release, hint) != 0) {
        release(writable(frame), hint);
        return false;
    }
    if (zmq_msg_send(&message, dealer->socket, ZMQ_DONTWAIT) >= 0)
        return true;
    dealer->state = DEALER_FULL;
    (void)zmq_msg_close(&message); /* calls release */
    return false;
}

bool dealer_send(struct dealer *dealer, struct span frame, void (*release)(void *data, void *hint),
                 void *hint)
{
    if (release != NULL)
        return hand_over(dealer, frame, release, hint);
    if (dealer->state != DEALER_UP)
        return false;
    if (zmq_send(dealer->socket, frame.data, frame.bytes, ZMQ_DONTWAIT) >= 0)
        return true;
    dealer->state = DEALER_FULL;
    return false;
}
