/* kinds.h - the numbers of all messages, on all channels, in one list.
 * A number keeps its meaning for ever; new kinds are only added. Thread: plain data. */
#ifndef WEFT_PROTO_KINDS_H
#define WEFT_PROTO_KINDS_H

#include <stdbool.h>

/* X(number, NAME, where it travels) */
#define KIND_LIST(X)                                                                               \
    X(1, HELLO, "client to node")                                                                  \
    X(2, WELCOME, "node to client")                                                                \
    X(3, REFUSED, "node to client, node to joining node")                                          \
    X(4, PING, "client and node, both ways")                                                       \
    X(5, PONG, "client and node, both ways")                                                       \
    X(6, GRANT, "client and node, both ways")                                                      \
    X(7, GOODBYE, "client and node, both ways")                                                    \
    X(8, DONE, "node to client")                                                                   \
    X(9, ERROR, "node to client, between nodes")                                                   \
    X(16, REQUEST, "caller to node, node to node, node to handler")                                \
    X(17, RESPONSE, "handler to node, node to node, node to caller")                               \
    X(18, CANCEL, "caller to node, node to node, node to handler")                                 \
    X(19, REGISTER, "client to node")                                                              \
    X(20, UNREGISTER, "client and node, both ways")                                                \
    X(21, LISTEN, "client to node, node to node")                                                  \
    X(22, UNLISTEN, "client to node")                                                              \
    X(23, EVENT, "node to client, node to node")                                                   \
    X(24, COMMAND, "client to node, node to node")                                                 \
    X(25, RESULT, "node to node, node to client")                                                  \
    X(26, SPREAD, "node to node, node to caller")                                                  \
    X(27, PART, "node to node, node to caller")                                                    \
    X(28, AUTHENTICATE, "node to node, node to handler")                                           \
    X(29, DECISION, "handler to node, node to node")                                               \
    X(30, REAUTHENTICATE, "client to node")                                                        \
    X(31, MISSING_TOPIC, "node to node, node to handler")                                          \
    X(32, LOG_ENTRIES, "node to node, forward")                                                    \
    X(33, LOG_PULL, "node to node, forward")                                                       \
    X(34, LOG_SNAPSHOT, "node to node, forward")                                                   \
    X(35, LOG_HEADS, "node to node, forward")                                                      \
    X(36, LOG_COLLECT, "node to node, forward")                                                    \
    X(37, LOG_COLLECTED, "node to node, forward")                                                  \
    X(48, JOIN, "joining node to node, gossip")                                                    \
    X(49, CHALLENGE, "node to joining node, gossip, on the incoming connection")                   \
    X(50, SWIM_PING, "node to node, gossip")                                                       \
    X(51, SWIM_ACK, "node to node, gossip")                                                        \
    X(52, SWIM_PING_REQUEST, "node to node, gossip")                                               \
    X(53, SWIM_NACK, "node to node, gossip")                                                       \
    X(54, SWIM_NEWS, "node to node, gossip")                                                       \
    X(55, SWIM_SYNC, "node to node, gossip")                                                       \
    X(64, SUBSCRIBE, "client to node")                                                             \
    X(65, UNSUBSCRIBE, "client to node")                                                           \
    X(66, UPDATE, "node to client")                                                                \
    X(67, UNSUBSCRIBED, "node to client")                                                          \
    X(68, SET, "client to node, node to node")                                                     \
    X(69, REMOVE, "client to node, node to node")                                                  \
    X(70, FETCH, "client to node")                                                                 \
    X(71, TOPIC, "node to client, node to node")                                                   \
    X(72, TOPICS, "node to client")

enum kind {
#define KIND_ENUM(number, name, where) KIND_##name = (number),
    KIND_LIST(KIND_ENUM)
#undef KIND_ENUM
};

/* The upper-case name, "UNKNOWN_KIND" for a number this build does not know. */
const char *kind_name(unsigned number);

/* On the client channel: true for what belongs to the session, whatever connection it travels on:
 * it is counted, consumes credit and is sent again after a resume. False for what concerns the
 * connection alone: HELLO to GOODBYE. Kinds that this build does not know are numbered. */
bool kind_is_numbered(unsigned number);

/* True for those whose fields may hold credentials: copies of them are wiped when they go. */
bool kind_is_secret(unsigned number);

#endif
