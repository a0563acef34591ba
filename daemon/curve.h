/* curve.h - sets the keys of sockets (CURVE, zmq_curve(7)), and proves that a port which is to
 * refuse strangers does. Memory: none. Thread: that of the socket. */
#ifndef WEFT_DAEMON_CURVE_H
#define WEFT_DAEMON_CURVE_H

#include "daemon/keyring.h"
#include "daemon/zap.h"

/* Before a socket is bound: only keys that the ZAP handler takes get in. false: errno, and the
 * socket must not be bound. */
bool curve_serve(void *socket, const struct keyring *keyring, enum channel channel);

/* Before a socket is connected: it speaks under our key, and only to who has that one. */
bool curve_dial(void *socket, const struct keyring *keyring, const char *server_key);

/* Knocks at a bound port under a key made for that, waiting at most 3 s. true: it was refused, by
 * our handler. Not so: nothing may be served there. */
bool curve_is_shut(void *context, const struct address *address, const struct keyring *keyring,
                   struct zap *zap);

#endif
