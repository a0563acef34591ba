/* address.h - where somebody listens: host and port as text, and what kind of host that is.
 * Memory: fixed-size structs of the caller's. Thread: pure functions, but address_resolve and
 * address_outside, which ask the system. */
#ifndef WEFT_DAEMON_ADDRESS_H
#define WEFT_DAEMON_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_HOST_BYTES = 254, ADDRESS_TEXT_BYTES = 264 };

struct address {
    char host[ADDRESS_HOST_BYTES]; /* a name, or a numeric address without brackets */
    uint16_t port;
};

/* A TCP address of either family, as the system wants it. */
union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Reads host, host:port, :port, [v6]:port or a bare v6. Without host: 127.0.0.1; without port:
 * default_port. false when it is none of these, or the port is not 1..65535. */
bool address_parse(const char *text, uint16_t default_port, struct address *address);

/* Writes host:port, or [v6]:port. */
void address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES]);

bool address_is_numeric(const char *host);
bool address_is_loopback(const char *host); /* 127.0.0.0/8, ::1; a name is not, but localhost */
bool address_is_any(const char *host);      /* 0.0.0.0, ::, *: all interfaces */
bool address_is_v6(const char *host);

/* A numeric address for the system; 0 bytes when the host is not numeric. */
socklen_t address_to_socket(const struct address *address, union socket_address *socket_address);

/* The other way round. */
void address_of_socket(const union socket_address *socket_address, struct address *address);

/* The other end of a connected socket; false: it has none any more. Who comes over IPv4 is IPv4,
 * also where one socket listens for both families. */
bool address_of_peer(int fd, union socket_address *peer);

/* Makes ::ffff:a.b.c.d, which a socket for both families says of IPv4, the IPv4 address that it is;
 * others stay as they are. */
void address_unmap(union socket_address *socket_address);

bool address_socket_equal(const union socket_address *a, const union socket_address *b);

/* Asks the resolver, blocking: numeric addresses of the name, without repeats, at most `max`.
 * Returns how many; 0: *reason says why, in words. */
size_t address_resolve(const struct address *name, struct address *found, size_t max,
                       const char **reason);

/* The first address of this machine that is not loopback, of the family of host (0.0.0.0 or ::).
 * false: there is none. */
bool address_outside(const char *host, char found[ADDRESS_HOST_BYTES]);

#endif
