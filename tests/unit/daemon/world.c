#include "tests/unit/daemon/world.h"

#include "daemon/curve.h"
#include "daemon/threads.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <czmq.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world world;

static uint16_t port_of(enum channel channel)
{
    unsigned offset = channel == CHANNEL_CLIENT ? 0 : channel == CHANNEL_GOSSIP ? 1 : 2;
    return (uint16_t)(world.ports.listen.port + offset);
}

/* -- keys -- */

static struct keyfile pairs[8];
static struct keyring *taken[8];

const struct keyfile *world_pair(const char *name)
{
    struct keyfile *pair = pairs;
    while (pair->name[0] != '\0' && strcmp(pair->name, name) != 0)
        pair++;
    if (pair->name[0] == '\0') {
        snprintf(pair->name, sizeof(pair->name), "%s", name);
        cr_assert_eq(zmq_curve_keypair(pair->public_key, pair->secret_key), 0);
    }
    return pair;
}

static int order(const void *a, const void *b)
{
    return strcmp(((const struct keyfile *)a)->public_key, ((const struct keyfile *)b)->public_key);
}

static void add(struct keystore *store, const char *name, const char *roles)
{
    store->list = realloc(store->list, (store->count + 1) * sizeof(store->list[0]));
    cr_assert_not_null(store->list);
    struct keyfile *keyfile = &store->list[store->count++];
    *keyfile = *world_pair(name);
    keyfile->secret_key[0] = '\0';
    snprintf(keyfile->roles, sizeof(keyfile->roles), "%s", roles);
    qsort(store->list, store->count, sizeof(store->list[0]), order);
}

struct keyring *world_keyring(const char *peer, ...)
{
    va_list peers;
    struct keyring *keyring = calloc(1, sizeof(*keyring));
    cr_assert_not_null(keyring);
    keyring->own = *world_pair("a");
    va_start(peers, peer);
    for (; peer != NULL; peer = va_arg(peers, const char *))
        add(&keyring->peers, peer, "");
    va_end(peers);
    add(&keyring->clients, "ana", "trader");
    return keyring;
}

void world_take(struct keyring **keyring)
{
    unsigned at = 0;
    while (taken[at] != NULL)
        at++;
    taken[at] = *keyring;
    *keyring = NULL;
}

void *world_dial_as(enum channel channel, const char *name)
{
    char endpoint[64];
    struct keyring as = {.own = *world_pair(name)};
    void *socket = world_socket(ZMQ_DEALER);
    cr_assert(curve_dial(socket, &as, world_pair("a")->public_key));
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", (unsigned)port_of(channel));
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

/* -- */

static void open_with(struct keyring *keyring)
{
    static struct config config;
    struct config_error error;
    fake_core_reset();
    world = (struct world){0};
    zsys_handler_set(NULL);
    cr_assert_geq(sodium_init(), 0);
    world.context = zmq_ctx_new();
    zmq_ctx_set(world.context, ZMQ_IO_THREADS, THREADS_COUNT);
    config_defaults(&config);
    logger_open(&world.logger, 2);
    world.logger.level = LOGGER_ERROR;
    cr_assert(poller_open(&world.poller));
    cr_assert(guard_init(&world.guard, 1024));
    world.keyring = keyring;
    world.guard.keyring = keyring;
    cr_assert(keyring == NULL || zap_start(&world.zap, world.context, keyring));
    cr_assert(ports_resolve(&world.ports, &config, &error), "%s", error.text);
    cr_assert(ports_open(&world.ports, 0, world.context, world.inboxes, &world.guard, &world.poller,
                         &error),
              "%s", error.text);
    dealers_init(&world.dealers, world.context, &world.poller, &world.logger, "127.0.0.1");
    refused_init(&world.refused, &world.poller, "127.0.0.1");
    resolver_init(&world.resolver, &world.poller);
    hasher_init(&world.hasher, &world.poller);
    world.dealers.keyring = keyring;
    facts_set_time(&world.facts);
}

void world_open(void)
{
    open_with(NULL);
}

void world_open_keys(void)
{
    open_with(world_keyring("a", "b", NULL));
}

void world_close(void)
{
    cr_assert(resolver_clear(&world.resolver));
    hasher_clear(&world.hasher);
    batch_clear(&world.batch);
    dealers_clear(&world.dealers);
    ports_close(world.inboxes, &world.poller);
    guard_clear(&world.guard);
    refused_clear(&world.refused);
    poller_close(&world.poller);
    for (unsigned i = 0; i < sizeof(world.others) / sizeof(world.others[0]); i++) {
        if (world.others[i] != NULL)
            world_hang_up(&world.others[i]);
    }
    cr_assert_eq(zmq_ctx_term(world.context), 0);
    zap_join(&world.zap);
    keyring_destroy(&world.keyring);
    for (unsigned i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        keyring_destroy(&taken[i]);
    memset(pairs, 0, sizeof(pairs));
    logger_close(&world.logger);
}

static void hear(struct poller_event event)
{
    switch (event.source) {
    case POLLER_LINK:
        dealers_woken(&world.dealers, &world.facts, &world.batch, event.number);
        break;
    case POLLER_LINK_MONITOR:
        dealers_monitor_woken(&world.dealers, &world.facts, event.number);
        break;
    case POLLER_RESOLVER:
        resolver_woken(&world.resolver, &world.facts, &world.batch);
        break;
    case POLLER_REFUSED:
        refused_woken(&world.refused, &world.facts, event.number);
        break;
    case POLLER_HASHER:
        hasher_woken(&world.hasher, &world.facts, &world.batch);
        break;
    case POLLER_INBOX:
    case POLLER_MONITOR:
    case POLLER_SIGNALS:
        break;
    }
}

void world_turn(void)
{
    struct poller_event events[POLLER_EVENTS_MAX];
    unsigned count = poller_wait(&world.poller, 5 * CLOCK_MS_NS, events);
    facts_set_time(&world.facts);
    guard_drain(&world.guard, &world.facts);
    inbox_drain(&world.inboxes[CHANNEL_GOSSIP], &world.guard, &world.facts, &world.batch);
    inbox_drain(&world.inboxes[CHANNEL_FORWARD], &world.guard, &world.facts, &world.batch);
    inbox_drain(&world.inboxes[CHANNEL_CLIENT], &world.guard, &world.facts, &world.batch);
    for (unsigned i = 0; i < count; i++)
        hear(events[i]);
    dealers_sweep(&world.dealers, &world.facts, &world.batch);
    guard_look(&world.guard, &world.facts);
    inbox_attend(world.inboxes, &world.guard, &world.facts);
    batch_clear(&world.batch);
    connections_bury(&world.guard.connections);
}

bool world_patience_is_over(uint64_t *until_ns)
{
    if (*until_ns == 0)
        *until_ns = clock_now_ns() + 60 * CLOCK_S_NS;
    return clock_now_ns() > *until_ns;
}

bool world_until_told(enum mesh_fact fact, unsigned times)
{
    uint64_t until_ns = 0;
    while (fake_core_told(fact) < times && !world_patience_is_over(&until_ns))
        world_turn();
    return fake_core_told(fact) >= times;
}

bool world_until_counted(enum counter counter, uint64_t amount)
{
    uint64_t until_ns = 0;
    while (fake_core_counted(counter) < amount && !world_patience_is_over(&until_ns))
        world_turn();
    return fake_core_counted(counter) >= amount;
}

void world_turn_for(unsigned ms)
{
    uint64_t until_ns = clock_now_ns() + ms * CLOCK_MS_NS;
    while (clock_now_ns() < until_ns)
        world_turn();
}

void *world_socket(int type)
{
    int none = 0;
    unsigned at = 0;
    while (world.others[at] != NULL)
        at++;
    void *socket = zmq_socket(world.context, type);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none));
    world.others[at] = socket;
    return socket;
}

void *world_dial(enum channel channel, const char *identity)
{
    char endpoint[64];
    void *socket = world_socket(ZMQ_DEALER);
    if (identity != NULL)
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, identity, strlen(identity));
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", (unsigned)port_of(channel));
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

void world_hang_up(void **socket)
{
    void *closed = *socket;
    for (unsigned i = 0; i < sizeof(world.others) / sizeof(world.others[0]); i++) {
        if (world.others[i] == closed)
            world.others[i] = NULL;
    }
    zmq_close(closed);
    *socket = NULL;
}

int world_connect(enum channel channel)
{
    struct address address = {.host = "127.0.0.1", .port = port_of(channel)};
    union socket_address to;
    socklen_t bytes = address_to_socket(&address, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, &to.any, bytes), 0);
    return fd;
}

void world_send(void *socket, const char *text, int flags)
{
    cr_assert_geq(zmq_send(socket, text, strlen(text), flags), 0);
}

const char *world_receive(void *socket)
{
    static char text[256];
    uint64_t until_ns = 0;
    int bytes = -1;
    while (bytes < 0 && !world_patience_is_over(&until_ns)) {
        world_turn();
        bytes = zmq_recv(socket, text, sizeof(text) - 1, ZMQ_DONTWAIT);
    }
    text[bytes > 0 ? (bytes < 255 ? bytes : 255) : 0] = '\0';
    return text;
}
