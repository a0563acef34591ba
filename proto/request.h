/* request.h - requests, responses and registrations, the same from caller to node, from node to
 * node and from node to handler, so that a node in between passes bytes on and does not translate.
 * Memory: spans point into the frame or at the caller's bytes. Thread: plain data. */
#ifndef WEFT_PROTO_REQUEST_H
#define WEFT_PROTO_REQUEST_H

#include "proto/schema.h"

enum { PATH_BYTES_MAX = 1024, PATH_SEGMENT_BYTES_MAX = 255, REQUEST_TIMEOUT_MS_MAX = 300000 };

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
};

/* KIND_RESPONSE: the one outcome of a request. Correlation: that of the request as the receiver
 * sent it. Body: the value, with ERROR_OK. */
struct response {
    uint16_t outcome;    /* enum error; 0 OK .. 10, between nodes also MOVED */
    uint8_t type;        /* enum value_type, with OK */
    struct span message; /* for people; the handler's own words with REJECTED, HANDLER_ERROR */
};

/* KIND_CANCEL: the correlation says which. No fields; the outcome still comes, once. */

enum handler_kind { HANDLER_REQUEST = 1, HANDLER_AUTHENTICATION = 2, HANDLER_MISSING_TOPIC = 3 };

/* KIND_REGISTER and KIND_UNREGISTER; answered by DONE or ERROR. */
struct registration {
    uint8_t kind;     /* enum handler_kind */
    struct span path; /* or the authentication handler's configured name */
};

extern const struct schema request_schema;
extern const struct schema response_schema;
extern const struct schema registration_schema;

#endif
