/* matching.h - decides what a request to a filter comes to: how many, then of each session, then
 * its end, which comes exactly once.
 * Memory: slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_MATCHING_H
#define WEFT_CLIENT_MATCHING_H

#include "client/slots.h"
#include "client/weft_requests.h"
#include "proto/client.h"
#include "proto/envelope.h"

/* SPREAD and PART came; those that nobody waits for any more are dropped. */
void matching_spread(struct weft_client *client, const struct message *message);
void matching_part(struct weft_client *client, const struct message *message);

/* RESPONSE came, or ERROR instead; slot: of kind SLOT_MATCHING. */
void matching_response(struct slot *slot, const struct message *message);
void matching_failed(struct slot *slot, const struct client_error *said);

/* Ends it without the node's word. */
void matching_end(struct slot *slot, enum weft_error outcome);

#endif
