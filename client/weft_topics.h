/* weft_topics.h - the part of <weft.h> for programs that publish topics and watch them. A topic is
 * a path with a type, a policy and a last value; every node holds all of them. Threads, ownership,
 * what callbacks may call: the first comment of weft.h. Texts and values live until the callback
 * returns.
 *
 *     static void on_value(struct weft_client *client, const struct weft_topic_value *topic,
 *                          void *user) ..
 *
 *     const struct weft_watcher watcher = {.value = on_value};
 *     weft_watch(client, &watcher);
 *     weft_subscribe(client, "prices/+", NULL, NULL);
 *
 *     struct weft_value price = weft_double(101.5);
 *     const struct weft_topic_result *result = weft_set_topic_wait(client, "prices/tea", &price,
 *                                                                  NULL);
 *
 * Selectors: `a/b` is that topic, `a/+/c` has any one segment in that place, and two stars as the
 * last segment mean everything at and below what is before them; alone, every topic. */
#ifndef WEFT_TOPICS_H
#define WEFT_TOPICS_H

#include "weft.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- versions ---- */

/* Each value of a topic has one; those of one topic ascend: by term, then instance, then n. All
 * zero means none. */
struct weft_version {
    uint64_t term;
    uint64_t instance; /* of the node that gave it, the topic's sequencer */
    uint64_t n;        /* counts that node's versions of the topic in that term, from 1 */
};

enum { WEFT_VERSION_BYTES = 59 }; /* "term-hhhhhhhhhhhhhhhh-n" and NUL, at most */

/* Below 0, 0 or above 0, as a comes before b, is b, or comes behind it. */
WEFT_EXPORT int weft_version_order(struct weft_version a, struct weft_version b);

/* Writes it as text; returns `text`. */
WEFT_EXPORT char *weft_version_format(struct weft_version version, char text[WEFT_VERSION_BYTES]);

/* Reads one. Returns false, and leaves *version alone, for anything but its exact form. */
WEFT_EXPORT bool weft_version_parse(const char *text, struct weft_version *version);

/* ---- publishing ---- */

/* What a slow subscriber's full queue does to a topic's updates. The wire's numbers. */
enum weft_policy {
    WEFT_POLICY_CONFLATE = 0,    /* when the queue is full, one update of each topic stays */
    WEFT_POLICY_ALWAYS = 1,      /* at most one update of the topic waits, ever */
    WEFT_POLICY_OFF = 2,         /* no update is ever merged away */
    WEFT_POLICY_UNSUBSCRIBE = 3, /* when the queue is full, that session loses the topic */
};

/* The lower-case name, such as "conflate"; "unknown" for others. */
WEFT_EXPORT const char *weft_policy_name(enum weft_policy policy);

enum weft_set_mode {
    WEFT_SET_ANY = 0,    /* sets; creates what is not there */
    WEFT_SET_CREATE = 1, /* creates; what is there with the same type, policy and owner stays as it
                            is: WEFT_OK; with others: WEFT_TOPIC_EXISTS_MISMATCH */
    WEFT_SET_UPDATE = 2, /* sets what is there; else WEFT_NO_SUCH_TOPIC */
};

/* All zero is a good start. Of the three constraints at most one is named; one that does not hold
 * when the value would be set is WEFT_UNSATISFIED_CONSTRAINT. */
struct weft_set_options {
    enum weft_policy policy; /* when it is created */
    enum weft_set_mode mode;
    bool remove_with_session;          /* when it is created: it goes when this session is over */
    bool if_absent;                    /* only if it is not there */
    const struct weft_value *if_value; /* only if it has this value; NULL: whatever it has */
    const struct weft_version *if_version; /* only if it has this version; NULL: whichever */
    uint32_t timeout_ms;                   /* 0: the client's request_timeout_ms */
};

struct weft_topic_result {
    enum weft_error error;
    struct weft_text text;       /* for people; may be empty */
    struct weft_version version; /* of weft_set_topic: that the topic has now, if it is there; also
                                    when the error says why it was not set */
    uint32_t removed;            /* of weft_remove_topics: how many */
    uint64_t took_us;            /* from the call to here */
};

typedef void weft_topic_result_fn(struct weft_client *client,
                                  const struct weft_topic_result *result, void *user);

/* Sets a topic, which keeps the type of its first value. WEFT_OK: its sequencer has it, and so has
 * the node of this session, where the next fetch finds it. WEFT_CLUSTER_REPARTITION: nothing was
 * changed, try again; WEFT_OUTCOME_UNKNOWN, WEFT_TIMEOUT, WEFT_SESSION_CLOSED: perhaps it was; all
 * others: it was not. value: NULL for an empty binary; options: NULL for the defaults. Returns as
 * weft_request does. */
WEFT_EXPORT enum weft_error weft_set_topic(struct weft_client *client, const char *path,
                                           const struct weft_value *value,
                                           const struct weft_set_options *options,
                                           weft_topic_result_fn *callback, void *user);

/* Removes all topics that the selector means and the session may remove; none is no mistake. */
WEFT_EXPORT enum weft_error weft_remove_topics(struct weft_client *client, const char *selector,
                                               uint32_t timeout_ms, weft_topic_result_fn *callback,
                                               void *user);

/* ---- looking once ---- */

struct weft_fetch_options {
    uint32_t limit;      /* rows at most; 0: 100. At most 900 KiB of them come, and at least one */
    const char *after;   /* only paths behind this one: the last one of the page before; or NULL */
    bool without_values; /* paths, types and versions only */
    uint32_t timeout_ms; /* 0: the client's request_timeout_ms */
};

struct weft_topics {
    enum weft_error error;
    struct weft_text text;
    uint32_t total;        /* that match behind `after`, not only the rows here */
    struct weft_rows rows; /* for weft_next_topic */
    uint64_t took_us;
};

struct weft_topic_row {
    struct weft_text path;
    struct weft_value value; /* its type alone, without_values */
    uint32_t value_bytes;
    enum weft_policy policy;
    struct weft_version version;
    struct weft_session_id creator; /* it goes with this session; none: it stays */
};

typedef void weft_topics_fn(struct weft_client *client, const struct weft_topics *topics,
                            void *user);

/* The topics that the selector means and that the session may read, as the session's node has them
 * now: sorted by path, segment by segment, a path before those below it. WEFT_LIMIT_REACHED: 16 of
 * this session are not answered yet. */
WEFT_EXPORT enum weft_error weft_fetch_topics(struct weft_client *client, const char *selector,
                                              const struct weft_fetch_options *options,
                                              weft_topics_fn *callback, void *user);

WEFT_EXPORT bool weft_next_topic(struct weft_rows *rows, struct weft_topic_row *row);

/* ---- watching ---- */

struct weft_topic_value {
    struct weft_text path;
    struct weft_value value;
    struct weft_version version;
    bool is_snapshot; /* what it had when the subscription met it */
    bool is_resync;   /* versions between this one and the one before may be missing */
};

struct weft_topic_removed {
    struct weft_text path;
    struct weft_version version; /* of the removal */
};

/* The wire's numbers. */
enum weft_unsubscribed_reason {
    WEFT_UNSUBSCRIBED_REQUESTED = 1,     /* somebody else has ended the selection */
    WEFT_UNSUBSCRIBED_AUTHORIZATION = 2, /* the session may not read the topic any more */
    WEFT_UNSUBSCRIBED_BACK_PRESSURE = 3, /* its queue was full: no more comes of the topic until
                                            weft_subscribe names the selector again */
};

/* The lower-case name, such as "back_pressure"; "unknown" for others. */
WEFT_EXPORT const char *weft_unsubscribed_reason_name(enum weft_unsubscribed_reason reason);

struct weft_topic_unsubscribed {
    struct weft_text path;     /* of one topic; the selection stands */
    struct weft_text selector; /* or, with REQUESTED, what is selected no more */
    enum weft_unsubscribed_reason reason;
};

/* Who hears of topics. Of what is NULL nobody does. */
struct weft_watcher {
    void (*value)(struct weft_client *client, const struct weft_topic_value *topic, void *user);
    void (*removed)(struct weft_client *client, const struct weft_topic_removed *topic, void *user);
    void (*unsubscribed)(struct weft_client *client, const struct weft_topic_unsubscribed *topic,
                         void *user);
    void *user;
};

/* Names who hears of all topics that this session is subscribed to, by itself or by others
 * (<weft_control.h>); before the first subscription, as a rule. A topic that several selectors mean
 * comes once. NULL: nobody. The struct is copied. */
WEFT_EXPORT void weft_watch(struct weft_client *client, const struct weft_watcher *watcher);

/* Called each time the node has answered: after weft_subscribe, and again when the library has said
 * it anew because messages were lost or the session is another one; then the picture begins anew:
 * what is not among the snapshots that follow is not there any more. An error is final for that
 * session: WEFT_ACCESS_DENIED, WEFT_INVALID_PATH, .. */
typedef void weft_subscribed_fn(struct weft_client *client, struct weft_text selector,
                                enum weft_error error, struct weft_text text, void *user);

/* Subscribes to what the selector means, now and later, as long as the client lives: first comes
 * each topic's value, is_snapshot, then every later one; the library subscribes again in each
 * session it opens. Naming it again brings the snapshots again, and replaces the callback, which
 * may be NULL. Returns WEFT_INVALID_PATH, WEFT_LIMIT_REACHED (4096 selectors), WEFT_SESSION_CLOSED.
 */
WEFT_EXPORT enum weft_error weft_subscribe(struct weft_client *client, const char *selector,
                                           weft_subscribed_fn *subscribed, void *user);

/* Ends the subscription with exactly that selector. What was under way still comes. Returns
 * WEFT_INVALID_PATH, WEFT_INVALID_ARGUMENT (no such), WEFT_LIMIT_REACHED. */
WEFT_EXPORT enum weft_error weft_unsubscribe(struct weft_client *client, const char *selector);

/* ---- the same, waiting ----
 * Never NULL: what the call would return is in `error`. */

WEFT_EXPORT const struct weft_topic_result *
weft_set_topic_wait(struct weft_client *client, const char *path, const struct weft_value *value,
                    const struct weft_set_options *options);
WEFT_EXPORT const struct weft_topic_result *
weft_remove_topics_wait(struct weft_client *client, const char *selector, uint32_t timeout_ms);
WEFT_EXPORT const struct weft_topics *
weft_fetch_topics_wait(struct weft_client *client, const char *selector,
                       const struct weft_fetch_options *options);

/* Waits until the node has answered, at most the client's request_timeout_ms. After an error there
 * is no subscription. Values may be heard before it returns. */
WEFT_EXPORT enum weft_error weft_subscribe_wait(struct weft_client *client, const char *selector);

#ifdef __cplusplus
}
#endif

#endif
