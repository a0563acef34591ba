/* weft_control.h - the part of <weft.h> for programs that control sessions, in the whole mesh: one
 * by its id, or all that match a filter. An id and a filter are never one argument: a mistyped id
 * can't become a filter. Threads, ownership, what callbacks may call: the first comment of weft.h.
 *
 *     struct weft_matching trial = {.filter = "tier is 'trial'", .expect_max = 50};
 *     const struct weft_result *result = weft_close_matching_wait(client, &trial, "bye", 0);
 *     if (result->error == WEFT_OK && result->is_complete)
 *         printf("%u closed\n", result->applied);
 *
 * All take the time to wait in ms (0: the client's request_timeout_ms) and return as weft_request
 * does. They end with WEFT_TIMEOUT or WEFT_SESSION_CLOSED if no result came. */
#ifndef WEFT_CONTROL_H
#define WEFT_CONTROL_H

#include "weft.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one session ---- */

/* Sets properties; value NULL removes one. Of keys with a $ only $Country, $Language, $Latitude and
 * $Longitude are set, others ignored. property_row in rows: the previous values of what changed. */
WEFT_EXPORT enum weft_error weft_set_properties(struct weft_client *client,
                                                struct weft_session_id session,
                                                const struct weft_property *properties,
                                                size_t count, uint32_t timeout_ms,
                                                weft_result_fn *callback, void *user);

/* Adds and takes away roles, names joined by ','; NULL: none. Adding one that is held, or taking
 * away one that is not, is no mistake; naming none, or one in both, is WEFT_INVALID_ARGUMENT. */
WEFT_EXPORT enum weft_error weft_change_roles(struct weft_client *client,
                                              struct weft_session_id session, const char *add,
                                              const char *remove, uint32_t timeout_ms,
                                              weft_result_fn *callback, void *user);

/* Turns the session's switch: whether its topics' updates may be merged. See `removed`. */
WEFT_EXPORT enum weft_error weft_set_conflated(struct weft_client *client,
                                               struct weft_session_id session, bool is_conflated,
                                               uint32_t timeout_ms, weft_result_fn *callback,
                                               void *user);

/* Subscribes the session to what the selector means (<weft_topics.h>), or ends that, as if its own
 * client had said so: it may read what its own permissions allow. Its client is sent the values,
 * and told of an end that it had not asked for. */
WEFT_EXPORT enum weft_error weft_subscribe_session(struct weft_client *client,
                                                   struct weft_session_id session,
                                                   const char *selector, uint32_t timeout_ms,
                                                   weft_result_fn *callback, void *user);
WEFT_EXPORT enum weft_error weft_unsubscribe_session(struct weft_client *client,
                                                     struct weft_session_id session,
                                                     const char *selector, uint32_t timeout_ms,
                                                     weft_result_fn *callback, void *user);

/* ---- all that match ----
 * The result tells for each node what it did (weft_next_node), and in is_complete whether every
 * live member answered. WEFT_INVALID_FILTER: with line and column. */

struct weft_matching {
    const char *filter;
    bool dry_run;        /* count what matches, change nothing */
    uint32_t expect_max; /* if more match in the whole mesh, or a member does not say how many,
                            nothing is changed anywhere: WEFT_LIMIT_REACHED,
                            WEFT_CLUSTER_ROUTING; 0: no matter how many */
};

WEFT_EXPORT enum weft_error weft_close_matching(struct weft_client *client,
                                                const struct weft_matching *matching,
                                                const char *reason, uint32_t timeout_ms,
                                                weft_result_fn *callback, void *user);
WEFT_EXPORT enum weft_error weft_set_properties_matching(struct weft_client *client,
                                                         const struct weft_matching *matching,
                                                         const struct weft_property *properties,
                                                         size_t count, uint32_t timeout_ms,
                                                         weft_result_fn *callback, void *user);
WEFT_EXPORT enum weft_error weft_change_roles_matching(struct weft_client *client,
                                                       const struct weft_matching *matching,
                                                       const char *add, const char *remove,
                                                       uint32_t timeout_ms,
                                                       weft_result_fn *callback, void *user);
WEFT_EXPORT enum weft_error weft_set_conflated_matching(struct weft_client *client,
                                                        const struct weft_matching *matching,
                                                        bool is_conflated, uint32_t timeout_ms,
                                                        weft_result_fn *callback, void *user);

WEFT_EXPORT enum weft_error weft_subscribe_matching(struct weft_client *client,
                                                    const struct weft_matching *matching,
                                                    const char *selector, uint32_t timeout_ms,
                                                    weft_result_fn *callback, void *user);
WEFT_EXPORT enum weft_error weft_unsubscribe_matching(struct weft_client *client,
                                                      const struct weft_matching *matching,
                                                      const char *selector, uint32_t timeout_ms,
                                                      weft_result_fn *callback, void *user);

/* ---- the same, waiting. Never NULL: what the call would return is in `error` ---- */

WEFT_EXPORT const struct weft_result *
weft_set_properties_wait(struct weft_client *client, struct weft_session_id session,
                         const struct weft_property *properties, size_t count, uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_change_roles_wait(struct weft_client *client,
                                                             struct weft_session_id session,
                                                             const char *add, const char *remove,
                                                             uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_set_conflated_wait(struct weft_client *client,
                                                              struct weft_session_id session,
                                                              bool is_conflated,
                                                              uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_subscribe_session_wait(struct weft_client *client,
                                                                  struct weft_session_id session,
                                                                  const char *selector,
                                                                  uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_unsubscribe_session_wait(struct weft_client *client,
                                                                    struct weft_session_id session,
                                                                    const char *selector,
                                                                    uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *weft_close_matching_wait(struct weft_client *client,
                                                               const struct weft_matching *matching,
                                                               const char *reason,
                                                               uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *
weft_set_properties_matching_wait(struct weft_client *client, const struct weft_matching *matching,
                                  const struct weft_property *properties, size_t count,
                                  uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *
weft_change_roles_matching_wait(struct weft_client *client, const struct weft_matching *matching,
                                const char *add, const char *remove, uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *
weft_set_conflated_matching_wait(struct weft_client *client, const struct weft_matching *matching,
                                 bool is_conflated, uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *
weft_subscribe_matching_wait(struct weft_client *client, const struct weft_matching *matching,
                             const char *selector, uint32_t timeout_ms);
WEFT_EXPORT const struct weft_result *
weft_unsubscribe_matching_wait(struct weft_client *client, const struct weft_matching *matching,
                               const char *selector, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
