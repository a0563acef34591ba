/* weftd: reads how it is to run, opens its ports, makes the core, and runs the loop. */
#include "daemon/curve.h"
#include "daemon/loop.h"
#include "daemon/ports.h"
#include "daemon/signals.h"
#include "daemon/threads.h"

#include <czmq.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum exit_code { EXIT_STOPPED = 0, EXIT_INTERNAL = 1, EXIT_USAGE = 2, EXIT_CANNOT_LISTEN = 3 };

/* More than a million descriptors would only make tables larger. */
enum { FDS_MAX = 1 << 20, FDS_FEW = 1024, ZMQ_OLDEST = ZMQ_MAKE_VERSION(4, 3, 3) };

static int fail(enum exit_code code, const char *text)
{
    fprintf(stderr, "weftd: %s\n", text);
    return (int)code;
}

/* As many descriptors as the system allows us. */
static int raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return FDS_FEW;
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = soft;
    return limit.rlim_cur > FDS_MAX ? FDS_MAX : (int)limit.rlim_cur;
}

/* libzmq deals connection numbers from a counter that starts at rand(), which nobody seeds: then
 * anybody could know the next one, take it for himself, and end the process (see guard.c). */
static void make_numbers_unpredictable(void)
{
    static char state[256];
    initstate(randombytes_random(), state, sizeof(state));
}

/* A DEALER and the two ends of its monitor, twice a peer; inboxes and the resolver. */
static void *new_context(uint32_t members_max)
{
    void *context = zmq_ctx_new();
    if (context == NULL)
        return NULL;
    int limit = zmq_ctx_get(context, ZMQ_SOCKET_LIMIT);
    uint32_t wanted = 6 * (members_max + MESH_SEEDS_MAX) + 64;
    zmq_ctx_set(context, ZMQ_BLOCKY, 0);
    zmq_ctx_set(context, ZMQ_IO_THREADS, THREADS_COUNT);
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, wanted > (uint32_t)limit ? limit : (int)wanted);
    return context;
}

/* The same number gives the same run, but two nodes never the same instance: the name is in it. */
static void set_seed(struct config *config)
{
    if (config->random_seed == 0) {
        randombytes_buf(config->mesh.random_seed, sizeof(config->mesh.random_seed));
        return;
    }
    unsigned char key[crypto_generichash_KEYBYTES] = {0};
    memcpy(key, &config->random_seed, sizeof(config->random_seed));
    crypto_generichash(config->mesh.random_seed, sizeof(config->mesh.random_seed),
                       (const unsigned char *)config->name, strlen(config->name), key, sizeof(key));
}

static void set_identity(struct config *config, const struct ports *ports)
{
    char host[65] = "";
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof(host), "node");
    if (config->name[0] == '\0')
        snprintf(config->name, sizeof(config->name), "%s-%u", host, (unsigned)ports->listen.port);
    config->mesh.version = WEFT_VERSION;
    config->mesh.client_address = ports->advertised[CHANNEL_CLIENT];
    config->mesh.gossip_address = ports->advertised[CHANNEL_GOSSIP];
    config->mesh.forward_address = ports->advertised[CHANNEL_FORWARD];
    set_seed(config);
}

static void say_start(struct loop *loop, const struct ports *ports)
{
    const struct config *config = loop->config;
    struct logger_line line;
    char wire[16];
    uint64_t now_ms = clock_wall_ms();
    snprintf(wire, sizeof(wire), "%d..%d", WIRE_VERSION_MIN, WIRE_VERSION_MAX);
    logger_begin(&loop->logger, &line, LOGGER_INFO, "start", now_ms);
    logger_text(&line, "version", WEFT_VERSION);
    logger_text(&line, "wire", wire);
    logger_text(&line, "name", config->name);
    logger_hex(&line, "instance", mesh_instance(loop->facts.mesh));
    logger_text(&line, "cluster", config->cluster);
    logger_end(&line);
    logger_begin(&loop->logger, &line, LOGGER_INFO, "listening", now_ms);
    logger_text(&line, "clients", ports->advertised[CHANNEL_CLIENT]);
    logger_text(&line, "gossip", ports->advertised[CHANNEL_GOSSIP]);
    logger_text(&line, "forward", ports->advertised[CHANNEL_FORWARD]);
    logger_end(&line);
}

static void say_warnings(struct loop *loop)
{
    struct logger_line line;
    if (loop->keyring != NULL) {
        loop_say_keys(loop);
    } else if (!address_is_loopback(loop->config->host)) {
        logger_begin(&loop->logger, &line, LOGGER_WARN, "insecure", clock_wall_ms());
        logger_text(&line, "host", loop->config->host);
        logger_text(&line, "why",
                    "nothing is encrypted and whoever reaches the gossip and forward "
                    "ports is a peer: keep them on a private network");
        logger_end(&line);
    }
    if (config_is_open(loop->config))
        loop_say_open(loop);
    if (loop->guard.fds_max >= FDS_FEW)
        return;
    logger_begin(&loop->logger, &line, LOGGER_WARN, "few-descriptors", clock_wall_ms());
    logger_number(&line, "limit", (uint64_t)loop->guard.fds_max);
    logger_text(&line, "why", "each client takes one, each peer ten; raise it with ulimit -n");
    logger_end(&line);
}

/* Everything is open: from here on the log speaks. */
static int run_loop(struct loop *loop, struct ports *ports)
{
    set_identity(loop->config, ports);
    loop->facts.mesh = mesh_new(&loop->config->mesh);
    if (loop->facts.mesh == NULL)
        return fail(EXIT_INTERNAL, "no memory for the tables; lower sessions.max or "
                                   "gossip.members_max");
    say_start(loop, ports);
    say_warnings(loop);
    return loop_run(loop);
}

/* The handler stands before the first port is opened. */
static bool begin_keys(struct loop *loop, void *context)
{
    if (loop->keyring == NULL)
        return true;
    loop->guard.keyring = loop->keyring;
    loop->dealers.keyring = loop->keyring;
    return zap_start(&loop->zap, context, loop->keyring);
}

/* No port serves that was not seen to refuse a stranger. */
static bool are_ports_shut(struct loop *loop, const struct ports *ports, void *context)
{
    bool is_shut = true;
    for (uint16_t i = 0; i < 3 && loop->keyring != NULL && is_shut; i++) {
        struct address address = ports->listen;
        address.port = (uint16_t)(ports->listen.port + i);
        is_shut = curve_is_shut(context, &address, loop->keyring, &loop->zap);
    }
    return is_shut;
}

/* Sockets, then the loop. Whatever is open when it returns is closed by close_all. */
static int open_all(struct loop *loop, struct ports *ports, void *context)
{
    struct config_error error;
    if (!ports_resolve(ports, loop->config, &error))
        return fail(EXIT_USAGE, error.text);
    if (!poller_open(&loop->poller) || !guard_init(&loop->guard, raise_descriptors()) ||
        !poller_add(&loop->poller, loop->signals_fd, POLLER_SIGNALS, 0))
        return fail(EXIT_INTERNAL, "no memory or descriptors to begin with");
    loop->guard.sources.clients_max = loop->config->sessions_per_address;
    loop->guard.sources.connects_per_s = loop->config->connects_per_address;
    loop->guard.sources.failures_per_min = loop->config->failures_per_address;
    dealers_init(&loop->dealers, context, &loop->poller, &loop->logger, ports->listen.host);
    refused_init(&loop->refused, &loop->poller, ports->listen.host);
    resolver_init(&loop->resolver, &loop->poller);
    hasher_init(&loop->hasher, &loop->poller);
    if (!begin_keys(loop, context))
        return fail(EXIT_INTERNAL, "no thread or socket to judge keys with");
    if (!ports_open(ports, loop->config->port, context, loop->inboxes, &loop->guard, &loop->poller,
                    &error))
        return fail(EXIT_CANNOT_LISTEN, error.text);
    if (!are_ports_shut(loop, ports, context))
        return fail(EXIT_INTERNAL, "a stranger's key was not refused by our own ports: this libzmq "
                                   "can't be trusted with keys");
    return run_loop(loop, ports);
}

static bool close_all(struct loop *loop)
{
    bool has_ended = resolver_clear(&loop->resolver);
    hasher_clear(&loop->hasher);
    users_clear(&loop->users);
    batch_clear(&loop->batch);
    dealers_clear(&loop->dealers);
    ports_close(loop->inboxes, &loop->poller);
    guard_clear(&loop->guard);
    refused_clear(&loop->refused);
    mesh_destroy(&loop->facts.mesh);
    poller_close(&loop->poller);
    return has_ended;
}

/* Keyring and users are the loop's from here on. */
static int run(const struct options *options, struct config *config, struct keyring *keyring,
               const struct users *users)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        keyring_destroy(&keyring);
        return fail(EXIT_INTERNAL, "no memory");
    }
    loop->options = options;
    loop->config = config;
    loop->keyring = keyring;
    loop->users = *users;
    loop->poller.fd = -1;
    loop->signals_fd = signals_open(); /* before libzmq's threads, which inherit what is blocked */
    zsys_handler_set(NULL);            /* czmq would take INT and TERM for itself */
    bool has_sodium = sodium_init() >= 0;
    if (has_sodium)
        make_numbers_unpredictable();
    void *context = has_sodium ? new_context(config->mesh.gossip.members_max) : NULL;
    if (loop->signals_fd < 0 || context == NULL) {
        keyring_destroy(&keyring);
        free(loop);
        return fail(EXIT_INTERNAL, "the system gives no signals, sockets or random numbers");
    }
    logger_open(&loop->logger, STDERR_FILENO);
    loop->logger.level = config->log_level;
    loop->logger.is_json = config->log_json;
    struct ports ports; /* the core reads its addresses as long as it lives */
    int code = open_all(loop, &ports, context);
    bool is_started = loop->facts.mesh != NULL;
    bool has_ended = close_all(loop);
    while (zmq_ctx_term(context) != 0 && errno == EINTR)
        continue;
    zap_join(&loop->zap);
    keyring_destroy(&loop->keyring);
    if (is_started) {
        struct logger_line line;
        logger_begin(&loop->logger, &line, LOGGER_INFO, "stopped", clock_wall_ms());
        logger_end(&line);
    }
    logger_close(&loop->logger);
    signals_close(loop->signals_fd);
    free(loop);
    if (!has_ended)
        _exit(code); /* a look-up hangs in its thread: nothing waits for it */
    return code;
}

static int print(const struct config *config)
{
    char *text = config_print(config);
    if (text == NULL || puts(text) < 0 || fflush(stdout) != 0)
        return fail(EXIT_INTERNAL, "cannot print the configuration");
    free(text);
    return EXIT_STOPPED;
}

/* The keyring, where keys are asked for; and the node's name, which is its key's. */
static bool read_keys(struct config *config, struct keyring **keyring, struct config_error *error)
{
    if (!keyring_is_wanted(config))
        return true;
    *keyring = keyring_read(config, error);
    if (*keyring != NULL && keyring_name(*keyring, config, error))
        return true;
    keyring_destroy(keyring);
    return false;
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct config config;
    static struct users users;
    struct config_error error;
    int major = 0, minor = 0, patch = 0;
    options_read(&options, argc, argv);
    struct keyring *keyring = NULL;
    if (!options_load(&options, &config, &error) || !read_keys(&config, &keyring, &error))
        return fail(EXIT_USAGE, error.text);
    if (options.action != OPTIONS_RUN)
        keyring_destroy(&keyring);
    if (options.action == OPTIONS_PRINT)
        return print(&config);
    if (!users_read(&users, config.users_file, &error)) {
        keyring_destroy(&keyring);
        return fail(EXIT_USAGE, error.text);
    }
    if (options.action == OPTIONS_CHECK)
        return puts("the configuration is good") < 0 ? EXIT_INTERNAL : EXIT_STOPPED;
    zmq_version(&major, &minor, &patch);
    if (ZMQ_MAKE_VERSION(major, minor, patch) >= ZMQ_OLDEST)
        return run(&options, &config, keyring, &users);
    keyring_destroy(&keyring);
    return fail(EXIT_INTERNAL, "libzmq is older than 4.3.3 and can be attacked before anybody is "
                               "known; install a newer one");
}
