/* topics.h - setting, removing and fetching topics: SET, REMOVE and FETCH out, TOPIC and TOPICS in.
 * Memory: slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_TOPICS_H
#define WEFT_CLIENT_TOPICS_H

#include "client/weft_topics.h"
#include "proto/client.h"
#include "proto/envelope.h"

struct weft_client;
struct slot;

/* TOPIC or TOPICS came; one that nobody waits for any more is dropped. */
void topics_result(struct weft_client *client, const struct message *message);
void topics_fetched(struct weft_client *client, const struct message *message);

/* ERROR came instead. Whether it was the answer to one of these. */
bool topics_failed(struct weft_client *client, uint64_t number, const struct client_error *said);

/* Ends one without an answer. */
void topics_end(struct slot *slot, enum weft_error error);

#endif
