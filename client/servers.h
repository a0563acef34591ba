/* servers.h - decides which node is dialled next and after how long: the addresses given, then
 * those that nodes have told us.
 * Memory: the list's. Thread: the context's. */
#ifndef WEFT_CLIENT_SERVERS_H
#define WEFT_CLIENT_SERVERS_H

#include "proto/span.h"

enum {
    SERVERS_MAX = 512, /* given and learnt */
    SERVERS_DEFAULT_PORT = 7310,
    SERVERS_BACKOFF_MS = 200, /* after a first round in which no node took us; doubles */
    SERVERS_BACKOFF_MAX_MS = 10000,
    SERVERS_RETURN_MS =
        100, /* the clients of a lost node come back within that time, not at once */
};

struct server {
    char *address; /* host:port */
    bool is_given; /* never forgotten */
    uint32_t key; /* number of the key it is dialled with: the one that fitted, or the next guess */
};

struct servers {
    struct server *list;
    uint32_t count;
    uint32_t next;    /* of this round */
    uint32_t current; /* dialled last */
    uint32_t rounds;  /* without a session */
    bool is_return;   /* this is the first round after a session was lost */
    uint32_t keys;    /* that a node may have; 0, 1: nothing to guess */
    uint32_t guesses; /* that did not fit the current one, in a row */
};

/* Reads "host[:port],host[:port].."; no host: 127.0.0.1, no port: 7310, an IPv6 address in
 * brackets. Returns false, with nothing to clear, for anything else and without memory. */
bool servers_init(struct servers *servers, const char *text);

void servers_clear(struct servers *servers);

/* The mesh's nodes as one of them tells: those learnt before are forgotten but the current one. */
void servers_learn_begin(struct servers *servers);
void servers_learn(struct servers *servers, struct span address);

/* The address to dial now. *wait_ms: after how long; 0 while a first round is under way. chance: 64
 * random bits. */
const char *servers_next(struct servers *servers, uint64_t chance, uint32_t *wait_ms);

/* How many keys there are. Which of them a node has, nobody says: each is tried in turn, from the
 * one that fitted last. */
void servers_set_keys(struct servers *servers, uint32_t keys);

/* The current server has another key. true: it is to be dialled again at once, with the next one;
 * false: it has none of them, and it is the next server's turn. */
bool servers_key_failed(struct servers *servers);

/* The number of the key to dial the current server with. */
uint32_t servers_key(const struct servers *servers);

/* The address dialled last. */
const char *servers_current(const struct servers *servers);

/* A session stood and was lost: a new first round, that node first (or last, if it is stopping),
 * all others in random order. */
void servers_restart(struct servers *servers, bool is_stopping, uint64_t chance);

#endif
