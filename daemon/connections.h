/* connections.h - who dialled us: each accepted TCP connection, by its descriptor from the moment
 * it is accepted, and by channel and number from its first frame on.
 *
 *     accepted -> [accept] -> silent -- first frame -> [name] -> named
 *         silent, named -- disconnected -> [detach] -> gone: waits to be confirmed -> [forget]
 *
 * The descriptor belongs to libzmq and is soon another's: it is looked at, shut down at most, and
 * compared with the address it was accepted from first.
 * Memory: one record a connection, as many as there are descriptors. Thread: one owner. */
#ifndef WEFT_DAEMON_CONNECTIONS_H
#define WEFT_DAEMON_CONNECTIONS_H

#include "daemon/sources.h"
#include "keys/keyfile.h"
#include "proto/envelope.h"

#include <zmq.h>

struct connection {
    enum channel channel;
    int fd; /* -1: closed, or not known */
    bool is_named;
    uint32_t number; /* once named: what the ROUTER gave it */
    bool is_shut;    /* cut or about to be: nothing of it is heard any more */
    bool has_kept;   /* a frame waits for room in its pipe */
    uint64_t accepted_ns;
    uint64_t frames;        /* delivered so far */
    uint64_t looked_frames; /* at the guard's last look that saw progress */
    uint64_t looked_bytes;  /* received by TCP, then */
    uint64_t check_ns;      /* 0: no; else when to ask whether it is gone */
    uint64_t cut_ns;        /* 0: no; else since when it is to be shut */
    uint64_t kept_since_ns;
    uint32_t checks;
    bool is_busy; /* among those that want attention */
    struct connection *next_busy, *previous_busy;
    struct connection *next_silent, *previous_silent;
    struct source *source; /* NULL: not limited, or it has spoken */
    struct source *origin; /* of a client: counts it as long as it lives; NULL: not limited */
    enum mesh_excess excess;
    union socket_address peer;
    char address[64];            /* host:port of the peer */
    char key[KEYFILE_KEY_BYTES]; /* that it came under; empty: none yet, or no keys are in use */
    const struct keyfile *owner; /* whose that is; NULL: nobody's */
    zmq_msg_t kept;
};

struct connections {
    struct connection **by_number; /* open addressing, linear; capacity a power of two */
    uint32_t capacity, named;
    struct connection **by_fd;
    int fds_max, fds_used; /* fds_used: one past the highest in use */
    uint32_t open;         /* with a descriptor */
    struct connection *busy;
    struct connection *forgotten;                  /* not freed yet */
    struct connection *first_silent, *last_silent; /* in order of acceptance */
};

/* fds_max: no descriptor is greater or equal. false: no memory. */
bool connections_init(struct connections *connections, int fds_max);
void connections_clear(struct connections *connections);

/* A new record for a descriptor just accepted (-1: closed already, only its frames are left). A
 * record that still had the descriptor is forgotten, or when named detached and due to be checked.
 * NULL: no memory, or the descriptor is out of range. */
struct connection *connections_accept(struct connections *connections, enum channel channel, int fd,
                                      uint64_t now_ns);

/* Gives the connection its number. false: no memory; nothing changed. */
bool connections_name(struct connections *connections, struct connection *connection,
                      uint32_t number);

/* Ties a record that lost its descriptor to the one its frames come from. */
void connections_attach(struct connections *connections, struct connection *connection, int fd);

/* The descriptor is closed or another's now. */
void connections_detach(struct connections *connections, struct connection *connection);

/* Takes the record out of all tables, whatever state it is in. Its memory stays until the bury:
 * inputs told before may point at its address. */
void connections_forget(struct connections *connections, struct connection *connection);
void connections_bury(struct connections *connections);

struct connection *connections_find(const struct connections *connections, enum channel channel,
                                    uint32_t number);
struct connection *connections_at(const struct connections *connections, int fd);

/* Among those that connections.busy walks, or not (any more). */
void connections_attend(struct connections *connections, struct connection *connection);
void connections_release(struct connections *connections, struct connection *connection);

#endif
