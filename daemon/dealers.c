/* Up and lost are what the DEALER's monitor says: its POLLOUT alone cannot tell a link that is down
 * from one that is full, and the core must not take a full link for a lost one, because only a lost
 * link starts its sequence numbers anew.
 *
 *     [open] -> dialling -- HANDSHAKE_SUCCEEDED --> up -- DISCONNECTED --> dialling
 *                                                   up -- EAGAIN --> full -- POLLOUT --> up
 *
 * IMMEDIATE: a link that is down takes nothing. A forward DEALER is polled only while it refuses;
 * a gossip DEALER always, for the answer to JOIN. A send eats the wake-up of an answer that came
 * before it, so a polled link that was used is looked at by the next sweep; an idle node sweeps
 * nothing.
 *
 * With keys a link is dialled under each key in turn that the node may have, those of its name or,
 * where that is not known, all: who has another one breaks off the handshake. What fitted is
 * kept. When none fitted, or ours is not taken, the link rests. */
#include "daemon/dealers.h"

#include "daemon/curve.h"
#include "daemon/monitor.h"
#include "daemon/threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum {
    DEALERS_BUDGET = 16, /* answers heard of one link at a time */

    /* So that what lies between forgets no quiet link (the hastiest known do after 4 min). Whether
     * the other side lives is membership's to find out, and faster: shorter only costs bytes. */
    DEALERS_KEEPALIVE_S = 120,
};

/* Between two rounds of keys: a node that is restarted with a new key, or whose key was just added
 * there, is reached soon; and the other side, which counts failed handshakes, is not flooded. */
#define DEALERS_REST_NS (2 * CLOCK_S_NS)

struct dealer {
    uint32_t link;
    enum channel channel;
    void *socket; /* NULL: could not be opened yet */
    void *monitor;
    bool is_up;
    bool is_polled;
    bool is_due;     /* for the next sweep */
    bool is_strange; /* its peer answers as something else than gossip: said once */
    bool has_kept;
    zmq_msg_t kept;
    struct address address;
    char name[NAME_BYTES_MAX + 1]; /* of the node; empty: not known */
    const struct keyfile *server; /* the key that is tried, or fitted; NULL: there is none to try */
    const struct keyfile *began;  /* the first one of this round of keys */
    uint64_t rest_until_ns;       /* not dialled before */
};

void dealers_init(struct dealers *dealers, void *context, struct poller *poller,
                  struct logger *logger, const char *host)
{
    *dealers = (struct dealers){.context = context, .poller = poller, .logger = logger};
    if (!address_is_any(host))
        snprintf(dealers->source, sizeof(dealers->source), "%s", host);
}

static uint32_t dealers_number(uint32_t link, enum channel channel)
{
    return link * 2 + (channel == CHANNEL_FORWARD);
}

static struct dealer *dealers_find(const struct dealers *dealers, uint32_t number)
{
    return number < dealers->capacity ? dealers->table[number] : NULL;
}

static int dealers_fd(void *socket)
{
    int fd = -1;
    size_t bytes = sizeof(fd);
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &bytes) == 0 ? fd : -1;
}

/* -- opening -- */

static bool dealers_set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static bool dealers_set_all(void *socket, enum channel channel, bool is_v6)
{
    uint64_t threads = THREADS_PEERS;
    int64_t bytes_max = GOSSIP_FRAME_BYTES_MAX + 64; /* answers only; encryption adds 33 */
    return dealers_set(socket, ZMQ_IMMEDIATE, 1) && dealers_set(socket, ZMQ_SNDHWM, 64) &&
           dealers_set(socket, ZMQ_RCVHWM, 1) &&
           dealers_set(socket, ZMQ_LINGER, channel == CHANNEL_FORWARD ? 1000 : 0) &&
           dealers_set(socket, ZMQ_HANDSHAKE_IVL, 5000) &&
           dealers_set(socket, ZMQ_RECONNECT_IVL, 100) &&
           dealers_set(socket, ZMQ_RECONNECT_IVL_MAX, 1000) &&
           dealers_set(socket, ZMQ_CONNECT_TIMEOUT, 3000) &&
           dealers_set(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           dealers_set(socket, ZMQ_TCP_KEEPALIVE_IDLE, DEALERS_KEEPALIVE_S) &&
           dealers_set(socket, ZMQ_TCP_KEEPALIVE_INTVL, 5) &&
           dealers_set(socket, ZMQ_TCP_KEEPALIVE_CNT, 3) &&
           dealers_set(socket, ZMQ_TCP_MAXRT, 15000) && dealers_set(socket, ZMQ_IPV6, is_v6) &&
           zmq_setsockopt(socket, ZMQ_AFFINITY, &threads, sizeof(threads)) == 0 &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) == 0;
}

static bool dealers_connect(const struct dealers *dealers, const struct dealer *dealer)
{
    char peer[ADDRESS_TEXT_BYTES], endpoint[2 * ADDRESS_TEXT_BYTES + 16];
    bool is_v6 = address_is_v6(dealer->address.host);
    address_format(&dealer->address, peer);
    const char *source = dealers->source;
    if (source[0] == '\0' || address_is_v6(source) != is_v6)
        snprintf(endpoint, sizeof(endpoint), "tcp://%s", peer);
    else
        snprintf(endpoint, sizeof(endpoint), is_v6 ? "tcp://[%s]:0;%s" : "tcp://%s:0;%s", source,
                 peer);
    return zmq_connect(dealer->socket, endpoint) == 0;
}

/* There is something that only a sweep will see. */
static void dealers_fall_due(struct dealers *dealers, struct dealer *dealer)
{
    dealer->is_due = true;
    dealers->has_due = true;
}

static bool dealers_poll(struct dealers *dealers, struct dealer *dealer)
{
    if (!dealer->is_polled)
        dealer->is_polled = poller_add(dealers->poller, dealers_fd(dealer->socket), POLLER_LINK,
                                       dealers_number(dealer->link, dealer->channel));
    return dealer->is_polled;
}

static void dealers_unpoll(struct dealers *dealers, struct dealer *dealer)
{
    if (dealer->is_polled)
        poller_remove(dealers->poller, dealers_fd(dealer->socket));
    dealer->is_polled = false;
}

static void dealers_hang_up(struct dealers *dealers, struct dealer *dealer)
{
    if (dealer->has_kept)
        zmq_msg_close(&dealer->kept);
    dealer->has_kept = false;
    dealer->is_up = false;
    if (dealer->monitor != NULL)
        poller_remove(dealers->poller, monitor_fd(dealer->monitor));
    if (dealer->socket != NULL) {
        dealers_unpoll(dealers, dealer);
        monitor_stop(dealer->socket);
        zmq_close(dealer->socket);
    }
    dealer->socket = NULL;
    monitor_close(&dealer->monitor);
}

static bool dealers_dial(struct dealers *dealers, struct dealer *dealer)
{
    int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (dealers->keyring == NULL) /* as in guard_watch */
        events |= ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    uint32_t number = dealers_number(dealer->link, dealer->channel);
    dealer->socket = zmq_socket(dealers->context, ZMQ_DEALER);
    if (dealer->socket == NULL) {
        dealers_fall_due(dealers, dealer);
        return false;
    }
    dealer->monitor = monitor_open(dealers->context, dealer->socket, events);
    if (dealer->monitor != NULL &&
        dealers_set_all(dealer->socket, dealer->channel, address_is_v6(dealer->address.host)) &&
        (dealer->server == NULL ||
         curve_dial(dealer->socket, dealers->keyring, dealer->server->public_key)) &&
        poller_add(dealers->poller, monitor_fd(dealer->monitor), POLLER_LINK_MONITOR, number) &&
        (dealer->channel == CHANNEL_FORWARD || dealers_poll(dealers, dealer)) &&
        dealers_connect(dealers, dealer))
        return true;
    int why = errno;
    dealers_hang_up(dealers, dealer);
    dealers_fall_due(dealers, dealer);
    errno = why;
    return false;
}

static void dealers_say(struct dealers *dealers, const struct dealer *dealer, const char *event,
                        const char *why)
{
    struct logger_line line;
    char peer[ADDRESS_TEXT_BYTES];
    address_format(&dealer->address, peer);
    logger_begin(dealers->logger, &line, LOGGER_WARN, event, clock_wall_ms());
    logger_text(&line, "address", peer);
    logger_text(&line, "why", why);
    logger_end(&line);
}

/* Room in the table for that number. */
static bool dealers_grow(struct dealers *dealers, uint32_t number)
{
    if (number < dealers->capacity)
        return true;
    uint32_t capacity = dealers->capacity > 0 ? dealers->capacity : 32;
    while (capacity <= number)
        capacity *= 2;
    struct dealer **table = realloc(dealers->table, capacity * sizeof(*table));
    if (table == NULL)
        return false;
    memset(table + dealers->capacity, 0, (capacity - dealers->capacity) * sizeof(*table));
    dealers->table = table;
    dealers->capacity = capacity;
    return true;
}

/* -- keys -- */

/* The key to be tried after that one (NULL: the first); NULL: no more. */
static const struct keyfile *dealers_key_after(const struct dealers *dealers,
                                               const struct dealer *dealer,
                                               const struct keyfile *after)
{
    const struct keystore *peers = &dealers->keyring->peers;
    if (dealer->name[0] != '\0')
        return keystore_next_of(peers, span_text(dealer->name), after);
    const struct keyfile *next = after == NULL ? peers->list : after + 1;
    return next < peers->list + peers->count ? next : NULL;
}

static struct dealers_memory *dealers_recall(struct dealers *dealers, const struct dealer *dealer)
{
    char text[ADDRESS_TEXT_BYTES];
    address_format(&dealer->address, text);
    uint64_t hash = mesh_name_hash(span_text(text));
    struct dealers_memory *memory = &dealers->memories[hash % DEALERS_MEMORIES];
    if (memory->address != hash)
        *memory = (struct dealers_memory){.address = hash};
    return memory;
}

/* Once a minute an address: the core calls those that do not answer again and again. */
static void dealers_complain(struct dealers *dealers, const struct dealer *dealer, const char *why)
{
    struct dealers_memory *memory = dealers_recall(dealers, dealer);
    uint64_t now_ns = clock_now_ns();
    if (now_ns < memory->quiet_until_ns)
        return;
    memory->quiet_until_ns = now_ns + 60 * CLOCK_S_NS;
    dealers_say(dealers, dealer, "link-failed", why);
}

/* The key to begin with: the one tried last at that address, or the first. */
static const struct keyfile *dealers_key_first(struct dealers *dealers, const struct dealer *dealer)
{
    const struct keyfile *last =
        keystore_find(&dealers->keyring->peers, dealers_recall(dealers, dealer)->key);
    bool is_fit =
        last != NULL && (dealer->name[0] == '\0' || strcmp(last->name, dealer->name) == 0);
    return is_fit ? last : dealers_key_after(dealers, dealer, NULL);
}

static void dealers_use(struct dealers *dealers, struct dealer *dealer,
                        const struct keyfile *server)
{
    dealer->server = server;
    if (server != NULL)
        memcpy(dealers_recall(dealers, dealer)->key, server->public_key, KEYFILE_KEY_BYTES);
}

/* Dials, if there is a key to dial under. Without one, only a review can give one. */
static bool dealers_begin(struct dealers *dealers, struct dealer *dealer)
{
    if (dealers->keyring != NULL && dealer->server == NULL)
        dealers_use(dealers, dealer, dealers_key_first(dealers, dealer));
    dealer->began = dealer->server;
    if (dealers->keyring == NULL || dealer->server != NULL)
        return dealers_dial(dealers, dealer);
    dealers_complain(dealers, dealer, "curve.peers has no key of that node");
    return true;
}

/* A handshake came to nothing: the next key is tried, or the link rests. */
static void dealers_unfit(struct dealers *dealers, struct dealer *dealer, bool is_refused,
                          uint64_t now_ns)
{
    const struct keyfile *next = dealers_key_after(dealers, dealer, dealer->server);
    dealers_hang_up(dealers, dealer);
    if (!is_refused)
        dealers_use(dealers, dealer,
                    next != NULL ? next : dealers_key_after(dealers, dealer, NULL));
    if (!is_refused && dealer->server != dealer->began) {
        dealers_dial(dealers, dealer);
        return;
    }
    dealers_complain(dealers, dealer,
                     is_refused ? "it does not take our key: is it in its curve.peers?"
                                : "it has no key of curve.peers that it should have there");
    dealer->rest_until_ns = now_ns + DEALERS_REST_NS;
    dealers_fall_due(dealers, dealer);
}

static bool dealers_has(const struct keyring *keyring, const struct dealer *dealer,
                        const struct keyfile **server)
{
    *server = keystore_find(&keyring->peers, dealer->server->public_key);
    return *server != NULL && strcmp((*server)->name, dealer->server->name) == 0;
}

static void dealers_lost(struct dealers *dealers, struct dealer *dealer, struct facts *facts);

void dealers_review(struct dealers *dealers, const struct keyring *keyring, struct facts *facts)
{
    dealers->keyring = keyring;
    for (uint32_t i = 0; i < dealers->capacity; i++) {
        struct dealer *dealer = dealers->table[i];
        const struct keyfile *server = NULL;
        if (dealer == NULL || dealer->address.port == 0)
            continue;
        bool is_kept = dealer->server != NULL && dealers_has(keyring, dealer, &server);
        if (is_kept && dealer->is_up) {
            dealer->server = server;
            continue;
        }
        if (dealer->is_up)
            facts_counted(facts, COUNTER_keys_revoked, 1);
        dealers_lost(dealers, dealer, facts);
        dealers_hang_up(dealers, dealer);
        dealer->server = is_kept ? server : NULL;
        dealer->rest_until_ns = 0;
        dealers_recall(dealers, dealer)->quiet_until_ns = 0;
        dealers_begin(dealers, dealer);
    }
}

bool dealers_open(struct dealers *dealers, uint32_t link, enum channel channel, struct span address,
                  struct span name)
{
    char text[ADDRESS_TEXT_BYTES];
    uint32_t number = dealers_number(link, channel);
    dealers_close(dealers, link, channel);
    if (link >= DEALERS_LINKS_MAX || !dealers_grow(dealers, number))
        return link >= DEALERS_LINKS_MAX;
    struct dealer *dealer = calloc(1, sizeof(*dealer));
    if (dealer == NULL)
        return false;
    *dealer = (struct dealer){.link = link, .channel = channel};
    snprintf(dealer->name, sizeof(dealer->name), "%.*s", (int)name.bytes,
             name.bytes == 0 ? "" : (const char *)name.data);
    dealers->table[number] = dealer;
    snprintf(text, sizeof(text), "%.*s", (int)address.bytes, (const char *)address.data);
    bool is_address = address_parse(text, 0, &dealer->address) && dealer->address.port != 0 &&
                      address_is_numeric(dealer->address.host);
    if (!is_address) /* of a peer: never up, as if nobody listened there */
        dealers_say(dealers, dealer, "link-failed", "not a numeric address and a port");
    else if (!dealers_begin(dealers, dealer))
        dealers_say(dealers, dealer, "link-failed", zmq_strerror(errno));
    return true;
}

void dealers_close(struct dealers *dealers, uint32_t link, enum channel channel)
{
    struct dealer *dealer = dealers_find(dealers, dealers_number(link, channel));
    if (dealer == NULL)
        return;
    if (dealer->socket != NULL)
        dealers_set(dealer->socket, ZMQ_LINGER, 0);
    dealers_hang_up(dealers, dealer);
    dealers->table[dealers_number(link, channel)] = NULL;
    free(dealer);
}

void dealers_clear(struct dealers *dealers)
{
    for (uint32_t i = 0; i < dealers->capacity; i++) {
        if (dealers->table[i] == NULL)
            continue;
        dealers_hang_up(dealers, dealers->table[i]);
        free(dealers->table[i]);
    }
    free(dealers->table);
    *dealers = (struct dealers){0};
}

/* -- sending -- */

static int dealers_events(void *socket)
{
    int events = 0;
    size_t bytes = sizeof(events);
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &bytes) == 0 ? events : 0;
}

/* A send looks at what happened only now and then; a refused one looks, and tries once more. */
static bool dealers_try(struct dealer *dealer, zmq_msg_t *frame)
{
    int sent = zmq_msg_send(frame, dealer->socket, ZMQ_DONTWAIT);
    if (sent < 0 && (errno == EINTR || (dealers_events(dealer->socket) & ZMQ_POLLOUT) != 0))
        sent = zmq_msg_send(frame, dealer->socket, ZMQ_DONTWAIT);
    return sent >= 0;
}

static void dealers_keep(struct dealers *dealers, struct dealer *dealer, zmq_msg_t *frame,
                         struct facts *facts)
{
    zmq_msg_init(&dealer->kept);
    zmq_msg_move(&dealer->kept, frame);
    dealer->has_kept = true;
    dealers_poll(dealers, dealer);
    facts_counted(facts, COUNTER_sends_refused, 1);
    facts_link(facts, MESH_LINK_FULL, dealer->channel, dealer->link);
}

bool dealers_send(struct dealers *dealers, struct facts *facts, const struct mesh_output *output)
{
    zmq_msg_t frame;
    if (zmq_msg_init_size(&frame, output->bytes) != 0)
        return false;
    mesh_write_output(facts->mesh, zmq_msg_data(&frame));
    struct dealer *dealer = dealers_find(dealers, dealers_number(output->link, output->channel));
    if (dealer == NULL || !dealer->is_up || dealer->has_kept)
        facts_counted(facts, COUNTER_sends_refused, 1);
    else if (!dealers_try(dealer, &frame))
        dealers_keep(dealers, dealer, &frame, facts);
    if (dealer != NULL && dealer->is_polled)
        dealers_fall_due(dealers, dealer);
    zmq_msg_close(&frame);
    return true;
}

static void dealers_retry(struct dealers *dealers, struct dealer *dealer, struct facts *facts)
{
    if (!dealer->has_kept)
        return;
    if (!dealers_try(dealer, &dealer->kept)) {
        dealers_fall_due(dealers, dealer);
        return;
    }
    zmq_msg_close(&dealer->kept);
    dealer->has_kept = false;
    if (dealer->channel == CHANNEL_FORWARD)
        dealers_unpoll(dealers, dealer);
    facts_link(facts, MESH_LINK_WRITABLE, dealer->channel, dealer->link);
}

/* -- hearing -- */

/* A seed that answers in the manner of another channel was given with the wrong port. */
static bool dealers_is_gossip(struct dealers *dealers, struct dealer *dealer, struct span frame)
{
    struct reader reader;
    struct envelope envelope;
    reader_init(&reader, frame);
    bool is_client = envelope_decode(&reader, CHANNEL_CLIENT, &envelope) == ERROR_OK;
    if (is_client && !dealer->is_strange)
        dealers_say(dealers, dealer, "refused",
                    "this is a client port; gossip is usually the next one, as in HOST:7311");
    dealer->is_strange = is_client;
    return !is_client;
}

static void dealers_hear(struct dealers *dealers, struct dealer *dealer, struct facts *facts,
                         struct batch *batch)
{
    bool is_part = false;
    for (int budget = DEALERS_BUDGET; budget > 0; budget--) {
        zmq_msg_t *frame = batch_add(batch);
        if (frame == NULL || zmq_msg_recv(frame, dealer->socket, ZMQ_DONTWAIT) < 0)
            return;
        struct span bytes = span_of(zmq_msg_data(frame), zmq_msg_size(frame));
        if (is_part || zmq_msg_more(frame))
            facts_counted(facts, COUNTER_frames_multipart, 1);
        else if (dealers_is_gossip(dealers, dealer, bytes))
            facts_answer(facts, dealer->link, bytes, dealer->server);
        is_part = zmq_msg_more(frame) != 0;
    }
    dealers_fall_due(dealers, dealer); /* perhaps there is more */
}

static void dealers_look(struct dealers *dealers, struct dealer *dealer, struct facts *facts,
                         struct batch *batch)
{
    if (dealer->socket == NULL)
        return;
    int events = dealers_events(dealer->socket);
    if (dealer->channel == CHANNEL_GOSSIP && (events & ZMQ_POLLIN) != 0)
        dealers_hear(dealers, dealer, facts, batch);
    if ((events & ZMQ_POLLOUT) != 0)
        dealers_retry(dealers, dealer, facts);
}

void dealers_woken(struct dealers *dealers, struct facts *facts, struct batch *batch,
                   uint32_t number)
{
    struct dealer *dealer = dealers_find(dealers, number);
    if (dealer != NULL)
        dealers_look(dealers, dealer, facts, batch);
}

static void dealers_lost(struct dealers *dealers, struct dealer *dealer, struct facts *facts)
{
    if (!dealer->is_up)
        return;
    dealer->is_up = false;
    if (dealer->has_kept)
        zmq_msg_close(&dealer->kept);
    dealer->has_kept = false;
    if (dealer->channel == CHANNEL_FORWARD)
        dealers_unpoll(dealers, dealer);
    facts_link(facts, MESH_LINK_LOST, dealer->channel, dealer->link);
}

void dealers_monitor_woken(struct dealers *dealers, struct facts *facts, uint32_t number)
{
    struct dealer *dealer = dealers_find(dealers, number);
    struct monitor_event event;
    while (dealer != NULL && dealer->monitor != NULL && monitor_next(dealer->monitor, &event)) {
        bool is_shaking = !dealer->is_up && event.event != ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        if (event.event == ZMQ_EVENT_DISCONNECTED)
            dealers_lost(dealers, dealer, facts);
        if (event.event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
            dealers_complain(dealers, dealer,
                             "no handshake: it wants keys (curve.key_file), or is no weft node");
        if (is_shaking && dealers->keyring != NULL) {
            dealers_unfit(dealers, dealer, event.event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
                          facts->now_ns);
            return;
        }
        if (event.event != ZMQ_EVENT_HANDSHAKE_SUCCEEDED || dealer->is_up)
            continue;
        dealer->is_up = true;
        facts_link(facts, MESH_LINK_UP, dealer->channel, dealer->link);
    }
}

uint64_t dealers_sweep_ns(const struct dealers *dealers)
{
    return dealers->has_due ? dealers->sweep_ns : UINT64_MAX;
}

void dealers_sweep(struct dealers *dealers, struct facts *facts, struct batch *batch)
{
    if (facts->now_ns < dealers_sweep_ns(dealers))
        return;
    dealers->sweep_ns = facts->now_ns + DEALERS_SWEEP_NS;
    dealers->has_due = false;
    for (uint32_t i = 0; i < dealers->capacity; i++) {
        struct dealer *dealer = dealers->table[i];
        if (dealer == NULL || !dealer->is_due)
            continue;
        dealer->is_due = false;
        if (facts->now_ns < dealer->rest_until_ns)
            dealers_fall_due(dealers, dealer);
        else if (dealer->socket == NULL && dealer->address.port != 0)
            dealers_begin(dealers, dealer);
        else
            dealers_look(dealers, dealer, facts, batch);
    }
}
