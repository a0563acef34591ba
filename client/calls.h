/* calls.h - the requests a client has made: numbered, with a deadline, each ended exactly once.
 * Memory: slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_CALLS_H
#define WEFT_CLIENT_CALLS_H

#include "client/slots.h"
#include "client/weft.h"
#include "proto/client.h"
#include "proto/envelope.h"
#include "proto/schema.h"

struct weft_client;

/* What is said to the node and will be answered. */
struct call {
    enum slot_kind slot_kind;
    uint8_t kind;
    const struct schema *schema;
    const void *fields;
    struct span body;
    uint32_t timeout_ms; /* the node answers within it */
    void (*expired)(struct timer *timer, uint64_t now_ns);
    void *user;
};

/* Says it, and takes the slot that its answer will find. Returns WEFT_INVALID_ARGUMENT (its time is
 * too long) and as calls_check; *slot is then not set, and nothing was said. */
enum weft_error calls_send(struct weft_client *client, const struct call *call, struct slot **slot);

/* Says a REQUEST; of `fields` only its target is set, of `call` slot_kind, expired and user. As
 * weft_request. */
struct request;
enum weft_error calls_request(struct weft_client *client, const char *path,
                              const struct weft_value *value,
                              const struct weft_request_options *options, struct request *fields,
                              struct call *call, struct slot **slot);

/* The slot of a request, to a path, a session or a filter; NULL: it has ended. */
struct slot *calls_find(const struct weft_client *client, uint64_t number);

/* RESPONSE came; one that nobody waits for any more is dropped. */
void calls_response(struct weft_client *client, const struct message *message);

/* ERROR came instead. */
void calls_failed(struct weft_client *client, uint64_t number, const struct client_error *said);

/* Ends everything that has a slot, whatever its kind, or only what is marked lost. Stops when a
 * callback destroys the client; a destroyed client's end silently. */
void calls_end_all(struct weft_client *client, enum weft_error outcome, bool only_lost);

/* Whether a message of so many bytes may be said now, and the error if it may not. */
enum weft_error calls_check(const struct weft_client *client, size_t bytes);

/* A value's bytes as they travel; scratch is where a number is put. False: not a value. */
bool calls_value_encode(const struct weft_value *value, uint8_t scratch[8], uint8_t *type,
                        struct span *body);

/* The value of a body. A number that is not 8 bytes long comes as the bytes it is. */
struct weft_value calls_value_decode(unsigned type, struct span body);

#endif
