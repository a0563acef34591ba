/* world.h - one set of real sockets of the daemon on loopback, turned by hand, with a fake core.
 * Memory: static. Thread: one, beside libzmq's. */
#ifndef WEFT_TESTS_UNIT_DAEMON_WORLD_H
#define WEFT_TESTS_UNIT_DAEMON_WORLD_H

#include "daemon/bearers.h"
#include "daemon/dealers.h"
#include "daemon/hasher.h"
#include "daemon/inbox.h"
#include "daemon/ports.h"
#include "daemon/refused.h"
#include "daemon/resolver.h"
#include "daemon/zap.h"
#include "tests/unit/daemon/fake_core.h"

struct world {
    void *context;
    struct poller poller;
    struct guard guard;
    struct inbox inboxes[GUARD_CHANNELS];
    struct ports ports;
    struct logger logger;
    struct dealers dealers;
    struct refused refused;
    struct resolver resolver;
    struct hasher hasher;
    struct facts facts;
    struct batch batch;
    void *others[16]; /* sockets of world_socket */
    struct keyring *keyring;
    struct zap zap;
};

extern struct world world;

/* All sockets open on free ports; to be used as a suite's .init and .fini. */
void world_open(void);
void world_close(void);

/* The same with keys: this node is "a", with peers a and b and the client ana, a trader. */
void world_open_keys(void);

/* The pair of that name, made at its first use; and a keyring of a's with these peers, and ana. */
const struct keyfile *world_pair(const char *name);
struct keyring *world_keyring(const char *peer, ...);

/* Frees it when the world closes. */
void world_take(struct keyring **keyring);

/* A DEALER that speaks under that pair to a. */
void *world_dial_as(enum channel channel, const char *name);

/* One turn of the loop, as the daemon makes it. */
void world_turn(void);

/* Whether what was waited for since *until_ns was 0 can't come any more: so long that only a hang
 * takes it, however busy the machine is. */
bool world_patience_is_over(uint64_t *until_ns);

/* Turns until the core was told the fact so often, or the counter stands there, or patience is
 * over. Returns whether it came to that. */
bool world_until_told(enum mesh_fact fact, unsigned times);
bool world_until_counted(enum counter counter, uint64_t amount);

/* Turns for so long: for what must not happen. */
void world_turn_for(unsigned ms);

/* A socket of somebody else, closed by world_close at the latest: an open one would hang a test
 * that failed. */
void *world_socket(int type);

/* A DEALER of somebody else, connected to that inbox; identity may be NULL. */
void *world_dial(enum channel channel, const char *identity);
void world_hang_up(void **socket);

/* A plain TCP connection to that inbox. */
int world_connect(enum channel channel);

/* Sends text as one frame, with ZMQ_SNDMORE or without. */
void world_send(void *socket, const char *text, int flags);

/* Turns until the socket has a frame; its text. "" when none came in 10 s. */
const char *world_receive(void *socket);

#endif
