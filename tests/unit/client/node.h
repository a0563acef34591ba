/* node.h - a node of straw: it speaks the client's protocol over a real ROUTER on loopback, keeps
 * sessions and handlers of its own, and does what the test asks.
 * Memory: the struct is the caller's. Thread: stepped by the test, or by its own thread. */
#ifndef WEFT_TESTS_UNIT_CLIENT_NODE_H
#define WEFT_TESTS_UNIT_CLIENT_NODE_H

#include "client/weft.h"
#include "proto/authentication.h"
#include "proto/client.h"
#include "proto/kinds.h"
#include "proto/schema.h"
#include "tests/unit/client/node_topics.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NODE_SESSIONS = 32, NODE_HANDLERS = 32, NODE_PENDING = 256 };

struct node_session {
    bool is_open;
    unsigned char routing[16];
    size_t routing_bytes;
    struct session_id id;
    uint64_t grants; /* GRANT messages heard */
    uint64_t granted_seq;
};

struct node_handler {
    int session;
    char path[64];
};

struct node_pending {
    int caller;
    uint64_t correlation;
};

struct node {
    void *zmq;
    void *router;
    char address[64]; /* host:port */
    char others[256]; /* addresses that WELCOME names, one a line */
    struct node_session sessions[NODE_SESSIONS];
    int sessions_count;
    struct node_handler handlers[NODE_HANDLERS];
    int handlers_count;
    struct node_pending pending[NODE_PENDING];
    int pending_count;
    int frames, requests, registrations, pings, pongs, goodbyes, cancels;
    int listens;     /* LISTEN messages heard */
    uint64_t listen; /* correlation of the last one to sessions */
    char filter[64], keys[64];
    bool is_mute;           /* hears, says nothing */
    bool can_resume;        /* HELLO with session and token gets it back */
    bool has_lost_messages; /* but not all that was said to it */
    bool is_deaf;           /* numbered messages are lost on their way here */
    uint64_t numbered;      /* numbered messages heard */
    unsigned refuse_with;   /* HELLO is answered REFUSED with this code */
    unsigned outcome;       /* of requests to paths nobody registered; default NO_HANDLER */
    char principal[64];     /* of the last HELLO */
    char property[64];      /* the first one it offered, key=value */
    int decisions;          /* DECISION messages heard; the last one: */
    unsigned decision;
    uint64_t decision_number;
    uint8_t decision_body[1024];
    size_t decision_bytes;
    struct node_topics topics;
    pthread_t thread;
    atomic_bool is_stopping;
};

/* Listens on a free port; or again on the same one. */
void node_start(struct node *node);
void node_start_at(struct node *node, const char *address);

/* Cuts all connections without a word, as kill -9 does. */
void node_stop(struct node *node);

/* Takes one step in the test's thread: all frames that are there. */
void node_step(struct node *node);

/* Steps in a thread of its own until node_join. */
void node_run(struct node *node);
void node_join(struct node *node);

/* Ends a session: GOODBYE with a reason and a text. */
void node_goodbye(struct node *node, int session, enum close_reason reason, const char *text);

/* UNREGISTER from the node: the session may not serve the path any more. */
void node_take_back(struct node *node, int session, const char *path);

/* An EVENT of the last LISTEN to sessions, about that node; and ERROR: it can't go on. */
void node_session_event(struct node *node, int session, unsigned event, uint64_t sequence);
void node_end_listening(struct node *node, int session);

/* Says one message to a session, in a frame of its own. */
void node_say(struct node *node, int session, const struct schema *schema, const void *fields,
              enum kind kind, uint64_t correlation, struct span body);

/* Sends raw bytes to a session. */
void node_send_raw(struct node *node, int session, const void *bytes, size_t count);

/* Lets the node and then the context do what they have to. */
void node_turn(struct node *node, struct weft_context *context);

/* A node in a thread of its own for tests that wait: init and fini of their suites. */
extern struct node straw;
void node_straw_up(void);
void node_straw_down(void);

/* A client of it, without a session yet; and one that has its session. */
struct weft_client *node_straw_client(void);
struct weft_client *node_straw_session(void);

/* Takes turns until the condition holds; fails the test after 5 s. */
#define node_until(node, context, condition)                                                       \
    do {                                                                                           \
        for (int turn_ = 0; turn_ < 5000 && !(condition); turn_++)                                 \
            node_turn(node, context);                                                              \
        cr_assert(condition);                                                                      \
    } while (0)

#endif
