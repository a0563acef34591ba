/* users.h - who may enter with which password, by a file: a line for each,
 *
 *     PRINCIPAL HASH [ROLE,ROLE..]        # blanks between them; what begins with # is a comment
 *
 * HASH is Argon2id as `weftctl passwd` writes it; its own parameters decide what a check costs.
 * Memory: the file's text and a row for each line, on the heap. Thread: one owner. */
#ifndef WEFT_DAEMON_USERS_H
#define WEFT_DAEMON_USERS_H

#include "daemon/config.h"
#include "proto/client.h"

enum {
    USERS_FILE_BYTES_MAX = 32 * 1024 * 1024,
    USERS_MAX = 100000,
    USERS_HASH_BYTES_MAX = 128,        /* with its NUL, as libsodium has it */
    USERS_MEMORY_KIB_MAX = 256 * 1024, /* libsodium's MODERATE; it is taken for each check */
    USERS_PASSES_MAX = 10,
};

struct user {
    struct span principal;
    const char *hash, *roles; /* roles: a,b; may be empty */
    unsigned line;
};

struct users {
    char *text;
    size_t text_bytes;
    struct user *rows; /* sorted by principal */
    size_t count;
    char decoy[USERS_HASH_BYTES_MAX]; /* what those are checked against who are not there */
};

/* Reads a file into *users, whatever is in it; an empty path: nobody. false: *users is as before,
 * and the error says file, line and what is wrong with it; never what stands in the line. */
bool users_read(struct users *users, const char *path, struct config_error *error);
void users_clear(struct users *users);

/* NULL: not there. O(log users). */
const struct user *users_find(const struct users *users, struct span principal);

#endif
