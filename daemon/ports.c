/* Any free port means one below 32768: the kernel deals those above to outgoing connections, and a
 * node that restarts would find its port taken by one of them. */
#include "daemon/ports.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#define PORTS_PATIENCE_NS (2 * CLOCK_S_NS) /* a node restarted at once waits for its old sockets */

enum { PORTS_FIRST = 10240, PORTS_LAST = 32700, PORTS_TRIES = 200 };

static const enum channel ports_order[] = {CHANNEL_CLIENT, CHANNEL_GOSSIP, CHANNEL_FORWARD};
static const char *const ports_names[] = {"clients", "gossip", "forward"};

enum { PORTS = sizeof(ports_order) / sizeof(ports_order[0]) };

static bool ports_make_numeric(const char *key, const char *host, char numeric[ADDRESS_HOST_BYTES],
                               struct config_error *error)
{
    struct address name = {0}, found;
    const char *reason = NULL;
    snprintf(name.host, sizeof(name.host), "%s", host);
    if (!address_is_numeric(host) && !address_is_any(host)) {
        if (address_resolve(&name, &found, 1, &reason) == 0)
            return config_fail(error, "%s '%.200s' has no address: %s", key, host, reason);
        name = found;
    }
    memcpy(numeric, name.host, sizeof(name.host));
    return true;
}

bool ports_resolve(struct ports *ports, const struct config *config, struct config_error *error)
{
    char host[ADDRESS_HOST_BYTES];
    *ports = (struct ports){0};
    if (!ports_make_numeric("host", config->host, ports->listen.host, error))
        return false;
    const char *told = config->advertise[0] != '\0' ? config->advertise : ports->listen.host;
    if (!ports_make_numeric("advertise", told, host, error))
        return false;
    if (config->advertise[0] != '\0' && address_is_any(host))
        return config_fail(error, "advertise is '%s'; it must be a host that others can reach",
                           config->advertise);
    if (address_is_any(host) && !address_outside(ports->listen.host, host))
        snprintf(host, sizeof(host), "127.0.0.1");
    for (unsigned i = 0; i < PORTS; i++)
        snprintf(ports->advertised[ports_order[i]], ADDRESS_TEXT_BYTES, "%s", host);
    return true;
}

/* Binds all three from the first port on. false: errno; *failed says which one. */
static bool ports_try(const struct ports *ports, uint16_t first, uint64_t patience_ns,
                      void *context, struct inbox inboxes[GUARD_CHANNELS], struct guard *guard,
                      struct poller *poller, unsigned *failed)
{
    for (unsigned i = 0; i < PORTS; i++) {
        struct address address = ports->listen;
        enum channel channel = ports_order[i];
        address.port = (uint16_t)(first + i);
        *failed = i;
        if (!inbox_open(&inboxes[channel], context, channel, &address, patience_ns, guard, poller))
            return false;
    }
    return true;
}

static void ports_tell(struct ports *ports, uint16_t first)
{
    ports->listen.port = first;
    for (unsigned i = 0; i < PORTS; i++) {
        char *text = ports->advertised[ports_order[i]];
        struct address address = {.port = (uint16_t)(first + i)};
        memcpy(address.host, text, sizeof(address.host));
        address_format(&address, text);
    }
}

bool ports_open(struct ports *ports, uint32_t port, void *context,
                struct inbox inboxes[GUARD_CHANNELS], struct guard *guard, struct poller *poller,
                struct config_error *error)
{
    unsigned failed = 0;
    uint16_t first = (uint16_t)port;
    uint64_t patience_ns = port == 0 ? 0 : PORTS_PATIENCE_NS;
    bool is_open = false;
    for (int tries = port == 0 ? PORTS_TRIES : 1; tries > 0 && !is_open; tries--) {
        if (port == 0)
            first = (uint16_t)(PORTS_FIRST + randombytes_uniform(PORTS_LAST - PORTS_FIRST));
        is_open = ports_try(ports, first, patience_ns, context, inboxes, guard, poller, &failed);
        int why = errno;
        if (!is_open)
            ports_close(inboxes, poller);
        errno = why;
        if (!is_open && why != EADDRINUSE)
            break;
    }
    if (is_open) {
        ports_tell(ports, first);
        return true;
    }
    char text[ADDRESS_TEXT_BYTES];
    struct address address = ports->listen;
    address.port = (uint16_t)(first + failed);
    address_format(&address, text);
    const char *advice =
        errno == EADDRINUSE ? "; is another node running? --port 0 takes free ports" : "";
    return config_fail(error, "cannot listen on %s for %s: %s%s", text, ports_names[failed],
                       zmq_strerror(errno), advice);
}

void ports_close(struct inbox inboxes[GUARD_CHANNELS], struct poller *poller)
{
    for (unsigned i = 0; i < PORTS; i++)
        inbox_close(&inboxes[ports_order[i]], poller);
}
