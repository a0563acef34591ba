/* logins.h - keeps the authentications under way that wait for somebody: for their turn at the
 * passwords, for a handler here, for another node. Who waits is a stranger, so there are only so
 * many of them, of fixed size, and only a share of them from one address.
 * Memory: a fixed table of LOGINS_MAX, touched as used; credentials in it are wiped when the login
 * ends. Thread: one owner. */
#ifndef WEFT_MESH_ROUTING_LOGINS_H
#define WEFT_MESH_ROUTING_LOGINS_H

#include "mesh/sessions/sessions.h"

#define LOGIN_NONE UINT32_MAX

enum {
    LOGINS_MAX = 1024,           /* 9 MiB in all; 100 s of work for one thread of passwords */
    LOGINS_OF_ADDRESS_MAX = 256, /* a quarter: one address can't keep the others out */
    LOGIN_OFFERED_BYTES_MAX = 4096,
};

/* Somebody says who he is. Spans into his frame, or into his login. */
struct claim {
    struct session *session;
    bool is_opening;      /* HELLO; else REAUTHENTICATE of an open session */
    uint64_t correlation; /* of REAUTHENTICATE */
    struct span principal, credentials, offered;
    struct span owner, owner_roles; /* of the key that HELLO came under; a login does not keep it */
};

enum login_state {
    LOGIN_FREE,
    LOGIN_AT_NOBODY,    /* between two steps of the chain */
    LOGIN_IN_LINE,      /* for its turn at the passwords */
    LOGIN_AT_PASSWORDS, /* the daemon is checking */
    LOGIN_AT_SESSION,   /* a handler here was asked: `question` */
    LOGIN_AT_NODE,      /* another node was: `node` */
};

struct login {
    uint32_t slot, generation;
    enum login_state state;
    uint32_t session; /* slot */
    bool is_opening;
    uint64_t correlation;
    uint32_t rule;             /* of the chain: the one that is asked */
    uint8_t tries;             /* handlers asked in this step */
    struct session_id handler; /* the last of them */
    uint64_t node;             /* AT_NODE: its instance */
    uint32_t question;         /* AT_SESSION: slot */
    uint64_t ends_ns;          /* all steps together */
    struct deadline deadline;  /* that, or the step's own time */
    uint64_t address;          /* a hash of the client's */
    uint32_t next, previous;   /* IN_LINE: neighbours; FREE: next */
    uint16_t principal_bytes, credentials_bytes, offered_bytes;
    uint8_t principal[PRINCIPAL_BYTES_MAX];
    uint8_t credentials[CREDENTIALS_BYTES_MAX];
    uint8_t offered[LOGIN_OFFERED_BYTES_MAX];
};

struct logins;

struct logins *logins_new(struct context *context, struct sessions *sessions);
void logins_destroy(struct logins **logins);

/* A login that nobody was asked for yet; the claim is copied. NULL, and *why in words: too many
 * wait, in all or of this address, or it offers too much. Its session's `login` is set. */
struct login *logins_take(struct logins *logins, const struct claim *claim, uint64_t ends_ns,
                          const char **why);

/* It is over: nobody is to be waiting for it any more. Wipes it. */
void logins_release(struct logins *logins, struct login *login);

/* The login of a session; NULL: none is under way. O(1). */
struct login *logins_of_session(struct logins *logins, const struct session *session);

/* What others call it, and back; NULL: over. A new number makes answers to the old one late. */
uint64_t logins_number(const struct login *login);
void logins_renumber(struct login *login);
struct login *logins_of_number(struct logins *logins, uint64_t number);

/* By slot, as a deadline names it. */
struct login *logins_at(struct logins *logins, uint32_t slot);

/* Walks those under way; NULL starts, NULL ends. The one just given may be released. */
struct login *logins_next(struct logins *logins, const struct login *after);

/* What it said. */
struct claim logins_claim(struct logins *logins, const struct login *login);

/* The line before the passwords: at its end; out of it, wherever it stands; the first, NULL. */
void logins_line_up(struct logins *logins, struct login *login);
void logins_leave_line(struct logins *logins, struct login *login);
struct login *logins_first_in_line(struct logins *logins);

uint32_t logins_count(const struct logins *logins);
void logins_check(const struct logins *logins);

#endif
