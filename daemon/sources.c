#include "daemon/sources.h"

#include "daemon/clock.h"

#include <arpa/inet.h>
#include <string.h>

/* FNV-1a over the host; never 0. A v6 host is counted by its /64: one line has them all. */
static uint64_t sources_key(const union socket_address *address)
{
    uint8_t host[8] = {0};
    size_t bytes = sizeof(host);
    if (address->any.sa_family == AF_INET6) {
        memcpy(host, &address->v6.sin6_addr, bytes);
    } else {
        bytes = sizeof(address->v4.sin_addr);
        memcpy(host, &address->v4.sin_addr, bytes);
    }
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ host[i]) * UINT64_C(1099511628211);
    return hash | 1;
}

static bool sources_is_loopback(const union socket_address *address)
{
    if (address->any.sa_family == AF_INET6)
        return memcmp(&address->v6.sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
    return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
}

struct source *sources_find(struct sources *sources, const union socket_address *address,
                            uint64_t now_ns)
{
    if (sources_is_loopback(address))
        return NULL;
    uint64_t key = sources_key(address);
    struct source *source = &sources->table[(key >> 1 ^ key >> 40) % SOURCES];
    bool is_over = now_ns >= source->window_end_ns;
    if (source->key != key && source->silent == 0 && source->clients == 0 &&
        (is_over || (source->barren == 0 && source->failed == 0)))
        *source = (struct source){.key = key};
    if (now_ns >= source->window_end_ns) {
        source->barren = 0;
        source->failed = 0;
        source->window_end_ns = now_ns + SOURCES_WINDOW_S * CLOCK_S_NS;
    }
    return source;
}

bool sources_admits(const struct source *source)
{
    return source == NULL ||
           (source->silent < SOURCES_SILENT_MAX && source->barren < SOURCES_BARREN_MAX &&
            source->failed < SOURCES_FAILED_MAX);
}

void sources_accepted(struct source *source)
{
    if (source != NULL)
        source->silent++;
}

void sources_spoke(struct source *source)
{
    if (source != NULL && source->silent > 0)
        source->silent--;
}

void sources_closed(struct source *source, enum sources_end end)
{
    sources_spoke(source);
    if (source == NULL)
        return;
    source->barren += end == SOURCES_BARREN;
    source->failed += end == SOURCES_FAILED;
}

enum mesh_excess sources_client_accepted(const struct sources *sources, struct source *source,
                                         uint64_t now_ns)
{
    if (source == NULL)
        return MESH_EXCESS_NONE;
    source->clients++;
    if (sources->clients_max > 0 && source->clients > sources->clients_max)
        return MESH_EXCESS_CLIENTS;
    if (sources->connects_per_s == 0)
        return MESH_EXCESS_NONE;
    uint64_t from_ns = source->paid_to_ns > now_ns ? source->paid_to_ns : now_ns;
    if (from_ns - now_ns >= SOURCES_BURST_S * CLOCK_S_NS)
        return MESH_EXCESS_CONNECTS;
    source->paid_to_ns = from_ns + CLOCK_S_NS / sources->connects_per_s;
    return MESH_EXCESS_NONE;
}

bool sources_has_failed_much(const struct sources *sources, const struct source *source,
                             uint64_t now_ns)
{
    if (source == NULL || sources->failures_per_min == 0 || source->denied_to_ns <= now_ns)
        return false;
    uint64_t window_ns = SOURCES_WINDOW_S * CLOCK_S_NS;
    uint64_t one_ns = window_ns / sources->failures_per_min; /* there must be room for one more */
    return source->denied_to_ns - now_ns + one_ns > window_ns;
}

void sources_login_failed(const struct sources *sources, struct source *source, uint64_t now_ns)
{
    if (source == NULL || sources->failures_per_min == 0)
        return;
    uint64_t from_ns = source->denied_to_ns > now_ns ? source->denied_to_ns : now_ns;
    source->denied_to_ns = from_ns + SOURCES_WINDOW_S * CLOCK_S_NS / sources->failures_per_min;
}

void sources_client_closed(struct source *source)
{
    if (source != NULL && source->clients > 0)
        source->clients--;
}
