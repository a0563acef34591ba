/* refused.h - finds out whether a port refuses connections: libzmq never says, connect() does.
 * Memory: a fixed table. Thread: one owner. */
#ifndef WEFT_DAEMON_REFUSED_H
#define WEFT_DAEMON_REFUSED_H

#include "daemon/address.h"
#include "daemon/clock.h"
#include "daemon/facts.h"
#include "daemon/poller.h"

#define REFUSED_PATIENCE_NS (3 * CLOCK_S_NS)

enum { REFUSED_PROBES_MAX = 128 };

struct refused {
    struct poller *poller;
    struct address source; /* what to connect from; no host: as the system likes */
    struct refused_probe {
        int fd; /* -1: free */
        uint32_t link;
        uint64_t until_ns;
    } probes[REFUSED_PROBES_MAX];
    unsigned open;
};

void refused_init(struct refused *refused, struct poller *poller, const char *host);
void refused_clear(struct refused *refused);

/* Connects to the numeric address; MESH_LINK_REFUSED is told when that is refused, nothing
 * otherwise. With all slots in use nothing is tried: the core asks again. */
void refused_probe(struct refused *refused, struct facts *facts, uint32_t link,
                   struct span address);

/* A probe's descriptor woke the loop. */
void refused_woken(struct refused *refused, struct facts *facts, uint32_t slot);

/* Ends probes that nobody answered. */
void refused_sweep(struct refused *refused, uint64_t now_ns);

#endif
