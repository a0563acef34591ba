/* keystore.h - decides which key files are taken: who else may read or write them, what is in
 * them, and that no two say the same key. Reads single files and folders, and makes new ones.
 * Memory: a folder's keys are one block of the store's. Thread: one owner; blocks on the disk. */
#ifndef WEFT_KEYS_KEYSTORE_H
#define WEFT_KEYS_KEYSTORE_H

#include "keys/keyfile.h"

enum {
    KEYSTORE_KEYS_MAX = 16384, /* of a folder: 12 MB, and 16 thousand small files read at a HUP */
    KEYSTORE_WHY_BYTES = 768,
    KEYSTORE_PATH_BYTES = 512, /* of a path, its NUL among them */
};

enum keystore_side { KEYSTORE_PUBLIC, KEYSTORE_SECRET };

struct keystore {
    struct keyfile *list; /* public keys, in ascending order of their text */
    size_t count, capacity;
};

/* Reads one file. A secret one must not be readable for others, its two keys must be a pair; a
 * public one must not be writable for others and must hold no secret. Whose it is, the file says,
 * or its own name does; if neither can, the name is left empty. false: `why` is a whole sentence,
 * and *keyfile is all zero. */
bool keystore_read(const char *path, enum keystore_side side, struct keyfile *keyfile,
                   char why[KEYSTORE_WHY_BYTES]);

/* Reads all files NAME.key of a folder; each must have an owner. false: `why` names the file, and
 * the store is empty. */
bool keystore_read_folder(struct keystore *store, const char *path, char why[KEYSTORE_WHY_BYTES]);
void keystore_clear(struct keystore *store);

/* The entry with that public key; NULL: none. O(log keys). */
const struct keyfile *keystore_find(const struct keystore *store, const char *public_key);

/* The next entry of that owner behind `after` (NULL: the first); NULL: no more. O(keys). */
const struct keyfile *keystore_next_of(const struct keystore *store, struct span name,
                                       const struct keyfile *after);

/* Makes a new pair for keyfile->name and roles, fills it in, and writes FOLDER/NAME.key_secret
 * (0600) and FOLDER/NAME.key. Never writes over a file. false: `why`; nothing was left behind. */
bool keystore_create(struct keyfile *keyfile, const char *folder, char why[KEYSTORE_WHY_BYTES]);

#endif
