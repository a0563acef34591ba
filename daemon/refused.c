#include "daemon/refused.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void refused_init(struct refused *refused, struct poller *poller, const char *host)
{
    *refused = (struct refused){.poller = poller};
    if (!address_is_any(host))
        snprintf(refused->source.host, sizeof(refused->source.host), "%s", host);
    for (unsigned i = 0; i < REFUSED_PROBES_MAX; i++)
        refused->probes[i].fd = -1;
}

static void refused_end(struct refused *refused, struct refused_probe *probe)
{
    poller_remove(refused->poller, probe->fd);
    close(probe->fd);
    probe->fd = -1;
    refused->open--;
}

void refused_clear(struct refused *refused)
{
    for (unsigned i = 0; i < REFUSED_PROBES_MAX && refused->open > 0; i++) {
        if (refused->probes[i].fd >= 0)
            refused_end(refused, &refused->probes[i]);
    }
}

/* Begins to connect; returns the descriptor with errno 0 or EINPROGRESS, or -1. */
static int refused_connect(const struct refused *refused, const struct address *address)
{
    union socket_address to, from;
    socklen_t bytes = address_to_socket(address, &to);
    if (bytes == 0)
        return -1;
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t from_bytes = address_to_socket(&refused->source, &from);
    if (from_bytes == bytes)
        (void)bind(fd, &from.any, from_bytes); /* if not: from wherever the system likes */
    errno = 0;
    if (connect(fd, &to.any, bytes) == 0 || errno == EINPROGRESS)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

void refused_probe(struct refused *refused, struct facts *facts, uint32_t link, struct span address)
{
    struct address to;
    char text[ADDRESS_TEXT_BYTES];
    unsigned slot = 0;
    while (slot < REFUSED_PROBES_MAX && refused->probes[slot].fd >= 0)
        slot++;
    snprintf(text, sizeof(text), "%.*s", (int)address.bytes, (const char *)address.data);
    if (slot == REFUSED_PROBES_MAX || !address_parse(text, 0, &to))
        return;
    int fd = refused_connect(refused, &to);
    if (fd < 0 && errno == ECONNREFUSED)
        facts_link(facts, MESH_LINK_REFUSED, CHANNEL_GOSSIP, link);
    if (fd < 0)
        return;
    refused->probes[slot] = (struct refused_probe){
        .fd = fd, .link = link, .until_ns = facts->now_ns + REFUSED_PATIENCE_NS};
    refused->open++;
    if (!poller_add_writable(refused->poller, fd, POLLER_REFUSED, slot))
        refused_end(refused, &refused->probes[slot]);
}

void refused_woken(struct refused *refused, struct facts *facts, uint32_t slot)
{
    struct refused_probe *probe = &refused->probes[slot];
    int outcome = 0;
    socklen_t bytes = sizeof(outcome);
    if (probe->fd < 0)
        return;
    getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &outcome, &bytes);
    uint32_t link = probe->link;
    refused_end(refused, probe);
    if (outcome == ECONNREFUSED)
        facts_link(facts, MESH_LINK_REFUSED, CHANNEL_GOSSIP, link);
}

void refused_sweep(struct refused *refused, uint64_t now_ns)
{
    for (unsigned i = 0; i < REFUSED_PROBES_MAX && refused->open > 0; i++) {
        if (refused->probes[i].fd >= 0 && now_ns >= refused->probes[i].until_ns)
            refused_end(refused, &refused->probes[i]);
    }
}
