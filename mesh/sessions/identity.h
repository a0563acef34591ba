/* identity.h - decides who may open a session, by the steps of the authentication chain that need
 * nobody else: the first step that does not abstain decides, and all abstaining is "no".
 * Memory: plain data. Thread: one owner; no clock, no I/O. */
#ifndef WEFT_MESH_SESSIONS_IDENTITY_H
#define WEFT_MESH_SESSIONS_IDENTITY_H

#include "mesh/base/sentence.h"

enum { IDENTITY_STEPS_MAX = 16 };

enum identity_step {
    IDENTITY_ANONYMOUS, /* lets in whoever names no principal, with auth.anonymous_roles */
    IDENTITY_ALLOW,     /* lets everybody in, under the principal he names, with no roles */
    IDENTITY_DENY,
};

struct identity_chain {
    uint32_t count;
    uint8_t steps[IDENTITY_STEPS_MAX]; /* enum identity_step */
};

enum identity_verdict { IDENTITY_REFUSED, IDENTITY_IS_ANONYMOUS, IDENTITY_IS_NAMED };

/* Reads "anonymous,deny"; false: `why` says what was found and what there is. */
bool identity_parse(struct identity_chain *chain, struct span text, struct sentence *why);

enum identity_verdict identity_of(const struct identity_chain *chain, struct span principal);

#endif
