/* Who is gone: the monitor's "disconnected" is a hint, for frames queued before it are still
 * delivered. 100 ms later a client is sent a PING, which the ROUTER, being mandatory, refuses when
 * it has no such connection any more: then, and only then, the core is told that it is lost. A
 * peer's connection carries nothing out, so there the empty inbox is the answer. */
#include "daemon/inbox.h"

#include "daemon/bearers.h"
#include "daemon/curve.h"
#include "daemon/monitor.h"
#include "daemon/threads.h"
#include "proto/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    INBOX_ROUTING_ID_BYTES = 5,
    INBOX_CHECKS_MAX = 20,
    INBOX_CLIENT_KEEPALIVE_S = 15,
    INBOX_PEER_KEEPALIVE_S = 600, /* frees what a vanished host left; peers keep links alive */
};

#define INBOX_KEPT_NS (10 * CLOCK_S_NS) /* a pipe full for so long: the connection is lost */

enum inbox_sent { INBOX_SENT, INBOX_FULL, INBOX_GONE };

/* -- opening -- */

static bool inbox_set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static int64_t inbox_frame_bytes_max(enum channel channel)
{
    switch (channel) {
    case CHANNEL_CLIENT:
        return CLIENT_FRAME_BYTES_MAX;
    case CHANNEL_GOSSIP:
        return GOSSIP_FRAME_BYTES_MAX;
    case CHANNEL_FORWARD:
        return FORWARD_FRAME_BYTES_MAX;
    }
    return 0;
}

static bool inbox_set_all(void *socket, enum channel channel, bool is_v6)
{
    bool is_client = channel == CHANNEL_CLIENT;
    uint64_t threads = is_client ? THREADS_CLIENTS : THREADS_PEERS;
    int64_t bytes_max = inbox_frame_bytes_max(channel) + 64; /* encryption adds 33 */
    return inbox_set(socket, ZMQ_ROUTER_MANDATORY, is_client) &&
           inbox_set(socket, ZMQ_ROUTER_HANDOVER, 0) && inbox_set(socket, ZMQ_SNDHWM, 64) &&
           inbox_set(socket, ZMQ_RCVHWM, 64) &&
           inbox_set(socket, ZMQ_LINGER, channel == CHANNEL_GOSSIP ? 0 : 1000) &&
           inbox_set(socket, ZMQ_BACKLOG, is_client ? 4096 : 1024) &&
           inbox_set(socket, ZMQ_HANDSHAKE_IVL, 5000) && inbox_set(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           inbox_set(socket, ZMQ_TCP_KEEPALIVE_IDLE,
                     is_client ? INBOX_CLIENT_KEEPALIVE_S : INBOX_PEER_KEEPALIVE_S) &&
           inbox_set(socket, ZMQ_TCP_KEEPALIVE_INTVL, 5) &&
           inbox_set(socket, ZMQ_TCP_KEEPALIVE_CNT, 3) &&
           inbox_set(socket, ZMQ_TCP_MAXRT, is_client ? 30000 : 15000) &&
           inbox_set(socket, ZMQ_IPV6, is_v6) &&
           zmq_setsockopt(socket, ZMQ_AFFINITY, &threads, sizeof(threads)) == 0 &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) == 0;
}

static bool inbox_bind(void *socket, const struct address *address, uint64_t patience_ns)
{
    char endpoint[ADDRESS_TEXT_BYTES + 8] = "tcp://", *text = endpoint + 6;
    address_format(address, text);
    if (address_is_any(address->host))
        snprintf(text, ADDRESS_TEXT_BYTES, "*:%u", (unsigned)address->port);
    uint64_t until_ns = clock_now_ns() + patience_ns;
    while (zmq_bind(socket, endpoint) != 0) {
        bool is_in_use = errno == EADDRINUSE;
        if (errno != EINTR && (!is_in_use || clock_now_ns() >= until_ns))
            return false;
        usleep(50000);
    }
    return true;
}

static int inbox_fd(void *socket)
{
    int fd = -1;
    size_t bytes = sizeof(fd);
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &bytes) == 0 ? fd : -1;
}

static bool inbox_read_number(zmq_msg_t *id, uint32_t *number)
{
    const uint8_t *bytes = zmq_msg_data(id);
    if (zmq_msg_size(id) != INBOX_ROUTING_ID_BYTES || bytes[0] != 0)
        return false;
    *number = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 |
              (uint32_t)bytes[4];
    return true;
}

/* What the ROUTER calls its first connection: one of our own, before the port is open. */
static bool inbox_learn_first(struct inbox *inbox, void *context)
{
    char endpoint[32];
    zmq_msg_t id;
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    bool is_learnt = false;
    snprintf(endpoint, sizeof(endpoint), "inproc://inbox-%d", (int)inbox->channel);
    zmq_msg_init(&id);
    if (dealer != NULL && inbox_set(dealer, ZMQ_LINGER, 0) &&
        inbox_set(inbox->socket, ZMQ_RCVTIMEO, 1000) && zmq_bind(inbox->socket, endpoint) == 0 &&
        zmq_connect(dealer, endpoint) == 0 && zmq_send(dealer, "", 0, 0) == 0)
        is_learnt =
            zmq_msg_recv(&id, inbox->socket, 0) >= 0 && inbox_read_number(&id, &inbox->first) &&
            zmq_msg_recv(&id, inbox->socket, 0) >= 0 && zmq_unbind(inbox->socket, endpoint) == 0;
    int why = errno;
    zmq_msg_close(&id);
    if (dealer != NULL)
        zmq_close(dealer);
    errno = why;
    return is_learnt;
}

bool inbox_open(struct inbox *inbox, void *context, enum channel channel,
                const struct address *address, uint64_t patience_ns, struct guard *guard,
                struct poller *poller)
{
    *inbox = (struct inbox){.socket = zmq_socket(context, ZMQ_ROUTER), .channel = channel};
    if (inbox->socket == NULL)
        return false;
    if (inbox_set_all(inbox->socket, channel, address_is_v6(address->host)) &&
        (guard->keyring == NULL || curve_serve(inbox->socket, guard->keyring, channel)) &&
        guard_watch(guard, context, inbox->socket, channel, poller) &&
        inbox_learn_first(inbox, context) && inbox_bind(inbox->socket, address, patience_ns) &&
        poller_add(poller, inbox_fd(inbox->socket), POLLER_INBOX, channel))
        return true;
    int why = errno;
    inbox_close(inbox, poller);
    errno = why;
    return false;
}

void inbox_close(struct inbox *inbox, struct poller *poller)
{
    if (inbox->socket == NULL)
        return;
    poller_remove(poller, inbox_fd(inbox->socket));
    monitor_stop(inbox->socket);
    zmq_close(inbox->socket);
    inbox->socket = NULL;
}

/* -- in -- */

static void inbox_write_number(uint32_t number, uint8_t bytes[INBOX_ROUTING_ID_BYTES])
{
    bytes[0] = 0;
    for (unsigned i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Takes the parts that should not be there; all that were sent are at hand. */
static bool inbox_drop_parts(struct inbox *inbox, zmq_msg_t *frame)
{
    bool is_multipart = zmq_msg_more(frame) != 0;
    zmq_msg_t part;
    zmq_msg_init(&part);
    for (bool more = is_multipart; more; more = zmq_msg_more(&part) != 0) {
        if (zmq_msg_recv(&part, inbox->socket, ZMQ_DONTWAIT) < 0)
            break;
    }
    zmq_msg_close(&part);
    return is_multipart;
}

/* A frame of somebody with a routing id of his own has no number: only its descriptor is known. */
static void inbox_refuse_id(struct guard *guard, zmq_msg_t *frame, struct facts *facts)
{
    facts_counted(facts, COUNTER_frames_routing_id, 1);
    struct connection *connection =
        connections_at(&guard->connections, zmq_msg_get(frame, ZMQ_SRCFD));
    if (connection != NULL && !connection->is_shut && !connection->is_named)
        guard_shut(guard, connection, facts);
}

static struct connection *inbox_sender(struct inbox *inbox, struct guard *guard, uint32_t number,
                                       zmq_msg_t *frame, struct facts *facts)
{
    struct connection *connection = connections_find(&guard->connections, inbox->channel, number);
    if (connection != NULL)
        return connection;
    guard_drain(guard, facts);
    if (!guard_is_dealt(number, inbox->first, guard->accepted[inbox->channel])) {
        inbox_refuse_id(guard, frame, facts);
        return NULL;
    }
    connection =
        guard_first_frame(guard, inbox->channel, number, zmq_msg_get(frame, ZMQ_SRCFD), facts);
    bool is_taken = connection != NULL &&
                    bearers_learn(guard, connection, zmq_msg_gets(frame, "User-Id"), facts);
    return is_taken ? connection : NULL;
}

static void inbox_hear(struct inbox *inbox, struct guard *guard, zmq_msg_t *id, zmq_msg_t *frame,
                       struct facts *facts)
{
    uint32_t number = 0;
    bool is_multipart = inbox_drop_parts(inbox, frame);
    if (!inbox_read_number(id, &number)) {
        guard_drain(guard, facts);
        inbox_refuse_id(guard, frame, facts);
        return;
    }
    struct connection *connection = inbox_sender(inbox, guard, number, frame, facts);
    if (connection == NULL || connection->is_shut)
        return;
    connection->frames++;
    if (is_multipart) {
        facts_counted(facts, COUNTER_frames_multipart, 1);
        guard_shut(guard, connection, facts);
        return;
    }
    enum mesh_excess excess = connection->excess;
    if (sources_has_failed_much(&guard->sources, connection->origin, facts->now_ns) &&
        excess == MESH_EXCESS_NONE)
        excess = MESH_EXCESS_FAILURES;
    facts_frame(facts, inbox->channel, number, span_text(connection->address),
                span_of(zmq_msg_data(frame), zmq_msg_size(frame)), excess, connection->owner);
}

void inbox_drain(struct inbox *inbox, struct guard *guard, struct facts *facts, struct batch *batch)
{
    zmq_msg_t id;
    zmq_msg_init(&id);
    inbox->is_ready = true;
    for (unsigned budget = INBOX_BUDGET; budget > 0; budget--) {
        if (batch->count == BATCH_FRAMES)
            break;
        if (zmq_msg_recv(&id, inbox->socket, ZMQ_DONTWAIT) < 0) {
            inbox->is_ready = errno == EINTR;
            break;
        }
        zmq_msg_t *frame = batch_add(batch);
        if (zmq_msg_more(&id) && zmq_msg_recv(frame, inbox->socket, ZMQ_DONTWAIT) >= 0)
            inbox_hear(inbox, guard, &id, frame, facts);
    }
    zmq_msg_close(&id);
}

/* -- out -- */

/* Sends id and frame. The id is refused or taken for both: the frame then always goes through. */
static enum inbox_sent inbox_send(struct inbox *inbox, uint32_t number, zmq_msg_t *frame)
{
    uint8_t id[INBOX_ROUTING_ID_BYTES];
    inbox_write_number(number, id);
    inbox->has_sent = true;
    int sent;
    do {
        sent = zmq_send(inbox->socket, id, sizeof(id), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EHOSTUNREACH ? INBOX_GONE : INBOX_FULL;
    do {
        sent = zmq_msg_send(frame, inbox->socket, ZMQ_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? INBOX_GONE : INBOX_SENT;
}

static void inbox_lost(struct inbox *inbox, struct guard *guard, struct connection *connection,
                       struct facts *facts)
{
    uint32_t number = connection->number;
    connections_forget(&guard->connections, connection);
    facts_connection(facts, MESH_CONNECTION_LOST, inbox->channel, number);
}

static void inbox_keep(struct guard *guard, struct connection *connection, zmq_msg_t *frame,
                       struct facts *facts)
{
    zmq_msg_init(&connection->kept);
    zmq_msg_move(&connection->kept, frame);
    connection->has_kept = true;
    connection->kept_since_ns = facts->now_ns;
    connections_attend(&guard->connections, connection);
    facts_counted(facts, COUNTER_sends_refused, 1);
    facts_connection(facts, MESH_CONNECTION_FULL, connection->channel, connection->number);
}

bool inbox_reply(struct inbox *inbox, struct guard *guard, struct facts *facts,
                 const struct mesh_output *output)
{
    zmq_msg_t frame;
    if (zmq_msg_init_size(&frame, output->bytes) != 0)
        return false;
    mesh_write_output(facts->mesh, zmq_msg_data(&frame));
    struct connection *connection =
        connections_find(&guard->connections, inbox->channel, output->connection);
    if (connection != NULL && !connection->has_kept && !connection->is_shut) {
        enum inbox_sent sent = inbox_send(inbox, output->connection, &frame);
        if (sent == INBOX_FULL)
            inbox_keep(guard, connection, &frame, facts);
        else if (sent == INBOX_GONE)
            inbox_lost(inbox, guard, connection, facts);
    } else {
        facts_counted(facts, COUNTER_sends_refused, 1);
    }
    zmq_msg_close(&frame);
    return true;
}

void inbox_settle(struct inbox *inbox)
{
    int events = 0;
    size_t bytes = sizeof(events);
    if (!inbox->has_sent)
        return;
    inbox->has_sent = false;
    bool is_told = zmq_getsockopt(inbox->socket, ZMQ_EVENTS, &events, &bytes) == 0;
    if (!is_told || (events & ZMQ_POLLIN) != 0)
        inbox->is_ready = true;
}

/* -- attention -- */

static bool inbox_make_ping(zmq_msg_t *frame)
{
    if (zmq_msg_init_size(frame, ENVELOPE_CLIENT_BYTES + MESSAGE_HEADER_BYTES) != 0)
        return false;
    struct envelope envelope = {.version = WIRE_VERSION_MIN, .channel = CHANNEL_CLIENT};
    struct writer writer;
    writer_init(&writer, zmq_msg_data(frame), zmq_msg_size(frame));
    envelope_encode(&envelope, &writer);
    message_encode(NULL, NULL, KIND_PING, 0, 0, 0, &writer);
    return !writer.is_bad;
}

static bool inbox_is_gone(struct inbox *inbox, const struct connection *connection)
{
    if (inbox->channel != CHANNEL_CLIENT)
        return !inbox->is_ready;
    zmq_msg_t ping;
    if (!inbox_make_ping(&ping))
        return false;
    bool is_gone = inbox_send(inbox, connection->number, &ping) == INBOX_GONE;
    zmq_msg_close(&ping);
    return is_gone;
}

/* true: it was, and is forgotten. */
static bool inbox_check(struct inbox *inbox, struct guard *guard, struct connection *connection,
                        struct facts *facts)
{
    if (connection->check_ns == 0 || facts->now_ns < connection->check_ns)
        return false;
    if (inbox_is_gone(inbox, connection)) {
        inbox_lost(inbox, guard, connection, facts);
        return true;
    }
    bool is_enough = ++connection->checks >= INBOX_CHECKS_MAX;
    connection->check_ns = is_enough ? 0 : facts->now_ns + GUARD_CHECK_NS;
    return false;
}

/* true: the connection is gone, and forgotten. */
static bool inbox_retry(struct inbox *inbox, struct guard *guard, struct connection *connection,
                        struct facts *facts)
{
    if (!connection->has_kept)
        return false;
    enum inbox_sent sent = inbox_send(inbox, connection->number, &connection->kept);
    if (sent == INBOX_GONE) {
        inbox_lost(inbox, guard, connection, facts);
        return true;
    }
    if (sent == INBOX_SENT) {
        zmq_msg_close(&connection->kept);
        connection->has_kept = false;
        facts_connection(facts, MESH_CONNECTION_WRITABLE, inbox->channel, connection->number);
    } else if (facts->now_ns - connection->kept_since_ns > INBOX_KEPT_NS && !connection->is_shut) {
        guard_shut(guard, connection, facts);
    }
    return false;
}

void inbox_attend(struct inbox inboxes[GUARD_CHANNELS], struct guard *guard, struct facts *facts)
{
    struct connection *next = NULL;
    for (struct connection *at = guard->connections.busy; at != NULL; at = next) {
        struct inbox *inbox = &inboxes[at->channel];
        next = at->next_busy;
        if (at->cut_ns != 0)
            guard_cut(guard, at, facts);
        if (inbox_check(inbox, guard, at, facts) || inbox_retry(inbox, guard, at, facts))
            continue;
        if (at->cut_ns == 0 && at->check_ns == 0 && !at->has_kept)
            connections_release(&guard->connections, at);
    }
}
