#include "tests/sim/network.h"

/* Why TCP and not datagrams: weft speaks over ZeroMQ, where loss is delay. One pipe a link and
 * channel; its head leaves when neither way is cut; what is behind waits. A one-way cut lets ten
 * more frames out of the healthy direction (the window), then that stalls too. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/world.h"

enum {
    RETRY_FIRST_MS = 100, /* ZeroMQ's RECONNECT_IVL */
    RETRY_MAX_MS = 1000,  /* RECONNECT_IVL_MAX */
    CONNECT_TIMEOUT_MS = 3000,
    STALL_FIRST_MS = 200,  /* TCP's least retransmission time-out, doubling */
    STALL_MAX_MS = 15000,  /* TCP_MAXRT: the link breaks */
    WINDOW_FRAMES = 10,    /* sent into a one-way cut before the sender waits */
    PIPE_FRAMES_MAX = 128, /* both high-water marks */
};

static const uint64_t MS = 1000000;

static struct sim_link *link_at(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_links *links = &world->nodes[node].links;
    uint32_t at = link * 2 + (channel == CHANNEL_FORWARD);
    if (at >= links->count) {
        uint32_t count = at + 16;
        links->links = realloc(links->links, count * sizeof *links->links);
        require(links->links != NULL);
        memset(links->links + links->count, 0, (count - links->count) * sizeof *links->links);
        links->count = count;
    }
    return &links->links[at];
}

static uint64_t travel_ns(struct world *world)
{
    const struct network_settings *set = &world->network;
    uint64_t jitter =
        set->jitter_ns == 0 ? 0 : random_below(&world->random[STREAM_NETWORK], set->jitter_ns);
    return set->delay_ns + jitter;
}

static bool draws(struct world *world, uint32_t chance, uint32_t of)
{
    return chance != 0 && random_below(&world->random[STREAM_NETWORK], of) < chance;
}

static bool is_cut(const struct world *world, uint32_t from, uint32_t to)
{
    return world->is_cut[from * world->nodes_count + to] != 0;
}

static void plan(struct world *world, uint64_t in_ns, enum event_kind kind, uint32_t node,
                 uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    events_plan(&world->events, (struct event){.at_ns = world->now_ns + in_ns,
                                               .kind = kind,
                                               .node = node,
                                               .life = world->nodes[node].life,
                                               .link = link,
                                               .channel = channel,
                                               .dial = l->dial});
}

static void drop_frames(struct sim_link *l)
{
    while (l->first != NULL) {
        struct sim_frame *frame = l->first;
        l->first = frame->next;
        free(frame);
    }
    l->last = NULL;
    l->queued = 0;
    l->is_pumping = false;
}

/* The number of the host in "10.a.b.c:port". */
static uint32_t host_of(struct span address)
{
    char text[WORLD_ADDRESS_BYTES];
    unsigned a = 0, b = 0, c = 0;
    size_t bytes = address.bytes < sizeof text - 1 ? address.bytes : sizeof text - 1;
    memcpy(text, address.data, bytes);
    text[bytes] = '\0';
    return sscanf(text, "10.%u.%u.%u:", &a, &b, &c) == 3 ? a << 16 | b << 8 | c : UINT32_MAX;
}

static uint32_t node_at(const struct world *world, uint32_t host)
{
    for (uint32_t i = 0; i < world->nodes_count; i++)
        if (world->nodes[i].address == host)
            return i;
    return UINT32_MAX;
}

void network_open(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  struct span address)
{
    struct sim_link *l = link_at(world, node, link, channel);
    require(!l->is_open);
    uint32_t dial = l->dial + 1;
    *l = (struct sim_link){.is_open = true,
                           .dial = dial,
                           .address = host_of(address),
                           .peer = UINT32_MAX,
                           .retry_ms = RETRY_FIRST_MS};
    plan(world, 0, EVENT_DIAL, node, link, channel);
}

/* The other end of a link that was up hears that it is gone. */
static void tell_peer(struct world *world, const struct sim_link *l, uint32_t channel)
{
    struct world_node *peer = &world->nodes[l->peer];
    if (peer->mesh == NULL || peer->life != l->peer_life)
        return;
    events_plan(&world->events, (struct event){.at_ns = world->now_ns + travel_ns(world),
                                               .kind = EVENT_CONNECTION_LOST,
                                               .node = l->peer,
                                               .life = l->peer_life,
                                               .channel = channel,
                                               .connection = l->connection});
}

void network_close(struct world *world, uint32_t node, uint32_t link, enum channel channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    require(l->is_open);
    if (l->is_up && !is_cut(world, node, l->peer))
        tell_peer(world, l, channel);
    drop_frames(l);
    l->dial++;
    l->is_open = l->is_up = false;
}

static void retry(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    uint32_t in_ms = l->retry_ms;
    l->retry_ms = in_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : in_ms * 2;
    plan(world, in_ms * MS, EVENT_DIAL, node, link, channel);
}

static void break_link(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    if (!l->is_up)
        return;
    drop_frames(l);
    l->is_up = false;
    l->dial++;
    plan(world, 0, EVENT_LINK_LOST, node, link, channel);
    l->retry_ms = RETRY_FIRST_MS;
    retry(world, node, link, channel);
}

void network_reset(struct world *world, uint32_t node, uint32_t link, enum channel channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    if (!l->is_open || !l->is_up)
        return;
    tell_peer(world, l, channel);
    break_link(world, node, link, channel);
}

static void dial(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    l->peer = node_at(world, l->address);
    bool is_silent = l->peer == UINT32_MAX || world->nodes[l->peer].has_vanished ||
                     is_cut(world, node, l->peer) || is_cut(world, l->peer, node);
    if (is_silent) {
        l->retry_ms = RETRY_FIRST_MS;
        plan(world, CONNECT_TIMEOUT_MS * MS, EVENT_DIAL, node, link, channel);
        return;
    }
    if (world->nodes[l->peer].mesh == NULL) {
        retry(world, node, link, channel);
        return;
    }
    l->peer_life = world->nodes[l->peer].life;
    l->connection = ++world->connections;
    l->is_up = true;
    l->is_full = false;
    l->stalled_since_ns = 0;
    l->unacknowledged = 0;
    l->retry_ms = RETRY_FIRST_MS;
    uint64_t round_trip = travel_ns(world) + travel_ns(world);
    l->last_arrival_ns = world->now_ns + round_trip;
    plan(world, round_trip, EVENT_LINK_UP, node, link, channel);
}

static void arrive(struct world *world, uint32_t node, struct sim_link *l, uint32_t channel,
                   const struct sim_frame *frame, uint64_t at_ns)
{
    uint8_t *copy = malloc(frame->bytes == 0 ? 1 : frame->bytes);
    require(copy != NULL);
    memcpy(copy, frame->data, frame->bytes);
    if (frame->bytes > 0 && draws(world, world->network.flip_per_million, 1000000))
        copy[random_below(&world->random[STREAM_NETWORK], frame->bytes)] ^=
            (uint8_t)(1 + random_below(&world->random[STREAM_NETWORK], 255));
    events_plan(&world->events, (struct event){.at_ns = at_ns,
                                               .kind = EVENT_FRAME,
                                               .node = l->peer,
                                               .life = l->peer_life,
                                               .channel = channel,
                                               .connection = l->connection,
                                               .from = node,
                                               .frame = copy,
                                               .bytes = frame->bytes});
}

static void send_head(struct world *world, uint32_t node, struct sim_link *l, uint32_t channel)
{
    struct sim_frame *frame = l->first;
    l->first = frame->next;
    if (l->first == NULL)
        l->last = NULL;
    l->queued--;
    uint64_t at_ns = world->now_ns + travel_ns(world);
    if (at_ns < l->last_arrival_ns)
        at_ns = l->last_arrival_ns;
    l->last_arrival_ns = at_ns;
    l->unacknowledged = is_cut(world, l->peer, node) ? l->unacknowledged + 1 : 0;
    if (!draws(world, world->network.vanish_permille, 1000)) {
        arrive(world, node, l, channel, frame, at_ns);
        if (draws(world, world->network.repeat_permille, 1000))
            arrive(world, node, l, channel, frame, at_ns);
    }
    free(frame);
}

static bool must_wait(struct world *world, uint32_t node, const struct sim_link *l)
{
    return is_cut(world, node, l->peer) || world->nodes[l->peer].has_vanished ||
           l->unacknowledged >= WINDOW_FRAMES;
}

/* The process that this link led to is gone and its host says so. */
static bool is_reset_by_peer(struct world *world, uint32_t node, const struct sim_link *l)
{
    const struct world_node *peer = &world->nodes[l->peer];
    bool is_gone = peer->mesh == NULL || peer->life != l->peer_life;
    return is_gone && !peer->has_vanished && !is_cut(world, node, l->peer) &&
           !is_cut(world, l->peer, node);
}

static void tell_link(struct world *world, uint32_t node, uint32_t link, uint32_t channel,
                      enum mesh_fact fact)
{
    struct mesh_input input = {.fact = fact, .channel = (enum channel)channel, .link = link};
    world_tell(world, node, &input);
}

static void stall(struct world *world, uint32_t node, uint32_t link, uint32_t channel,
                  struct sim_link *l)
{
    if (l->stalled_since_ns == 0) {
        l->stalled_since_ns = world->now_ns;
        l->stall_ms = STALL_FIRST_MS;
    } else {
        l->stall_ms *= 2;
    }
    plan(world, l->stall_ms * MS, EVENT_PUMP, node, link, channel);
}

static void pump(struct world *world, uint32_t node, uint32_t link, uint32_t channel)
{
    struct sim_link *l = link_at(world, node, link, channel);
    l->is_pumping = false;
    while (l->first != NULL && l->is_up) {
        if (is_reset_by_peer(world, node, l)) {
            break_link(world, node, link, channel);
            return;
        }
        bool waits = must_wait(world, node, l);
        if (waits && l->stalled_since_ns != 0 &&
            world->now_ns - l->stalled_since_ns > STALL_MAX_MS * MS) {
            break_link(world, node, link, channel);
            return;
        }
        if (waits || draws(world, world->network.stall_permille, 1000)) {
            l->is_pumping = true;
            stall(world, node, link, channel, l);
            return;
        }
        l->stalled_since_ns = 0;
        send_head(world, node, l, channel);
    }
    if (l->is_full && l->queued <= PIPE_FRAMES_MAX / 2) {
        l->is_full = false;
        tell_link(world, node, link, channel, MESH_LINK_WRITABLE);
    }
}

void network_send(struct world *world, uint32_t node, uint32_t link, enum channel channel,
                  uint8_t *data, size_t bytes)
{
    struct sim_link *l = link_at(world, node, link, channel);
    require(l->is_open);
    struct sim_frame *frame = malloc(sizeof *frame + bytes);
    require(frame != NULL);
    *frame = (struct sim_frame){.bytes = bytes};
    memcpy(frame->data, data, bytes);
    free(data);
    if (!l->is_up) { /* it broke since the core's last look; the core hears of that in time */
        free(frame);
        return;
    }
    if (draws(world, world->network.reset_per_million, 1000000)) {
        free(frame);
        network_reset(world, node, link, channel);
        return;
    }
    if (l->last == NULL)
        l->first = frame;
    else
        l->last->next = frame;
    l->last = frame;
    l->queued++;
    if (!l->is_pumping) {
        l->is_pumping = true;
        plan(world, 0, EVENT_PUMP, node, link, channel);
    }
    if (l->queued >= PIPE_FRAMES_MAX && !l->is_full) {
        l->is_full = true;
        tell_link(world, node, link, channel, MESH_LINK_FULL);
    }
}

/* Finds the diallers' end of an incoming connection. */
static bool find_dialler(struct world *world, uint32_t connection, uint32_t *node, uint32_t *at)
{
    for (uint32_t n = 0; n < world->nodes_count; n++) {
        const struct sim_links *links = &world->nodes[n].links;
        for (uint32_t i = 0; i < links->count; i++)
            if (links->links[i].is_up && links->links[i].connection == connection) {
                *node = n;
                *at = i;
                return true;
            }
    }
    return false;
}

void network_reply(struct world *world, uint32_t node, enum channel channel, uint32_t connection,
                   uint8_t *frame, size_t bytes)
{
    uint32_t to = 0, at = 0;
    struct event event = {.at_ns = world->now_ns + travel_ns(world),
                          .node = node,
                          .life = world->nodes[node].life,
                          .channel = channel,
                          .connection = connection,
                          .frame = frame,
                          .bytes = bytes,
                          .from = node};
    if (channel == CHANNEL_CLIENT) {
        event.kind = EVENT_CLIENT_FRAME;
        events_plan(&world->events, event);
        return;
    }
    if (!find_dialler(world, connection, &to, &at) || is_cut(world, node, to)) {
        free(frame);
        return;
    }
    event.kind = EVENT_FRAME;
    event.node = to;
    event.life = world->nodes[to].life;
    event.link = at / 2;
    event.connection = UINT32_MAX; /* an answer on the link */
    events_plan(&world->events, event);
}

void network_probe(struct world *world, uint32_t node, uint32_t link, struct span address)
{
    uint32_t peer = node_at(world, host_of(address));
    if (peer == UINT32_MAX || world->nodes[peer].has_vanished || world->nodes[peer].mesh != NULL ||
        is_cut(world, node, peer) || is_cut(world, peer, node))
        return;
    events_plan(&world->events,
                (struct event){.at_ns = world->now_ns + travel_ns(world) + travel_ns(world),
                               .kind = EVENT_LINK_REFUSED,
                               .node = node,
                               .life = world->nodes[node].life,
                               .link = link});
}

void network_due(struct world *world, struct event *event)
{
    struct sim_link *l = link_at(world, event->node, event->link, event->channel);
    if (!l->is_open)
        return;
    if (event->kind == EVENT_LINK_LOST) { /* of the attempt before the present one */
        tell_link(world, event->node, event->link, event->channel, MESH_LINK_LOST);
        return;
    }
    if (event->dial != l->dial)
        return;
    if (event->kind == EVENT_DIAL)
        dial(world, event->node, event->link, event->channel);
    else if (event->kind == EVENT_PUMP)
        pump(world, event->node, event->link, event->channel);
    else
        tell_link(world, event->node, event->link, event->channel, MESH_LINK_UP);
}

void network_process_ended(struct world *world, uint32_t node, bool says_so)
{
    struct sim_links *own = &world->nodes[node].links;
    for (uint32_t i = 0; i < own->count; i++) {
        struct sim_link *l = &own->links[i];
        if (says_so && l->is_up && !is_cut(world, node, l->peer))
            tell_peer(world, l, i % 2 == 0 ? CHANNEL_GOSSIP : CHANNEL_FORWARD);
        drop_frames(l);
        l->dial++;
        l->is_open = l->is_up = false;
    }
    for (uint32_t n = 0; says_so && n < world->nodes_count; n++) {
        struct sim_links *links = &world->nodes[n].links;
        for (uint32_t i = 0; n != node && i < links->count; i++)
            if (links->links[i].is_up && links->links[i].peer == node && !is_cut(world, node, n))
                break_link(world, n, i / 2, i % 2 == 0 ? CHANNEL_GOSSIP : CHANNEL_FORWARD);
    }
}

void network_forget(struct sim_links *links)
{
    for (uint32_t i = 0; i < links->count; i++)
        drop_frames(&links->links[i]);
    free(links->links);
    *links = (struct sim_links){.links = NULL};
}
