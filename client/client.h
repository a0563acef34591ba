/* client.h - what a client is made of, for the files of this folder.
 * Memory: everything is the client's. Thread: the context's. */
#ifndef WEFT_CLIENT_CLIENT_H
#define WEFT_CLIENT_CLIENT_H

#include "client/batch.h"
#include "client/dealer.h"
#include "client/keys.h"
#include "client/listen.h"
#include "client/reactor.h"
#include "client/serve.h"
#include "client/servers.h"
#include "client/slots.h"
#include "client/subscriptions.h"
#include "proto/client.h"

enum { CLIENT_FAILURE_BYTES = 256, CLIENT_GRACE_MS = 500 /* after a deadline the node answers */ };

enum client_state {
    CLIENT_WAITING,  /* for the time to dial */
    CLIENT_DIALING,  /* for the connection to come up */
    CLIENT_GREETING, /* for WELCOME */
    CLIENT_OPEN,
    CLIENT_CLOSED, /* for good */
};

/* What credit was granted, and how much of it is used. */
struct client_credit {
    uint64_t received_seq;
    uint64_t granted_seq; /* received_seq as last told */
    uint64_t bytes;       /* received since */
};

/* What the last *_wait call returned. */
struct client_answer {
    bool is_there;
    void *memory;
    struct weft_response response;
    struct weft_result result;
    struct weft_topic_result topic;
    struct weft_topics topics;
};

struct weft_client {
    struct timer timer; /* first; by state: dial, give up this attempt, or look for silence */
    struct weft_context *context;
    struct weft_client *next, *previous, *next_ready;
    bool owns_context, is_ready, is_woken, is_destroyed, is_closing;
    enum client_state state;
    struct dealer dealer;
    struct servers servers;
    struct keys keys;
    struct batch batch;
    struct slots slots;
    struct serve serve;
    struct listening listening[LISTENINGS];
    struct subscriptions subscriptions;

    struct weft_options options; /* its pointers are not used but for callbacks and user */
    struct client_hello hello;   /* points into hello_memory */
    void *hello_memory;
    size_t hello_bytes;
    struct span hello_properties;

    uint32_t resumes; /* tries that broke off, in a row */
    bool has_session; /* that may be resumed, with this token */
    struct session_id session;
    uint8_t token[TOKEN_BYTES];
    char node[NAME_BYTES_MAX + 1];
    uint32_t message_bytes_max;
    struct client_credit credit;
    uint64_t heard_ns; /* when the node last said something */
    bool is_pinged;

    enum weft_close_reason close_reason; /* CLOSED: what `closed` told */
    enum weft_error close_error;
    enum weft_error refusal;            /* what a node said at the last attempt, if it did */
    char failure[CLIENT_FAILURE_BYTES]; /* why the last attempt failed, or the session ended */
    struct client_answer answer;
};

/* Does what the client has to do now. */
void client_turn(struct weft_client *client);

/* Frees the memory of a client that has let go of everything else. */
void client_free(struct weft_client *client);

/* Sets the one timer of the client. */
void client_set_timer(struct weft_client *client, uint64_t due_ns);

/* Whether what is said now reaches the session that the client has, if only after a resume. */
static inline bool client_is_in_session(const struct weft_client *client)
{
    return client->state == CLIENT_OPEN || (client->has_session && client->state != CLIENT_CLOSED);
}

static inline uint64_t client_ms_to_ns(uint64_t ms)
{
    return ms * 1000000U;
}

static inline struct weft_text client_text(struct span span)
{
    struct weft_text text = {(const char *)span.data, span.bytes};
    return text;
}

static inline struct weft_session_id client_id(struct session_id id)
{
    struct weft_session_id public_id = {id.instance, id.serial};
    return public_id;
}

#endif
