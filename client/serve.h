/* serve.h - decides which handler of this client gets a request, and that each is answered at most
 * once.
 * Memory: the handlers' list; requests in hand are slots of the client. Thread: the context's. */
#ifndef WEFT_CLIENT_SERVE_H
#define WEFT_CLIENT_SERVE_H

#include "client/weft_requests.h"
#include "proto/client.h"
#include "proto/envelope.h"

struct weft_client;

enum { SERVE_HANDLERS_MAX = 4096 };

struct serve_handler {
    char *path;      /* normalised, NUL-ended */
    char *keys;      /* of the sender's properties asked for; may be empty */
    bool is_direct;  /* requests to this session by exactly that path */
    uint64_t number; /* names it while others come and go */
    weft_request_fn *request;
    weft_registered_fn *registered;
    void *user;
    bool is_answered; /* by the node of the current session */
    enum weft_error answer;
};

struct serve {
    struct serve_handler *handlers; /* sorted by path; the direct one of a path behind the other */
    uint32_t count;
    uint64_t last_number;
};

void serve_clear(struct serve *serve);

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
