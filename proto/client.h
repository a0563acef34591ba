/* client.h - the messages between a client and its node that open, keep and end a session.
 * Requests, registrations and commands are in request.h and command.h: they travel between nodes
 * too, with the same fields.
 * Memory: spans point into the frame (decoding) or at the caller's bytes (encoding).
 * Thread: plain data. */
#ifndef WEFT_PROTO_CLIENT_H
#define WEFT_PROTO_CLIENT_H

#include "proto/schema.h"

enum {
    PROPERTY_KEY_BYTES_MAX = 128,
    PROPERTY_VALUE_BYTES_MAX = 4096,
    PROPERTIES_MAX = 128,
    ROLE_BYTES_MAX = 64,
    ROLES_MAX = 32, /* that one session holds, and that one command names */
    PRINCIPAL_BYTES_MAX = 256,
    CREDENTIALS_BYTES_MAX = 4096,
    NAME_BYTES_MAX = 128,    /* of a node, mesh or zone */
    ADDRESS_BYTES_MAX = 255, /* host:port or [v6]:port */
    TOKEN_BYTES = 32,
    TEXT_BYTES_MAX = 1024, /* a sentence for people, a close reason */
};

/* KIND_HELLO; the first message of a connection. Body: groups of struct property, those offered.
 * A session is opened; with `session` and `token`, resumed. */
struct client_hello {
    uint8_t version_min, version_max; /* wire versions the client speaks */
    struct span mesh;                 /* the cluster it wants; empty: any */
    struct span client_type;          /* c, javascript, python, cli, other */
    struct span environment;          /* the client's runtime in words */
    struct span principal;            /* empty: anonymous */
    struct span credentials;
    uint32_t reconnect_ms; /* 0: close at once when the connection is lost */
    struct session_id session;
    struct span token;
    uint64_t received_seq; /* resuming: as in GRANT */
};

/* KIND_WELCOME. Body: groups of struct node_address, all members known, this node first. */
struct client_welcome {
    uint8_t version; /* the one spoken from here on */
    struct session_id session;
    struct span token; /* TOKEN_BYTES secret bytes to resume with */
    struct span node;
    struct span mesh;
    uint64_t instance;
    uint32_t reconnect_ms; /* as granted */
    uint32_t message_bytes_max;
    bool recovered;        /* resumed with nothing lost */
    uint64_t received_seq; /* resumed: numbered messages of the client that the node has received */
    uint64_t resumed_seq;  /* resumed: the next numbered message of the node is the one behind it */
};

/* KIND_REFUSED: no session (or no membership); the sender will not serve this connection.
 * Body: groups of struct node_address to try instead; may be empty. */
struct client_refused {
    uint16_t code; /* enum error */
    struct span text;
};

/* KIND_GRANT, both ways: cumulative. What consumes credit: kind_is_numbered. */
struct client_grant {
    uint64_t received_seq;   /* numbered messages received since the session opened */
    uint32_t messages_limit; /* how many may be sent beyond received_seq */
    uint32_t bytes_limit;
};

/* KIND_GOODBYE: the session is over; nothing follows. */
struct client_goodbye {
    uint8_t reason; /* enum close_reason */
    struct span text;
};

/* KIND_DONE: the message with this correlation was carried out. No fields.
 * KIND_ERROR: it was not. */
struct client_error {
    uint16_t code; /* enum error */
    struct span text;
    uint32_t line, column; /* of a filter, from 1; 0: does not apply */
};

/* A group: a session property. */
struct property {
    struct span key;
    struct span value;
    bool is_absent; /* in "previous values": the key was not there */
};

/* A group: where a node listens for clients. */
struct node_address {
    struct span node;
    struct span address; /* host:port */
};

extern const struct schema client_hello_schema;
extern const struct schema client_welcome_schema;
extern const struct schema client_refused_schema;
extern const struct schema client_grant_schema;
extern const struct schema client_goodbye_schema;
extern const struct schema client_error_schema;
extern const struct schema property_schema;
extern const struct schema node_address_schema;

#endif
