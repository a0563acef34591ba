/* slots.h - decides what a number on the wire means to a client: the calls that wait for an answer
 * and the requests that wait for ours, each with its deadline.
 * A number is (generation << 32 | index): a slot that was used again has another, so a late answer
 * finds nothing.
 * Memory: chunks that never move, kept until slots_clear. Thread: the context's. */
#ifndef WEFT_CLIENT_SLOTS_H
#define WEFT_CLIENT_SLOTS_H

#include "client/timers.h"
#include "client/weft_topics.h"

struct weft_client;
struct weft_matching_calls;

enum slot_kind {
    SLOT_FREE,
    SLOT_REQUEST,      /* ours: RESPONSE ends it */
    SLOT_MATCHING,     /* ours, to a filter: RESPONSE or ERROR ends it */
    SLOT_COMMAND,      /* ours: RESULT or ERROR ends it */
    SLOT_REGISTRATION, /* ours: DONE or ERROR ends it */
    SLOT_SUBSCRIPTION, /* ours: DONE or ERROR ends it */
    SLOT_TOPIC,        /* ours: TOPIC or ERROR ends it */
    SLOT_TOPICS,       /* ours: TOPICS or ERROR ends it */
    SLOT_LISTENING,    /* ours: the session's events bear its number; listen.c ends it */
    SLOT_INCOMING,     /* theirs: our RESPONSE ends it */
    SLOT_LOGIN,        /* theirs: our DECISION ends it */
};

struct slot {
    struct timer timer; /* first: a timer that fires is its slot */
    struct weft_client *client;
    enum slot_kind kind;
    bool is_lost; /* said in a session that is over: no answer will come */
    uint32_t index;
    uint32_t generation;
    uint32_t next_free;
    uint64_t started_ns;
    union {
        weft_response_fn *response;
        const struct weft_matching_calls *matching; /* the caller's */
        weft_result_fn *result;
        weft_topic_result_fn *topic;
        weft_topics_fn *topics;
        uint64_t handler;      /* REGISTRATION: number of the handler */
        uint64_t subscription; /* SUBSCRIPTION: number of the subscription; 0: nobody waits */
        uint64_t correlation;  /* INCOMING, LOGIN: the node's number for it */
    } of;
    void *user;
};

struct slots {
    struct slot **chunks;
    uint32_t chunks_count;
    uint32_t used;
    uint32_t first_free; /* index + 1; 0: none */
    uint32_t max;
};

void slots_init(struct slots *slots, uint32_t max);

/* Frees the chunks and gives the places of their timers back; no timer may be set. */
void slots_clear(struct slots *slots, struct timers *timers);

/* Takes a free slot for the client; its timer is not set. NULL: limit or memory. */
struct slot *slots_take(struct slots *slots, struct timers *timers, struct weft_client *client,
                        enum slot_kind kind);

/* The slot of that number if it is of that kind; NULL: it has ended, or never was. */
struct slot *slots_find(const struct slots *slots, uint64_t number, enum slot_kind kind);

uint64_t slots_number(const struct slot *slot);

/* Ends the slot: its timer is cancelled, its number means nothing any more. */
void slots_give(struct slots *slots, struct slot *slot);

/* The first slot in use whose index is >= *index, and moves *index behind it; NULL: no more. Slots
 * may be given and taken in between. */
struct slot *slots_next(const struct slots *slots, uint32_t *index);

#endif
