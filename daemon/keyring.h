/* keyring.h - decides whose keys this node takes: its own pair, and the public keys of nodes and of
 * clients, all read at once from the operator's files. A reload reads a new one.
 * Memory: one object and its tables. Thread: does not change once it is read; anybody's. */
#ifndef WEFT_DAEMON_KEYRING_H
#define WEFT_DAEMON_KEYRING_H

#include "daemon/config.h"
#include "keys/keystore.h"
#include "proto/envelope.h"

struct keyring {
    struct keyfile own;      /* with a name: this node's */
    struct keystore peers;   /* nodes; as a rule this one among them */
    struct keystore clients; /* empty when any is taken */
    bool takes_any_client;
};

/* Whether the configuration asks for keys at all. */
bool keyring_is_wanted(const struct config *config);

/* Reads curve.key_file, curve.peers and curve.clients. NULL: the error says which file and why. */
struct keyring *keyring_read(const struct config *config, struct config_error *error);

/* Overwrites the secret and frees all. */
void keyring_destroy(struct keyring **keyring);

/* Whether a connection on that channel may come under the key. *owner: whose it is; NULL: nobody's,
 * as with any client's. O(log keys). */
bool keyring_takes(const struct keyring *keyring, enum channel channel, const char *public_key,
                   const struct keyfile **owner);

/* Gives the node its key's name. false: it has another one already. */
bool keyring_name(const struct keyring *keyring, struct config *config, struct config_error *error);

#endif
