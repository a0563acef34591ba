/* authentication.h - who is it?: what a node asks an authentication handler, what that decides, and
 * how an open session proves anew who it is. Between nodes, the same.
 * Memory: spans point into the frame or at the caller's bytes. Credentials among them are secret:
 * whoever copies them wipes the copy. Thread: plain data. */
#ifndef WEFT_PROTO_AUTHENTICATION_H
#define WEFT_PROTO_AUTHENTICATION_H

#include "proto/schema.h"

/* KIND_AUTHENTICATE, to a handler or to its node; answered by DECISION. Body: groups of struct
 * property, the session's fixed ones, and behind them what its client offered. */
struct authenticate {
    struct span name;          /* the handler's, as it stands in auth.chain */
    struct span principal;     /* as claimed; may be empty */
    struct span credentials;   /* secret */
    uint32_t timeout_ms;       /* time that remains */
    struct session_id session; /* who wants to be let in */
    struct session_id handler; /* between nodes: the session chosen to decide */
};

enum decision_code {
    DECISION_ALLOW = 1,
    DECISION_DENY = 2,
    DECISION_ABSTAIN = 3,
    DECISION_LOST = 4, /* between nodes: nobody here decides it, or not any more */
};

/* KIND_DECISION, of a handler, or of its node. Body, with ALLOW: groups of struct property, what
 * the session is to have: user properties, $Principal, $Roles, the geo keys. */
struct decision {
    uint8_t code; /* enum decision_code */
};

/* KIND_REAUTHENTICATE, of an open session; answered by DONE or ERROR. */
struct reauthenticate {
    struct span principal;
    struct span credentials; /* secret */
};

extern const struct schema authenticate_schema;
extern const struct schema decision_schema;
extern const struct schema reauthenticate_schema;

#endif
