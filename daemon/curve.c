/* Without a ZAP handler libzmq lets every key in that can speak CURVE, and it says so nowhere. So
 * the handler stands first, the sockets are told not to do without, and then each port is tried.
 * The key tried is refused by the handler whatever the files say: also where any client is taken
 * the handler shows that it was asked. */
#include "daemon/curve.h"

#include "daemon/monitor.h"

#include <stdio.h>
#include <zmq.h>

enum {
    CURVE_ENFORCE_DOMAIN = 93, /* ZMQ_ZAP_ENFORCE_DOMAIN, which the stable header does not name */
    CURVE_KNOCK_MS = 3000,
};

static bool curve_set_key(void *socket, int option, const char *key)
{
    return zmq_setsockopt(socket, option, key, strlen(key) + 1) == 0;
}

bool curve_serve(void *socket, const struct keyring *keyring, enum channel channel)
{
    int on = 1;
    const char *domain = zap_domain(channel);
    return zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0 &&
           zmq_setsockopt(socket, CURVE_ENFORCE_DOMAIN, &on, sizeof(on)) == 0 &&
           curve_set_key(socket, ZMQ_CURVE_SECRETKEY, keyring->own.secret_key) &&
           zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof(on)) == 0;
}

bool curve_dial(void *socket, const struct keyring *keyring, const char *server_key)
{
    return curve_set_key(socket, ZMQ_CURVE_SERVERKEY, server_key) &&
           curve_set_key(socket, ZMQ_CURVE_PUBLICKEY, keyring->own.public_key) &&
           curve_set_key(socket, ZMQ_CURVE_SECRETKEY, keyring->own.secret_key);
}

/* Where a port of ours is reached from here. */
static void curve_endpoint(const struct address *address, char endpoint[ADDRESS_TEXT_BYTES + 8])
{
    struct address here = *address;
    char text[ADDRESS_TEXT_BYTES];
    if (address_is_any(here.host))
        snprintf(here.host, sizeof(here.host), "%s",
                 strcmp(here.host, "::") == 0 ? "::1" : "127.0.0.1");
    address_format(&here, text);
    snprintf(endpoint, ADDRESS_TEXT_BYTES + 8, "tcp://%s", text);
}

static bool curve_knock(void *socket, void *monitor, const struct address *address)
{
    char endpoint[ADDRESS_TEXT_BYTES + 8];
    struct monitor_event event = {0};
    int v6 = address_is_v6(address->host);
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    curve_endpoint(address, endpoint);
    if (zmq_setsockopt(socket, ZMQ_IPV6, &v6, sizeof(v6)) != 0 ||
        zmq_connect(socket, endpoint) != 0)
        return false;
    return zmq_poll(&item, 1, CURVE_KNOCK_MS) == 1 && monitor_next(monitor, &event) &&
           event.event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
}

bool curve_is_shut(void *context, const struct address *address, const struct keyring *keyring,
                   struct zap *zap)
{
    struct keyring stranger = {.takes_any_client = false};
    int none = 0;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    void *monitor = socket == NULL ? NULL
                                   : monitor_open(context, socket,
                                                  ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                                                      ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                                      ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    bool is_shut = monitor != NULL &&
                   zmq_curve_keypair(stranger.own.public_key, stranger.own.secret_key) == 0 &&
                   zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none)) == 0 &&
                   curve_dial(socket, &stranger, keyring->own.public_key);
    if (is_shut) {
        zap_set_probe(zap, stranger.own.public_key);
        is_shut = curve_knock(socket, monitor, address) && zap_probed(zap) > 0;
        zap_set_probe(zap, "");
    }
    if (socket != NULL) {
        monitor_stop(socket);
        zmq_close(socket);
    }
    monitor_close(&monitor);
    return is_shut;
}
