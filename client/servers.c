/* servers.c - see servers.h. A round tries each address once. In the first there is no waiting, so
 * that a dead server costs a refused connect and nothing else; then the wait doubles with each
 * round, and is drawn from its upper half so that the clients of a lost node do not come back in
 * step. */
#include "client/servers.h"

#include "proto/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(struct servers *servers, char *address, bool is_given)
{
    if (address == NULL)
        return false;
    struct server *list = realloc(servers->list, (servers->count + 1) * sizeof *list);
    if (list == NULL) {
        free(address);
        return false;
    }
    list[servers->count++] = (struct server){.address = address, .is_given = is_given};
    servers->list = list;
    return true;
}

static bool is_port(const char *text, size_t bytes)
{
    unsigned port = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 5)
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return port > 0 && port <= UINT16_MAX;
}

static bool is_host(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool is_word = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'z') ||
                       (text[i] >= 'A' && text[i] <= 'Z');
        if (!is_word && strchr("-._[]:%", text[i]) == NULL)
            return false;
    }
    return true;
}

/* One entry of the list as host:port, on the heap; NULL when it is none. */
static char *address_from(const char *text, size_t bytes)
{
    char defaults[8];
    int host_bytes = (int)bytes;
    const char *port = defaults;
    (void)snprintf(defaults, sizeof defaults, "%d", SERVERS_DEFAULT_PORT);
    int port_bytes = (int)strlen(defaults);
    for (size_t i = bytes; i > 0 && text[i - 1] != ']'; i--) {
        if (text[i - 1] != ':')
            continue;
        host_bytes = (int)i - 1;
        port = text + i;
        port_bytes = (int)(bytes - i);
        break;
    }
    bool is_v6 = host_bytes > 0 && text[0] == '[';
    if (bytes == 0 || bytes > ADDRESS_BYTES_MAX || !is_port(port, (size_t)port_bytes) ||
        !is_host(text, (size_t)host_bytes) ||
        (!is_v6 && memchr(text, ':', (size_t)host_bytes) != NULL))
        return NULL;
    char *address = malloc(ADDRESS_BYTES_MAX + 16);
    if (address == NULL)
        return NULL;
    if (host_bytes == 0)
        (void)snprintf(address, ADDRESS_BYTES_MAX + 16, "127.0.0.1:%.*s", port_bytes, port);
    else
        (void)snprintf(address, ADDRESS_BYTES_MAX + 16, "%.*s:%.*s", host_bytes, text, port_bytes,
                       port);
    return address;
}

bool servers_init(struct servers *servers, const char *text)
{
    *servers = (struct servers){0};
    for (;;) {
        size_t bytes = strcspn(text, ",");
        if (servers->count == SERVERS_MAX || !add(servers, address_from(text, bytes), true)) {
            servers_clear(servers);
            return false;
        }
        if (text[bytes] == '\0')
            break;
        text += bytes + 1;
    }
    return true;
}

void servers_clear(struct servers *servers)
{
    for (uint32_t i = 0; i < servers->count; i++)
        free(servers->list[i].address);
    free(servers->list);
    *servers = (struct servers){0};
}

void servers_learn_begin(struct servers *servers)
{
    uint32_t kept = 0;
    uint32_t current = 0;
    for (uint32_t i = 0; i < servers->count; i++) {
        if (i != servers->current && !servers->list[i].is_given) {
            free(servers->list[i].address);
            continue;
        }
        if (i == servers->current)
            current = kept;
        servers->list[kept++] = servers->list[i];
    }
    servers->count = kept;
    servers->current = current;
}

void servers_learn(struct servers *servers, struct span address)
{
    if (address.bytes == 0 || servers->count >= SERVERS_MAX)
        return;
    char *copy = address_from((const char *)address.data, address.bytes);
    if (copy == NULL)
        return;
    for (uint32_t i = 0; i < servers->count; i++) {
        if (strcmp(servers->list[i].address, copy) == 0) {
            free(copy);
            return;
        }
    }
    (void)add(servers, copy, false);
}

static uint32_t wait_ms_of(const struct servers *servers, uint64_t chance)
{
    if (servers->next > 0)
        return 0;
    if (servers->rounds == 0)
        return servers->is_return ? (uint32_t)(chance % SERVERS_RETURN_MS) : 0;
    uint32_t doublings = servers->rounds < 8 ? servers->rounds - 1 : 7;
    uint32_t most = (uint32_t)SERVERS_BACKOFF_MS << doublings;
    if (most > SERVERS_BACKOFF_MAX_MS)
        most = SERVERS_BACKOFF_MAX_MS;
    return most / 2 + (uint32_t)(chance % (most / 2 + 1));
}

const char *servers_next(struct servers *servers, uint64_t chance, uint32_t *wait_ms)
{
    if (servers->next >= servers->count) {
        servers->next = 0;
        servers->rounds++;
    }
    servers->guesses = 0;
    *wait_ms = wait_ms_of(servers, chance);
    servers->current = servers->next++;
    return servers_current(servers);
}

void servers_set_keys(struct servers *servers, uint32_t keys)
{
    servers->keys = keys;
}

bool servers_key_failed(struct servers *servers)
{
    if (servers->keys < 2)
        return false;
    struct server *server = &servers->list[servers->current];
    server->key = (server->key + 1) % servers->keys;
    if (++servers->guesses == servers->keys) {
        servers->guesses = 0;
        return false;
    }
    return true;
}

uint32_t servers_key(const struct servers *servers)
{
    return servers->list[servers->current].key;
}

const char *servers_current(const struct servers *servers)
{
    return servers->list[servers->current].address;
}

static void swap(struct servers *servers, uint32_t a, uint32_t b)
{
    struct server server = servers->list[a];
    servers->list[a] = servers->list[b];
    servers->list[b] = server;
}

void servers_restart(struct servers *servers, bool is_stopping, uint64_t chance)
{
    servers->rounds = 0;
    servers->next = 0;
    servers->is_return = true;
    swap(servers, servers->current, 0);
    for (uint32_t left = servers->count - 1; left > 1; left--) {
        chance = chance * 6364136223846793005U + 1442695040888963407U;
        swap(servers, left, 1 + (uint32_t)((chance >> 33) % left));
    }
    if (is_stopping)
        swap(servers, 0, servers->count - 1);
    servers->current = 0;
}
