/* sources.h - how many connections one address may leave without a word: those that are waiting for
 * their first frame now, and in the last minute those that shook hands and never sent one, or whose
 * handshake failed: strange keys, no keys, no ZeroMQ, too slow. And how
 * many clients it may have, how fast they may come, and how many may fail to prove who they are:
 * those beyond are refused in words.
 * Loopback is not limited: whoever is there is this machine, or a proxy for everybody.
 * Memory: a fixed table; addresses that meet in a busy place of it share their limits.
 * Thread: one owner. */
#ifndef WEFT_DAEMON_SOURCES_H
#define WEFT_DAEMON_SOURCES_H

#include "daemon/address.h"
#include "mesh/mesh.h"

enum {
    SOURCES = 4096,
    SOURCES_SILENT_MAX = 1024, /* a crowd that returns at once waits no longer than a round trip */
    SOURCES_BARREN_MAX = 256,  /* honest clients speak as soon as hands are shaken */
    SOURCES_FAILED_MAX = 2048, /* whoever guesses among many nodes' keys fails often */
    SOURCES_WINDOW_S = 60,
    SOURCES_BURST_S = 10, /* so many seconds' worth of clients may come at once */
};

struct source {
    uint64_t key; /* of the address; 0: unused */
    uint32_t silent;
    uint32_t barren; /* in this window */
    uint32_t failed; /* handshakes, in this window */
    uint64_t window_end_ns;
    uint32_t clients;      /* connections of clients, from accepted to closed */
    uint64_t paid_to_ns;   /* each connect moves it on by 1 s / connects_per_s */
    uint64_t denied_to_ns; /* each failed login by 1 min / failures_per_min */
};

struct sources {
    struct source table[SOURCES];
    uint32_t clients_max, connects_per_s, failures_per_min; /* of one address; 0: not limited */
};

/* The place of that address; NULL: loopback, not limited. Stays valid while its silent or clients
 * are more than 0. */
struct source *sources_find(struct sources *sources, const union socket_address *address,
                            uint64_t now_ns);

/* Whether one more connection may come from there. */
bool sources_admits(const struct source *source);

/* How a connection ended that had not sent a frame. */
enum sources_end {
    SOURCES_FORGOTTEN, /* not by its own doing */
    SOURCES_BARREN,    /* hands were shaken */
    SOURCES_FAILED,    /* they were not */
};

/* A connection was accepted; it sent its first frame or was closed before. NULL is fine for all. */
void sources_accepted(struct source *source);
void sources_spoke(struct source *source);
void sources_closed(struct source *source, enum sources_end end);

/* A client's connection was accepted, and counts until it is closed. Returns whether it is one too
 * many, and why. NULL is fine for both. */
enum mesh_excess sources_client_accepted(const struct sources *sources, struct source *source,
                                         uint64_t now_ns);
void sources_client_closed(struct source *source);

/* A client from there did not prove who it is. A minute's worth may come at once. */
void sources_login_failed(const struct sources *sources, struct source *source, uint64_t now_ns);
bool sources_has_failed_much(const struct sources *sources, const struct source *source,
                             uint64_t now_ns);

#endif
