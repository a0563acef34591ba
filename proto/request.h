/* request.h - requests, responses and registrations, the same from caller to node, from node to
 * node and from node to handler, so that a node in between passes bytes on and does not translate.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_REQUEST_H
#define WEFT_PROTO_REQUEST_H

#include "proto/schema.h"

enum {
    PATH_BYTES_MAX = 1024,
    PATH_SEGMENT_BYTES_MAX = 255,
    REQUEST_TIMEOUT_MS_MAX = 300000,
    REQUEST_PROPERTIES_BYTES_MAX = 32768, /* of the sender's, as groups */
    REGISTRATION_KEYS_BYTES_MAX = 512,    /* they travel in the ownership log, as a value */
};

enum value_type {
    VALUE_JSON = 1,
    VALUE_STRING = 2,
    VALUE_BINARY = 3,
    VALUE_INT64 = 4,  /* 8 bytes, two's complement, little-endian */
    VALUE_DOUBLE = 5, /* 8 bytes, IEEE 754, little-endian */
};

/* KIND_REQUEST. The header's correlation is the sender's own number for this request; whoever
 * passes it on puts in its own. Body: the value. */
struct request {
    struct span path;
    uint8_t type;              /* enum value_type */
    uint32_t timeout_ms;       /* time that remains; from a caller 0 = the node's default */
    bool is_idempotent;        /* may be executed twice: retried after a node's loss */
    struct session_id sender;  /* set by the caller's node */
    struct session_id handler; /* between nodes: the session chosen to serve it */
    struct session_id to;      /* asked is this session; none: whoever serves the path */
    struct span filter;        /* asked is every session that matches */
    struct span properties;    /* groups of struct property: the sender's; set by its node */
};

/* KIND_RESPONSE: the one outcome of a request. Correlation: that of the request as the receiver
 * sent it. Body: the value, with ERROR_OK. */
struct response {
    uint16_t outcome;        /* enum error; 0 OK .. 10, between nodes also MOVED */
    uint8_t type;            /* enum value_type, with OK */
    struct span message;     /* for people; the handler's own words with REJECTED, HANDLER_ERROR */
    uint64_t owner;          /* between nodes, MOVED of a request to a session: who has it, or 0 */
    uint32_t sent, answered; /* of a request to a filter: sessions asked, and that answered */
    uint32_t nodes_asked, nodes_answered; /* the same: members, and those that did their part */
};

/* KIND_SPREAD: how far a request to a filter goes. Body, to the caller: groups of node_answer.
 * Between nodes, to the member: how many sessions it may hand the request to by now. */
struct spread {
    uint16_t code; /* enum error: the member could not do its part */
    struct span text;
    uint32_t sent;    /* sessions it is sent to */
    uint32_t allowed; /* between nodes: of them so many may be asked by now, in all */
    uint32_t nodes_asked, nodes_answered; /* to the caller */
};

/* KIND_PART: the one outcome of one session that a request to a filter was sent to. Body: the
 * value, with ERROR_OK. */
struct part {
    struct session_id session;
    uint16_t outcome; /* enum error, as of a response */
    uint8_t type;     /* enum value_type, with OK */
    struct span message;
    uint32_t number; /* between nodes: which of the member's sessions, from 1 */
};

/* KIND_CANCEL: the correlation says which. No fields; the outcome still comes, once. */

enum handler_kind {
    HANDLER_REQUEST = 1,
    HANDLER_AUTHENTICATION = 2,
    HANDLER_MISSING_TOPIC = 3,
    HANDLER_DIRECT = 4, /* exactly this path, for requests to its session; known to its node only */
};

/* KIND_REGISTER and KIND_UNREGISTER; answered by DONE or ERROR. */
struct registration {
    uint8_t kind;     /* enum handler_kind */
    struct span path; /* or the authentication handler's configured name */
    struct span keys; /* which of the sender's properties requests are to bear, as in COMMAND */
};

extern const struct schema request_schema;
extern const struct schema response_schema;
extern const struct schema registration_schema;
extern const struct schema spread_schema;
extern const struct schema part_schema;

#endif
