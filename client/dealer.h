/* dealer.h - one DEALER socket to one node: dialled, up, or gone. It never comes back by
 * itself: a lost connection is a fact for the client, which then picks a node and dials anew.
 * Memory: the socket; frames are ZeroMQ's. Thread: the context's. */
#ifndef WEFT_CLIENT_DEALER_H
#define WEFT_CLIENT_DEALER_H

#include "proto/span.h"

#include <netinet/in.h>
#include <zmq.h>

enum dealer_state {
    DEALER_NONE,
    DEALER_DIALING, /* nobody has answered yet */
    DEALER_UP,      /* frames can be sent */
    DEALER_FULL,    /* up, but takes none for now */
    DEALER_LOST,    /* refused, or was up and is down */
};

/* Why a dial came to nothing. */
enum dealer_failure {
    DEALER_UNREACHABLE,
    DEALER_BROKEN_OFF, /* TCP stood, the handshake did not end: as a rule another key is wanted */
    DEALER_REFUSED,    /* the node does not take our key */
};

/* CURVE keys, as Z85. */
struct dealer_keys {
    const char *public_key, *secret_key; /* ours */
    const char *server_key;              /* the node's, as we hope */
};

struct dealer {
    enum dealer_state state;
    enum dealer_failure failure; /* LOST without having been up */
    bool has_more;               /* frames wait to be received */
    int epoll;                   /* that watches our descriptors */
    void *socket;
    void *monitor;      /* while dialling */
    int tcp;            /* libzmq's descriptor, from the first frame; -1 before */
    in_port_t tcp_port; /* and its local port: a descriptor is soon another's */
};

/* Dials host:port. `owner` is what epoll reports. keys: NULL: nothing is encrypted. Returns false,
 * and nothing is open, when sockets or descriptors have run out. */
bool dealer_open(struct dealer *dealer, void *zmq, int epoll, void *owner, const char *address,
                 const struct dealer_keys *keys);

/* Hangs up; what was sent and has not left may still leave for so long. */
void dealer_close(struct dealer *dealer, int linger_ms);

/* Looks at what has happened; state and has_more then hold. Must be the last thing done to a
 * dealer before waiting: receiving and sending eat the edge on its descriptor. */
void dealer_check(struct dealer *dealer);

/* Receives one frame, in one part, into an initialised message; what came in more parts is
 * dropped. Returns false when there is none. */
bool dealer_receive(struct dealer *dealer, zmq_msg_t *frame);

/* Sends one frame. Returns false when the dealer takes none. release: called with hint, by any
 * thread, when the bytes are no longer needed, also before false is returned; NULL: copy them. */
bool dealer_send(struct dealer *dealer, struct span frame, void (*release)(void *data, void *hint),
                 void *hint);

#endif
