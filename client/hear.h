/* hear.h - decides whom each message of a node is for.
 * Memory: none. Thread: the context's. */
#ifndef WEFT_CLIENT_HEAR_H
#define WEFT_CLIENT_HEAR_H

#include "proto/span.h"

struct weft_client;

/* A frame came; after each message the client may be closed, lost or destroyed. A long frame is
 * answered in two: what came of its first quarter leaves ahead of the rest. Returns whether
 * credentials are in it, or may be: then it is to be wiped. */
bool hear_frame(struct weft_client *client, struct span frame);

#endif
