/* dialogue.h - decides what is said to a node and what its words mean for the session: dialling,
 * HELLO and WELCOME, silence, goodbye.
 * Memory: the client's. Thread: the context's. */
#ifndef WEFT_CLIENT_DIALOGUE_H
#define WEFT_CLIENT_DIALOGUE_H

#include "proto/span.h"

struct message;
struct weft_client;

/* Dials the next node, now or after its back-off. */
void dialogue_begin(struct weft_client *client);

/* The client's timer went off. */
void dialogue_timer_fired(struct weft_client *client);

/* The connection is up: says HELLO. */
void dialogue_greet(struct weft_client *client);

/* The node's answers to HELLO, and its goodbye; afterwards the client may be closed, lost or
 * destroyed. */
void dialogue_welcomed(struct weft_client *client, const struct message *message);
void dialogue_refused(struct weft_client *client, const struct message *message);
void dialogue_goodbye(struct weft_client *client, const struct message *message);

/* The node sent a frame that is none: the connection is of no more use. */
void dialogue_unreadable(struct weft_client *client);

/* The connection was refused or is gone. */
void dialogue_lost(struct weft_client *client);

/* Tells the node how much it may send, when it is time to. */
void dialogue_grant(struct weft_client *client);

/* The client wants its session to end: says so, and closes. */
void dialogue_leave(struct weft_client *client);

#endif
