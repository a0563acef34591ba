/* zap.h - decides which keys libzmq lets in: it asks here, at each handshake, over the ZeroMQ
 * Authentication Protocol (RFC 27). A thread answers that does nothing else, so that no handshake
 * waits for the loop, nor the loop for handshakes.
 * Memory: one struct of the owner's; the keyring is borrowed until the next swap.
 * Thread: zap_start to zap_join are the owner's; the thread itself shares what the lock guards. */
#ifndef WEFT_DAEMON_ZAP_H
#define WEFT_DAEMON_ZAP_H

#include "daemon/keyring.h"
#include "proto/envelope.h"

#include <pthread.h>

enum { ZAP_KEY_BYTES = 32, ZAP_ADDRESS_BYTES = 64 };

/* One question, as the frames of RFC 27 say it. */
struct zap_request {
    struct span version, domain, address, mechanism, credentials;
};

enum zap_status {
    ZAP_TAKEN = 200,
    ZAP_REFUSED = 400,
    ZAP_BROKEN = 500, /* a question that libzmq never asks */
};

struct zap {
    void *socket; /* the thread's while it runs */
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of what follows; held for a look-up, never over a call that waits */
    const struct keyring *keyring;
    char probe[KEYFILE_KEY_BYTES]; /* a key that is never taken: the self-test's; empty: none */
    uint64_t refused;              /* questions answered with "no", but the self-test's */
    uint64_t probed;               /* the self-test's */
    char refused_key[KEYFILE_KEY_BYTES], refused_address[ZAP_ADDRESS_BYTES]; /* the last one */
};

/* What has happened since the last look. */
struct zap_tally {
    uint64_t refused;
    char key[KEYFILE_KEY_BYTES], address[ZAP_ADDRESS_BYTES]; /* of the last one refused */
};

/* The domain that sockets of a channel ask under. */
const char *zap_domain(enum channel channel);

/* Judges one question: a pure function. user_id: the key as Z85, when it is one. */
enum zap_status zap_judge(const struct keyring *keyring, const char *probe,
                          const struct zap_request *request, char user_id[KEYFILE_KEY_BYTES]);

/* Opens the handler in that context, before any socket that asks is bound. false: errno. */
bool zap_start(struct zap *zap, void *context, const struct keyring *keyring);

/* From now on questions are judged by that keyring; the one before is the caller's again. */
void zap_swap(struct zap *zap, const struct keyring *keyring);

/* A key that must be refused whatever the keyring says, for the self-test; and how often it was. */
void zap_set_probe(struct zap *zap, const char *public_key);
uint64_t zap_probed(struct zap *zap);

/* Tells what was refused since the last time. */
void zap_take_tally(struct zap *zap, struct zap_tally *tally);

/* Waits for the thread, which ends when its context is terminated. */
void zap_join(struct zap *zap);

#endif
