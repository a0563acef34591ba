/* listen.h - keeps a client listening to what happens to members, in each session it opens.
 * Memory: a slot of the client for each session's LISTEN. Thread: the context's. */
#ifndef WEFT_CLIENT_LISTEN_H
#define WEFT_CLIENT_LISTEN_H

#include "client/weft.h"
#include "proto/client.h"
#include "proto/envelope.h"

struct weft_client;

struct listening {
    weft_member_event_fn *callback; /* NULL: does not listen */
    weft_registered_fn *registered;
    void *user;
    uint64_t number; /* of the slot whose number is LISTEN's correlation; 0: none */
};

/* Tells a new session's node, if the client listens. */
void listen_again(struct weft_client *client);

/* The node has answered LISTEN; said->code is ERROR_OK for DONE. */
void listen_answered(struct weft_client *client, uint64_t number, const struct client_error *said);

/* EVENT came; one of a LISTEN that is over is dropped. */
void listen_event(struct weft_client *client, const struct message *message);

#endif
