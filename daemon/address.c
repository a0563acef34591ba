#include "daemon/address.h"

#include "daemon/units.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static bool address_set_port(const char *text, uint16_t *port)
{
    uint64_t number = 0;
    if (!units_parse_number(text, &number) || number == 0 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool address_set_host(const char *text, size_t bytes, struct address *address)
{
    if (bytes >= sizeof(address->host))
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 127 || strchr("/;,[]\"'", text[i]) != NULL)
            return false;
    }
    memcpy(address->host, text, bytes);
    address->host[bytes] = '\0';
    if (bytes == 0)
        snprintf(address->host, sizeof(address->host), "127.0.0.1");
    return true;
}

/* [v6] or [v6]:port */
static bool address_parse_bracket(const char *text, struct address *address)
{
    const char *end = strchr(text, ']');
    if (end == NULL || !address_set_host(text + 1, (size_t)(end - text - 1), address) ||
        !address_is_v6(address->host))
        return false;
    return end[1] == '\0' || (end[1] == ':' && address_set_port(end + 2, &address->port));
}

bool address_parse(const char *text, uint16_t default_port, struct address *address)
{
    struct address read = {.port = default_port};
    const char *colon = strchr(text, ':');
    bool good = text[0] != '\0';
    if (text[0] == '[')
        good = address_parse_bracket(text, &read);
    else if (colon == NULL)
        good = good && address_set_host(text, strlen(text), &read);
    else if (strchr(colon + 1, ':') != NULL)
        good = address_set_host(text, strlen(text), &read) && address_is_v6(read.host);
    else
        good = address_set_host(text, (size_t)(colon - text), &read) &&
               address_set_port(colon + 1, &read.port);
    if (good)
        *address = read;
    return good;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    const char *form = strchr(address->host, ':') != NULL ? "[" : "";
    snprintf(text, ADDRESS_TEXT_BYTES, "%s%s%s:%u", form, address->host, form[0] == '[' ? "]" : "",
             (unsigned)address->port);
}

bool address_is_v6(const char *host)
{
    struct in6_addr v6;
    return inet_pton(AF_INET6, host, &v6) == 1;
}

bool address_is_numeric(const char *host)
{
    struct in_addr v4;
    return inet_pton(AF_INET, host, &v4) == 1 || address_is_v6(host);
}

bool address_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return memcmp(&v6, &in6addr_loopback, sizeof(v6)) == 0;
    return strcmp(host, "localhost") == 0;
}

bool address_is_any(const char *host)
{
    return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

socklen_t address_to_socket(const struct address *address, union socket_address *socket_address)
{
    *socket_address = (union socket_address){0};
    if (inet_pton(AF_INET, address->host, &socket_address->v4.sin_addr) == 1) {
        socket_address->v4.sin_family = AF_INET;
        socket_address->v4.sin_port = htons(address->port);
        return sizeof(socket_address->v4);
    }
    if (inet_pton(AF_INET6, address->host, &socket_address->v6.sin6_addr) == 1) {
        socket_address->v6.sin6_family = AF_INET6;
        socket_address->v6.sin6_port = htons(address->port);
        return sizeof(socket_address->v6);
    }
    return 0;
}

void address_of_socket(const union socket_address *socket_address, struct address *address)
{
    *address = (struct address){0};
    if (socket_address->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &socket_address->v6.sin6_addr, address->host, sizeof(address->host));
        address->port = ntohs(socket_address->v6.sin6_port);
    } else {
        inet_ntop(AF_INET, &socket_address->v4.sin_addr, address->host, sizeof(address->host));
        address->port = ntohs(socket_address->v4.sin_port);
    }
}

void address_unmap(union socket_address *socket_address)
{
    const struct in6_addr *v6 = &socket_address->v6.sin6_addr;
    if (socket_address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(v6))
        return;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = socket_address->v6.sin6_port};
    memcpy(&v4.sin_addr, &v6->s6_addr[12], sizeof(v4.sin_addr));
    *socket_address = (union socket_address){.v4 = v4};
}

bool address_of_peer(int fd, union socket_address *peer)
{
    socklen_t bytes = sizeof(*peer);
    *peer = (union socket_address){0};
    if (getpeername(fd, &peer->any, &bytes) != 0)
        return false;
    address_unmap(peer);
    return true;
}

bool address_socket_equal(const union socket_address *a, const union socket_address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET6)
        return a->v6.sin6_port == b->v6.sin6_port &&
               memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
    return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static bool address_is_among(const struct address *address, const struct address *found, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(found[i].host, address->host) == 0)
            return true;
    }
    return false;
}

/* The system hands out struct sockaddr of a family it names; copied, so alignment is no matter. */
static bool address_take(const struct sockaddr *given, size_t bytes, struct address *address)
{
    union socket_address socket_address = {0};
    if (given == NULL || (given->sa_family != AF_INET && given->sa_family != AF_INET6) ||
        bytes > sizeof(socket_address))
        return false;
    memcpy(&socket_address, given, bytes);
    address_of_socket(&socket_address, address);
    return true;
}

size_t address_resolve(const struct address *name, struct address *found, size_t max,
                       const char **reason)
{
    struct addrinfo wish = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int failed = getaddrinfo(name->host, NULL, &wish, &all);
    if (failed != 0) {
        *reason = gai_strerror(failed);
        return 0;
    }
    size_t count = 0;
    for (const struct addrinfo *one = all; one != NULL && count < max; one = one->ai_next) {
        struct address address;
        if (!address_take(one->ai_addr, one->ai_addrlen, &address) ||
            address_is_among(&address, found, count))
            continue;
        address.port = name->port;
        found[count++] = address;
    }
    freeaddrinfo(all);
    if (count == 0)
        *reason = "no address of a known family";
    return count;
}

bool address_outside(const char *host, char found[ADDRESS_HOST_BYTES])
{
    struct ifaddrs *all = NULL;
    int family = address_is_v6(host) ? AF_INET6 : AF_INET;
    if (getifaddrs(&all) != 0)
        return false;
    bool is_found = false;
    for (const struct ifaddrs *one = all; one != NULL && !is_found; one = one->ifa_next) {
        struct address address;
        bool is_up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
        size_t bytes =
            family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        if (!is_up || one->ifa_addr == NULL || one->ifa_addr->sa_family != family ||
            !address_take(one->ifa_addr, bytes, &address))
            continue;
        is_found = strncmp(address.host, "fe80:", 5) != 0; /* link-local: of no use to others */
        if (is_found)
            memcpy(found, address.host, sizeof(address.host));
    }
    freeifaddrs(all);
    return is_found;
}
