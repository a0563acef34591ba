#include "daemon/connections.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_CAPACITY_MIN = 256 };

bool connections_init(struct connections *connections, int fds_max)
{
    *connections = (struct connections){.capacity = CONNECTIONS_CAPACITY_MIN, .fds_max = fds_max};
    connections->by_number = calloc(connections->capacity, sizeof(struct connection *));
    connections->by_fd = calloc((size_t)fds_max, sizeof(struct connection *));
    if (connections->by_number != NULL && connections->by_fd != NULL)
        return true;
    connections_clear(connections);
    return false;
}

void connections_clear(struct connections *connections)
{
    for (uint32_t i = 0; connections->by_number != NULL && i < connections->capacity; i++) {
        while (connections->by_number[i] != NULL)
            connections_forget(connections, connections->by_number[i]);
    }
    for (int fd = 0; connections->by_fd != NULL && fd < connections->fds_used; fd++) {
        if (connections->by_fd[fd] != NULL)
            connections_forget(connections, connections->by_fd[fd]);
    }
    connections_bury(connections);
    free(connections->by_number);
    free(connections->by_fd);
    *connections = (struct connections){0};
}

/* Numbers are dealt in order, so any odd factor spreads them; channels start anywhere. */
static uint32_t connections_home(const struct connections *connections, enum channel channel,
                                 uint32_t number)
{
    uint32_t mixed = (number ^ (uint32_t)channel << 30) * UINT32_C(2654435769);
    return (mixed ^ mixed >> 16) & (connections->capacity - 1);
}

/* Where it is, or the empty place where it would be. */
static uint32_t connections_place(const struct connections *connections, enum channel channel,
                                  uint32_t number)
{
    uint32_t at = connections_home(connections, channel, number);
    for (;; at = (at + 1) & (connections->capacity - 1)) {
        const struct connection *there = connections->by_number[at];
        if (there == NULL || (there->number == number && there->channel == channel))
            return at;
    }
}

static bool connections_grow(struct connections *connections)
{
    struct connections grown = *connections;
    grown.capacity *= 2;
    grown.by_number = calloc(grown.capacity, sizeof(struct connection *));
    if (grown.by_number == NULL)
        return false;
    for (uint32_t i = 0; i < connections->capacity; i++) {
        struct connection *connection = connections->by_number[i];
        if (connection != NULL)
            grown.by_number[connections_place(&grown, connection->channel, connection->number)] =
                connection;
    }
    free(connections->by_number);
    *connections = grown;
    return true;
}

/* Takes an entry out and moves back what stood behind it for want of its place. */
static void connections_unname(struct connections *connections, struct connection *connection)
{
    uint32_t mask = connections->capacity - 1;
    uint32_t hole = connections_place(connections, connection->channel, connection->number);
    connections->by_number[hole] = NULL;
    connections->named--;
    for (uint32_t at = (hole + 1) & mask; connections->by_number[at] != NULL;
         at = (at + 1) & mask) {
        struct connection *moved = connections->by_number[at];
        uint32_t home = connections_home(connections, moved->channel, moved->number);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        connections->by_number[hole] = moved;
        connections->by_number[at] = NULL;
        hole = at;
    }
}

static void connections_unsilence(struct connections *connections, struct connection *connection)
{
    bool is_listed = connection->previous_silent != NULL || connection->next_silent != NULL ||
                     connections->first_silent == connection;
    if (!is_listed)
        return;
    if (connection->previous_silent != NULL)
        connection->previous_silent->next_silent = connection->next_silent;
    else
        connections->first_silent = connection->next_silent;
    if (connection->next_silent != NULL)
        connection->next_silent->previous_silent = connection->previous_silent;
    else
        connections->last_silent = connection->previous_silent;
    connection->next_silent = connection->previous_silent = NULL;
}

static void connections_silence(struct connections *connections, struct connection *connection)
{
    connection->previous_silent = connections->last_silent;
    if (connections->last_silent != NULL)
        connections->last_silent->next_silent = connection;
    else
        connections->first_silent = connection;
    connections->last_silent = connection;
}

void connections_attach(struct connections *connections, struct connection *connection, int fd)
{
    if (fd < 0 || fd >= connections->fds_max || connections->by_fd[fd] == connection)
        return;
    connections_detach(connections, connection);
    struct connection *before = connections->by_fd[fd];
    if (before != NULL && before->is_named) {
        connections_detach(connections, before);
        before->check_ns = 1; /* long due: somebody else has its descriptor */
        connections_attend(connections, before);
    } else if (before != NULL) {
        connections_forget(connections, before);
    }
    connections->by_fd[fd] = connection;
    connection->fd = fd;
    connections->open++;
    if (fd >= connections->fds_used)
        connections->fds_used = fd + 1;
}

void connections_detach(struct connections *connections, struct connection *connection)
{
    if (connection->fd < 0)
        return;
    connections->by_fd[connection->fd] = NULL;
    connection->fd = -1;
    connections->open--;
    while (connections->fds_used > 0 && connections->by_fd[connections->fds_used - 1] == NULL)
        connections->fds_used--;
}

struct connection *connections_accept(struct connections *connections, enum channel channel, int fd,
                                      uint64_t now_ns)
{
    struct connection *connection = NULL;
    if (fd < connections->fds_max)
        connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return NULL;
    connection->channel = channel;
    connection->fd = -1;
    connection->accepted_ns = now_ns;
    connections_attach(connections, connection, fd);
    connections_silence(connections, connection);
    return connection;
}

bool connections_name(struct connections *connections, struct connection *connection,
                      uint32_t number)
{
    if (connections->named >= connections->capacity / 2 && !connections_grow(connections))
        return false;
    connection->number = number;
    connection->is_named = true;
    connections->by_number[connections_place(connections, connection->channel, number)] =
        connection;
    connections->named++;
    connections_unsilence(connections, connection);
    return true;
}

void connections_forget(struct connections *connections, struct connection *connection)
{
    sources_closed(connection->source, SOURCES_FORGOTTEN);
    sources_client_closed(connection->origin);
    connections_detach(connections, connection);
    connections_release(connections, connection);
    connections_unsilence(connections, connection);
    if (connection->is_named)
        connections_unname(connections, connection);
    if (connection->has_kept)
        zmq_msg_close(&connection->kept);
    connection->next_busy = connections->forgotten;
    connections->forgotten = connection;
}

void connections_bury(struct connections *connections)
{
    while (connections->forgotten != NULL) {
        struct connection *next = connections->forgotten->next_busy;
        free(connections->forgotten);
        connections->forgotten = next;
    }
}

struct connection *connections_find(const struct connections *connections, enum channel channel,
                                    uint32_t number)
{
    return connections->by_number[connections_place(connections, channel, number)];
}

struct connection *connections_at(const struct connections *connections, int fd)
{
    return fd >= 0 && fd < connections->fds_max ? connections->by_fd[fd] : NULL;
}

void connections_attend(struct connections *connections, struct connection *connection)
{
    if (connection->is_busy)
        return;
    connection->is_busy = true;
    connection->previous_busy = NULL;
    connection->next_busy = connections->busy;
    if (connections->busy != NULL)
        connections->busy->previous_busy = connection;
    connections->busy = connection;
}

void connections_release(struct connections *connections, struct connection *connection)
{
    if (!connection->is_busy)
        return;
    connection->is_busy = false;
    if (connection->previous_busy != NULL)
        connection->previous_busy->next_busy = connection->next_busy;
    else
        connections->busy = connection->next_busy;
    if (connection->next_busy != NULL)
        connection->next_busy->previous_busy = connection->previous_busy;
}
