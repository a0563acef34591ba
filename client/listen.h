/* listen.h - keeps a client listening, to members and to sessions, in each session it opens.
 * Memory: a slot of the client for each session's LISTEN; copies of filter and keys.
 * Thread: the context's. */
#ifndef WEFT_CLIENT_LISTEN_H
#define WEFT_CLIENT_LISTEN_H

#include "client/weft_events.h"
#include "proto/client.h"
#include "proto/envelope.h"

struct weft_client;

enum { LISTENING_MEMBERS, LISTENING_SESSIONS, LISTENINGS };

struct listening {
    bool is_wanted;
    weft_member_event_fn *members; /* the one or the other */
    weft_session_event_fn *sessions;
    weft_listening_fn *changed;
    void *user;
    char *filter, *keys; /* of sessions */
    uint64_t number;     /* of the slot whose number is LISTEN's correlation; 0: none */
};

/* Tells a new session's node, if the client listens. */
void listen_again(struct weft_client *client);

/* The node has answered LISTEN, or ends it; said->code is ERROR_OK for DONE. */
void listen_answered(struct weft_client *client, uint64_t number, const struct client_error *said);

/* EVENT came; one of a LISTEN that is over is dropped. */
void listen_event(struct weft_client *client, const struct message *message);

/* Frees the copies. */
void listen_clear(struct weft_client *client);

#endif
