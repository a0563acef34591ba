/* weft_events.h - the part of <weft.h> for programs that listen: what happens to members, and to
 * the sessions of the whole mesh. Threads, ownership, what callbacks may call: the first comment of
 * weft.h. Texts and rows live until the callback returns. */
#ifndef WEFT_EVENTS_H
#define WEFT_EVENTS_H

#include "weft.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What happens to a member, as the session's node sees it. The wire's numbers. */
enum weft_member_happening {
    WEFT_MEMBER_JOINED = 1, /* alive, and was not before; all that are there, to begin with */
    WEFT_MEMBER_SUSPECTED = 2,
    WEFT_MEMBER_REFUTED = 3, /* was suspected, and is alive */
    WEFT_MEMBER_FAILED = 4,
    WEFT_MEMBER_GONE = 5,     /* left on purpose */
    WEFT_MEMBER_REPLACED = 6, /* by another instance of its name */
};

/* The lower-case name: joined, suspected, refuted, failed, left, replaced; unknown for others. */
WEFT_EXPORT const char *weft_member_happening_name(enum weft_member_happening event);

struct weft_member_event {
    enum weft_member_happening event;
    struct weft_text node, zone;
    uint64_t instance; /* of the node: another after each of its starts */
    uint64_t sequence; /* from 1; 1 again after a reconnect: a new picture begins */
};

typedef void weft_member_event_fn(struct weft_client *client, const struct weft_member_event *event,
                                  void *user);

/* What became of listening: WEFT_OK, it stands; another error: not, or not any more, for this
 * session (WEFT_INVALID_FILTER, WEFT_ACCESS_DENIED, WEFT_LIMIT_REACHED ..). */
struct weft_listening {
    enum weft_error error;
    struct weft_text text; /* for people; may be empty */
    uint32_t line, column; /* WEFT_INVALID_FILTER: where, from 1 */
};

/* Called each time the node has answered: after weft_listen_.., again in each session that the
 * library opens, and when listening that stood has ended. */
typedef void weft_listening_fn(struct weft_client *client, const struct weft_listening *listening,
                               void *user);

/* Listens to what happens to members, as long as the client lives; the library listens again in
 * each session it opens. First come all members that are there, each as joined. listening may be
 * NULL. Returns WEFT_HANDLER_CONFLICT (it listens already), WEFT_INVALID_ARGUMENT,
 * WEFT_LIMIT_REACHED, WEFT_SESSION_CLOSED. */
WEFT_EXPORT enum weft_error weft_listen_members(struct weft_client *client,
                                                weft_member_event_fn *callback,
                                                weft_listening_fn *listening, void *user);

/* Listens no longer; no event is told from here on. Returns WEFT_INVALID_ARGUMENT (it does not),
 * WEFT_LIMIT_REACHED. */
WEFT_EXPORT enum weft_error weft_unlisten_members(struct weft_client *client);

/* What happens to a session, anywhere in the mesh. The wire's numbers. */
enum weft_session_happening {
    WEFT_SESSION_OPENED = 1,       /* is there; also for all that are there, to begin with */
    WEFT_SESSION_UPDATED = 2,      /* properties that were asked for have other values */
    WEFT_SESSION_WENT_AWAY = 3,    /* its client is disconnected; the session waits for it */
    WEFT_SESSION_CAME_BACK = 4,    /* it is connected again */
    WEFT_SESSION_ENDED = 5,        /* with a reason */
    WEFT_SESSION_ENTERED = 6,      /* was there, and matches the filter from now on */
    WEFT_SESSION_LEFT = 7,         /* is there, and matches no more */
    WEFT_SESSION_UNREACHABLE = 8,  /* its node is lost */
    WEFT_SESSION_REACHABLE = 9,    /* its node is back, and so is it */
    WEFT_SESSION_FAILED_OVER = 10, /* goes on at another node */
    WEFT_SESSION_GONE = 11,        /* its node did not come back in time: over, as far as known */
};

/* The lower-case name: opened, updated, disconnected, reconnected, closed, entered, left,
 * unreachable, reachable, failed_over, gone; unknown for others. */
WEFT_EXPORT const char *weft_session_happening_name(enum weft_session_happening event);

struct weft_session_event {
    enum weft_session_happening event;
    struct weft_session_id session;
    struct weft_text node, zone;   /* that hosts it */
    uint64_t instance;             /* of that node */
    uint64_t sequence;             /* from 1; 1 again when listening begins anew */
    uint8_t state;                 /* enum weft_session_state; 3: closed */
    enum weft_close_reason reason; /* ENDED; 0: the word of its node was lost */
    bool is_resync;                /* found by a comparison: what lay between may be missing */
    struct weft_rows properties;   /* for weft_next_property: those asked for, while it is there */
};

typedef void weft_session_event_fn(struct weft_client *client,
                                   const struct weft_session_event *event, void *user);

/* Listens to what happens to the sessions of the whole mesh that match the filter, as long as the
 * client lives; the library listens again in each session it opens. First come all that match, each
 * as opened. keys: which properties events bear, as of weft_get_properties; NULL: all. Both are
 * copied. Returns as weft_listen_members; what the node says of the filter is told to `listening`.
 */
WEFT_EXPORT enum weft_error weft_listen_sessions(struct weft_client *client, const char *filter,
                                                 const char *keys, weft_session_event_fn *callback,
                                                 weft_listening_fn *listening, void *user);

/* As weft_unlisten_members. */
WEFT_EXPORT enum weft_error weft_unlisten_sessions(struct weft_client *client);

#ifdef __cplusplus
}
#endif

#endif
