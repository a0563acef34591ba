/* error.h - the outcomes, errors and close reasons that travel on the wire: numbers and names.
 * A number, once released, never changes its meaning; new ones are only added.
 * Thread: pure functions. */
#ifndef WEFT_PROTO_ERROR_H
#define WEFT_PROTO_ERROR_H

/* X(number, NAME, one sentence for people). 0..31 are outcomes of a request, 32..95 errors,
 * 96.. are said between nodes only and never reach a client. */
#define ERROR_LIST(X)                                                                              \
    X(0, OK, "done")                                                                               \
    X(1, REJECTED, "the handler refused the request")                                              \
    X(2, HANDLER_ERROR, "the handler failed; it may have executed the request")                    \
    X(3, NO_HANDLER, "nobody in the mesh serves the path")                                         \
    X(4, UNHANDLED, "the target session does not listen on the path")                              \
    X(5, NO_SUCH_SESSION, "no such session in the mesh")                                           \
    X(6, DENIED, "the session has no permission for the request")                                  \
    X(7, OVERLOADED, "a limit was reached; the request was not handed over")                       \
    X(8, HANDLER_LOST, "the handler went away after the hand-over; it may have executed")          \
    X(9, TIMEOUT, "the deadline passed; the handler may have executed the request")                \
    X(10, CANCELLED, "the caller cancelled; the handler may have executed the request")            \
    X(32, SESSION_CLOSED, "the session is closed")                                                 \
    X(33, ACCESS_DENIED, "the session has no permission for that")                                 \
    X(34, INVALID_ARGUMENT, "an argument is out of its range")                                     \
    X(35, INVALID_FILTER, "the session filter has an error")                                       \
    X(36, INVALID_PATH, "the path has an error")                                                   \
    X(37, INVALID_MESSAGE, "the message is malformed")                                             \
    X(38, HANDLER_CONFLICT, "this session has a handler on that path already")                     \
    X(39, TOPIC_EXISTS_MISMATCH, "the topic exists with another definition")                       \
    X(40, NO_SUCH_TOPIC, "no such topic")                                                          \
    X(41, UNSATISFIED_CONSTRAINT, "the condition of the update does not hold")                     \
    X(42, CLUSTER_ROUTING, "the node concerned can't be reached now; try again")                   \
    X(43, CLUSTER_REPARTITION, "the mesh is changing and nothing was sent; try again")             \
    X(44, OUTCOME_UNKNOWN, "the topic's sequencer was lost before it answered")                    \
    X(45, NOT_READY, "the node has not synchronised yet; try another node or again")               \
    X(46, VERSION_MISMATCH, "no common version, or something that must be understood is not")      \
    X(47, NAME_IN_USE, "a live member has that name")                                              \
    X(48, LIMIT_REACHED, "a limit was reached")                                                    \
    X(49, INTERNAL, "an internal error")                                                           \
    X(50, WRONG_MESH, "the node belongs to a mesh of another name")                                \
    X(96, MOVED, "the session or handler is not on this node")                                     \
    X(97, LEAVING, "the node is leaving the mesh")

enum error {
#define ERROR_ENUM(number, name, sentence) ERROR_##name = (number),
    ERROR_LIST(ERROR_ENUM)
#undef ERROR_ENUM
};

/* Why a session ended. */
#define CLOSE_REASON_LIST(X)                                                                       \
    X(1, CLOSED_BY_CLIENT, "closed_by_client")                                                     \
    X(2, CLOSED_BY_CONTROLLER, "closed_by_controller")                                             \
    X(3, CONNECTION_LOST, "connection_lost")                                                       \
    X(4, QUEUE_LIMIT_REACHED, "queue_limit_reached")                                               \
    X(5, MESSAGE_TOO_LARGE, "message_too_large")                                                   \
    X(6, INVALID_MESSAGE, "invalid_message")                                                       \
    X(7, ACCESS_DENIED, "access_denied")                                                           \
    X(8, EXPIRED, "expired")                                                                       \
    X(9, INTERNAL_ERROR, "internal_error")                                                         \
    X(10, NODE_STOPPING, "node_stopping")                                                          \
    X(11, MOVED, "moved")

enum close_reason {
    CLOSE_REASON_NONE = 0,
#define CLOSE_REASON_ENUM(number, name, text) CLOSE_REASON_##name = (number),
    CLOSE_REASON_LIST(CLOSE_REASON_ENUM)
#undef CLOSE_REASON_ENUM
};

/* Before a decoder: what it returns is not to be ignored. */
#define ERROR_MUST_CHECK __attribute__((warn_unused_result))

/* The upper-case name of an error, "UNKNOWN_ERROR" for a number this build does not know. */
const char *error_name(unsigned number);

/* One sentence for people. */
const char *error_sentence(unsigned number);

/* The lower-case name of a close reason, "unknown_reason" for a number it does not know. */
const char *close_reason_name(unsigned number);

#endif
