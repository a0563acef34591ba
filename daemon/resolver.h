/* resolver.h - looks seed names up without stopping the loop: numeric addresses at once, names in a
 * thread of its own, for getaddrinfo may take its time.
 * Memory: one actor. Thread: one owner; the actor shares nothing but its pipe. */
#ifndef WEFT_DAEMON_RESOLVER_H
#define WEFT_DAEMON_RESOLVER_H

#include "daemon/address.h"
#include "daemon/batch.h"
#include "daemon/facts.h"
#include "daemon/poller.h"

struct resolver {
    void *actor; /* zactor_t; NULL until the first name */
    struct poller *poller;
    uint32_t under_way; /* look-ups not answered yet */
};

/* The thread starts with the first name. */
void resolver_init(struct resolver *resolver, struct poller *poller);

/* Ends the thread. false: it hangs in a look-up and was left behind; the process must then end by
 * _exit. */
bool resolver_clear(struct resolver *resolver);

/* Looks one seed up; told at once or later as MESH_SEED_RESOLVED. */
void resolver_ask(struct resolver *resolver, struct facts *facts, struct batch *batch,
                  uint32_t seed, const struct address *name);

/* The actor's pipe woke the loop. */
void resolver_woken(struct resolver *resolver, struct facts *facts, struct batch *batch);

#endif
