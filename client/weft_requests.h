/* weft_requests.h - the part of <weft.h> for programs that ask sessions themselves, by id or by
 * filter, and for handlers that want to know more of who asks. Threads, ownership, what callbacks
 * may call: the first comment of weft.h.
 *
 *     static void on_part(struct weft_client *client, const struct weft_part *part, void *user) ..
 *     static void on_end(struct weft_client *client, const struct weft_end *end, void *user) ..
 *
 *     static const struct weft_matching_calls calls = {.part = on_part, .end = on_end};
 *     struct weft_value hello = weft_string("hello");
 *     weft_request_matching(client, "tier is 'gold'", "chat", &hello, NULL, &calls, NULL, NULL); */
#ifndef WEFT_REQUESTS_H
#define WEFT_REQUESTS_H

#include "weft.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- asking a session ---- */

/* As weft_request, of that session, which listens on exactly that path (weft_handle_with,
 * is_direct); else WEFT_UNHANDLED. No such session: WEFT_NO_SUCH_SESSION. Its node can't be
 * reached: WEFT_CLUSTER_ROUTING. is_idempotent has no effect: there is no other to ask. */
WEFT_EXPORT enum weft_error
weft_request_to(struct weft_client *client, struct weft_session_id session, const char *path,
                const struct weft_value *value, const struct weft_request_options *options,
                weft_response_fn *callback, void *user, uint64_t *request);

/* The same, waiting. Never NULL: what weft_request_to would return is in `outcome`. */
WEFT_EXPORT const struct weft_response *
weft_request_to_wait(struct weft_client *client, struct weft_session_id session, const char *path,
                     const struct weft_value *value, const struct weft_request_options *options);

/* ---- asking all that match a filter ---- */

/* How many sessions it is sent to, before any of them is asked. */
struct weft_sent {
    uint32_t sent;
    uint32_t nodes_asked, nodes_answered;
    struct weft_rows nodes; /* for weft_next_node: `matched` of each */
};

/* What became of it at one session. */
struct weft_part {
    struct weft_session_id session;
    enum weft_error outcome; /* as of weft_response; WEFT_LIMIT_REACHED: it answered, and its answer
                                found no room in this session's queue */
    struct weft_value value; /* with WEFT_OK */
    struct weft_text message;
};

/* That was all. */
struct weft_end {
    enum weft_error outcome; /* WEFT_OK: of every session it was sent to there was a part.
                                WEFT_TIMEOUT, WEFT_CANCELLED, WEFT_SESSION_CLOSED,
                                WEFT_INVALID_FILTER (line and column); WEFT_CLUSTER_ROUTING: a node
                                was lost or could not be asked, see `nodes` */
    struct weft_text message;
    uint32_t line, column; /* of a filter, from 1 */
    uint32_t sent, answered;
    uint32_t nodes_asked, nodes_answered;
    struct weft_rows nodes; /* for weft_next_node: matched asked there, applied answered, failed did
                               not, and why */
    uint64_t took_us;       /* from the call to here */
};

typedef void weft_sent_fn(struct weft_client *client, const struct weft_sent *sent, void *user);
typedef void weft_part_fn(struct weft_client *client, const struct weft_part *part, void *user);
typedef void weft_end_fn(struct weft_client *client, const struct weft_end *end, void *user);

/* Must live until `end` was called. */
struct weft_matching_calls {
    weft_sent_fn *sent; /* may be NULL */
    weft_part_fn *part; /* may be NULL */
    weft_end_fn *end;
};

/* Asks every session of the mesh that matches, this one included. `sent` is called at most once,
 * then `part` once for each session, in any order, then `end`, once, always. Parameters and errors
 * as for weft_request. Sessions are asked as fast as this one reads. */
WEFT_EXPORT enum weft_error weft_request_matching(struct weft_client *client, const char *filter,
                                                  const char *path, const struct weft_value *value,
                                                  const struct weft_request_options *options,
                                                  const struct weft_matching_calls *calls,
                                                  void *user, uint64_t *request);

/* ---- serving ---- */

/* All zero is what weft_handle does. */
struct weft_handler_options {
    bool is_direct;   /* requests to this session by exactly that path, instead of requests to the
                         path from everywhere */
    const char *keys; /* of which properties of the sender incoming requests tell: keys joined by
                         ',', *F all fixed ones, *U all the user's; at most 512 bytes; NULL: none */
};

/* As weft_handle, with options. One path may be served both ways, by two handlers. */
WEFT_EXPORT enum weft_error weft_handle_with(struct weft_client *client, const char *path,
                                             const struct weft_handler_options *options,
                                             weft_request_fn *callback,
                                             weft_registered_fn *registered, void *user);

/* The same, waiting until the node has answered, at most the client's request_timeout_ms. After an
 * error there is no handler. */
WEFT_EXPORT enum weft_error weft_handle_with_wait(struct weft_client *client, const char *path,
                                                  const struct weft_handler_options *options,
                                                  weft_request_fn *callback, void *user);

/* As weft_unhandle, of a direct handler. */
WEFT_EXPORT enum weft_error weft_unhandle_direct(struct weft_client *client, const char *path);

/* What each node's own handlers have done: handler_row in each node's rows, with counts. */
WEFT_EXPORT enum weft_error weft_handler_stats(struct weft_client *client, uint32_t timeout_ms,
                                               weft_result_fn *callback, void *user);
WEFT_EXPORT const struct weft_result *weft_handler_stats_wait(struct weft_client *client,
                                                              uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
