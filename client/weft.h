/* weft.h - the client library of weft, a leaderless session mesh.
 *
 * A client is one session in the mesh. The library finds a node, opens the session, keeps it, finds
 * another node when that one is lost, and registers the session's handlers again there.
 *
 *     struct weft_options options = {0};
 *     options.servers = "127.0.0.1:7310";
 *     struct weft_client *client = weft_new(&options);
 *     weft_connect(client, 5000);
 *     struct weft_value name = weft_string("Ada");
 *     const struct weft_response *response = weft_request_wait(client, "greet", &name, NULL);
 *     if (response->outcome == WEFT_OK)
 *         printf("%.*s\n", (int)response->value.bytes, (const char *)response->value.data);
 *     weft_destroy(&client);
 *
 * Events. Nothing happens but inside weft_progress and the calls that wait: there each callback is
 * called. weft_fd gives one descriptor for poll, epoll or select: readable, level-triggered, as
 * long as there is something for weft_progress to do, timers included. What is queued between two
 * calls of weft_progress leaves in as few frames as it fits in.
 *
 * Threads. The library starts none (ZeroMQ's own I/O thread aside) and takes no lock. A context
 * and all of its clients belong to one thread at a time; contexts are independent of each other.
 *
 * Callbacks may call everything here, for any client of the context, also weft_destroy, except what
 * runs the context: weft_progress, weft_run and the calls that wait (weft_connect, *_wait) then
 * do nothing and say WEFT_INVALID_ARGUMENT.
 *
 * Memory. What is passed in is copied before the call returns. What a callback is shown lives until
 * it returns; what a *_wait call returns, until the next *_wait call of that client.
 *
 * Units. Times are milliseconds unless the name says otherwise. Texts passed in are UTF-8 and end
 * with NUL; texts handed out are runs of bytes (struct weft_text) and do not.
 *
 * Errors. Calls return an enum weft_error; when it is not WEFT_OK, nothing was done and the
 * callback will not be called. A callback once promised is called exactly once. */
#ifndef WEFT_H
#define WEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(WEFT_BUILDING)
#define WEFT_EXPORT __attribute__((visibility("default")))
#else
#define WEFT_EXPORT
#endif

struct weft_context; /* a set of clients that make progress together */
struct weft_client;  /* one session */

/* ---- errors ---------------------------------------------------------------------------------
 * The wire's numbers; they never change. 0..10 are outcomes of a request. */
enum weft_error {
    WEFT_OK = 0,
    WEFT_REJECTED = 1,        /* the handler refused, in its own words */
    WEFT_HANDLER_ERROR = 2,   /* the handler failed; perhaps executed */
    WEFT_NO_HANDLER = 3,      /* nobody in the mesh serves the path; not executed */
    WEFT_UNHANDLED = 4,       /* the target session does not listen on the path; not executed */
    WEFT_NO_SUCH_SESSION = 5, /* not executed */
    WEFT_DENIED = 6,          /* no permission; not executed */
    WEFT_OVERLOADED = 7,      /* a limit was reached; not executed */
    WEFT_HANDLER_LOST = 8,    /* the handler went away after the hand-over; perhaps executed */
    WEFT_TIMEOUT = 9,         /* the deadline passed; perhaps executed */
    WEFT_CANCELLED = 10,      /* the caller cancelled; perhaps executed */
    WEFT_SESSION_CLOSED = 32, /* the own session ended meanwhile; a request: perhaps executed */
    WEFT_ACCESS_DENIED = 33,
    WEFT_INVALID_ARGUMENT = 34,
    WEFT_INVALID_FILTER = 35,
    WEFT_INVALID_PATH = 36,
    WEFT_INVALID_MESSAGE = 37,
    WEFT_HANDLER_CONFLICT = 38, /* this session has a handler on that path already */
    WEFT_TOPIC_EXISTS_MISMATCH = 39,
    WEFT_NO_SUCH_TOPIC = 40,
    WEFT_UNSATISFIED_CONSTRAINT = 41,
    WEFT_CLUSTER_ROUTING = 42,     /* the node concerned can't be reached now; try again */
    WEFT_CLUSTER_REPARTITION = 43, /* the mesh is changing, nothing was sent; try again */
    WEFT_OUTCOME_UNKNOWN = 44,
    WEFT_NOT_READY = 45, /* the node has not synchronised yet */
    WEFT_VERSION_MISMATCH = 46,
    WEFT_NAME_IN_USE = 47,
    WEFT_LIMIT_REACHED = 48,
    WEFT_INTERNAL = 49,
    WEFT_WRONG_MESH = 50, /* the node belongs to a mesh of another name */
};

/* The name without WEFT_, such as "NO_HANDLER"; "UNKNOWN_ERROR" for a number it does not know. */
WEFT_EXPORT const char *weft_error_name(enum weft_error error);

/* One sentence for people. */
WEFT_EXPORT const char *weft_error_sentence(enum weft_error error);

/* Why a session ended. */
enum weft_close_reason {
    WEFT_CLOSED_BY_CLIENT = 1,
    WEFT_CLOSED_BY_CONTROLLER = 2,
    WEFT_CLOSED_CONNECTION_LOST = 3,
    WEFT_CLOSED_QUEUE_LIMIT_REACHED = 4,
    WEFT_CLOSED_MESSAGE_TOO_LARGE = 5,
    WEFT_CLOSED_INVALID_MESSAGE = 6,
    WEFT_CLOSED_ACCESS_DENIED = 7,
    WEFT_CLOSED_EXPIRED = 8,
    WEFT_CLOSED_INTERNAL_ERROR = 9,
    WEFT_CLOSED_NODE_STOPPING = 10,
    WEFT_CLOSED_MOVED = 11, /* another node has it: both went on with it while the mesh was split */
};

/* The lower-case name, such as "closed_by_client". */
WEFT_EXPORT const char *weft_close_reason_name(enum weft_close_reason reason);

/* The library's version, such as "0.1.0". */
WEFT_EXPORT const char *weft_version(void);

/* ---- plain data ---- */

struct weft_text {
    const char *data; /* not ended by NUL */
    size_t bytes;
};

/* Unique for ever. All zero means none. */
struct weft_session_id {
    uint64_t instance; /* of the node that created the session */
    uint64_t serial;
};

enum { WEFT_SESSION_ID_BYTES = 34 }; /* "hhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh" and NUL */

/* Writes the id as text; returns `text`. */
WEFT_EXPORT char *weft_session_id_format(struct weft_session_id id,
                                         char text[WEFT_SESSION_ID_BYTES]);

/* Reads an id. Returns false, and leaves *id alone, for anything but its exact form. */
WEFT_EXPORT bool weft_session_id_parse(const char *text, struct weft_session_id *id);

enum weft_value_type {
    WEFT_JSON = 1,
    WEFT_STRING = 2,
    WEFT_BINARY = 3,
    WEFT_INT64 = 4,
    WEFT_DOUBLE = 5,
};

/* A typed value. data and bytes hold json, string and binary; the mesh does not look inside. All
 * zero: an empty binary. */
struct weft_value {
    enum weft_value_type type;
    const void *data;
    size_t bytes;
    int64_t int64;
    double number; /* of WEFT_DOUBLE */
};

WEFT_EXPORT struct weft_value weft_json(const char *text);
WEFT_EXPORT struct weft_value weft_string(const char *text);
WEFT_EXPORT struct weft_value weft_binary(const void *data, size_t bytes);
WEFT_EXPORT struct weft_value weft_int64(int64_t value);
WEFT_EXPORT struct weft_value weft_double(double value);

/* A run of rows inside a result: a copy is an iterator. */
struct weft_rows {
    const void *data;
    size_t bytes;
};

/* ---- the context ------------------------------------------------------------------------------
 * Programs with one session need none of this: weft_new makes a context for them. */

/* A context for at most clients_max clients at a time; 0: 1024, at most 10000. Returns NULL when
 * memory or descriptors are not to be had. Each client takes 2 descriptors, 4 while it connects. */
WEFT_EXPORT struct weft_context *weft_context_new(uint32_t clients_max);

/* Destroys the context, first all clients that it still has (no callbacks), and sets *context to
 * NULL. Waits up to 1 s for what was queued to leave. Not from a callback. */
WEFT_EXPORT void weft_context_destroy(struct weft_context **context);

/* The descriptor to poll for readability. Do not read from it. */
WEFT_EXPORT int weft_context_fd(const struct weft_context *context);

/* Does all the work that is ready, for every client, and calls their callbacks; never blocks.
 * Returns how many clients had work. Cheap (one system call) when there is nothing. */
WEFT_EXPORT int weft_context_progress(struct weft_context *context);

/* Waits until there is work or the time is over (-1: for ever), then does it. Returns as
 * weft_context_progress; 0 also early, when a signal or an idle timer ended the wait. */
WEFT_EXPORT int weft_context_run(struct weft_context *context, int timeout_ms);

/* ---- a client ---- */

struct weft_property {
    const char *key;
    const char *value;
};

/* The session stands. */
struct weft_opened {
    struct weft_session_id session;
    struct weft_text node;    /* that hosts it */
    struct weft_text mesh;    /* the cluster's name */
    struct weft_text address; /* host:port that we are connected to */
    bool is_resumed;          /* the same session as before */
    bool is_recovered;        /* and nothing was lost in between */
};

/* The session is over, for good; the client stays until weft_destroy, and does nothing more. */
struct weft_closed {
    enum weft_close_reason reason;
    enum weft_error error; /* why no session could be opened, or WEFT_SESSION_CLOSED */
    struct weft_text text; /* a sentence for people; may be empty */
};

typedef void weft_opened_fn(struct weft_client *client, const struct weft_opened *opened,
                            void *user);
/* The connection is gone, or an attempt to connect failed; the library goes on trying. Requests in
 * flight wait: for a session that is resumed their responses still come, otherwise they end with
 * WEFT_SESSION_CLOSED when the next session opens. */
typedef void weft_lost_fn(struct weft_client *client, struct weft_text why, void *user);
typedef void weft_closed_fn(struct weft_client *client, const struct weft_closed *closed,
                            void *user);

/* All zero is a good start. What is NULL or 0 has the default named beside it. */
struct weft_options {
    struct weft_context *context; /* shared; NULL: one of its own */
    const char *servers;          /* "host[:port],.."; no host 127.0.0.1, no port 7310; tried in
                                     order, at a reconnect in random order, the last node first */
    const char *mesh;             /* the cluster it must be; NULL: any */
    const char *key_file;         /* our secret key, of `weftctl key new`; NULL: a pair made for
                                     this client where server_keys are given, else no encryption */
    const char *server_keys; /* the nodes' public keys, by comma: files, folders, or the keys */
    const char *principal;   /* NULL: anonymous */
    const void *credentials;
    size_t credentials_bytes;
    const struct weft_property *properties; /* offered to the node */
    size_t properties_count;
    const char *client_type;     /* $ClientType: c (default), javascript, python, cli, other */
    const char *environment;     /* $Environment; NULL: the library's name and version */
    uint32_t reconnect_ms;       /* how long the session outlives a lost connection; 0: 60000 */
    bool ends_with_connection;   /* no: it does not outlive it */
    bool no_reconnect;           /* nor does the client: it is closed, connection_lost */
    uint32_t connect_timeout_ms; /* one attempt, from dialling to the session; 0: 5000 */
    uint32_t request_timeout_ms; /* of requests and commands that name none; 0: 10000 */
    uint32_t silence_ms;         /* without a word from the node: PING; 0: 30000 */
    uint32_t in_flight_max;      /* requests and commands, both ways; 0: 65536 */
    uint32_t queue_bytes_max;    /* waiting to be sent; 0: 16 MiB */
    uint32_t grant_messages;     /* messages the node may have on the way to us; 0: 1024 */
    uint32_t grant_bytes;        /* and bytes of them; 0: 2 MiB */
    weft_opened_fn *opened;
    weft_lost_fn *lost;
    weft_closed_fn *closed;
    void *user; /* for the three callbacks */
};

/* Makes a client, which dials at the next progress. Returns NULL for options out of their range
 * (servers that can't be read, a property key that is not one), for memory or descriptors that are
 * not to be had, and for a context that is full; errno says which: EINVAL, ENOMEM, EMFILE. For
 * keys that can't be used it is EKEYREJECTED, and weft_check_keys says why. */
WEFT_EXPORT struct weft_client *weft_new(const struct weft_options *options);

/* Whether key_file and server_keys can be read and used. False: a sentence that says why not is in
 * why, of at most why_bytes with its NUL. */
WEFT_EXPORT bool weft_check_keys(const struct weft_options *options, char *why, size_t why_bytes);

/* Ends the session (the node is told), frees the client and sets *client to NULL; a context of
 * its own goes too. No callback is called from here on. In a callback: it is freed when progress
 * ends; not for the client of a *_wait call that is waiting. Waits up to 1 s for what was queued
 * if it takes its context along. */
WEFT_EXPORT void weft_destroy(struct weft_client **client);

/* Ends the session: tells the node, then calls `closed` with WEFT_CLOSED_BY_CLIENT at the next
 * progress. What is in flight ends with WEFT_CANCELLED. */
WEFT_EXPORT void weft_close(struct weft_client *client);

WEFT_EXPORT struct weft_context *weft_context_of(struct weft_client *client);
WEFT_EXPORT bool weft_is_open(const struct weft_client *client);
WEFT_EXPORT bool weft_is_closed(const struct weft_client *client);

/* The current session, or the last one; none before the first. */
WEFT_EXPORT struct weft_session_id weft_session(const struct weft_client *client);

/* Name of the node that hosts it; "" before the first. Lives until the next progress. */
WEFT_EXPORT const char *weft_node(const struct weft_client *client);

/* Why the last attempt failed, as a sentence; "" if none did. Lives until the next progress. */
WEFT_EXPORT const char *weft_last_failure(const struct weft_client *client);

/* What the node said when it refused the last attempt: WEFT_NOT_READY, WEFT_LIMIT_REACHED, ..
 * WEFT_OK if none failed, or if no node answered. */
WEFT_EXPORT enum weft_error weft_last_refusal(const struct weft_client *client);

/* As weft_context_fd, weft_context_progress, weft_context_run on the client's context. */
WEFT_EXPORT int weft_fd(const struct weft_client *client);
WEFT_EXPORT int weft_progress(struct weft_client *client);
WEFT_EXPORT int weft_run(struct weft_client *client, int timeout_ms);

/* Waits until the session stands. Returns WEFT_OK, the error of a refusal, or WEFT_TIMEOUT (then
 * see weft_last_failure; the client goes on trying). */
WEFT_EXPORT enum weft_error weft_connect(struct weft_client *client, int timeout_ms);

/* ---- requests ---- */

struct weft_request_options {
    uint32_t timeout_ms; /* 0: the client's; at most 300000 */
    bool is_idempotent;  /* may be executed twice: retried after a node's loss */
};

struct weft_response {
    enum weft_error outcome; /* a request's outcome, or WEFT_SESSION_CLOSED */
    struct weft_value value; /* with WEFT_OK */
    struct weft_text message;
    uint64_t took_us; /* from the call to here */
};

typedef void weft_response_fn(struct weft_client *client, const struct weft_response *response,
                              void *user);

/* Asks whoever in the mesh serves the path. May be called before the session is open. value: NULL
 * for an empty binary; options: NULL for the defaults; *request, unless NULL: a number for
 * weft_cancel. Returns WEFT_INVALID_PATH, WEFT_INVALID_ARGUMENT, WEFT_LIMIT_REACHED (the value is
 * larger than the node takes), WEFT_OVERLOADED (queue or in-flight limit) or WEFT_SESSION_CLOSED.
 * The response always comes, at the latest half a second after the deadline. */
WEFT_EXPORT enum weft_error weft_request(struct weft_client *client, const char *path,
                                         const struct weft_value *value,
                                         const struct weft_request_options *options,
                                         weft_response_fn *callback, void *user, uint64_t *request);

/* Asks the node to cancel; the response still comes, once, with whatever happened first.
 * Returns WEFT_INVALID_ARGUMENT for a request that has ended. */
WEFT_EXPORT enum weft_error weft_cancel(struct weft_client *client, uint64_t request);

/* The same, waiting. Never NULL: what weft_request would return is in `outcome`. */
WEFT_EXPORT const struct weft_response *
weft_request_wait(struct weft_client *client, const char *path, const struct weft_value *value,
                  const struct weft_request_options *options);

/* ---- handlers ---- */

/* A request that came in. `responder` is its number for weft_respond, weft_reject and weft_fail: in
 * the callback or later, once. */
struct weft_incoming {
    uint64_t responder;
    struct weft_text path;
    struct weft_value value;
    struct weft_session_id sender;
    uint32_t timeout_ms;         /* that remain */
    bool is_direct;              /* to this session itself, see <weft_requests.h> */
    struct weft_rows properties; /* of the sender, asked for there; for weft_next_property */
};

typedef void weft_request_fn(struct weft_client *client, const struct weft_incoming *incoming,
                             void *user);
/* Called each time the node has answered the registration: after weft_handle, and again after
 * each reconnect. An error is final for that session: WEFT_ACCESS_DENIED, .. That one may also
 * come after WEFT_OK: the session's roles or the node's permissions have changed. */
typedef void weft_registered_fn(struct weft_client *client, enum weft_error error,
                                struct weft_text text, void *user);

/* Serves the path and everything below it, as long as the client lives. The library registers the
 * handler with each session it opens. Among several, the most specific is called. registered
 * may be NULL. Returns WEFT_INVALID_PATH, WEFT_HANDLER_CONFLICT, WEFT_LIMIT_REACHED,
 * WEFT_SESSION_CLOSED. */
WEFT_EXPORT enum weft_error weft_handle(struct weft_client *client, const char *path,
                                        weft_request_fn *callback, weft_registered_fn *registered,
                                        void *user);

/* Stops serving exactly that path. Requests that come in until the node knows are answered
 * WEFT_REJECTED by the library. Returns WEFT_INVALID_PATH, WEFT_INVALID_ARGUMENT (no such). */
WEFT_EXPORT enum weft_error weft_unhandle(struct weft_client *client, const char *path);

/* The same, waiting until the node has answered, at most the client's request_timeout_ms. After an
 * error there is no handler. */
WEFT_EXPORT enum weft_error weft_handle_wait(struct weft_client *client, const char *path,
                                             weft_request_fn *callback, void *user);

/* Answers a request. value NULL: an empty binary. Return WEFT_CANCELLED when the request was
 * answered, has expired, was cancelled or its session is gone (nothing was sent, and nobody
 * waits); WEFT_LIMIT_REACHED for a value larger than the node takes: answer something else. */
WEFT_EXPORT enum weft_error weft_respond(struct weft_client *client, uint64_t responder,
                                         const struct weft_value *value);
/* Refuses, or says that it failed, with a text for the caller (at most 1024 bytes are sent). */
WEFT_EXPORT enum weft_error weft_reject(struct weft_client *client, uint64_t responder,
                                        const char *text);
WEFT_EXPORT enum weft_error weft_fail(struct weft_client *client, uint64_t responder,
                                      const char *text);

/* ---- commands and questions ---- */

enum weft_member_state {
    WEFT_MEMBER_ALIVE = 1,
    WEFT_MEMBER_SUSPECT = 2,
    WEFT_MEMBER_DEAD = 3,
    WEFT_MEMBER_LEFT = 4,
};

struct weft_result {
    enum weft_error error; /* WEFT_OK; also when a node did not answer: see is_complete */
    struct weft_text text;
    uint32_t line, column; /* of a filter, from 1 */
    struct weft_session_id session;
    struct weft_text node;                             /* that carried it out or answered */
    uint32_t matched, applied, failed, total, removed; /* removed: see weft_set_conflated */
    uint8_t id[16]; /* of a change by filter: the command's, as the nodes know it */
    uint32_t nodes_asked, nodes_answered;
    bool is_complete;                    /* every live member answered */
    uint64_t took_us;                    /* from the call to here */
    enum weft_member_state member_state; /* of weft_verdicts */
    struct weft_rows rows;               /* of a command by id, or a question to the asked node */
    struct weft_rows nodes;              /* of a question to every node: their answers */
};

struct weft_node_answer {
    struct weft_text node;
    uint64_t instance;
    enum weft_error error; /* WEFT_CLUSTER_ROUTING: did not answer */
    struct weft_text text;
    uint32_t matched, applied, failed, total, removed;
    uint64_t took_us;
    struct weft_rows rows;
};

typedef void weft_result_fn(struct weft_client *client, const struct weft_result *result,
                            void *user);

/* All take the time to wait in ms (0: the client's request_timeout_ms) and return as weft_request
 * does. They end with WEFT_TIMEOUT or WEFT_SESSION_CLOSED if no result came. */

/* Ends another session (or this one). reason: told to its client; NULL: none. */
WEFT_EXPORT enum weft_error weft_close_session(struct weft_client *client,
                                               struct weft_session_id session, const char *reason,
                                               uint32_t timeout_ms, weft_result_fn *callback,
                                               void *user);

/* keys: property keys joined by ',', *F all fixed ones, *U all user's; NULL: both. One session_row
 * in rows. */
WEFT_EXPORT enum weft_error weft_get_properties(struct weft_client *client,
                                                struct weft_session_id session, const char *keys,
                                                uint32_t timeout_ms, weft_result_fn *callback,
                                                void *user);

/* Sessions of all nodes that match (NULL: all): session_row in each node's rows. sort: by that
 * property's value; NULL: the oldest first. limit: at most so many of each node; 0: 100. */
WEFT_EXPORT enum weft_error weft_list_sessions(struct weft_client *client, const char *filter,
                                               const char *keys, const char *sort, uint32_t limit,
                                               uint32_t timeout_ms, weft_result_fn *callback,
                                               void *user);

/* Members as the asked node sees them: member_row in rows. */
WEFT_EXPORT enum weft_error weft_members(struct weft_client *client, bool also_gone,
                                         uint32_t timeout_ms, weft_result_fn *callback, void *user);

/* Handlers in the asked node's directory: handler_row in rows. is_complete: it lacks nothing that
 * it has heard of. */
WEFT_EXPORT enum weft_error weft_handlers(struct weft_client *client, uint32_t timeout_ms,
                                          weft_result_fn *callback, void *user);

/* Readiness and hashes of every node: one status_row in each node's rows. */
WEFT_EXPORT enum weft_error weft_status(struct weft_client *client, uint32_t timeout_ms,
                                        weft_result_fn *callback, void *user);

/* Counters of every node, or of the one named: counter_row in each node's rows. */
WEFT_EXPORT enum weft_error weft_counters(struct weft_client *client, const char *node,
                                          uint32_t timeout_ms, weft_result_fn *callback,
                                          void *user);

/* Why the asked node holds the named member (any it knows, dead ones too) what it does: its state
 * in member_state, and verdict_row in rows, the last 64. WEFT_INVALID_ARGUMENT: unknown name. */
WEFT_EXPORT enum weft_error weft_verdicts(struct weft_client *client, const char *node,
                                          uint32_t timeout_ms, weft_result_fn *callback,
                                          void *user);

/* The same, waiting. Never NULL: what the call would return is in `error`. */
WEFT_EXPORT const struct weft_result *weft_close_session_wait(struct weft_client *client,
                                                              struct weft_session_id session,
                                                              const char *reason,
                                                              uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_get_properties_wait(struct weft_client *client,
                                                               struct weft_session_id session,
                                                               const char *keys,
                                                               uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_list_sessions_wait(struct weft_client *client,
                                                              const char *filter, const char *keys,
                                                              const char *sort, uint32_t limit,
                                                              uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_members_wait(struct weft_client *client, bool also_gone,
                                                        uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_handlers_wait(struct weft_client *client,
                                                         uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_status_wait(struct weft_client *client,
                                                       uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_counters_wait(struct weft_client *client,
                                                         const char *node, uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_verdicts_wait(struct weft_client *client,
                                                         const char *node, uint32_t timeout_ms);

/* ---- rows --------------------------------------------------------------------------------------
 * Each takes the next row off the run and fills in the struct; false at the end, and at a row that
 * can't be read. Texts point into the result. */

enum weft_session_state { WEFT_SESSION_ACTIVE = 1, WEFT_SESSION_DISCONNECTED = 2 };

enum weft_handler_kind {
    WEFT_HANDLER_REQUEST = 1,
    WEFT_HANDLER_AUTHENTICATION = 2,
    WEFT_HANDLER_MISSING_TOPIC = 3,
    WEFT_HANDLER_DIRECT = 4, /* of weft_handler_stats only: its node alone knows it */
};

struct weft_session_row {
    struct weft_session_id id;
    enum weft_session_state state;
    struct weft_text node;
    struct weft_rows properties; /* for weft_next_property */
    bool is_conflated;
    uint64_t queue_messages, queue_bytes; /* that wait for its client */
    uint64_t conflated_total;             /* updates merged away since it opened */
    uint32_t lag_ms;                      /* how long the oldest has waited; 0: none waits */
};

struct weft_property_row {
    struct weft_text key, value;
    bool is_absent; /* in previous values: the key was not there */
};

struct weft_member_row {
    struct weft_text name, zone, version, address;
    uint64_t instance, incarnation;
    enum weft_member_state state;
    uint32_t sessions;
    uint64_t lag_us, rtt_us;
    bool is_self;
};

struct weft_handler_row {
    enum weft_handler_kind kind;
    struct weft_text path, node;
    struct weft_session_id session;
    enum weft_session_state state;
    uint32_t in_flight; /* as all that follows: of weft_handler_stats */
    uint64_t requests, errors, mean_us, p99_us;
    struct weft_text last_error;
};

struct weft_status_row {
    bool is_ready;
    uint32_t members, sessions, handlers; /* as the node's directory has them */
    uint32_t topics;
    uint32_t sessions_here;
    uint64_t members_hash, directory_hash, topics_hash;
    uint64_t behind; /* entries of other nodes' logs that it has heard of and does not have yet */
};

struct weft_counter_row {
    struct weft_text name;
    uint64_t value;
};

struct weft_verdict_row {
    uint64_t at_ms;           /* wall clock of the asked node */
    struct weft_text by;      /* node that looked; `?`: not known any more */
    struct weft_text event;   /* joined, unanswered, suspected, dead ..: for people */
    struct weft_text helpers; /* nodes that it asked to look too, joined by ',' */
    uint32_t rtt_us, confirmations;
    uint64_t incarnation;
};

WEFT_EXPORT bool weft_next_node(struct weft_rows *nodes, struct weft_node_answer *answer);
WEFT_EXPORT bool weft_next_session(struct weft_rows *rows, struct weft_session_row *row);
WEFT_EXPORT bool weft_next_property(struct weft_rows *rows, struct weft_property_row *row);
WEFT_EXPORT bool weft_next_member(struct weft_rows *rows, struct weft_member_row *row);
WEFT_EXPORT bool weft_next_handler(struct weft_rows *rows, struct weft_handler_row *row);
WEFT_EXPORT bool weft_next_status(struct weft_rows *rows, struct weft_status_row *row);
WEFT_EXPORT bool weft_next_counter(struct weft_rows *rows, struct weft_counter_row *row);
WEFT_EXPORT bool weft_next_verdict(struct weft_rows *rows, struct weft_verdict_row *row);

#ifdef __cplusplus
}
#endif

#endif
