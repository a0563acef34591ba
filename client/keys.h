/* keys.h - decides under which key a client speaks, and which keys nodes may have: a client has no
 * other way to know to whom it speaks.
 * Memory: the list's. Thread: the context's; reads files when it is made. */
#ifndef WEFT_CLIENT_KEYS_H
#define WEFT_CLIENT_KEYS_H

#include "client/weft.h"
#include "keys/keystore.h"

enum { KEYS_SERVERS_MAX = 1024 }; /* nodes of a mesh, each with its key before and after */

struct keys {
    char public_key[KEYFILE_KEY_BYTES], secret_key[KEYFILE_KEY_BYTES];
    char (
        *servers)[KEYFILE_KEY_BYTES]; /* what a node may answer with; NULL: nothing is encrypted */
    uint32_t count;
};

/* Reads what the options name: key_file; server_keys, a list of keys, files and folders. Without a
 * key_file a pair is made for this client alone. false: `why` is a sentence, nothing is held. */
bool keys_init(struct keys *keys, const struct weft_options *options, char why[KEYSTORE_WHY_BYTES]);

/* Forgets them; the secret is overwritten. */
void keys_clear(struct keys *keys);

#endif
