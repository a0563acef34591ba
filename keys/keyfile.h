/* keyfile.h - decides what a key file says. The format is the one that czmq's zcert and pyzmq
 * write: a secret file holds both keys of a pair, a public file only one.
 *
 *     metadata
 *         name = "eu-a"              whose key it is; without it the file's name says so
 *         roles = "trader,guest"     what a client with this key holds; may be missing
 *     curve
 *         public-key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
 *         secret-key = "..."         in a secret file only
 *
 * Memory: fixed-size structs of the caller's. Thread: pure functions. */
#ifndef WEFT_KEYS_KEYFILE_H
#define WEFT_KEYS_KEYFILE_H

#include "proto/client.h"
#include "proto/writer.h"

enum {
    KEYFILE_KEY_CHARACTERS = 40, /* 32 bytes as Z85 */
    KEYFILE_KEY_BYTES = KEYFILE_KEY_CHARACTERS + 1,
    KEYFILE_ROLES_BYTES = 512,
    KEYFILE_BYTES_MAX = 8192, /* of a file: room for a page of comments */
};

struct keyfile {
    char public_key[KEYFILE_KEY_BYTES];
    char secret_key[KEYFILE_KEY_BYTES]; /* empty: a public file */
    char name[NAME_BYTES_MAX + 1];      /* empty: the file does not say */
    char roles[KEYFILE_ROLES_BYTES];    /* joined by commas; may be empty */
};

enum keyfile_verdict {
    KEYFILE_GOOD,
    KEYFILE_MALFORMED, /* not this format, or something stands in it twice */
    KEYFILE_NO_KEY,    /* no public key in a section curve */
    KEYFILE_BAD_KEY,   /* a key that is not 40 characters of Z85 */
    KEYFILE_TEST_KEY,  /* one of those that libzmq's manual shows to everybody */
    KEYFILE_BAD_NAME,  /* a name or roles that are too long, or with strange characters */
    KEYFILE_TWO_SIDES, /* the file has a secret key where a public file is wanted, or none */
};

/* Reads a file's text. Unless GOOD, *keyfile is all zero. O(bytes); allocates nothing. */
enum keyfile_verdict keyfile_decode(struct span text, struct keyfile *keyfile);

/* Writes the file's text: with its secret key if it has one. */
void keyfile_encode(const struct keyfile *keyfile, struct writer *writer);

/* Whether the text is a key: 40 characters of Z85, and none that everybody knows. */
enum keyfile_verdict keyfile_key_judge(struct span key);

/* Whether a name can be an owner's: 1 to 128 characters, no blanks, quotes, commas or slashes. */
bool keyfile_is_name(struct span name);

/* Whether a text can be roles: 1 to 511 bytes, the like. */
bool keyfile_is_roles(struct span roles);

/* Overwrites what held a secret, whatever the compiler thinks of it. */
void keyfile_wipe(void *secret, size_t bytes);

/* What is wrong, for whoever has to mend it: the end of a sentence that begins with the file. */
const char *keyfile_sentence(enum keyfile_verdict verdict);

#endif
