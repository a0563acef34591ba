/* weft_auth.h - the part of <weft.h> for programs that decide who may enter, that say anew who they
 * are, and that create topics which somebody misses. Threads, ownership, what callbacks may call:
 * the first comment of weft.h.
 *
 *     static void decide(struct weft_client *client, const struct weft_login *login, void *user)
 *     {
 *         struct weft_allowance allowance = {.roles = "desk,eu"};
 *         if (is_known(login->principal, login->credentials, login->credentials_bytes))
 *             weft_allow(client, login->responder, &allowance);
 *         else
 *             weft_deny(client, login->responder);
 *     }
 *
 *     weft_authenticate_handler(client, "corporate", decide, NULL, NULL);
 *
 * Credentials are secret: what is shown is wiped behind the callback, what is said when it has left
 * (of a session that may be resumed: when the node has it); a copy is the handler's to wipe. */
#ifndef WEFT_AUTH_H
#define WEFT_AUTH_H

#include "weft.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- who may enter ---- */

/* Somebody wants to open a session, anywhere in the mesh, or says anew who he is. `responder` is
 * his number for weft_allow, weft_deny and weft_abstain: in the callback or later, once. */
struct weft_login {
    uint64_t responder;
    struct weft_text name;      /* the handler's */
    struct weft_text principal; /* as claimed; may be empty */
    const void *credentials;
    size_t credentials_bytes;
    struct weft_session_id session; /* the one that is to be */
    struct weft_rows properties;    /* for weft_next_property: $ ones are the node's, the others
                                       what the client offers */
    uint32_t timeout_ms;            /* that remain */
};

/* What the session is to have. All zero: the principal as claimed, no roles, no properties: what
 * the client offered is dropped unless it is named here. */
struct weft_allowance {
    const char *principal;                  /* NULL: as claimed */
    const char *roles;                      /* names joined by ','; NULL: none */
    const struct weft_property *properties; /* also $Country, $Language, $Latitude, $Longitude */
    size_t properties_count;
};

typedef void weft_authenticate_fn(struct weft_client *client, const struct weft_login *login,
                                  void *user);

/* Decides for the step handler:NAME of the nodes' auth.chain, as long as the client lives; see
 * weft_handle for the rest. The name must stand in the chain of the node that the session is at. */
WEFT_EXPORT enum weft_error weft_authenticate_handler(struct weft_client *client, const char *name,
                                                      weft_authenticate_fn *callback,
                                                      weft_registered_fn *registered, void *user);
WEFT_EXPORT enum weft_error weft_authenticate_unhandle(struct weft_client *client,
                                                       const char *name);

/* Answers. allowance NULL: all zero. Return WEFT_CANCELLED when it was answered, has expired or its
 * session is gone; WEFT_INVALID_ARGUMENT for roles, a principal or properties against the rules,
 * WEFT_LIMIT_REACHED for too many: nothing was said then. */
WEFT_EXPORT enum weft_error weft_allow(struct weft_client *client, uint64_t responder,
                                       const struct weft_allowance *allowance);
WEFT_EXPORT enum weft_error weft_deny(struct weft_client *client, uint64_t responder);
WEFT_EXPORT enum weft_error weft_abstain(struct weft_client *client, uint64_t responder);

/* ---- anew ---- */

/* Says anew who the open session is. The result's error: WEFT_OK: it has that principal and its
 * roles now; WEFT_ACCESS_DENIED: nothing has changed. A session that has to be opened anew later is
 * opened as the options of weft_new say. timeout_ms 0: the client's request_timeout_ms. Returns as
 * weft_request does. */
WEFT_EXPORT enum weft_error weft_reauthenticate(struct weft_client *client, const char *principal,
                                                const void *credentials, size_t credentials_bytes,
                                                uint32_t timeout_ms, weft_result_fn *callback,
                                                void *user);

/* The same, waiting. Never NULL: what the call would return is in `error`. */
WEFT_EXPORT const struct weft_result *
weft_reauthenticate_wait(struct weft_client *client, const char *principal, const void *credentials,
                         size_t credentials_bytes, uint32_t timeout_ms);

/* ---- missing topics ---- */

/* Somebody has subscribed where there is no topic. The subscription stands: a topic that is created
 * now is delivered to him. */
struct weft_missing {
    struct weft_text selector;
    struct weft_session_id session; /* the subscriber */
    struct weft_rows properties;    /* his, for weft_next_property */
    struct weft_text nodes;         /* names of the nodes it passed, joined by ',' */
    uint32_t coalesced;             /* notices of this selector that were left out since the last */
};

typedef void weft_missing_fn(struct weft_client *client, const struct weft_missing *missing,
                             void *user);

/* Is told of selectors that begin at the path or below it; of several handlers in the mesh one is,
 * at the longest such path. See weft_handle for the rest. */
WEFT_EXPORT enum weft_error weft_missing_handler(struct weft_client *client, const char *path,
                                                 weft_missing_fn *callback,
                                                 weft_registered_fn *registered, void *user);
WEFT_EXPORT enum weft_error weft_missing_unhandle(struct weft_client *client, const char *path);

#ifdef __cplusplus
}
#endif

#endif
