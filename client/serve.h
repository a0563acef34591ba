/* serve.h - decides which handler of this client gets a request, and that each is answered at most
 * once.
 * Memory: the handlers' list; requests in hand are slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_SERVE_H
#define WEFT_CLIENT_SERVE_H

#include "client/weft_auth.h"
#include "client/weft_requests.h"
#include "proto/client.h"
#include "proto/envelope.h"
#include "proto/request.h"

struct weft_client;

enum { SERVE_HANDLERS_MAX = 4096 };

struct serve_handler {
    enum handler_kind kind;
    char *path;      /* normalised, NUL-ended; or a name */
    char *keys;      /* of the sender's properties asked for; may be empty */
    uint64_t number; /* names it while others come and go */
    union {
        weft_request_fn *request; /* of kind REQUEST, DIRECT */
        weft_authenticate_fn *authenticate;
        weft_missing_fn *missing;
    } of;
    weft_registered_fn *registered;
    void *user;
    bool is_answered; /* by the node of the current session */
    enum weft_error answer;
};

struct serve {
    struct serve_handler *handlers; /* sorted by kind and path */
    uint32_t count;
    uint64_t last_number;
};

void serve_clear(struct serve *serve);

/* Adds a handler of that kind at that path, with those keys (NULL: none), or takes it out; the rest
 * but its callbacks and user is filled in. They return as weft_handle and weft_unhandle do. */
enum weft_error serve_add(struct weft_client *client, const char *path, const char *keys,
                          struct serve_handler handler);
enum weft_error serve_remove(struct weft_client *client, enum handler_kind kind, const char *path);

/* The handler of that kind at exactly that path; NULL: none. */
const struct serve_handler *serve_find(const struct serve *serve, enum handler_kind kind,
                                       struct span path);

/* Tells a new session's node of all handlers. */
void serve_register_all(struct weft_client *client);

/* The node has answered a registration; said->code is ERROR_OK for DONE. */
void serve_registered(struct weft_client *client, uint64_t number, const struct client_error *said);

/* The node has taken a registration back: the session may not have it any more. */
void serve_taken_back(struct weft_client *client, const struct message *message);

/* Whether the node has answered the registration of that path; *answer is then what it said. */
bool serve_is_answered(const struct weft_client *client, const char *path, bool is_direct,
                       enum weft_error *answer);

/* A request came, or was cancelled. */
void serve_request(struct weft_client *client, const struct message *message);
void serve_cancelled(struct weft_client *client, uint64_t correlation);

#endif
