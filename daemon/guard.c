/* What libzmq cannot do for us:
 *
 * - Endless multipart messages: its size limit counts one frame, its high-water mark whole
 *   messages; a message that never ends is held in memory and shown to nobody. So TCP is asked
 *   how much came in since the last frame that was delivered: each descriptor once a second (200 a
 *   look at most), and all of them whenever the process has grown by 16 MiB.
 * - Accepting without a free descriptor spins a core: the last tenth is given to nobody.
 * - A connection that never says anything holds a descriptor and 28 KiB for ever.
 * - A client may choose its own routing id, also one of those that the ROUTER is about to deal:
 *   then libzmq 4.3.4 asserts and the process is gone. So main makes the first one unpredictable;
 *   whoever speaks under a number that was not dealt is cut; and one address can hold only few
 *   connections that do not speak, and only for 5 s. What remains is a guess among 2^32.
 *
 * shutdown() on the descriptor makes libzmq drop the connection and free its half messages; before
 * that the peer's address is compared with the one it was accepted from, because the descriptor
 * may be another's by now. A wrong cut would cost one reconnect. */
#include "daemon/guard.h"

#include "daemon/monitor.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    GUARD_LOOKS_MAX = 20, /* in turn; all at once when memory has grown */
    GUARD_LOOKS_PER_S = 10,
    GUARD_SAFE_FRAMES = 4,
    GUARD_GROWTH_BYTES = 16 * 1024 * 1024,
};

#define GUARD_TCP_STEP_NS (10 * CLOCK_MS_NS) /* more than TCP's own clock is coarse */

bool guard_admits(int fd, int fds_max)
{
    return fd < fds_max - fds_max / 10;
}

bool guard_is_silent(enum channel channel, uint64_t silent_ns, bool is_crowded)
{
    return silent_ns >= GUARD_SILENT_NS && (channel == CHANNEL_CLIENT || is_crowded);
}

bool guard_is_dealt(uint32_t number, uint32_t first, uint32_t accepted)
{
    uint32_t dealt_after = number - first;
    return dealt_after >= 1 && dealt_after <= accepted;
}

bool guard_is_cut_due(uint64_t waited_ns, bool has_sent, bool is_crowded)
{
    return waited_ns >= GUARD_CUT_LAST_NS || (is_crowded && has_sent && waited_ns >= GUARD_CUT_NS);
}

bool guard_is_endless(enum channel channel, uint64_t bytes)
{
    switch (channel) {
    case CHANNEL_CLIENT:
        return bytes > (uint64_t)GUARD_SAFE_FRAMES * CLIENT_FRAME_BYTES_MAX;
    case CHANNEL_GOSSIP:
        return bytes > (uint64_t)GUARD_SAFE_FRAMES * GOSSIP_FRAME_BYTES_MAX;
    case CHANNEL_FORWARD:
        return bytes > (uint64_t)GUARD_SAFE_FRAMES * FORWARD_FRAME_BYTES_MAX;
    }
    return false;
}

bool guard_init(struct guard *guard, int fds_max)
{
    *guard = (struct guard){
        .fds_max = fds_max,
        .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
    };
    return connections_init(&guard->connections, fds_max);
}

void guard_clear(struct guard *guard)
{
    connections_clear(&guard->connections);
    for (int i = 0; i < GUARD_CHANNELS; i++)
        monitor_close(&guard->monitors[i]);
    if (guard->has_statm)
        close(guard->statm);
    guard->has_statm = false;
}

bool guard_watch(struct guard *guard, void *context, void *socket, enum channel channel,
                 struct poller *poller)
{
    int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (guard->keyring == NULL) /* else one flipped bit would leave a connection for ever: README */
        events |= ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    if (guard->monitors[channel] != NULL) /* of a try that did not get its port */
        poller_remove(poller, monitor_fd(guard->monitors[channel]));
    monitor_close(&guard->monitors[channel]);
    guard->monitors[channel] = monitor_open(context, socket, events);
    return guard->monitors[channel] != NULL &&
           poller_add(poller, monitor_fd(guard->monitors[channel]), POLLER_MONITOR, channel);
}

/* false: there is no room for it, or too many of its address have nothing to say. */
static bool guard_take_in(struct guard *guard, enum channel channel, int fd, struct facts *facts)
{
    union socket_address peer = {0};
    struct address address;
    char text[ADDRESS_TEXT_BYTES];
    bool is_there = address_of_peer(fd, &peer); /* if not, the monitor says so next */
    struct source *source = is_there ? sources_find(&guard->sources, &peer, facts->now_ns) : NULL;
    if (!sources_admits(source))
        facts_counted(facts, COUNTER_connections_refused_address, 1);
    if (!guard_admits(fd, guard->fds_max) || !sources_admits(source))
        return false;
    struct connection *connection =
        connections_accept(&guard->connections, channel, fd, facts->now_ns);
    if (connection == NULL)
        return false;
    address_of_socket(&peer, &address);
    address_format(&address, text);
    snprintf(connection->address, sizeof(connection->address), "%.63s", text);
    connection->peer = peer;
    connection->source = source;
    sources_accepted(source);
    if (channel == CHANNEL_CLIENT) {
        connection->origin = source;
        connection->excess = sources_client_accepted(&guard->sources, source, facts->now_ns);
    }
    return true;
}

static void guard_accepted(struct guard *guard, enum channel channel, int fd, struct facts *facts)
{
    guard->accepted[channel]++;
    facts_counted(facts, COUNTER_connections_accepted, 1);
    if (guard_take_in(guard, channel, fd, facts))
        return;
    guard->turned_away++;
    facts_counted(facts, COUNTER_connections_cut, 1);
    shutdown(fd, SHUT_RDWR);
}

/* With keys libzmq is not asked for every way in which a handshake fails (guard_watch). Who ends so
 * early, and has not said a word, had not finished it. */
static bool guard_has_failed_unsaid(const struct guard *guard, const struct connection *connection,
                                    uint64_t now_ns)
{
    return guard->keyring != NULL && now_ns - connection->accepted_ns < GUARD_SILENT_NS;
}

static void guard_disconnected(struct guard *guard, enum channel channel, int fd,
                               struct facts *facts)
{
    struct connection *connection = connections_at(&guard->connections, fd);
    bool has_failed = guard->has_failed[channel];
    guard->has_failed[channel] = false;
    if (connection == NULL)
        return;
    facts_counted(facts, COUNTER_connections_closed, 1);
    if (!connection->is_named) {
        if (!has_failed && guard_has_failed_unsaid(guard, connection, facts->now_ns)) {
            has_failed = true;
            facts_counted(facts, COUNTER_connections_failed, 1);
        }
        sources_closed(connection->source, has_failed ? SOURCES_FAILED : SOURCES_BARREN);
        connection->source = NULL;
        connections_forget(&guard->connections, connection);
        return;
    }
    connections_detach(&guard->connections, connection);
    connection->check_ns = facts->now_ns + GUARD_CHECK_NS;
    connections_attend(&guard->connections, connection);
}

static void guard_hear(struct guard *guard, enum channel channel, const struct monitor_event *event,
                       struct facts *facts)
{
    switch (event->event) {
    case ZMQ_EVENT_ACCEPTED:
        guard_accepted(guard, channel, event->value, facts);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        guard_disconnected(guard, channel, event->value, facts);
        break;
    case ZMQ_EVENT_ACCEPT_FAILED:
        facts_counted(facts, COUNTER_accept_failures, 1);
        break;
    default: /* the three ways to fail a handshake; "disconnected" follows at once */
        guard->has_failed[channel] = true;
        facts_counted(facts, COUNTER_connections_failed, 1);
    }
}

void guard_drain(struct guard *guard, struct facts *facts)
{
    static const enum channel channels[] = {CHANNEL_GOSSIP, CHANNEL_FORWARD, CHANNEL_CLIENT};
    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        struct monitor_event event;
        void *monitor = guard->monitors[channels[i]];
        while (monitor != NULL && monitor_next(monitor, &event))
            guard_hear(guard, channels[i], &event, facts);
    }
}

/* The monitor said "accepted" before libzmq could deliver the frame, so after the drain the record
 * is there; unless the connection ended meanwhile, and its descriptor may be another's. */
struct connection *guard_first_frame(struct guard *guard, enum channel channel, uint32_t number,
                                     int fd, struct facts *facts)
{
    struct connection *connection = connections_at(&guard->connections, fd);
    bool is_its_own = connection != NULL && connection->channel == channel && !connection->is_named;
    if (!is_its_own) {
        bool is_newer = connection != NULL && connection->channel == channel &&
                        (int32_t)(number - connection->number) > 0;
        if (channel == CHANNEL_CLIENT && !is_newer) {
            /* It said HELLO and hung up, or was turned away at the door: nobody reads WELCOME, and
             * what its address may do was counted with the record that is gone. */
            facts_counted(facts, COUNTER_connections_cut, 1);
            return NULL;
        }
        connection =
            connections_accept(&guard->connections, channel, is_newer ? fd : -1, facts->now_ns);
        if (connection == NULL)
            return NULL;
    }
    if (!connections_name(&guard->connections, connection, number)) {
        guard_shut(guard, connection, facts);
        return NULL;
    }
    sources_spoke(connection->source);
    connection->source = NULL;
    if (connection->fd < 0) {
        connection->check_ns = facts->now_ns + GUARD_CHECK_NS;
        connections_attend(&guard->connections, connection);
    }
    return connection;
}

void guard_shut(struct guard *guard, struct connection *connection, struct facts *facts)
{
    union socket_address peer = {0};
    connection->is_shut = true;
    connection->cut_ns = 0;
    facts_counted(facts, COUNTER_connections_cut, 1);
    bool is_the_same = connection->fd >= 0 && address_of_peer(connection->fd, &peer) &&
                       address_socket_equal(&peer, &connection->peer);
    if (is_the_same && shutdown(connection->fd, SHUT_RDWR) == 0)
        return; /* the monitor says "disconnected" next */
    if (connection->is_named && connection->check_ns == 0) {
        connection->check_ns = facts->now_ns + GUARD_CHECK_NS;
        connections_attend(&guard->connections, connection);
    }
}

void guard_shut_soon(struct guard *guard, struct connection *connection, uint64_t now_ns)
{
    if (connection->is_shut)
        return;
    connection->is_shut = true;
    connection->cut_ns = now_ns;
    connections_attend(&guard->connections, connection);
}

/* Whether TCP has sent something since then and nothing waits in it; true also when the system does
 * not say. Its clock counts in steps of some milliseconds. */
static bool guard_has_sent_since(int fd, uint64_t since_ns, uint64_t now_ns)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    size_t needed = offsetof(struct tcp_info, tcpi_notsent_bytes) + sizeof(info.tcpi_notsent_bytes);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < needed)
        return true;
    uint64_t ago_ns = info.tcpi_last_data_sent * CLOCK_MS_NS;
    return ago_ns <= now_ns - since_ns + GUARD_TCP_STEP_NS && info.tcpi_unacked == 0 &&
           info.tcpi_notsent_bytes == 0;
}

static bool guard_is_crowded(const struct guard *guard)
{
    return guard->connections.fds_used > guard->fds_max / 2;
}

/* Cutting by a short clock alone took the last words of up to a third of the sessions that were
 * closed at once by thousands: libzmq's thread here, or the client's, had no CPU meanwhile. */
void guard_cut(struct guard *guard, struct connection *connection, struct facts *facts)
{
    uint64_t waited_ns = facts->now_ns - connection->cut_ns;
    bool is_crowded = guard_is_crowded(guard);
    bool has_sent =
        is_crowded && guard_has_sent_since(connection->fd, connection->cut_ns, facts->now_ns);
    if (guard_is_cut_due(waited_ns, has_sent, is_crowded))
        guard_shut(guard, connection, facts);
}

/* -- looks -- */

/* The second number in /proc/self/statm: pages. 0: the system does not say. The file stays open:
 * it is read ten times a second, and opening it was a third of what an idle node did. */
static uint64_t guard_resident_bytes(struct guard *guard)
{
    char line[128];
    if (!guard->has_statm) {
        guard->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        guard->has_statm = guard->statm >= 0;
    }
    ssize_t read = guard->has_statm ? pread(guard->statm, line, sizeof(line) - 1, 0) : 0;
    line[read > 0 ? read : 0] = '\0';
    const char *second = strchr(line, ' ');
    return second == NULL ? 0 : strtoull(second, NULL, 10) * guard->page_bytes;
}

/* Bytes that TCP received on the descriptor; false when the system does not say. */
static bool guard_received(int fd, uint64_t *bytes)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    size_t needed = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < needed)
        return false;
    *bytes = info.tcpi_bytes_received;
    return true;
}

static void guard_look_at(struct guard *guard, struct connection *connection, struct facts *facts)
{
    uint64_t bytes = 0;
    if (connection->is_shut || !guard_received(connection->fd, &bytes))
        return;
    if (connection->frames != connection->looked_frames) {
        connection->looked_frames = connection->frames;
        connection->looked_bytes = bytes;
    } else if (guard_is_endless(connection->channel, bytes - connection->looked_bytes)) {
        facts_counted(facts, COUNTER_frames_multipart, 1);
        guard_shut(guard, connection, facts);
    }
}

static void guard_look_around(struct guard *guard, struct facts *facts)
{
    struct connections *connections = &guard->connections;
    uint64_t resident = guard_resident_bytes(guard);
    bool has_grown = resident > guard->resident_bytes + GUARD_GROWTH_BYTES;
    if (has_grown || resident < guard->resident_bytes)
        guard->resident_bytes = resident;
    unsigned share = connections->open / GUARD_LOOKS_PER_S + 1;
    unsigned looks = share < GUARD_LOOKS_MAX ? share : GUARD_LOOKS_MAX;
    if (has_grown)
        looks = connections->open;
    for (int steps = connections->fds_used; steps > 0 && looks > 0; steps--) {
        if (guard->position >= connections->fds_used)
            guard->position = 0;
        struct connection *connection = connections_at(connections, guard->position++);
        if (connection == NULL)
            continue;
        guard_look_at(guard, connection, facts);
        looks--;
    }
}

static void guard_look_at_silent(struct guard *guard, struct facts *facts)
{
    bool is_crowded = guard_is_crowded(guard);
    struct connection *next = NULL;
    for (struct connection *at = guard->connections.first_silent; at != NULL; at = next) {
        uint64_t silent_ns = facts->now_ns - at->accepted_ns;
        next = at->next_silent;
        if (silent_ns < GUARD_SILENT_NS)
            return; /* those behind came later */
        if (!at->is_shut && guard_is_silent(at->channel, silent_ns, is_crowded)) {
            facts_counted(facts, COUNTER_connections_silent, 1);
            guard_shut(guard, at, facts);
        }
    }
}

void guard_look(struct guard *guard, struct facts *facts)
{
    if (facts->now_ns + GUARD_LOOK_EARLY_NS < guard->look_ns)
        return;
    guard->look_ns = facts->now_ns + GUARD_LOOK_NS;
    guard_look_around(guard, facts);
    guard_look_at_silent(guard, facts);
}
