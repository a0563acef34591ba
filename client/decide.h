/* decide.h - hands questions "who is it?" and notices of missing topics to the handlers of this
 * client, and sees to it that each question is answered at most once.
 * Memory: questions in hand are slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_DECIDE_H
#define WEFT_CLIENT_DECIDE_H

#include "client/weft_auth.h"
#include "proto/envelope.h"

/* AUTHENTICATE came. */
void decide_asked(struct weft_client *client, const struct message *message);

/* MISSING_TOPIC came. */
void decide_missing(struct weft_client *client, const struct message *message);

#endif
