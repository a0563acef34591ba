/* query.h - commands on sessions and questions about the mesh: COMMAND out, RESULT in.
 * Memory: slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_QUERY_H
#define WEFT_CLIENT_QUERY_H

#include "client/weft.h"
#include "proto/client.h"
#include "proto/command.h"
#include "proto/envelope.h"

struct weft_client;
struct call;
struct slot;

/* RESULT came; one that nobody waits for any more is dropped. */
void query_result(struct weft_client *client, const struct message *message);

/* ERROR came instead. */
void query_failed(struct weft_client *client, uint64_t number, const struct client_error *said);

/* Sends what is answered by RESULT, DONE or ERROR; slot and expiry are filled in. Returns as the
 * calls of weft.h do. */
enum weft_error query_send(struct weft_client *client, struct call *call, weft_result_fn *callback);

/* Sends the command; the rest of its fields are filled in. Returns as the calls of weft.h do. */
enum weft_error query_ask(struct weft_client *client, struct command *command, struct span body,
                          uint32_t timeout_ms, weft_result_fn *callback, void *user);

/* Ends a command without a result. */
void query_end(struct slot *slot, enum weft_error error);

#endif
