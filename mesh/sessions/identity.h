/* identity.h - decides what the steps of the authentication chain say of somebody who wants to be
 * let in: the first that does not abstain decides, and all abstaining is "no". Steps that need
 * somebody else, a file of users or a handler, say so, and are asked by routing/authentication.h.
 * Memory: plain data. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_SESSIONS_IDENTITY_H
#define WEFT_MESH_SESSIONS_IDENTITY_H

#include "mesh/base/sentence.h"

enum { IDENTITY_STEPS_MAX = 16, IDENTITY_NAME_BYTES_MAX = 64 };

enum identity_step {
    IDENTITY_ANONYMOUS, /* lets in whoever names no principal, with auth.anonymous_roles */
    IDENTITY_ALLOW,     /* lets everybody in, under the principal he names, with no roles */
    IDENTITY_DENY,
    IDENTITY_USERS,   /* asks the node's file of users about whoever names a principal */
    IDENTITY_CURVE,   /* lets in whom the operator's files know by the key of the connection */
    IDENTITY_HANDLER, /* asks the handler of that name */
};

struct identity_rule {
    uint8_t step; /* enum identity_step */
    uint8_t name_bytes;
    char name[IDENTITY_NAME_BYTES_MAX]; /* of a handler */
};

struct identity_chain {
    uint32_t count;
    struct identity_rule rules[IDENTITY_STEPS_MAX];
};

enum identity_verdict {
    IDENTITY_ALLOWED,
    IDENTITY_DENIED,
    IDENTITY_ASKS, /* the rule at *at: somebody else has to be asked */
};

/* Reads "users,handler:corporate,deny"; false: `why` says what was found and what there is. */
bool identity_parse(struct identity_chain *chain, struct span text, struct sentence *why);

/* owner: whose key the connection came under, by the operator's files; empty: nobody's.
 * Goes along the chain from the rule *at, which is moved to the one that does not abstain; at the
 * chain's end the verdict is DENIED. O(rules). */
enum identity_verdict identity_judge(const struct identity_chain *chain, struct span principal,
                                     struct span owner, uint32_t *at);

/* Whether handlers of that name are asked at all: only those may be registered. */
bool identity_names(const struct identity_chain *chain, struct span name);

/* Whether the chain has that step. */
bool identity_has(const struct identity_chain *chain, enum identity_step step);

struct span identity_name(const struct identity_rule *rule);

#endif
