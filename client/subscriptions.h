/* subscriptions.h - keeps a client subscribed to its selectors in each session it opens, and hands
 * on what comes of topics.
 * Memory: the list of selectors; a slot of the client while the node's answer is awaited.
 * Thread: the context's. */
#ifndef WEFT_CLIENT_SUBSCRIPTIONS_H
#define WEFT_CLIENT_SUBSCRIPTIONS_H

#include "client/weft_topics.h"
#include "proto/client.h"
#include "proto/envelope.h"

struct weft_client;

/* Looked through one by one, but only when a subscription comes, goes or is answered. */
enum { SUBSCRIPTIONS_MAX = 4096 };

struct subscription_entry {
    char *selector;  /* normalised, NUL-ended */
    uint64_t number; /* names it while others come and go */
    weft_subscribed_fn *subscribed;
    void *user;
    bool is_answered; /* by the node, since it was last said */
    enum weft_error answer;
};

struct subscriptions {
    struct subscription_entry *entries;
    uint32_t count, room;
    uint64_t last_number;
    struct weft_watcher watcher;
};

void subscriptions_clear(struct subscriptions *subscriptions);

/* Says all of them to the node: the session is new, or messages of it were lost. */
void subscriptions_renew(struct weft_client *client);

/* The node has answered one; said->code is ERROR_OK for DONE. */
void subscriptions_answered(struct weft_client *client, uint64_t number,
                            const struct client_error *said);

/* Whether the node has answered the one with that selector; *answer is then what it said. */
bool subscriptions_is_answered(const struct weft_client *client, const char *selector,
                               enum weft_error *answer);

/* UPDATE or UNSUBSCRIBED came. */
void subscriptions_update(struct weft_client *client, const struct message *message);
void subscriptions_ended(struct weft_client *client, const struct message *message);

#endif
