/* ports.h - decides where a node listens, and what address it tells others.
 * Memory: the caller's. Thread: the main one, at start (looking a host name up may block). */
#ifndef WEFT_DAEMON_PORTS_H
#define WEFT_DAEMON_PORTS_H

#include "daemon/config.h"
#include "daemon/inbox.h"

struct ports {
    struct address listen; /* numeric host (or *), port of the clients */
    char advertised[GUARD_CHANNELS][ADDRESS_TEXT_BYTES]; /* by channel: host:port */
};

/* Makes host and advertised host numeric. false: a name is not known; the error says which. */
bool ports_resolve(struct ports *ports, const struct config *config, struct config_error *error);

/* Binds all three inboxes: port N, N+1, N+2, or with port 0 any three such in a row that are free.
 * false: the error names the address and what to do; what was bound stays for ports_close. */
bool ports_open(struct ports *ports, uint32_t port, void *context,
                struct inbox inboxes[GUARD_CHANNELS], struct guard *guard, struct poller *poller,
                struct config_error *error);
void ports_close(struct inbox inboxes[GUARD_CHANNELS], struct poller *poller);

#endif
